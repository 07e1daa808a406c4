"""Road of agreements: moves in their life go to every party, and each node tells the others what it holds.

The step numbers are those of docs/protocol.md, section Life of an agreement. Suspending and leaving take two officers:
one who manages agreements proposes it, another who approves sharing approves it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.agreements import (
    PROTOCOL,
    Agreement,
    AgreementFormError,
    Duty,
    Gravity,
    agreement_from_bytes,
    look_over,
    parse_agreement,
)
from comity.agreements.errors import MoveRefusedError
from comity.agreements.life import FORM, MoveKind
from comity.agreements.moves import Wish, check_proof, keep_move, keep_standing, make_move, mark_healed, take_stale
from comity.agreements.moving import (
    STANDING,
    PartnerStanding,
    PlacedMove,
    move_from_body,
    moves_of,
    our_standing,
    partner_standing,
    standing_from_body,
)
from comity.agreements.selectors import agreement, agreements
from comity.common import Actor, parse_instant, show_instant, utc_now
from comity.exchange import ReceivedMessage
from comity.exchange.directory import load_peers
from comity.journeys.actors import this_node
from comity.journeys.tell import tell
from comity.staff import Permission, ProposalRefusedError, Role, SecondOfficerNeededError, require
from comity.staff.selectors import Proposal
from comity.staff.services import approve
from comity.staff.services import propose as put_before
from comity.trade import Handling
from comity.trust import Keyring, VerifyKey

log = logging.getLogger("comity.journeys")

AGREEMENT_KIND = Duty.AGREEMENT.value
# A partner is sent what it lacks once in a while: what it does not take, it does not take at once either.
HEAL_PAUSE = timedelta(hours=1)
MOST_HEALED = 50
# What ends or stops the exchange of a whole administration; its deed under four eyes.
DEED_OF_MOVE: Mapping[MoveKind, str] = {MoveKind.SUSPEND: "suspend_agreement", MoveKind.LEAVE: "leave_agreement"}


@dataclass(frozen=True, slots=True)
class MoveMade:
    """A move that was made here. told: the parties to which it is on its way. untold: those that cannot be reached."""

    agreement: Agreement
    digest: str
    told: tuple[str, ...]
    untold: tuple[str, ...]


def propose(actor: Actor, *, data: bytes, at: datetime, amends: str = "", counters: str = "") -> MoveMade:
    """Step L1: put a version before the other parties, signed; what they accept is in force.

    data: its YAML. amends: the id of the version in force in whose place it comes. counters: of the proposal that it
    answers. Raises: PermissionRefusedError, AgreementFormError, UnknownAgreementError, MoveRefusedError.
    """
    found = _fit(parse_agreement(data))
    if amends:
        found = replace(found, supersedes=agreement(amends, at=at).id)
    predecessor = agreement(counters, at=at).id if counters else found.supersedes
    kind = MoveKind.COUNTER_PROPOSE if counters else MoveKind.PROPOSE
    return make(actor, wish=Wish(kind, found.id, found, predecessor=predecessor), at=at)


def accede(actor: Actor, *, data: bytes, at: datetime) -> MoveMade:
    """Step L1 of a newcomer: sign the version that names it, and send it to the depositary and whom it knows.

    Raises: as `propose`.
    """
    found = _fit(parse_agreement(data))
    if not found.depositary or not found.supersedes:
        raise MoveRefusedError(
            "Nobody can accede to this version",
            where=f"agreement {found.short_id}",
            remedy="It needs `accession` with a depositary and `supersedes` with the version that it joins.",
        )
    return make(actor, wish=Wish(MoveKind.ACCEDE, found.id, found, predecessor=found.supersedes), at=at)


def make(actor: Actor, *, wish: Wish, at: datetime) -> MoveMade:
    """Steps L1 and L2: make a move and post it to every other party.

    Raises: PermissionRefusedError, SecondOfficerNeededError, UnknownAgreementError, MoveRefusedError;
    MessageFormError where it is too large.
    """
    require(actor, Permission.MANAGE_AGREEMENTS)
    if wish.kind in DEED_OF_MOVE:
        raise SecondOfficerNeededError(
            f"To {wish.kind.value} takes two officers",
            where=f"agreement {wish.agreement_id[:12]}",
            remedy="Propose it; another officer with the permission approve_sharing approves it.",
        )
    return _make(actor, wish, at)


def propose_move(actor: Actor, *, wish: Wish, at: datetime) -> Proposal:
    """Put a suspension or a leaving before a second officer. What cannot be done now is refused now.

    Raises: PermissionRefusedError, UnknownAgreementError, MoveRefusedError, ProposalRefusedError.
    """
    require(actor, Permission.MANAGE_AGREEMENTS)
    if wish.kind not in DEED_OF_MOVE:
        raise ProposalRefusedError(
            f"To {wish.kind.value} takes one officer", where=wish.kind.value, remedy="Make the move itself."
        )
    found = agreement(wish.agreement_id, at=at).agreement
    wish = replace(wish, agreement_id=found.id)
    with transaction.atomic():  # tried and undone: nothing is signed before the second officer has seen it
        make_move(actor, wish=wish, key=_keyring().signing, at=at)
        transaction.set_rollback(True)
    payload: dict[str, object] = {
        "move": wish.kind.value,
        "agreement": found.id,
        "articles": sorted(wish.articles),
        "reason": wish.reason,
        "effective_at": show_instant(wish.effective_at) if wish.effective_at else "",
    }
    return put_before(actor, deed=DEED_OF_MOVE[wish.kind], payload=payload, handling=int(Handling.OFFICIAL), at=at)


@transaction.atomic
def approve_move(actor: Actor, *, proposal_id: UUID, at: datetime) -> MoveMade:
    """Agree to the suspension or leaving that another officer proposed; it is made and told in the same transaction.

    Where it is not possible any more the approval is undone too: the proposal stays open, to be rejected or taken back.
    Raises: PermissionRefusedError, ProposalRefusedError, MoveRefusedError.
    """
    proposal = approve(actor, proposal_id=proposal_id, at=at)
    if proposal.deed not in DEED_OF_MOVE.values():
        raise ProposalRefusedError(
            "This is no move in the life of an agreement", where=str(proposal_id), remedy=f"It is {proposal.deed}."
        )
    payload = proposal.payload
    effective = str(payload["effective_at"])
    wish = Wish(
        MoveKind(str(payload["move"])),
        str(payload["agreement"]),
        articles=tuple(cast(list[str], payload["articles"])),
        reason=str(payload["reason"]),
        effective_at=parse_instant(effective) if effective else None,
    )
    # The approval is the leave of the second officer to make this one move.
    return _make(replace(actor, roles=actor.roles | {Role.ADMINISTRATOR.value}), wish, at)


def check_body(body: Mapping[str, object]) -> object:
    """Step L3: the form of a move, and that its party signed it; or the form of a standing.

    Raises: MoveRefusedError, AgreementFormError.
    """
    standing = standing_from_body(body)
    if body.get("move") == STANDING:
        if standing is None or set(body) != {"form", "move", STANDING} or body["form"] != FORM:
            raise MoveRefusedError("A standing says what is held, and nothing else", where=STANDING)
        return standing
    placed = move_from_body(body)
    keys = _keys_of(placed.move.by, utc_now())
    if not keys:
        raise MoveRefusedError(
            f"{placed.move.by} has not been introduced here, so its move cannot be checked",
            where="by",
            remedy=f"Let {placed.move.by} and this node introduce each other.",
        )
    check_proof(placed, keys)
    return placed


def take_move(received: ReceivedMessage) -> None:
    """Steps L4 to L6: keep the move and what its sender holds, tell it what we hold, send it what it lacks."""
    message, at = received.message, received.received_at
    standing = standing_from_body(message.body)
    if message.body.get("move") != STANDING:
        placed = move_from_body(message.body)
        # Its proof held when it arrived; a key that was withdrawn since does not undo what was taken.
        try:
            is_new = keep_move(this_node(), placed=placed, verify_keys=_keys_of(placed.move.by, at), at=at)
        except MoveRefusedError as error:
            log.warning("move %s of %s was not kept: %s", placed.move.digest[:12], placed.move.by, error)
            return
        log.info("%s: %s of %s", placed.move.kind, "new" if is_new else "known", placed.move.by)
    if standing is None:
        return
    keep_standing(partner=message.sender, agreement_id=standing.agreement_id, told=standing.form(), at=at)
    if not message.in_reply_to:
        _tell_standing(message.sender, standing.agreement_id, at, in_reply_to=message.id)
    else:
        _heal(message.sender, standing.agreement_id, at)


def standings(*, at: datetime, agreement_id: str = "") -> tuple[PartnerStanding, ...]:
    """For every agreement, or this one, and every other party that is a partner: what it told, beside what we hold."""
    ids = [agreement(agreement_id, at=at).id] if agreement_id else [each.id for each in agreements(at=at)]
    return tuple(partner_standing(each, party, at=at) for each in ids for party in _partners_in(each, at))


def ask_standings(actor: Actor, *, at: datetime, agreement_id: str = "") -> int:
    """Step L5, asked for: tell every party what we hold of each agreement, or of this one; they answer alike.

    Raises: PermissionRefusedError, UnknownAgreementError.
    """
    require(actor, Permission.MANAGE_AGREEMENTS)
    ids = [agreement(agreement_id, at=at).id] if agreement_id else [each.id for each in agreements(at=at)]
    asked = [(each, party) for each in ids for party in _partners_in(each, at)]
    return sum(_tell_standing(party, each, at) for each, party in asked)


@transaction.atomic
def ask_due(at: datetime) -> int:
    """Step L5, as the node does by itself: whoever told something else is asked again, once an hour. Returns how many.

    What a partner told grows old when a third one moves.
    """
    stale = take_stale(asked_before=at - HEAL_PAUSE, at=at)
    return sum(_tell_standing(party, agreement_id, at) for agreement_id, party in stale)


@transaction.atomic
def _make(actor: Actor, wish: Wish, at: datetime) -> MoveMade:
    keyring = _keyring()
    keyring.key_document.require_current(at)  # past its date it binds us to nothing new
    found = wish.agreement or agreement(wish.agreement_id, at=at).agreement
    placed = make_move(actor, wish=replace(wish, agreement_id=found.id), key=keyring.signing, at=at)
    others = [each for each in found.parties if each != actor.administration]
    if wish.kind is MoveKind.SIGN and found.supersedes:
        _show_former(found, actor.administration, at)
    told = tuple(each for each in others if _send(placed, each, at))
    return MoveMade(found, placed.move.digest, told, tuple(each for each in others if each not in told))


def _send(placed: PlacedMove, party: str, at: datetime) -> bool:
    body = placed.to_body() | {STANDING: our_standing(placed.move.agreement_id, at=at).form()}
    return bool(tell(party, body, agreement=PROTOCOL, at=at, kind=AGREEMENT_KIND))


def _show_former(found: Agreement, ours: str, at: datetime) -> None:
    """Step L2 of a depositary: a newcomer sees by the former version, which it has not, that this is an accession."""
    former = [each for each in moves_of(found.supersedes) if each.move.by == ours and each.move.document]
    for placed in former[:1]:
        known = agreement_from_bytes(placed.move.document.encode()).parties
        for party in found.parties:
            if party not in known:
                _send(placed, party, at)


def _tell_standing(party: str, agreement_id: str, at: datetime, *, in_reply_to: str = "") -> bool:
    body: dict[str, object] = {"form": FORM, "move": STANDING, STANDING: our_standing(agreement_id, at=at).form()}
    return bool(tell(party, body, agreement=PROTOCOL, at=at, kind=AGREEMENT_KIND, in_reply_to=in_reply_to))


def _heal(party: str, agreement_id: str, at: datetime) -> None:
    """Step L6: a partner that holds fewer moves than we do is sent those that it lacks, whoever made them."""
    found = partner_standing(agreement_id, party, at=at)
    if found.is_same or found.theirs is None:
        return
    log.warning("agreement %s at %s: %s", agreement_id[:12], party, found.text)
    if found.healed_at is not None and at < found.healed_at + HEAL_PAUSE:
        return
    lacking = [each for each in moves_of(agreement_id) if each.move.digest not in found.theirs.moves]
    if lacking:
        mark_healed(partner=party, agreement_id=agreement_id, at=at)
    for placed in lacking[:MOST_HEALED]:
        _send(placed, party, at)


def _fit(found: Agreement) -> Agreement:
    for remark in look_over(found):
        if remark.gravity is Gravity.ERROR:
            raise AgreementFormError(
                remark.text, where=f"article {remark.article_id}", remedy="See `comity agreement check` for all errors."
            )
    return found


def _partners_in(agreement_id: str, at: datetime) -> Iterable[str]:
    parties = set(agreement(agreement_id, at=at).agreement.parties) - {settings.COMITY_ADMINISTRATION}
    return [each for each, peer in load_peers(sorted(parties)).items() if not peer.is_suspended]


def _keys_of(party: str, at: datetime) -> tuple[VerifyKey, ...]:
    if party == settings.COMITY_ADMINISTRATION:
        return _keyring().key_document.active_signing_keys(at)
    peer = load_peers([party]).get(party)
    return peer.signing_keys(at) if peer else ()


def _keyring() -> Keyring:
    keyring: Keyring = settings.COMITY_KEYRING
    return keyring


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {AGREEMENT_KIND: take_move}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {AGREEMENT_KIND: check_body}
