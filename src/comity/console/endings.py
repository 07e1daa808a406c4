"""What ends: key documents and certificates, ours and the partners', in whole days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from comity.trust import certificate_ends

# Nearer than this: soon a thing to do; then a thing to do now, on every page of who looks after the node.
SOON_DAYS, NOW_DAYS = 60, 30
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Ending:
    """When something ends. what: keys or certificate. days: until then, below 0 after it."""

    what: str
    at: datetime
    days: int
    is_over: bool

    @property
    def tag(self) -> str:
        """How near it is, as a word: attention, soon or ok."""
        word = "attention" if self.days < NOW_DAYS else "soon" if self.days < SOON_DAYS else "ok"
        return f"check:{word}"


def ending(what: str, moment: datetime, at: datetime) -> Ending:
    """An end, and the days until it, as the doctor counts them."""
    return Ending(what, moment, round((moment - at).total_seconds() / _DAY), is_over=moment < at)


def all_own_endings(at: datetime) -> tuple[Ending, ...]:
    """Our key document and our certificate."""
    own = settings.COMITY_KEYRING
    return (
        ending("keys", own.key_document.expires_at, at),
        ending("certificate", certificate_ends(own.tls_certificate_pem), at),
    )


def own_endings(at: datetime) -> tuple[Ending, ...]:
    """What of ours ends within thirty days or has ended."""
    return tuple(each for each in all_own_endings(at) if each.days < NOW_DAYS)
