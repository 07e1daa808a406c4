"""Who signed what a duty carries: a recall by its origin, a notice on a copy by who tells it, a consent by the owner.

What is signed, and what it means, is for custody; that it was signed by whom it names is part of whether it is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from comity.agreements import Duty
from comity.common import ComityError
from comity.exchange.directory import load_peers
from comity.exchange.errors import MessageFormError, MessageRefusedError
from comity.exchange.message import Message, read_message
from comity.exchange.models import InboxMessage
from comity.exchange.onward import CONSENT_TYPE
from comity.trust import SignedStatement, canonical_json, verify_statement

RECALL_TYPE = "application/vnd.comity.recall.v1+json"
HOLDING_TYPE = "application/vnd.comity.holding.v1+json"
# kind -> the member that holds the statement, its type, the member that names who signed it
_SIGNED: Mapping[str, tuple[str, str, str]] = {
    Duty.RECALL.value: ("origin_statement", RECALL_TYPE, "origin"),
    Duty.HOLDING.value: ("statement", HOLDING_TYPE, "told_by"),
    Duty.CONSENT.value: ("statement", CONSENT_TYPE, "owner"),
}


def check_signer(message: Message, at: datetime) -> None:
    """Steps H2 and H6: the statement in a duty was signed by whom it names.

    A notice on a copy at somebody whom nobody introduced here is let in: it proves nothing, and is kept as that.
    Raises: MessageRefusedError (not_origin, unknown_origin, wrong_signature).
    """
    if message.kind not in _SIGNED:
        return
    member, payload_type, signer_member = _SIGNED[message.kind]
    signer = str(message.body.get(signer_member, ""))
    if member in message.body and is_proved(message.body[member], payload_type, signer, at) is False:
        raise MessageRefusedError(
            "wrong_signature",
            f"The statement was not signed by {signer}",
            where=member,
            remedy=f"Send what {signer} signed, unchanged.",
        )
    if message.kind == Duty.RECALL.value:
        _check_recall(message, signer)
    elif message.kind == Duty.CONSENT.value and member in message.body and signer != message.sender:
        raise MessageRefusedError(
            "not_origin", f"Only {signer} itself consents", where="owner", remedy="Let the owner answer."
        )


def is_proved(statement: object, payload_type: str, signer: str, at: datetime) -> bool | None:
    """Whether a partner signed this statement of a body; None where no such partner is known here."""
    peer = load_peers([signer]).get(signer)
    if peer is None:
        return None
    try:
        read = SignedStatement.from_bytes(canonical_json(statement))
        verify_statement(read, peer.signing_keys(at), payload_type=payload_type)
    except ComityError:
        return False
    return True


def is_told_by(message: Message, at: datetime) -> bool:
    """Whether the notice of a holding/1 was signed by who tells it, as far as that can be checked here."""
    signer = str(message.body["told_by"])
    return is_proved(message.body["statement"], HOLDING_TYPE, signer, at) is True


def _check_recall(message: Message, origin: str) -> None:
    """Step H2: who recalls is the origin of what it recalls, and is known here."""
    peers = load_peers()
    if origin not in peers:
        raise MessageRefusedError(
            "unknown_origin",
            f"{origin} has not been introduced here, so its signature cannot be checked",
            where="origin",
            remedy=f"Let {origin} and {message.recipient} introduce each other.",
        )
    named = cast(list[str], message.body.get("messages", []))
    rows = InboxMessage.objects.filter(sender__in=list(peers), message_id__in=named, purged_at=None)
    for data in rows.values_list("data", flat=True):
        owner = _origin_of(bytes(data))
        if owner not in ("", origin):
            raise MessageRefusedError(
                "not_origin",
                f"{origin} is not the origin of a message that it recalls; {owner} is",
                where="messages",
                remedy=f"Ask {owner} to recall it.",
            )


def _origin_of(data: bytes) -> str:
    try:
        return read_message(data).origin
    except MessageFormError:
        return ""
