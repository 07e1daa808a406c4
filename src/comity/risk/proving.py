"""Proof that chance was chance: a statement of what was asked and answered, and its recomputation. Pure.

Who checks needs the statement and the log's verifier key, and neither the node nor its database. The steps:
C1 each seed is the SHA-256 of a checkpoint that the log signed. C2 of a run, the entry that fixes its candidates stands
in that very checkpoint's tree. C3 who was asked is among the candidates, and nobody was asked twice on arrival. C4 each
draw is computed anew, and those chosen are exactly those whom the draws choose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NoReturn
from uuid import UUID

from comity.common import ComityError, show_instant
from comity.ledger import commit
from comity.risk.errors import SelectionProofError
from comity.risk.rules import draw
from comity.trust import EMPTY_ROOT, LogVerifier, NoteError, ProofError, open_checkpoint, split_note, verify_tlog_proof

FORMAT = "comity-selection-proof/1"
SELECTION_KIND = "selection"
ARRIVAL, RUN = "arrival", "run"
MOST_CHARS = 64_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What chance was asked at one time. order: [record id in hex, whether an inspection was open to it] each.

    log_size: of the checkpoint of its seed; None: the log had not begun. bound: on arrival; slots, candidates, salt and
    proof (that the log holds the entry that fixes them): of a run.
    """

    at: datetime
    way: str
    seed: str
    log_size: int | None
    bound: float | None
    slots: int
    order: tuple[tuple[str, bool], ...]
    chosen: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    salt: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """All that chance was asked on a day. checkpoints: the note of each log size named, with its cosignatures.

    otherwise: how many were selected for another cause; they were not asked.
    """

    administration: str
    day: date
    vkey: str
    checkpoints: Mapping[int, str]
    asked: tuple[Asked, ...]
    otherwise: Mapping[str, int]


def candidates_bytes(day: date, record_ids: Iterable[str]) -> bytes:
    """What the log commits to before a run: the day and who waits, each in hex, in order."""
    return "".join(f"{line}\n" for line in (FORMAT, day, *sorted(record_ids))).encode()


def verify(statement: Statement, *, vkey: str = "", witnesses: Sequence[str] = ()) -> tuple[str, ...]:
    """Recompute a day's chance; what was found, in sentences.

    vkey: the log's key as its owner handed it out; without it the statement's own word is taken, and that is said.
    Raises: SelectionProofError naming the first thing that is not as it should be; NoteError for a malformed key.
    """
    if vkey and vkey != statement.vkey:
        _refuse("The statement is about another log's key", statement.vkey[:120])
    log, seen = LogVerifier.from_vkey(statement.vkey), [LogVerifier.from_vkey(each) for each in witnesses]
    seeds, cosigned = _seeds(statement, log, seen)
    arrivals, runs = _of_way(statement, ARRIVAL), _of_way(statement, RUN)
    if len(arrivals) + len(runs) < len(statement.asked):
        _refuse("Chance was asked in a way that is not known here", "way")
    _check_once(arrivals)
    for asked in statement.asked:
        if asked.seed != (seeds[asked.log_size] if asked.log_size is not None else EMPTY_ROOT.hex()):
            _refuse("C1: a seed is not that of its checkpoint", _place(asked))
    for asked in arrivals:
        _check_arrival(asked)
    for asked in runs:
        _check_candidates(statement, asked, log)
        _check_run(asked)
    return (*_told(statement, arrivals, runs), *_told_of_log(statement, vkey, cosigned, bool(witnesses)))


def _seeds(
    statement: Statement, log: LogVerifier, witnesses: Sequence[LogVerifier]
) -> tuple[dict[int, str], dict[int, int]]:
    """The seed of each checkpoint, and the earliest second at which one of the witnesses cosigned it."""
    seeds, cosigned = {}, {}
    for size, note in statement.checkpoints.items():
        checkpoint, opened = open_checkpoint(note, log, witnesses)
        if checkpoint.size != size:
            _refuse("C1: a checkpoint is of another size", f"{checkpoint.size}, not {size}")
        text, signatures = split_note(note)
        own = next(each for each in signatures if each.name == log.name and each.key_id == log.key_id)
        seeds[size] = hashlib.sha256(f"{text}\n{own.line}".encode()).hexdigest()
        seconds = [at for key, at in opened.signed_by.items() if key != log.vkey and at is not None]
        if seconds:
            cosigned[size] = min(seconds)
    missing = {asked.log_size for asked in statement.asked if asked.log_size is not None} - set(seeds)
    if missing:
        _refuse("C1: the checkpoint of a seed is not in the statement", f"size {min(missing)}")
    return seeds, cosigned


def _check_once(arrivals: Iterable[Asked]) -> None:
    seen: set[str] = set()
    for asked in arrivals:
        for record, _ in asked.order:
            if record in seen:
                _refuse("C3: chance was asked twice about one record on arrival", record)
            seen.add(record)


def _check_arrival(asked: Asked) -> None:
    if asked.bound is None:
        _refuse("C4: no bound is stated", _place(asked))
    seed = bytes.fromhex(asked.seed)
    expected = [record for record, is_open in asked.order if is_open and draw(seed, UUID(record)) < asked.bound]
    _check_chosen(asked, expected)


def _check_candidates(statement: Statement, asked: Asked, log: LogVerifier) -> None:
    if not asked.proof:
        # Without an entry of the log nothing says that the list was there before the seed; the words below say so.
        return
    digest = hashlib.sha256(candidates_bytes(statement.day, asked.candidates)).digest()
    entry = commit(SELECTION_KIND, digest, agreement="", message_id=str(statement.day), salt=bytes.fromhex(asked.salt))
    try:
        proved = verify_tlog_proof(asked.proof, entry, log)
    except (ProofError, NoteError) as error:
        raise SelectionProofError(
            f"C2: the log does not hold the list of candidates: {error.what}", where=_place(asked)
        ) from error
    if proved.checkpoint.size != asked.log_size:
        _refuse("C2: the list of candidates is proved in another checkpoint than that of the seed", _place(asked))
    strangers = {record for record, _ in asked.order} - set(asked.candidates)
    if strangers:
        _refuse("C3: one was asked about that is no candidate", min(strangers))


def _check_run(asked: Asked) -> None:
    seed = bytes.fromhex(asked.seed)
    drawn = sorted((draw(seed, UUID(record)), str(UUID(record)), record) for record, _ in asked.order)
    _check_chosen(asked, [record for _, _, record in drawn[: asked.slots]])


def _check_chosen(asked: Asked, expected: Sequence[str]) -> None:
    differing = sorted(set(expected) ^ set(asked.chosen))
    if differing:
        answered = "was chosen, though its draw does not choose it"
        if differing[0] in expected:
            answered = "was not chosen, though its draw chooses it"
        _refuse(f"C4: a record {answered}", f"{differing[0]}, {_place(asked)}")


def _told(statement: Statement, arrivals: Sequence[Asked], runs: Sequence[Asked]) -> tuple[str, ...]:
    asked, chosen = sum(len(each.order) for each in arrivals), sum(len(each.chosen) for each in arrivals)
    closed = sum(not is_open for each in arrivals for _, is_open in each.order)
    place = f"{statement.administration}, {statement.day}"
    lines = [f"{place}: chance was asked about {asked} records on arrival and chose {chosen}."]
    if closed:
        lines.append(f"{closed} of them came when no inspection was left for chance.")
    for run in runs:
        lines.append(
            f"A run at {show_instant(run.at)} asked about {len(run.order)} records and chose {len(run.chosen)}, the"
            " smallest draws."
        )
        lines.append(
            "Its candidates were in the log before its seed existed."
            if run.proof
            else "Its candidates were not put into the log before; that they were all is the node's word."
        )
    other = ", ".join(f"{count} {cause}" for cause, count in sorted(statement.otherwise.items()))
    lines.append(f"Selected for another cause, so not asked: {other or 'none'}.")
    lines.append("Each draw was computed again, and those chosen are exactly those whom the draws choose.")
    return tuple(lines)


def _told_of_log(
    statement: Statement, vkey: str, cosigned: Mapping[int, int], are_witnesses_given: bool
) -> tuple[str, ...]:
    lines = [f"Each seed is that of a checkpoint signed by {statement.vkey.partition('+')[0]}."]
    if not vkey:
        lines.append("The log's key is taken from the statement itself: compare it with the one that was handed out.")
    if any(asked.log_size is None for asked in statement.asked):
        lines.append("Some were drawn before the log had begun, from a seed that everybody knows.")
    late = [
        asked
        for asked in statement.asked
        if asked.log_size is not None and cosigned.get(asked.log_size, 0) > asked.at.timestamp()
    ]
    if are_witnesses_given:
        lines.append(
            f"{len(cosigned)} of {len(statement.checkpoints)} checkpoints are cosigned by the witnesses given; "
            f"{len(late)} of the seeds were used before that."
        )
        lines += [
            f"Size {size}: cosigned at {show_instant(datetime.fromtimestamp(seconds, UTC))}."
            for size, seconds in sorted(cosigned.items())
        ]
    else:
        lines.append("No witness's key was given, so cosignatures were not looked at.")
    return tuple(lines)


def _of_way(statement: Statement, way: str) -> list[Asked]:
    return [asked for asked in statement.asked if asked.way == way]


def _place(asked: Asked) -> str:
    return f"{asked.way} at {show_instant(asked.at)}"


def _refuse(what: str, where: str) -> NoReturn:
    raise SelectionProofError(what, where=where, remedy="Ask the administration that made the statement.")


def statement_to_json(statement: Statement) -> dict[str, object]:
    """The statement as it is written into a file."""
    return {
        "format": FORMAT,
        "administration": statement.administration,
        "day": str(statement.day),
        "vkey": statement.vkey,
        "checkpoints": [{"size": size, "note": statement.checkpoints[size]} for size in sorted(statement.checkpoints)],
        "asked": [_asked_to_json(asked) for asked in statement.asked],
        "otherwise": dict(sorted(statement.otherwise.items())),
    }


def _asked_to_json(asked: Asked) -> dict[str, object]:
    seed = bytes.fromhex(asked.seed)
    chosen = set(asked.chosen)
    return {
        "at": show_instant(asked.at),
        "way": asked.way,
        "seed": asked.seed,
        "log_size": asked.log_size,
        "bound": asked.bound,
        "slots": asked.slots,
        "records": [
            {"record": record, "draw": draw(seed, UUID(record)), "open": is_open, "chosen": record in chosen}
            for record, is_open in asked.order
        ],
        "candidates": list(asked.candidates),
        "salt": asked.salt,
        "proof": asked.proof,
    }


def statement_from_json(content: object) -> Statement:
    """Read a statement. Draws that stand in it are not believed; they are computed again.

    Raises: SelectionProofError where it is none, or a part is missing or of another type.
    """
    try:
        given = _mapping(content)
        if given["format"] != FORMAT:
            _refuse("Not a statement on selection of a form that is known here", repr(given["format"])[:80])
        return Statement(
            administration=_text(given["administration"]),
            day=date.fromisoformat(_text(given["day"])),
            vkey=_text(given["vkey"]),
            checkpoints={_count(each["size"]): _text(each["note"]) for each in _mappings(given["checkpoints"])},
            asked=tuple(_asked_from(each) for each in _mappings(given["asked"])),
            otherwise={cause: _count(count) for cause, count in _mapping(given["otherwise"]).items()},
        )
    except SelectionProofError:
        raise
    except (ComityError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise SelectionProofError("Not a statement on selection", where=str(error)[:120]) from error


def _asked_from(given: Mapping[str, object]) -> Asked:
    records = [
        (UUID(_text(each["record"])).hex, each["open"] is True, each["chosen"] is True)
        for each in _mappings(given["records"])
    ]
    size, bound = given["log_size"], given["bound"]
    return Asked(
        at=datetime.fromisoformat(_text(given["at"])).astimezone(UTC),
        way=_text(given["way"]),
        seed=bytes.fromhex(_text(given["seed"])).hex(),
        log_size=None if size is None else _count(size),
        bound=None if bound is None else _share(bound),
        slots=_count(given["slots"]),
        order=tuple((record, is_open) for record, is_open, _ in records),
        chosen=tuple(record for record, _, is_chosen in records if is_chosen),
        candidates=tuple(UUID(_text(each)).hex for each in _sequence(given["candidates"])),
        salt=_text(given["salt"]),
        proof=_text(given["proof"]),
    )


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object is missing")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError("a list is missing")
    return value


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [_mapping(each) for each in _sequence(value)]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("a number from 0 is missing")
    return value


def _share(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise TypeError("a number from 0 to 1 is missing")
    return float(value)
