"""The tester: a partner with keys of its own that speaks the protocol by hand, rightly or wrongly as a check asks."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from urllib.parse import urlsplit

from comity.common import ComityError, new_id, show_instant
from comity.exchange.canonical import write_canonical
from comity.exchange.envelope import Contents, messages_root, seal_envelope, sign_contents
from comity.exchange.position import Position
from comity.exchange.receipt import Receipt, SealedReceipt, read_receipt, read_sealed_receipt
from comity.exchange.transports.https.contexts import client_context
from comity.exchange.transports.https.paths import ENVELOPES_PATH, POSITION_PATH, RECEIPT_MEDIA_TYPE
from comity.trust import KeyDocument, Keyring, SignedStatement, SigningKey

_SECONDS = 60.0
Message = dict[str, object]


class NotConformingError(ComityError):
    """The node does not do what the step asks."""

    code = "not_conforming"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP. kind: its media type."""

    status: int
    kind: str
    body: bytes
    retry_after: str = ""

    @property
    def code(self) -> str:
        """The code in the problem document; empty where there is none."""
        try:
            return str(json.loads(self.body).get("code", ""))
        except (ValueError, AttributeError):
            return ""

    def sealed(self) -> SealedReceipt:
        """The receipt, unverified. Raises: NotConformingError where it is none."""
        if (self.status, self.kind) != (200, RECEIPT_MEDIA_TYPE):
            raise NotConformingError(f"No receipt but {self.status} {self.kind} {self.code}".rstrip())
        return read_sealed_receipt(self.body)

    def receipt(self) -> Receipt:
        """What the receipt says, unverified. Raises: NotConformingError where it is none."""
        return read_receipt(self.sealed().statement.payload)

    def require(self, status: int, code: str) -> str:
        """What to say of a refusal. Raises: NotConformingError where it is another answer."""
        if (self.status, self.code) != (status, code):
            raise NotConformingError(f"answered {self.status} {self.code or self.kind}, expected {status} {code}")
        return f"{status} {code}"


@dataclass(frozen=True, slots=True)
class Sealing:
    """An envelope as it goes over the wire, with what was signed."""

    contents: Contents
    statement: SignedStatement
    messages: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class How:
    """How an envelope is made where it is not made rightly. changes: of the signed contents."""

    envelope: str = ""
    first_sequence: int = 0
    signer: SigningKey | None = None
    changes: Callable[[Contents], Contents] = lambda contents: contents


_RIGHTLY = How()


@dataclass(slots=True)
class Tester:
    """One conversation with one node. next_sequence: of ours; only what a receipt answered counts."""

    keyring: Keyring
    keys: KeyDocument
    url: str
    at: Callable[[], datetime]
    invitation: bytes = b""
    next_sequence: int = 1
    sent: int = 0
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def context(self) -> ssl.SSLContext:
        """TLS as a partner that was introduced."""
        return client_context(self.keyring, self.keys.tls_authority_pem)

    def ask(self, method: str, path: str, body: bytes = b"", *, context: ssl.SSLContext | None = None) -> Answer:
        """One request on a connection of its own.

        Raises: OSError, http.client.HTTPException where the connection breaks.
        """
        target = urlsplit(self.url)
        connection = http.client.HTTPSConnection(
            target.hostname or "", target.port or 443, context=context or self.context, timeout=_SECONDS
        )
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            kind = response.headers.get("content-type", "").partition(";")[0]
            return Answer(response.status, kind, response.read(), response.headers.get("retry-after", ""))
        finally:
            connection.close()

    def message(self, **changes: object) -> Message:
        """A message that every node must take from a partner: the answer to a probe that it never sent."""
        at = self.at()
        message: Message = {
            "kind": "probe/1",
            "id": str(new_id(at)),
            "origin": self.keyring.administration,
            "sender": self.keyring.administration,
            "recipient": self.keys.administration,
            "agreement": "comity/protocol/1",
            "article": "duty",
            "purpose": "duty",
            "handling": "official",
            "created": show_instant(at),
            "valid_until": show_instant(at + timedelta(days=1)),
            "body": self.body(),
        }
        return {**message, **changes}

    def body(self) -> Mapping[str, object]:
        """The body of a probe's answer."""
        return {
            "nonce": token_hex(16),
            "answer": True,
            "version": "conformance",
            "kinds": ["probe/1"],
            "agreements": 0,
            "clock": show_instant(self.at()),
        }

    def seal(self, messages: Sequence[Message | bytes], how: How = _RIGHTLY) -> Sealing:
        """Steps S4 and S5."""
        at = self.at()
        data = tuple(each if isinstance(each, bytes) else write_canonical(each) for each in messages)
        contents = how.changes(
            Contents(
                sender=self.keyring.administration,
                recipient=self.keys.administration,
                envelope=how.envelope or str(new_id(at)),
                first_sequence=how.first_sequence or self.next_sequence,
                count=len(data),
                root=messages_root(data),
                created=at,
            )
        )
        statement = sign_contents(contents, how.signer or self.keyring.signing)
        return Sealing(contents, statement, data, self.reseal(contents, statement, data))

    def reseal(self, contents: Contents, statement: SignedStatement, messages: Sequence[bytes]) -> bytes:
        """Step S5 alone: other bytes, the same envelope."""
        key = self.keys.active_encryption_keys(self.at())[0]
        return seal_envelope(contents, statement.to_bytes(), messages, key)

    def post(self, data: bytes) -> Answer:
        """Step S6."""
        self.sent += 1
        return self.ask("POST", ENVELOPES_PATH, data)

    def send(self, *messages: Message | bytes, how: How = _RIGHTLY) -> tuple[Sealing, Answer]:
        """Steps S4 to S6. A receipt moves our sequence on where the envelope was the next."""
        sealing = self.seal(messages, how)
        answer = self.post(sealing.data)
        if answer.status == 200 and sealing.contents.first_sequence == self.next_sequence:
            self.next_sequence = sealing.contents.last_sequence + 1
        return sealing, answer

    def position(self) -> Position:
        """What the node says of our sequence.

        Raises: NotConformingError.
        """
        answer = self.ask("GET", f"{POSITION_PATH}?sender={self.keyring.administration}")
        try:
            if answer.status != 200:
                raise ValueError(answer.code)
            values = json.loads(answer.body)
            return Position(int(values["contiguous"]), tuple((int(a), int(b)) for a, b in values["islands"]))
        except (ValueError, KeyError, TypeError) as error:
            raise NotConformingError(f"the position is answered by {answer.status} {answer.body[:80]!r}") from error
