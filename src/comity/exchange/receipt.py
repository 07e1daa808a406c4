"""What a receiver answers: a signed receipt with a proof that its log holds it, or a signed refusal.

The forms are docs/protocol.md §4 and §5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import cast

import orjson

from comity.common import ComityError, parse_instant, show_instant
from comity.exchange.canonical import MAX_INTEGER, write_canonical
from comity.exchange.envelope import Extension, read_extension
from comity.exchange.errors import EnvelopeRefusedError, ReceiptRefusedError
from comity.exchange.limits import LIMITS, NO_LIMITS, LoadLimits, read_load_limits
from comity.trust import SignedStatement, StatementSigner, sha256_hex, sign_statement

RECEIPT_TYPE = "application/vnd.comity.receipt.v1+json"
REFUSAL_TYPE = "application/vnd.comity.refusal.v1+json"
MAX_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one message. accepted: it is stored, and its journey will run.

    code: why not, as a word; empty where accepted. clause: article or paper. field: of the message. remedy: what the
    sender may do. sha256: hex, of its bytes.
    """

    id: str
    sha256: str
    accepted: bool
    code: str = ""
    text: str = ""
    clause: str = ""
    field: str = ""
    remedy: str = ""
    article: str = ""


_ANSWER_NAMES = tuple(each.name for each in fields(Answer))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receiver signs for one envelope. statement: sha256 hex of the payload of the envelope's statement.

    contiguous, missing: the receiver's view of the sender's sequence after this group of envelopes; gaps: how many
    there are, more than `missing` names perhaps; 0 where it was not said. load: what the receiver asks the sender not
    to exceed.
    """

    envelope: str
    sender: str
    recipient: str
    statement: str
    answers: tuple[Answer, ...]
    at: datetime
    contiguous: int
    missing: tuple[tuple[int, int], ...] = ()
    gaps: int = 0
    load: LoadLimits = NO_LIMITS

    @property
    def all_gaps(self) -> int:
        """How many gaps there are in the sender's sequence; as many as can be where the receiver does not say."""
        if not self.gaps and len(self.missing) == LIMITS.missing_ranges:
            return LIMITS.islands
        return max(self.gaps, len(self.missing))

    def to_payload(self) -> bytes:
        """The canonical JSON that is signed."""
        received: dict[str, object] = {
            "contiguous": self.contiguous,
            "missing": [list(gap) for gap in self.missing],
        }
        if self.gaps:
            received["gaps"] = self.gaps
        payload: dict[str, object] = {
            "envelope": self.envelope,
            "sender": self.sender,
            "recipient": self.recipient,
            "statement": self.statement,
            "answers": [answer_mapping(answer) for answer in self.answers],
            "at": show_instant(self.at),
            "received": received,
        }
        if self.load != NO_LIMITS:
            payload["load"] = self.load.to_mapping()
        return write_canonical(payload)


@dataclass(frozen=True, slots=True)
class SealedReceipt:
    """A receipt as it travels. proof: C2SP tlog-proof of its leaf; salt: of the leaf's commitment.

    cosignature: our line on the sender's checkpoint. witnessed: the size of the sender's log that we know.
    consistency: from the size that the sender knew of our log to the checkpoint of the proof.
    """

    statement: SignedStatement
    proof: str
    salt: bytes
    cosignature: str | None = None
    witnessed: int = 0
    consistency: Extension | None = None

    def to_bytes(self) -> bytes:
        """The JSON on the wire. The statement stands in it as it is, so it is written once."""
        head = self.consistency
        rest = {
            "proof": self.proof,
            "salt": self.salt.hex(),
            "cosignature": self.cosignature,
            "witnessed": self.witnessed,
            "consistency": None if head is None else {"old_size": head.old_size, "path": list(head.path)},
        }
        return write_canonical(rest)[:-1] + b',"receipt":' + self.statement.to_bytes() + b"}"


@dataclass(frozen=True, slots=True)
class SignedRefusal:
    """Why an envelope was refused whole; signed, so that it may be believed. sha256: hex, of the envelope's bytes."""

    statement: SignedStatement
    sha256: str
    code: str
    what: str
    where: str
    remedy: str

    def to_bytes(self) -> bytes:
        """Problem details (RFC 9457) with the signed statement in them."""
        problem = {
            "type": f"urn:comity:refusal:{self.code}",
            "title": self.what,
            "code": self.code,
            "where": self.where,
            "remedy": self.remedy,
        }
        return write_canonical(problem)[:-1] + b',"refusal":' + self.statement.to_bytes() + b"}"


def sign_receipt(receipt: Receipt, *keys: StatementSigner) -> SignedStatement:
    """Step R11: the receipt under the receiver's signature."""
    return sign_statement(RECEIPT_TYPE, receipt.to_payload(), *keys)


def sign_refusal(
    error: EnvelopeRefusedError, envelope: bytes, *, recipient: str, keys: Sequence[StatementSigner], at: datetime
) -> SignedRefusal:
    """A refusal of a whole envelope, named by the SHA-256 of its bytes because nothing in it is believed."""
    payload = {
        "recipient": recipient,
        "sha256": sha256_hex(envelope),
        "code": error.code,
        "text": error.what[:300],
        "where": error.where[:300],
        "remedy": error.remedy[:300],
        "at": show_instant(at),
    }
    statement = sign_statement(REFUSAL_TYPE, write_canonical(payload), *keys)
    return SignedRefusal(statement, payload["sha256"], error.code, payload["text"], payload["where"], payload["remedy"])


def read_sealed_receipt(data: bytes) -> SealedReceipt:
    """The parts of an answer; the signature, the proof and the contents are still to be checked.

    Raises: ReceiptRefusedError.
    """
    try:
        values = _read_object(data)
        cosignature = values["cosignature"]
        if cosignature is not None and not isinstance(cosignature, str):
            raise ReceiptRefusedError("The cosignature is not a line", where="cosignature")
        return SealedReceipt(
            statement=_read_statement(values["receipt"]),
            proof=_text(values, "proof"),
            salt=bytes.fromhex(_text(values, "salt")),
            cosignature=cosignature,
            witnessed=_whole(values.get("witnessed", 0)),
            consistency=read_extension(values.get("consistency")),
        )
    except ReceiptRefusedError:
        raise
    except (KeyError, ValueError, TypeError, RecursionError, ComityError) as error:
        raise ReceiptRefusedError("The receipt cannot be read", where=str(error)[:120]) from error


def read_receipt(payload: bytes) -> Receipt:
    """The signed payload of a receipt.

    Raises: ReceiptRefusedError.
    """
    try:
        values = _read_object(payload)
        received = cast(Mapping[str, object], values["received"])
        return Receipt(
            envelope=_text(values, "envelope"),
            sender=_text(values, "sender"),
            recipient=_text(values, "recipient"),
            statement=_text(values, "statement"),
            answers=tuple(read_answer(item) for item in cast(Sequence[object], values["answers"])),
            at=parse_instant(_text(values, "at")),
            contiguous=_whole(received["contiguous"]),
            missing=_read_missing(received["missing"]),
            gaps=_whole(received.get("gaps", 0)),
            load=read_load_limits(values.get("load")),
        )
    except (KeyError, ValueError, TypeError, RecursionError, OverflowError, ComityError) as error:
        raise ReceiptRefusedError("The receipt cannot be read", where=printable(str(error))[:120]) from error


def read_refusal(data: bytes) -> SignedRefusal | None:
    """The refusal in a problem document, or None where the document holds none."""
    try:
        values = _read_object(data)
        statement = _read_statement(values["refusal"])
        payload = _read_object(statement.payload)
        texts = [_text(payload, name) for name in ("sha256", "code", "text", "where", "remedy")]
    except (KeyError, ValueError, TypeError, RecursionError, ComityError):
        return None
    return SignedRefusal(statement, *(printable(text) for text in texts))


def read_answer(value: object) -> Answer:
    """One answer from its JSON form. Raises: KeyError, TypeError, ValueError."""
    if not isinstance(value, dict) or not isinstance(value["accepted"], bool):
        raise TypeError("answers")
    texts = {name: printable(str(value[name]))[:1000] for name in _ANSWER_NAMES if name in value and name != "accepted"}
    return Answer(**({"id": "", "sha256": ""} | texts), accepted=value["accepted"])


def answer_text(answer: Answer) -> str:
    """The JSON of an answer, as it is stored and repeated to duplicates."""
    return write_canonical(answer_mapping(answer)).decode()


def read_answer_text(text: str) -> Answer:
    """The answer of a stored text."""
    return read_answer(orjson.loads(text))


def answer_mapping(answer: Answer) -> dict[str, object]:
    """The JSON form of an answer, without what is empty."""
    return {name: value for name in _ANSWER_NAMES if (value := getattr(answer, name)) != ""}


def printable(text: str) -> str:
    """A partner's words without what forges lines of a log, moves a terminal's cursor or harms a table."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _read_missing(value: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list) or len(value) > LIMITS.missing_ranges:
        raise ValueError("missing")
    return tuple((_whole(first), _whole(last)) for first, last in value)


def _read_object(data: bytes) -> dict[str, object]:
    if len(data) > MAX_ANSWER_BYTES:
        raise ValueError("too large")
    values = orjson.loads(data)
    if not isinstance(values, dict):
        raise TypeError("not an object")
    return values


def _read_statement(value: object) -> SignedStatement:
    if not isinstance(value, dict):
        raise TypeError("receipt")
    return SignedStatement.from_object(value)


def _text(values: Mapping[str, object], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
        raise TypeError("not a whole number")
    return value
