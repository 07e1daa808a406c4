"""Reads of the log: its head, entries, proofs, tiles, and what partners' logs last showed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

from comity.ledger.errors import NoCheckpointError, NoEntryError
from comity.ledger.models import Batch, Cosignature, LogLook, LogState, PartnerHead, SplitView
from comity.ledger.quorum import Quorum, QuorumStanding
from comity.ledger.rules import LookState
from comity.ledger.tree import StoredTree, stored_entries, tile_hashes
from comity.trust import ForkProof, notes, tiles, tlogproof

# A quorum is looked for among so many of the newest cosignatures.
_COSIGNATURES_AT_MOST = 100_000
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Head:
    """What our log or a partner's last showed.

    note: the signed checkpoint. line: for a partner's log, our cosignature on it.
    """

    origin: str
    size: int
    note: str
    line: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ForkEvidence:
    """Two notes, signed by one log, that cannot both be true.

    digest: names the pair. is_proven: anyone can check it offline, by `proof`; else the log only failed to show that it
    goes on. reported_by: the partner that told us; empty where it was found here. told_at: when partners were told.
    """

    origin: str
    vkey: str
    reason: str
    seen_note: str
    shown_note: str
    found_at: datetime
    digest: str
    is_proven: bool
    reported_by: str
    told_at: datetime | None
    proof: ForkProof

    @property
    def sizes(self) -> tuple[int, int]:
        """The sizes of the two trees, in the order of the notes."""
        heads = [notes.Checkpoint.parse(notes.split_note(each)[0]) for each in (self.seen_note, self.shown_note)]
        return heads[0].size, heads[1].size


@dataclass(frozen=True, slots=True)
class OwnForkWarning:
    """Something is wrong with our own log. code: behind, claimed, held or forked. text, remedy: in plain words.

    behind: a partner holds a checkpoint with our signature that is larger than our log; nothing can be appended.
    claimed: a partner says so without showing it. held: nothing can be appended until the partners were asked.
    forked: two notes that our own key signed contradict each other; `evidence` says which.
    """

    code: str
    witness: str
    size: int
    seen_size: int
    note: str
    text: str
    remedy: str
    evidence: ForkEvidence | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What the monitor last found of a partner's log. detail: a sentence."""

    administration: str
    origin: str
    state: LookState
    detail: str
    size: int
    looked_at: datetime


def log_size() -> int:
    """How many entries the log has."""
    return Batch.objects.order_by("-first_index").values_list("size", flat=True).first() or 0


def latest_checkpoint() -> str:
    """The newest checkpoint: the log's signature and the cosignatures of exactly this checkpoint.

    Raises: NoCheckpointError where the log has not begun.
    """
    last = Batch.objects.order_by("-first_index").values_list("size", "note").first()
    if last is not None:
        return _with_cosignatures(*last)
    note = LogState.objects.filter(id=1).values_list("note", flat=True).first()
    if note is None:
        raise NoCheckpointError("The log has not begun", remedy="It begins when the node first serves or appends.")
    return note


def cosigned_checkpoint(quorum: Quorum | None = None) -> str:
    """The newest checkpoint that at least one partner, or the given quorum, cosigned.

    Raises: NoCheckpointError where there is none.
    """
    size = _cosigned_size(quorum)
    if size is None:
        by = "No partner has" if quorum is None else "No quorum of witnesses has"
        raise NoCheckpointError(f"{by} cosigned a checkpoint yet", remedy="Run `comity ledger monitor --once`.")
    return checkpoint_at(size)


def quorum_standing(quorum: Quorum) -> QuorumStanding:
    """How far our log is witnessed as a quorum asks."""
    size = _cosigned_size(quorum)
    last_seen = dict.fromkeys((name for name in quorum.policy.counted if name != quorum.owner), 0)
    for vkey, name in quorum.names.items():
        newest = Cosignature.objects.filter(vkey=vkey).order_by("-size").values_list("size", flat=True).first() or 0
        if name in last_seen:
            last_seen[name] = max(last_seen[name], newest)
    reached = size if size is not None else log_size()
    missing = tuple(name for name, seen in last_seen.items() if not seen or seen < reached)
    return QuorumStanding(
        size=size,
        signed_at=_appended_at(size) if size is not None else None,
        entries_beyond=log_size() - (size or 0),
        seen_by=tuple(name for name in last_seen if name not in missing),
        missing=missing,
        last_seen=last_seen,
    )


def checkpoint_at(size: int) -> str:
    """The checkpoint that was signed when the log had this size, with its cosignatures.

    Raises: NoCheckpointError where no append ended there.
    """
    note = note_at(size)
    if note is None:
        raise NoCheckpointError("No checkpoint was signed at that size", where=f"size {size}")
    return _with_cosignatures(size, note)


def first_checkpoint() -> str:
    """The signed checkpoint of nothing, with which the log began.

    Raises: NoCheckpointError where it has not begun.
    """
    note = LogState.objects.filter(id=1).values_list("note", flat=True).first()
    if note is None:
        raise NoCheckpointError("The log has not begun", remedy="It begins when the node first serves or appends.")
    return note


def note_at(size: int) -> str | None:
    """Our own signed note of that size, without cosignatures; None where no append ended there."""
    batches = Batch.objects.filter(first_index__lt=size).order_by("-first_index")
    found = batches.values_list("size", "note").first()
    return found[1] if found and found[0] == size else None


def entry(index: int) -> bytes:
    """One entry.

    Raises: NoEntryError.
    """
    size = log_size()
    if not 0 <= index < size:
        raise NoEntryError("The log has no such entry", where=f"index {index} of {size}")
    return stored_entries(index, index + 1)[0]


def tlog_proof(index: int) -> str:
    """The proof that an entry stands in the log, against the newest checkpoint.

    Raises: NoEntryError; NoCheckpointError where the log has not begun.
    """
    return tlog_proofs([index])[0]


def witnessed_proof(index: int, quorum: Quorum | None = None) -> str:
    """The proof against the newest checkpoint that a quorum cosigned, where one holds the entry; else the newest that
    any partner cosigned; else the newest of all.

    Raises: NoEntryError; NoCheckpointError where the log has not begun.
    """
    sizes = (_cosigned_size(quorum) if quorum else None, _cosigned_size(None))
    size = next((each for each in sizes if each is not None and each > index), None)
    return tlog_proofs([index], note=checkpoint_at(size) if size is not None else "")[0]


def tlog_proofs(indices: Iterable[int], *, note: str = "") -> list[str]:
    """Proofs of many entries against one checkpoint, the newest unless given; they share their reads.

    note: one of our own checkpoints. Raises: NoEntryError, NoCheckpointError.
    """
    note = note or latest_checkpoint()
    size = notes.Checkpoint.parse(notes.split_note(note)[0]).size
    tree = StoredTree(size)
    proofs = []
    for index in indices:
        if not 0 <= index < size:
            raise NoEntryError("The log has no such entry", where=f"index {index} of {size}")
        proofs.append(tlogproof.make_tlog_proof(index, tree.inclusion_path(index), note))
    return proofs


def consistency_path(old_size: int, new_size: int) -> list[bytes]:
    """The proof that the log of old_size is a prefix of that of new_size (RFC 6962 §2.1.2).

    Raises: ProofError where the sizes do not rise; NoCheckpointError where the log is smaller than new_size.
    """
    size = log_size()
    if new_size > size:
        raise NoCheckpointError("The log is smaller", where=f"{new_size} of {size}")
    return StoredTree(new_size).consistency_path(old_size)


def tile(level: int, n: int, width: int = tiles.TILE_WIDTH) -> bytes | None:
    """A tile, or its first `width` hashes; None where the log has not so many."""
    if not _has_tile(level, n, width):
        return None
    return b"".join(tile_hashes(level, n, width))


def tile_at(path: str) -> bytes | None:
    """A tile or a bundle of entries by its path in tlog-tiles, such as tile/0/000.p/7; None where there is none.

    Raises: TileError where it is no such path.
    """
    wanted = tiles.parse_tile_path(path)
    if wanted.level == tiles.ENTRIES:
        return entries_bundle(wanted.n, wanted.width)
    return tile(wanted.level, wanted.n, wanted.width)


def entries_bundle(n: int, width: int = tiles.TILE_WIDTH) -> bytes | None:
    """A bundle of 256 entries, or its first `width` entries; None where the log has not so many."""
    if not _has_tile(0, n, width):
        return None
    start = n * tiles.TILE_WIDTH
    return tiles.pack_entries(stored_entries(start, start + width))


def partner_heads() -> list[Head]:
    """The largest checkpoint seen of each partner's log."""
    return [_head_of(row) for row in PartnerHead.objects.order_by("origin")]


def partner_head(origin: str) -> Head | None:
    """The largest checkpoint seen of one partner's log; None where none was."""
    row = PartnerHead.objects.filter(origin=origin).first()
    return _head_of(row) if row else None


def split_views() -> list[ForkEvidence]:
    """Evidence of logs that showed two histories, newest first."""
    return [_evidence_of(view) for view in SplitView.objects.order_by("-found_at", "-id")]


def split_view(digest: str) -> ForkEvidence | None:
    """One piece of evidence by the beginning of its digest; None where there is none, or more than one."""
    views = list(SplitView.objects.filter(digest__startswith=digest.lower())[:2]) if digest else []
    return _evidence_of(views[0]) if len(views) == 1 else None


def has_split(vkey: str) -> bool:
    """Whether it is proved that the log with this key showed two histories."""
    return SplitView.objects.filter(vkey=vkey, is_proven=True).exists()


def own_fork_warnings() -> tuple[OwnForkWarning, ...]:
    """What is wrong with our own log: it is behind what partners have seen, or its key signed two histories."""
    row = LogState.objects.filter(id=1).first()
    if row is None:
        return ()
    size, found = log_size(), []
    if row.seen_size > size:
        text = (
            f"{row.seen_by} holds a checkpoint of {row.seen_size} entries that this node signed; its log has {size}."
            " The database is older than that. Nothing is appended, so that no second history begins."
        )
        found.append(OwnForkWarning("behind", row.seen_by, size, row.seen_size, row.seen_note, text, _RESTORE))
    elif row.claimed_size > size:
        text = f"{row.claimed_by} says that it has seen {row.claimed_size} entries of our log, which has {size}."
        remedy = f"Run `comity ledger monitor --once`: it asks {row.claimed_by} to show it. {_RESTORE}"
        found.append(OwnForkWarning("claimed", row.claimed_by, size, row.claimed_size, "", text, remedy))
    if row.held_at is not None:
        text = f"Nothing is appended to our log until the partners were asked: {row.hold_reason}."
        remedy = "Run `comity ledger monitor --once`; it lets the log go on when every partner has answered."
        found.append(OwnForkWarning("held", "", size, 0, "", text, remedy))
    for view in SplitView.objects.filter(origin=row.origin, is_proven=True).order_by("-found_at", "-id"):
        evidence = _evidence_of(view)
        by = f"{view.reported_by} showed us" if view.reported_by else "This node found"
        text = f"{by} two notes of our own log that contradict each other. Partners cosign it no longer."
        found.append(
            OwnForkWarning(
                "forked", view.reported_by, size, max(evidence.sizes), view.shown_note, text, _ANEW, evidence
            )
        )
    return tuple(found)


def looks() -> tuple[Look, ...]:
    """What the monitor last found of each partner's log."""
    return tuple(
        Look(row.administration, row.origin, LookState(row.state), row.detail, row.size, row.looked_at)
        for row in LogLook.objects.order_by("administration")
    )


def is_held() -> bool:
    """Whether nothing may be appended until the partners were asked."""
    return LogState.objects.filter(id=1, held_at__isnull=False).exists()


_RESTORE = (
    "Restore a newer backup. If there is none, begin a log with a new name and key; docs/guide/witnesses.md says how."
)
_ANEW = (
    "Find out how it came about: an old backup, a copied key, two nodes with one key. Then begin a log with a new name"
    " and key, and be introduced anew; docs/guide/witnesses.md says how."
)


def _cosigned_size(quorum: Quorum | None) -> int | None:
    """The size of the newest checkpoint that anybody, or a quorum, cosigned."""
    newest = Cosignature.objects.order_by("-size", "vkey")
    if quorum is None:
        return newest.values_list("size", flat=True).first()
    if quorum.is_met_by(()):
        return log_size()
    rows = newest.filter(vkey__in=list(quorum.names)).values_list("size", "vkey")[:_COSIGNATURES_AT_MOST]
    for size, group in groupby(rows.iterator(chunk_size=500), itemgetter(0)):
        if quorum.is_met_by(vkey for _, vkey in group):
            return int(size)
    return None


def _appended_at(size: int) -> datetime | None:
    row = Batch.objects.filter(first_index__lt=size).order_by("-first_index").values_list("appended_us").first()
    return _BEGIN + timedelta(microseconds=row[0]) if row else None


def _evidence_of(view: SplitView) -> ForkEvidence:
    path = tuple(notes.from_base64(each) for each in view.path)
    proof = ForkProof(view.vkey, view.seen_note, view.shown_note, view.reason, bytes(view.prefix_root), path)
    return ForkEvidence(
        origin=view.origin,
        vkey=view.vkey,
        reason=view.reason,
        seen_note=view.seen_note,
        shown_note=view.shown_note,
        found_at=view.found_at,
        digest=view.digest,
        is_proven=view.is_proven,
        reported_by=view.reported_by,
        told_at=view.told_at,
        proof=proof,
    )


def _head_of(row: PartnerHead) -> Head:
    return Head(row.origin, row.size, row.note, row.line, row.seen_at)


def _with_cosignatures(size: int, note: str) -> str:
    lines = Cosignature.objects.filter(size=size).order_by("vkey").values_list("line", flat=True)
    return notes.add_signatures(note, list(lines)) if lines else note


def _has_tile(level: int, n: int, width: int) -> bool:
    """tlog-tiles: empty tiles must not be served, and no hash that the tree has not completed."""
    if not (0 <= level <= 63 and n >= 0 and 0 < width <= tiles.TILE_WIDTH):
        return False
    return n * tiles.TILE_WIDTH + width <= log_size() >> tiles.TILE_HEIGHT * level
