"""Files that belong to messages: offered, served, fetched, stored and purged (docs/protocol.md §9)."""

# Packed by hand: one name a line would make the face longer than a page.
# isort: off
# fmt: off
from comity.exchange.evidence.carrying import Imported, export_chunks, export_marks, import_chunks, import_marks
from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceError, EvidenceGoneError, EvidenceUnknownError
from comity.exchange.evidence.errors import NoRoomError
from comity.exchange.evidence.fetching import FETCH_RULES, Fetcher, FetchRules
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.offering import Prepared, about_for, keep_file, offer, prepare, withdraw
from comity.exchange.evidence.offering import withdraw_recalled
from comity.exchange.evidence.parts import CHUNK_PART, MARK_PART
from comity.exchange.evidence.purging import purge, sweep
from comity.exchange.evidence.sending import Pusher
from comity.exchange.evidence.serving import evidence_routes
from comity.exchange.evidence.standing import EvidenceState, EvidenceView, OpenedEvidence, evidence_files, evidence_of
from comity.exchange.evidence.standing import open_evidence
from comity.exchange.evidence.stick import StickRead, StickWritten, read_stick, write_stick
from comity.exchange.evidence.taking import expect
from comity.exchange.evidence.worker import EvidenceWorker

__all__ = [
    "CHUNK_PART",
    "FETCH_RULES",
    "MARK_PART",
    "ChunkRefusedError",
    "EvidenceError",
    "EvidenceGoneError",
    "EvidenceState",
    "EvidenceUnknownError",
    "EvidenceView",
    "EvidenceWorker",
    "FetchRules",
    "Fetcher",
    "Folder",
    "Imported",
    "NoRoomError",
    "OpenedEvidence",
    "Prepared",
    "Pusher",
    "StickRead",
    "StickWritten",
    "about_for",
    "evidence_files",
    "evidence_of",
    "evidence_routes",
    "expect",
    "export_chunks",
    "export_marks",
    "import_chunks",
    "import_marks",
    "keep_file",
    "offer",
    "open_evidence",
    "prepare",
    "purge",
    "read_stick",
    "sweep",
    "withdraw",
    "withdraw_recalled",
    "write_stick",
]
