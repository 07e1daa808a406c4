"""Writes of the life of an agreement: moves made here and taken from partners, and what they bring about."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from comity.agreements.course import UNTOUCHED
from comity.agreements.errors import MoveRefusedError
from comity.agreements.life import MOVE_TYPE, SIGNING, Life, Move, MoveKind, Stage, accession_of
from comity.agreements.models import AgreementMoveRow, AgreementRow, AgreementSignatureRow, PartnerStandingRow
from comity.agreements.moving import PlacedMove, lives, move_of, partner_standing, proof_to_json
from comity.agreements.parsing import agreement_from_bytes
from comity.agreements.selectors import PAYLOAD_TYPE, agreement_row
from comity.agreements.values import Agreement
from comity.common import Actor
from comity.staff.rules import Permission, require
from comity.staff.services import record_deed
from comity.trust import (
    Signature,
    SignatureError,
    SignedStatement,
    Signer,
    VerifyKey,
    canonical_json,
    sign_statement,
    verify_statement,
)

# A party whose moves never end is not taken seriously any more.
MOST_MOVES_OF_A_PARTY = 200
MOST_OPEN_OF_A_PARTY = 100
MOST_SEEN = 32


@dataclass(frozen=True, slots=True)
class Wish:
    """The move that an officer wants to make. agreement: what is signed; for the others its id alone."""

    kind: MoveKind
    agreement_id: str
    agreement: Agreement | None = None
    predecessor: str = ""
    articles: tuple[str, ...] = ()
    reason: str = ""
    effective_at: datetime | None = None


@transaction.atomic
def make_move(actor: Actor, *, wish: Wish, key: Signer, at: datetime) -> PlacedMove:
    """Make a move for the actor's administration: signed, kept, and with all that follows from it here.

    Raises: PermissionRefusedError, UnknownAgreementError, MoveRefusedError where it cannot be made as things stand.
    """
    require(actor, Permission.MANAGE_AGREEMENTS)
    by = actor.administration
    agreement = wish.agreement or agreement_from_bytes(bytes(agreement_row(wish.agreement_id).canonical))
    _check_wish(replace(wish, agreement=agreement, agreement_id=agreement.id), by, at)
    seen = [move_of(row).move for row in AgreementMoveRow.objects.filter(agreement_id__in=_line(agreement, wish))]
    document = agreement.to_bytes() if wish.kind in SIGNING else b""
    signed = sign_statement(PAYLOAD_TYPE, document, key).signatures if document else ()
    move = Move(
        kind=wish.kind,
        by=by,
        agreement_id=agreement.id,
        number=1 + max((each.number for each in seen), default=0),
        at=at,
        after=_heads(seen),
        predecessor=wish.predecessor,
        document=document.decode(),
        signatures=tuple((each.keyid, base64.b64encode(each.sig).decode()) for each in signed),
        articles=tuple(sorted(wish.articles)),
        reason=wish.reason,
        effective_at=wish.effective_at,
    )
    placed = PlacedMove(move, sign_statement(MOVE_TYPE, move.to_bytes(), key).signatures)
    keep_move(actor, placed=placed, verify_keys=[key.verify_key], at=at)
    return placed


def check_proof(placed: PlacedMove, verify_keys: Sequence[VerifyKey]) -> None:
    """Whether its party made this move, and signed the document that comes with it.

    Raises: MoveRefusedError.
    """
    move = placed.move
    try:
        verify_statement(SignedStatement(MOVE_TYPE, move.to_bytes(), placed.proof), verify_keys, payload_type=MOVE_TYPE)
        if move.kind in SIGNING:
            verify_statement(_signed_document(move), verify_keys, payload_type=PAYLOAD_TYPE)
    except SignatureError as error:
        raise MoveRefusedError(
            f"The move was not signed by {move.by}", where="proof", remedy=f"Send what {move.by} signed, unchanged."
        ) from error


@transaction.atomic
def keep_move(actor: Actor, *, placed: PlacedMove, verify_keys: Sequence[VerifyKey], at: datetime) -> bool:
    """Keep a move whose proof holds, and bring about what follows. Returns whether it is new here.

    verify_keys: of the party that made it. Raises: MoveRefusedError.
    """
    move = placed.move
    check_proof(placed, verify_keys)
    _check_flood(move)
    row, is_new = AgreementMoveRow.objects.get_or_create(
        digest=move.digest,
        defaults={
            "agreement_id": move.agreement_id,
            "by": move.by,
            "number": move.number,
            "document": move.to_bytes(),
            "proof": proof_to_json(placed.proof),
            "received_at": at,
        },
    )
    if not is_new:
        return False
    if move.kind in SIGNING:
        _keep_document(move, at)
    record_deed(
        actor,
        deed=f"agreement_{move.kind.value}",
        subject=f"agreement:{move.agreement_id}",
        facts={"by": move.by, "move": row.digest[:16], "reason": move.reason[:200]},
        at=at,
    )
    _bring_about(actor, at)
    return True


@transaction.atomic
def keep_standing(*, partner: str, agreement_id: str, told: Mapping[str, object], at: datetime) -> None:
    """Remember what a partner told of an agreement."""
    PartnerStandingRow.objects.update_or_create(
        agreement_id=agreement_id, partner=partner, defaults={"told": canonical_json(told), "told_at": at}
    )


def mark_healed(*, partner: str, agreement_id: str, at: datetime) -> None:
    """Remember that a partner was sent what it lacked."""
    PartnerStandingRow.objects.filter(agreement_id=agreement_id, partner=partner).update(healed_at=at)


def take_stale(*, asked_before: datetime, at: datetime) -> tuple[tuple[str, str], ...]:
    """Partners that were not asked since then and told something else than we hold: (agreement, partner), now asked."""
    rows = PartnerStandingRow.objects.filter(told_at__lte=asked_before).exclude(asked_at__gt=asked_before)
    stale = [row for row in rows if not partner_standing(row.agreement_id, row.partner, at=at).is_same]
    for row in stale:
        row.asked_at = at
        row.save(update_fields=["asked_at"])
    return tuple((row.agreement_id, row.partner) for row in stale)


def _bring_about(actor: Actor, at: datetime) -> None:
    """What all moves amount to, written to the agreements: signed by all comes into force, courses change."""
    for agreement_id, life in lives().items():
        row = AgreementRow.objects.filter(agreement_id=agreement_id).first()
        if row is None:
            continue
        if row.adopted_at is None and life.in_force_at is not None and life.history:
            row.adopted_at = at
            record_deed(
                actor,
                deed="adopt_agreement",
                subject=f"agreement:{agreement_id}",
                facts={"version": row.version, "signed_by": ", ".join(life.signed_by)},
                at=at,
            )
        row.course = life.course.text
        row.save(update_fields=["adopted_at", "course"])


def _keep_document(move: Move, at: datetime) -> None:
    agreement = agreement_from_bytes(move.document.encode())
    row, _ = AgreementRow.objects.get_or_create(
        agreement_id=agreement.id,
        defaults={
            "canonical": agreement.to_bytes(),
            "title": agreement.title.in_("en")[:300],
            "version": agreement.version,
            "imported_at": at,
        },
    )
    for signature in _signed_document(move).signatures:
        AgreementSignatureRow.objects.get_or_create(
            agreement=row,
            party=move.by,
            keyid=signature.keyid,
            defaults={"signature": signature.sig, "added_at": at},
        )


def _signed_document(move: Move) -> SignedStatement:
    try:
        signatures = tuple(Signature(keyid, base64.b64decode(sig, validate=True)) for keyid, sig in move.signatures)
    except binascii.Error as error:
        raise MoveRefusedError("A signature is no base64", where="signatures") from error
    return SignedStatement(PAYLOAD_TYPE, move.document.encode(), signatures)


def _check_flood(move: Move) -> None:
    own = AgreementMoveRow.objects.filter(by=move.by).exclude(digest=move.digest)
    versions = set(own.filter(agreement_id__in=_not_in_force()).values_list("agreement_id", flat=True))
    if own.filter(agreement_id=move.agreement_id).count() >= MOST_MOVES_OF_A_PARTY or (
        len(versions - {move.agreement_id}) >= MOST_OPEN_OF_A_PARTY
    ):
        raise MoveRefusedError(
            f"{move.by} has made too many moves",
            where=move.agreement_id[:12],
            remedy="Let its contact point tidy up: withdraw what is no longer proposed.",
        )


def _not_in_force() -> Iterable[str]:
    rows = AgreementRow.objects.filter(adopted_at=None)
    return list(rows.values_list("agreement_id", flat=True))


def _line(agreement: Agreement, wish: Wish) -> set[str]:
    return {agreement.id, agreement.supersedes, wish.predecessor} - {""}


def _heads(seen: Iterable[Move]) -> tuple[str, ...]:
    """What was seen last: moves that no other one names."""
    moves = {move.digest: move for move in seen}
    named = {digest for move in moves.values() for digest in move.after}
    return tuple(sorted(set(moves) - named)[:MOST_SEEN])


def _check_wish(wish: Wish, by: str, at: datetime) -> None:
    agreement = wish.agreement
    assert agreement is not None  # noqa: S101  # filled in by the caller
    if by not in agreement.parties:
        raise _refused(f"{by} is no party to this agreement", agreement, f"Its parties are {agreement.parties}.")
    if wish.effective_at is not None and wish.effective_at < at:
        raise _refused("The day from which it counts has passed", agreement, "Name one that is still to come.")
    life = lives(extra=(agreement,)).get(agreement.id)
    row = AgreementRow.objects.filter(agreement_id=agreement.id).first()
    is_adopted = row is not None and row.adopted_at is not None
    if wish.kind in (MoveKind.SUSPEND, MoveKind.RESTORE, MoveKind.LEAVE):
        _check_after(wish, by, life, at, is_adopted=is_adopted)
    else:
        _check_before(wish, by, life, is_adopted=is_adopted)


def _check_before(wish: Wish, by: str, life: Life | None, *, is_adopted: bool) -> None:
    """Before it is in force: a proposal, an answer to one, or taking it back."""
    agreement = wish.agreement
    assert agreement is not None  # noqa: S101  # filled in by the caller
    if is_adopted:
        raise _refused("It is in force already", agreement, "Amend it: comity agreement amend.")
    if wish.kind in SIGNING and life and by in life.signed_by:
        raise _refused(f"{by} has signed it already", agreement, "Wait for the others, or withdraw it.")
    if wish.kind in (MoveKind.REFUSE, MoveKind.WITHDRAW) and life is None:
        raise _refused("Nobody has proposed it", agreement, "Look at `comity agreement standing`.")
    if wish.kind is MoveKind.WITHDRAW and life and not _proposed_by(life, by):
        raise _refused(f"{by} has not proposed it", agreement, "Refuse it instead.")
    if wish.kind is MoveKind.SIGN and life is None:
        raise _refused("Nobody has proposed it", agreement, "Propose it: comity agreement propose.")
    former = AgreementRow.objects.filter(agreement_id=agreement.supersedes).first() if agreement.supersedes else None
    newcomer = accession_of(agreement_from_bytes(bytes(former.canonical)), agreement) if former else ""
    if newcomer and wish.kind is MoveKind.SIGN and (life is None or newcomer not in life.signed_by):
        raise _refused(f"{newcomer} has not acceded yet", agreement, f"Let {newcomer} sign first.")
    if wish.kind is MoveKind.ACCEDE and former and newcomer != by:
        raise _refused(
            "This is no accession", agreement, "The version may differ in the newcomer alone; else propose it."
        )


def _check_after(wish: Wish, by: str, life: Life | None, at: datetime, *, is_adopted: bool) -> None:
    """Once it is in force: suspend, restore, leave."""
    agreement = wish.agreement
    assert agreement is not None  # noqa: S101  # filled in by the caller
    if not is_adopted:
        raise _refused("It is not in force here", agreement, "Refuse it, or withdraw your proposal.")
    unknown = sorted(set(wish.articles) - {each.id for each in agreement.articles})
    if unknown:
        raise _refused(f"It has no article {unknown[0]}", agreement, "Name articles of this version.")
    course = life.course if life else UNTOUCHED
    if by in dict(course.left):
        raise _refused(f"{by} has left it already", agreement, "Accede anew.")
    if wish.kind is not MoveKind.RESTORE and not wish.reason:
        raise _refused("It needs a reason", agreement, "Say why, in one sentence.")
    if wish.kind is MoveKind.RESTORE and not any(each.by == by and each.last is None for each in course.suspensions):
        raise _refused(f"{by} has not suspended it", agreement, "Only who suspended restores.")
    if life and life.stage(at) is Stage.SUPERSEDED:
        raise _refused("A later version is in its place", agreement, f"It is {course.superseded_by[:12]}.")


def _proposed_by(life: Life, party: str) -> bool:
    proposing = (MoveKind.PROPOSE, MoveKind.COUNTER_PROPOSE, MoveKind.ACCEDE)
    return any(move.by == party and move.kind in proposing for move in life.history)


def _refused(what: str, agreement: Agreement, remedy: str) -> MoveRefusedError:
    return MoveRefusedError(what, where=f"agreement {agreement.short_id}", remedy=remedy)
