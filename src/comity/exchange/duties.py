"""What a duty may hold, and who signed it: a recall its origin, a notice on a copy who tells it, a consent the owner.

No article judges a duty, so nothing but the duty may be in one. What is signed, and what it means, is for custody; that
it was signed by whom it names is part of whether it is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from comity.agreements import Duty
from comity.common import ComityError
from comity.exchange.directory import load_peers
from comity.exchange.errors import MessageFormError, MessageRefusedError
from comity.exchange.limits import LIMITS
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
# What nothing signed in a body bounds: its members, and its bytes at most.
_MEMBERS: Mapping[str, frozenset[str]] = {
    Duty.CONSENT.value: frozenset({"ask", "consent", "message", "owner", "recipients", "reason"}),
    Duty.KEYS.value: frozenset({"invitation", "fingerprint"}),
    Duty.PROBE.value: frozenset({"nonce", "answer", "version", "kinds", "agreements", "clock"}),
    Duty.SPLIT_VIEW.value: frozenset(
        {"form", "origin", "vkey", "seen_note", "shown_note", "reason", "prefix_root", "path"}
    ),
    Duty.AGREEMENT.value: frozenset(
        {
            "form",
            "move",
            "by",
            "agreement_id",
            "predecessor",
            "document",
            "signatures",
            "reason",
            "articles",
            "effective_at",
            "number",
            "after",
            "at",
            "proof",
            "standing",
        }
    ),
}
_MOST_BYTES: Mapping[str, int] = {Duty.PROBE.value: 16 * 1024, Duty.SPLIT_VIEW.value: 48 * 1024}
_MOST_SIGNATURES, _MOST_KEYID, _MOST_SIGNATURE = 4, 100, 4096


def check_form(message: Message) -> None:
    """The body of a duty holds nothing beside itself: no member that is not known, no statement that is more than DSSE.

    Raises: MessageRefusedError (bad_duty).
    """
    beside: set[str] = set()
    signed = _SIGNED.get(message.kind)
    if signed is not None and signed[0] in message.body:
        if not _is_bare(message.body[signed[0]]):
            raise _refused(signed[0])
    else:
        beside = set(message.body) - _MEMBERS.get(message.kind, frozenset(message.body))
    if beside:
        raise _refused(", ".join(sorted(beside))[:100])
    if len(message.to_bytes()) > _MOST_BYTES.get(message.kind, LIMITS.message_bytes):
        raise _refused("body")


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


def _is_bare(statement: object) -> bool:
    """Whether a statement has the members of DSSE alone, and few signatures of the length that signatures have."""
    if not isinstance(statement, dict) or set(statement) != {"payload", "payloadType", "signatures"}:
        return False
    found = statement["signatures"]
    return isinstance(found, list) and len(found) <= _MOST_SIGNATURES and all(map(_is_signature, found))


def _is_signature(value: object) -> bool:
    texts = {"keyid": "", "sig": "", **value} if isinstance(value, dict) else {}
    return (
        set(texts) == {"keyid", "sig"}
        and all(isinstance(each, str) for each in texts.values())
        and len(texts["keyid"]) <= _MOST_KEYID
        and len(texts["sig"]) <= _MOST_SIGNATURE
    )


def _refused(where: str) -> MessageRefusedError:
    return MessageRefusedError(
        "bad_duty",
        "The duty holds more than belongs to it",
        where=where,
        remedy="What an article must judge travels under an article; see docs/schemas for what a duty holds.",
    )


def _check_recall(message: Message, origin: str) -> None:
    """Step H2: who recalls is the origin of what it recalls, and is known here."""
    if origin not in load_peers([origin]):
        raise MessageRefusedError(
            "unknown_origin",
            f"{origin} has not been introduced here, so its signature cannot be checked",
            where="origin",
            remedy=f"Let {origin} and {message.recipient} introduce each other.",
        )
    named = cast(list[str], message.body.get("messages", []))
    # An order binds its own origin's messages alone. So what others sent under the same id is no hindrance: else who
    # names a message as another's would keep it from being recalled.
    rows = InboxMessage.objects.filter(sender=origin, message_id__in=named, purged_at=None)
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
