"""Checking a whole log: everything is computed again from the entries, and compared with what was signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from comity.ledger.continuing import former_vkey, names_former
from comity.ledger.errors import LogDamagedError
from comity.ledger.models import Batch, Cosignature, LogState
from comity.ledger.rules import kind_of
from comity.ledger.selectors import note_at
from comity.ledger.tree import stored_subtrees
from comity.trust import NoteError, TrustError, merkle, notes, tiles

_MOST_PROBLEMS = 100
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class LogReport:
    """What a check of the whole log found.

    size, root: computed from the entries. kinds: how many entries of each kind. cosigned: the name of each cosigner
    whose signatures hold, with the size of the newest checkpoint it cosigned. problems: sentences; none when sound.
    """

    origin: str
    size: int
    root: bytes
    batches: int
    kinds: Mapping[str, int]
    cosignatures: int
    cosigned: Mapping[str, int]
    problems: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether everything stored is what was signed."""
        return not self.problems

    def require_sound(self) -> None:
        """Raises: LogDamagedError with the first problem."""
        if self.problems:
            raise LogDamagedError(
                f"The log is damaged: {self.problems[0]}",
                where=f"{len(self.problems)} problems",
                remedy="Restore the database from a backup; the partners' cosignatures say what was there.",
            )


class _Check:
    """One pass over the rows, with what was found so far."""

    def __init__(self) -> None:
        self.frontier = merkle.Frontier()
        self.batches = 0
        self.note = ""
        self.origin = ""
        self.former: list[str] = []
        self.former_vkey = ""
        self.kinds: Counter[str] = Counter()
        self.problems: list[str] = []

    def say(self, problem: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)

    def batch(self, row: Batch) -> None:
        """Compute one append again."""
        name = f"entries from {row.first_index}"
        try:
            entries = tiles.unpack_entries(bytes(row.entries))
        except tiles.TileError as error:
            self.say(f"{name}: {error}")
            entries = []
        if row.first_index != self.frontier.size or row.size != row.first_index + len(entries):
            self.say(f"{name}: {len(entries)} entries do not lead from size {self.frontier.size} to {row.size}")
        origin = self._origin_of(row, entries)
        hashes = merkle.leaf_hashes(entries)
        if b"".join(hashes) != bytes(row.hashes):
            self.say(f"{name}: the stored hashes are not those of the entries")
        growth = merkle.grow(self.frontier, hashes)
        self.frontier = growth.frontier
        self.batches += 1
        self.kinds.update(kind_of(entry) or "other" for entry in entries)
        if not row.note.startswith(notes.Checkpoint(origin, row.size, self.frontier.root).text + "\n"):
            self.say(f"{name}: the checkpoint of size {row.size} was signed over another tree")
        if b"".join(self.frontier.stack) != bytes(row.stack):
            self.say(f"{name}: the stored right edge of the tree is not that of the entries")
        self.note = row.note
        self._subtrees(growth)

    def _origin_of(self, row: Batch, entries: list[bytes]) -> str:
        """The name that the log has from here on: it changes only by an entry that names the former log."""
        origin = row.note.partition("\n")[0]
        if self.origin and origin != self.origin:
            expected = (self.origin, self.frontier.size, self.frontier.root.hex())
            if len(entries) != 1 or names_former(entries[0]) != expected:
                self.say(f"entries from {row.first_index}: the log changes its name without saying whom it continues")
            elif not self.former:
                self.former_vkey = former_vkey(entries[0])
            self.former.append(self.origin)
        self.origin = origin
        return origin

    def _subtrees(self, growth: merkle.Growth) -> None:
        for level in range(1, 1 + (len(growth.levels) - 1) // tiles.TILE_HEIGHT):
            position, hashes = growth.completed(level * tiles.TILE_HEIGHT)
            stop = position + len(hashes)
            if stored_subtrees(level, position, stop) != hashes:
                self.say(f"tile level {level}, hashes {position} to {stop}: not those of the entries")


def verify_log(verifier: notes.LogVerifier) -> LogReport:
    """Compute the whole log again from its entries and compare it with what was signed. verifier: our log's key."""
    check = _Check()
    check.origin = (LogState.objects.filter(id=1).values_list("note", flat=True).first() or "").partition("\n")[0]
    for row in _rows():
        check.batch(row)
    _check_ends(check, verifier)
    cosignatures, cosigned = _check_cosignatures(check)
    return LogReport(
        origin=verifier.name,
        size=check.frontier.size,
        root=check.frontier.root,
        batches=check.batches,
        kinds=dict(sorted(check.kinds.items())),
        cosignatures=cosignatures,
        cosigned=cosigned,
        problems=tuple(check.problems),
    )


def _rows() -> Iterator[Batch]:
    """Every batch in order, a few at a time: a log may be larger than the memory."""
    last = -1
    while rows := list(Batch.objects.filter(first_index__gt=last).order_by("first_index")[:_ROWS_AT_ONCE]):
        yield from rows
        last = rows[-1].first_index


def _check_ends(check: _Check, verifier: notes.LogVerifier) -> None:
    """The checkpoint that began the log and the newest one carry the log's signature."""
    first = LogState.objects.filter(id=1).values_list("note", flat=True).first()
    if first is None:
        if check.batches:
            check.say("the row that begins the log is gone")
        return
    newest = check.note or first
    signers = {"first": verifier, "newest": verifier}
    if check.former:
        same_key = notes.LogVerifier(check.former[0], verifier.key, verifier.kind)
        signers["first"] = _read_vkey(check, check.former_vkey) or same_key
    for name, note, size, root in (
        ("first", first, 0, merkle.EMPTY_ROOT),
        ("newest", newest, check.frontier.size, check.frontier.root),
    ):
        try:
            checkpoint, _ = notes.open_checkpoint(note, signers[name])
        except NoteError as error:
            check.say(f"the {name} checkpoint: {error}")
            continue
        if (checkpoint.size, checkpoint.root) != (size, root):
            check.say(
                f"the {name} checkpoint: the entries give size {size}, root {root.hex()};"
                f" signed were size {checkpoint.size}, root {checkpoint.root.hex()}"
            )


def _read_vkey(check: _Check, vkey: str) -> notes.LogVerifier | None:
    try:
        return notes.LogVerifier.from_vkey(vkey) if vkey else None
    except TrustError as error:
        check.say(f"the entry that names the former log: {error}")
        return None


def _check_cosignatures(check: _Check) -> tuple[int, dict[str, int]]:
    """Each under the key that was the partner's when it was recorded."""
    cosigned: dict[str, int] = {}
    count = 0
    for row in Cosignature.objects.order_by("size", "vkey").iterator():
        count += 1
        note = note_at(row.size)
        if note is None:
            check.say(f"the checkpoint of size {row.size} that was cosigned is gone")
            continue
        try:
            cosigner = notes.LogVerifier.from_vkey(row.vkey)
            notes.open_note(notes.split_note(note)[0] + "\n" + row.line, [cosigner])
            cosigned[cosigner.name] = row.size
        except TrustError as error:
            check.say(f"a cosignature at size {row.size}: {error}")
    return count, cosigned
