"""Reads of the life of an agreement: moves as kept and sent, what they amount to, and what partners hold."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from comity.agreements.errors import MoveRefusedError
from comity.agreements.life import FORM, SIGNING, Life, Move, MoveKind, fold
from comity.agreements.models import AgreementMoveRow, AgreementRow, PartnerStandingRow
from comity.agreements.parsing import agreement_from_bytes
from comity.agreements.values import Agreement
from comity.agreements.vocabulary import AGREEMENT_ID, ARTICLE_ID, PARTY
from comity.common import ComityError, parse_instant
from comity.trust import Signature, canonical_json

STANDING = "standing"
MOST_NUMBER = 1_000_000
MOST_SIGNATURES = 4
MOST_REASON = 1_000
MOST_NAMED = 200
MOST_MOVES = 400
_MOVES = {kind.value: kind for kind in MoveKind}
_TEXTS = ("form", "move", "by", "agreement_id", "predecessor", "document", "reason", "effective_at", "at")
_KEYID = re.compile(r"[\x21-\x7e]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PlacedMove:
    """A move and its party's signatures over it."""

    move: Move
    proof: tuple[Signature, ...]

    def to_body(self) -> dict[str, object]:
        """The members of an agreement/1 message, but for the standing of who sends it."""
        return {**self.move.form(), "proof": json.loads(proof_to_json(self.proof))}


@dataclass(frozen=True, slots=True)
class HeldStanding:
    """What a node holds of an agreement. version: of its line, in force there; empty: none. moves: their digests."""

    agreement_id: str
    stage: str
    version: str
    signed_by: tuple[str, ...]
    fold: str
    moves: tuple[str, ...]

    def form(self) -> dict[str, object]:
        """As told to partners."""
        return {
            "agreement_id": self.agreement_id,
            "stage": self.stage,
            "version": self.version,
            "signed_by": list(self.signed_by),
            "fold": self.fold,
            "moves": list(self.moves),
        }


@dataclass(frozen=True, slots=True)
class PartnerStanding:
    """What a partner told of an agreement, beside what we hold. told_at: None where it has told nothing."""

    partner: str
    ours: HeldStanding
    theirs: HeldStanding | None
    told_at: datetime | None
    healed_at: datetime | None = None

    @property
    def is_same(self) -> bool:
        """Whether both say the same of the agreement."""
        return self.theirs is not None and self.theirs.fold == self.ours.fold

    @property
    def text(self) -> str:
        """One line for people."""
        if self.theirs is None:
            return "has not told yet"
        if self.is_same:
            return "same"
        return f"differs: they hold {_held(self.theirs)}; we hold {_held(self.ours)}"


def move_of(row: AgreementMoveRow) -> PlacedMove:
    """The move of a row."""
    form = cast(dict[str, Any], json.loads(bytes(row.document)))
    return _placed({**form, "proof": json.loads(bytes(row.proof))})


def proof_to_json(proof: Iterable[Signature]) -> bytes:
    """Signatures as members of a body."""
    return canonical_json([{"keyid": each.keyid, "sig": base64.b64encode(each.sig).decode()} for each in proof])


def move_from_body(body: Mapping[str, object]) -> PlacedMove:
    """The move in the body of an agreement/1 message; of what is signed the document is read too.

    Raises: MoveRefusedError naming the member; AgreementFormError where the document is none.
    """
    try:
        placed = _placed(cast(dict[str, Any], body))
    except MoveRefusedError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, ComityError) as error:
        raise MoveRefusedError(f"No move can be read: {str(error)[:120]}", where="body", remedy=_SEE) from error
    move = placed.move
    if {name: value for name, value in body.items() if name not in ("proof", STANDING)} != placed.move.form():
        raise MoveRefusedError("The move is not in its canonical form", where="body", remedy=_SEE)
    if move.kind in SIGNING and agreement_from_bytes(move.document.encode()).id != move.agreement_id:
        raise MoveRefusedError("The document is not the one that is named", where="document", remedy=_SEE)
    if move.kind in SIGNING and move.by not in agreement_from_bytes(move.document.encode()).parties:
        raise MoveRefusedError(f"{move.by} is no party to the document", where="by", remedy=_SEE)
    return placed


def standing_from_body(body: Mapping[str, object]) -> HeldStanding | None:
    """What the sender of an agreement/1 message holds; None where it does not say.

    Raises: MoveRefusedError.
    """
    told = body.get(STANDING)
    if told is None:
        return None
    try:
        form = cast(dict[str, Any], told)
        standing = HeldStanding(
            agreement_id=_fitting(form["agreement_id"], AGREEMENT_ID),
            stage=str(form["stage"])[:40],
            version=_fitting(form["version"], AGREEMENT_ID) if form["version"] else "",
            signed_by=tuple(_fitting(each, PARTY) for each in _few(form["signed_by"], MOST_NAMED)),
            fold=_fitting(form["fold"], AGREEMENT_ID) if form["fold"] else "",
            moves=tuple(_fitting(each, AGREEMENT_ID) for each in _few(form["moves"], MOST_MOVES)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MoveRefusedError("The standing cannot be read", where=STANDING, remedy=_SEE) from error
    if standing.form() != told:
        raise MoveRefusedError("The standing holds more than belongs to it", where=STANDING, remedy=_SEE)
    return standing


def lives(extra: Iterable[Agreement] = ()) -> dict[str, Life]:
    """What all moves that are kept here amount to, by agreement. extra: agreements that are not stored yet."""
    moves = [move_of(row).move for row in AgreementMoveRow.objects.order_by("number", "digest")]
    named = {each.agreement_id for each in moves} | {each.predecessor for each in moves}
    known = {each.id: each for each in extra}
    known.update(_agreements(named - set(known)))
    known.update(_agreements({each.supersedes for each in known.values()} - set(known)))
    return fold(moves, known)


def moves_of(agreement_id: str) -> tuple[PlacedMove, ...]:
    """The moves about an agreement that are kept here, in no order that matters."""
    rows = AgreementMoveRow.objects.filter(agreement_id=agreement_id).order_by("number", "digest")
    return tuple(move_of(row) for row in rows)


def our_standing(agreement_id: str, *, at: datetime) -> HeldStanding:
    """What we hold of an agreement, to tell a partner."""
    every = lives()
    life = every.get(agreement_id)
    row = AgreementRow.objects.filter(agreement_id=agreement_id).first()
    version, seen = agreement_id, {agreement_id}
    while (later := every[version].course.superseded_by if version in every else "") and later not in seen:
        seen.add(later)
        version = later
    is_adopted = AgreementRow.objects.filter(agreement_id=version, adopted_at__isnull=False).exists()
    signatures = row.signatures.values_list("party", flat=True) if row else ()
    stage = life.stage(at).value if life else "in_force" if row and row.adopted_at else "draft"
    return HeldStanding(
        agreement_id=agreement_id,
        stage=stage,
        version=version if is_adopted else "",
        signed_by=life.signed_by if life else tuple(sorted(set(signatures))),
        fold=life.fold if life else "",
        moves=tuple(sorted(move.digest for move in life.history))[:MOST_MOVES] if life else (),
    )


def partner_standing(agreement_id: str, partner: str, *, at: datetime) -> PartnerStanding:
    """What a partner told of an agreement, beside what we hold."""
    ours = our_standing(agreement_id, at=at)
    row = PartnerStandingRow.objects.filter(agreement_id=agreement_id, partner=partner).first()
    if row is None:
        return PartnerStanding(partner, ours, None, None)
    theirs = standing_from_body({STANDING: json.loads(bytes(row.told))})
    return PartnerStanding(partner, ours, theirs, row.told_at, row.healed_at)


_SEE = "See docs/schemas/agreement-1.json."


def _held(standing: HeldStanding) -> str:
    signed = f"signed by {', '.join(standing.signed_by)}" if standing.signed_by else "signed by nobody"
    version = f"version {standing.version[:12]}" if standing.version else "no version in force"
    return f"{version} ({standing.stage}, {signed}, {len(standing.moves)} moves)"


def _agreements(ids: Iterable[str]) -> dict[str, Agreement]:
    rows = AgreementRow.objects.filter(agreement_id__in=[each for each in ids if each])
    return {row.agreement_id: agreement_from_bytes(bytes(row.canonical)) for row in rows}


def _placed(form: dict[str, Any]) -> PlacedMove:
    if any(not isinstance(form.get(name, ""), str) for name in _TEXTS) or form["form"] != FORM:
        raise MoveRefusedError("The move is of no known form", where="form", remedy=_SEE)
    number, reason = form["number"], form.get("reason", "")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST_NUMBER:
        raise MoveRefusedError("The number of the move cannot be", where="number", remedy=_SEE)
    if len(reason) > MOST_REASON or not reason.isprintable():
        raise MoveRefusedError("The reason is too long or not printable", where="reason", remedy=_SEE)
    kind = _MOVES[form["move"]]
    if (kind in SIGNING) != bool(form.get("document")) or (kind in SIGNING) != bool(form.get("signatures")):
        raise MoveRefusedError("What is signed comes with its document, nothing else does", where="document")
    effective = form.get("effective_at", "")
    move = Move(
        kind=kind,
        by=_fitting(form["by"], PARTY),
        agreement_id=_fitting(form["agreement_id"], AGREEMENT_ID),
        number=number,
        at=parse_instant(form["at"]),
        after=tuple(_fitting(each, AGREEMENT_ID) for each in _few(form.get("after", []), MOST_NAMED)),
        predecessor=_fitting(form["predecessor"], AGREEMENT_ID) if "predecessor" in form else "",
        document=form.get("document", ""),
        signatures=tuple(
            (each.keyid, base64.b64encode(each.sig).decode()) for each in _signatures(form.get("signatures", []))
        ),
        articles=tuple(_fitting(each, ARTICLE_ID) for each in _few(form.get("articles", []), MOST_NAMED)),
        reason=reason,
        effective_at=parse_instant(effective) if effective else None,
    )
    return PlacedMove(move, tuple(_signatures(form["proof"])))


def _signatures(value: object) -> Iterable[Signature]:
    for each in _few(value, MOST_SIGNATURES):
        if not isinstance(each, dict) or set(each) != {"keyid", "sig"}:
            raise MoveRefusedError("A signature has a keyid and a sig", where="proof", remedy=_SEE)
        try:
            yield Signature(_fitting(each["keyid"], _KEYID), base64.b64decode(each["sig"], validate=True))
        except binascii.Error as error:
            raise MoveRefusedError("A signature is no base64", where="proof", remedy=_SEE) from error


def _few(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("a list of few entries")
    return value


def _fitting(value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{str(value)[:40]!r}")
    return value
