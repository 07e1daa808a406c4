"""The screener over the watch lists in force, built once in a process for as long as the lists stay the same."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from comity.registers.matching import Match, Screener, Subject
from comity.registers.selectors import in_force, watch_entries
from comity.registers.values import RegisterKind, RegisterVersion

_building = threading.Lock()


class ListScreener:
    """The entries of several lists in one index. Subjects are remembered: traders come again and again."""

    def __init__(self, versions: Sequence[RegisterVersion]) -> None:
        entries = []
        self._of: list[tuple[RegisterVersion, str]] = []
        for version in versions:
            for entry, content in watch_entries(version.version_id):
                entries.append(entry)
                self._of.append((version, content))
        self._screener = Screener(entries)
        self.screen = lru_cache(maxsize=100_000)(self._screen)

    def _screen(self, subject: Subject) -> tuple[Match, ...]:
        return tuple(self._screener.screen(subject))

    def list_of(self, match: Match) -> RegisterVersion:
        """The version of the list that a match is on."""
        return self._of[match.place][0]

    def content_of(self, match: Match) -> str:
        """The digest of what the entry of a match is recognised by."""
        return self._of[match.place][1]


def screener_in_force() -> ListScreener | None:
    """The screener over the watch lists in force; None where there is none."""
    return screener_over(in_force())


def screener_over(versions: Iterable[RegisterVersion]) -> ListScreener | None:
    """The screener over the watch lists among these versions, which are in force; None where there is none."""
    lists = tuple(version for version in versions if version.kind is RegisterKind.WATCH_LIST)
    if not lists:
        return None
    with _building:  # two threads that meet a new version do not both build
        return _built(lists)


def keep_ready(_at: datetime) -> bool:
    """Build the screener of the lists in force before an assessment asks for it; whether there is one.

    For 100,000 entries that takes some ten seconds, at the start of a process and after a load.
    """
    return screener_in_force() is not None


@lru_cache(maxsize=2)
def _built(lists: tuple[RegisterVersion, ...]) -> ListScreener:
    return ListScreener(lists)
