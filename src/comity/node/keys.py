"""The keys of a home: read from files that only the owner may read."""

from __future__ import annotations

from comity.node.home import Home, HomeError
from comity.trust import Keyring


def load_secret(home: Home) -> str:
    """The key for Django's own signatures; a fixed word where no node lives, for commands that sign nothing."""
    path = home.keys / "session.key"
    return path.read_text().strip() if path.is_file() else "no-node-lives-here"


def load_keyring(home: Home) -> Keyring:
    """Every key of the node.

    Raises: HomeError where a file is missing or cannot be read.
    """
    raise HomeError("not yet")
