"""A message that is handed on carries the proof of its origin: docs/protocol.md §10, steps O1 to O8.

The proof is what the forwarder itself once got: the very bytes of the origin's message, the statement that the origin
signed over the envelope, the path from the one to the other; and the consent where the article asks for one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from comity.agreements import Onward as Rule
from comity.agreements.selectors import adopted_agreement
from comity.common import ComityError, parse_instant
from comity.exchange.directory import Peer, load_peers
from comity.exchange.envelope import ENVELOPE_TYPE, Contents, read_contents
from comity.exchange.errors import MessageFormError, MessageRefusedError, MessageUnknownError
from comity.exchange.message import Message, read_message
from comity.exchange.models import InboxEnvelope, InboxMessage
from comity.trade import Handling
from comity.trust import (
    SignedStatement,
    TrustError,
    VerifyKey,
    canonical_json,
    inclusion_path,
    leaf_hash,
    verify_inclusion,
    verify_statement,
)

CONSENT_TYPE = "application/vnd.comity.consent.v1+json"
_MOST_PATH = 64


@dataclass(frozen=True, slots=True)
class Onward:
    """The proof of an origin. position: of the message in its envelope; path: of its leaf under the envelope's root.

    consent: the owner's signed statement, or nothing. keep_until: the end that a forwarded copy may not pass.
    """

    original: bytes
    statement: bytes
    position: int
    path: tuple[bytes, ...]
    consent: bytes = b""
    keep_until: datetime | None = None

    def to_mapping(self) -> dict[str, object]:
        """The field `onward` of a message."""
        mapping: dict[str, object] = {
            "original": base64.b64encode(self.original).decode(),
            "envelope_statement": json.loads(self.statement),
            "position": self.position,
            "path": [each.hex() for each in self.path],
        }
        return mapping | ({"consent": json.loads(self.consent)} if self.consent else {})

    @property
    def origin(self) -> str:
        """Whose message it is."""
        return read_message(self.original).origin


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a message that was handed on comes from, proved. consents: its origin has signed that it may come here."""

    original: Message
    consents: bool


def read_onward(value: Mapping[str, object]) -> Onward:
    """The proof in a message; nothing of it is checked yet.

    Raises: MessageFormError naming the member.
    """
    position, path = value.get("position"), value.get("path")
    if not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise MessageFormError("The place of the message in its envelope is missing", where="onward.position")
    if not isinstance(path, list) or len(path) > _MOST_PATH:
        raise MessageFormError("The path to the root of the envelope is missing", where="onward.path")
    try:
        return Onward(
            original=base64.b64decode(cast(str, value.get("original")), validate=True),
            statement=_statement(value["envelope_statement"]),
            position=position,
            path=tuple(bytes.fromhex(cast(str, each)) for each in path),
            consent=_statement(value["consent"]) if "consent" in value else b"",
        )
    except (KeyError, ValueError, TypeError, RecursionError, ComityError) as error:
        raise MessageFormError("The proof of the origin cannot be read", where=f"onward: {error}"[:120]) from error


def check_onward(message: Message, at: datetime) -> Provenance:
    """Steps O1 to O8 at the receiver, but for what the article says of the sharing itself.

    Raises: MessageFormError, MessageRefusedError (unknown_origin, wrong_origin, consent_missing).
    """
    onward = read_onward(cast(Mapping[str, object], message.onward))
    original = read_message(onward.original)  # O1
    _check_original(message, original)
    peer = _origin(message)  # O2
    contents = _check_signature(peer, onward, at)  # O3
    _check_path(onward, contents, original)  # O4
    _check_limits(message, original)  # O5, O6
    consents = _check_consent(_keys_of(peer, message.created, at), onward.consent, message, original)  # O7
    rule, parties = rule_of(original)  # O8
    if not may_pass(rule, parties, message.recipient, consents=consents):
        raise _no_consent(message, original)
    return Provenance(original, consents)


def rule_of(original: Message) -> tuple[Rule | None, tuple[str, ...]]:
    """What the article under which a message was first shared says of handing it on; None: it is not known here."""
    agreement = adopted_agreement(original.agreement)
    article = agreement.article(original.article) if agreement else None
    return (article.onward, agreement.parties) if agreement and article else (None, ())


def may_pass(rule: Rule | None, parties: tuple[str, ...], recipient: str, *, consents: bool) -> bool:
    """Step O8: `none` is never handed on; `parties` within the agreement; everything else needs the consent."""
    if rule is Rule.NONE:
        return False
    return consents or (rule is Rule.PARTIES and recipient in parties)


def proof_of(sender: str, message_id: str, *, administration: str) -> Onward:
    """What proves the origin of a message that arrived here: what came with it where it was handed on already.

    Raises: MessageUnknownError, MessageFormError where it was purged.
    """
    row = InboxMessage.objects.filter(sender=sender, message_id=message_id, is_accepted=True).first()
    envelope = InboxEnvelope.objects.filter(sender=sender, envelope_id=row.envelope_id).first() if row else None
    if row is None or envelope is None:
        raise MessageUnknownError(
            "No message of this id was received here", where=message_id[:60], remedy="See `comity exchange status`."
        )
    if row.purged_at is not None:
        raise MessageFormError("The message was purged", where=message_id, remedy="Ask its origin for it.")
    message = read_message(bytes(row.data))
    if message.onward is not None:
        return replace(read_onward(message.onward), consent=b"", keep_until=row.keep_until)
    siblings = InboxMessage.objects.filter(sender=sender, envelope_id=row.envelope_id).order_by("position")
    leaves = [bytes(leaf) if leaf else leaf_hash(bytes(data)) for leaf, data in siblings.values_list("leaf", "data")]
    if len(leaves) != envelope.count:
        raise MessageFormError(
            "The envelope of the message repeats one that came before, so its root cannot be shown",
            where=message_id,
            remedy=f"Ask the origin to send it anew, or to share it with {administration}'s partner itself.",
        )
    return Onward(
        original=bytes(row.data),
        statement=bytes(envelope.statement),
        position=row.position,
        path=tuple(inclusion_path(leaves, row.position)),
        keep_until=row.keep_until,
    )


def _check_original(message: Message, original: Message) -> None:
    """Step O1: the original is the origin's own, not handed on itself, of this kind, and says exactly this."""
    if original.onward is not None or original.sender != original.origin or original.origin != message.origin:
        raise _wrong("The original is not that of the origin", "onward.original")
    if original.kind != message.kind or canonical_json(original.body) != canonical_json(message.body):
        raise _wrong("The message does not say what its origin said", "body")
    if message.origin == message.recipient:
        raise _wrong("A message is not handed back to its origin", "recipient")


def _origin(message: Message) -> Peer:
    peer = load_peers([message.origin]).get(message.origin)
    if peer is None:
        raise MessageRefusedError(
            "unknown_origin",
            f"{message.origin} has not been introduced here, so its signature cannot be checked",
            where="origin",
            remedy=f"Let {message.origin} and {message.recipient} introduce each other, then hand it on again.",
        )
    return peer


def _check_signature(peer: Peer, onward: Onward, at: datetime) -> Contents:
    """Step O3: with the keys that count now or counted when it was signed, but for those withdrawn since."""
    try:
        statement = SignedStatement.from_bytes(onward.statement)
        contents = read_contents(statement.payload)
        verify_statement(statement, _keys_of(peer, contents.created, at), payload_type=ENVELOPE_TYPE)
    except ComityError as error:
        raise _wrong(f"The origin's signature does not hold: {error.what}", "onward.envelope_statement") from error
    if contents.sender != peer.administration:
        raise _wrong("The envelope was not the origin's", "onward.envelope_statement")
    return contents


def _keys_of(peer: Peer, signed_at: datetime, at: datetime) -> list[VerifyKey]:
    """The keys that count now or at the time that the signer names. Not one that was withdrawn since: who stole it
    names any time, and no log of ours says otherwise."""
    withdrawn = {each.keyid for each in peer.keys.revoked_keys(at)}
    keys = {key.keyid: key for moment in (at, min(signed_at, at)) for key in peer.signing_keys(moment)}
    return [key for keyid, key in keys.items() if keyid not in withdrawn]


def _check_path(onward: Onward, contents: Contents, original: Message) -> None:
    try:
        verify_inclusion(
            leaf_hash(onward.original), onward.position, contents.count, onward.path, bytes.fromhex(contents.root)
        )
    except (TrustError, ValueError) as error:
        raise _wrong("The original does not stand under the origin's signature", "onward.path") from error
    if original.recipient != contents.recipient:
        raise _wrong("The original was for somebody else than its envelope", "onward.original")


def _check_limits(message: Message, original: Message) -> None:
    """Steps O5 and O6: a copy is handled no lower and kept no longer than the original."""
    try:
        is_lower = Handling.from_word(message.handling) < Handling.from_word(original.handling)
    except KeyError:
        is_lower = True
    if is_lower:
        raise _wrong(f"Its origin asked for the level {original.handling}", "handling")
    until = original.valid_until
    if until is not None and (message.valid_until is None or message.valid_until > until):
        raise _wrong("It may not be kept longer than its origin said", "valid_until")


def _check_consent(keys: Sequence[VerifyKey], consent: bytes, message: Message, original: Message) -> bool:
    """Step O7: False where there is none. One that does not hold is a lie and not a missing consent."""
    if not consent:
        return False
    try:
        statement = SignedStatement.from_bytes(consent)
        verify_statement(statement, keys, payload_type=CONSENT_TYPE)
        said = json.loads(statement.payload)
        is_named = said["message"] == original.id and said["owner"] == message.origin
        is_theirs = said["asker"] == message.sender
        is_meant = said["given"] is True and message.recipient in said["recipients"]
        is_in_time = message.created <= parse_instant(said["until"])
    except (KeyError, ValueError, TypeError, RecursionError, ComityError) as error:
        raise _wrong("The consent is not signed by the origin, or cannot be read", "onward.consent") from error
    if not (is_named and is_theirs and is_meant and is_in_time):
        raise _no_consent(message, original)
    return True


def _no_consent(message: Message, original: Message) -> MessageRefusedError:
    return MessageRefusedError(
        "consent_missing",
        f"Article {original.article} of its origin does not let it be handed on to {message.recipient} without consent",
        where="onward.consent",
        remedy=f"Ask {message.origin} for its consent: `comity custody consent ask`.",
    )


def _wrong(what: str, where: str) -> MessageRefusedError:
    return MessageRefusedError("wrong_origin", what, where=where, remedy="Hand it on as it came, with its proof.")


def _statement(value: object) -> bytes:
    return SignedStatement.from_bytes(canonical_json(value)).to_bytes()
