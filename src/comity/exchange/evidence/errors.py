"""What may go wrong with a file between two nodes."""

from __future__ import annotations

from comity.exchange.errors import ExchangeError


class EvidenceError(ExchangeError):
    """A file cannot be offered, found or read here."""

    code = "evidence"


class EvidenceUnknownError(EvidenceError):
    """The message has no such file."""

    code = "unknown_evidence"


class ChunkRefusedError(EvidenceError):
    """A chunk is not the one that its sender signed, or not one that is awaited."""

    code = "chunk_refused"


class EvidenceGoneError(EvidenceError):
    """The sender has withdrawn the file."""

    code = "evidence_withdrawn"


class NoRoomError(EvidenceError):
    """The disk has no room for more of a file; it goes on by itself once there is."""

    code = "no_room"
