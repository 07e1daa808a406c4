"""Signed statements: DSSE v1 over the bytes of a payload (secure-systems-lab/dsse, protocol.md and envelope.md 1.0.2).

The type stands inside the signed bytes, so a statement of one kind can never pass for another. A keyid is a hint
and never evidence: it only says which key to try first.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from comity.trust.errors import SignatureError, StatementError
from comity.trust.keys import StatementSigner, Verifier

MAX_STATEMENT_BYTES = 64 * 1024 * 1024
MAX_SIGNATURES = 64
_STANDARD_ALPHABET = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature. keyid: a hint, may be empty. sig: the raw signature."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A payload, its type, and who signed them. Nothing in it is believed before `verify_statement`."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The DSSE JSON envelope."""
        signatures = [{"keyid": each.keyid, "sig": _to_base64(each.sig)} for each in self.signatures]
        envelope = {
            "payload": _to_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": signatures,
        }
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes, limit: int = MAX_STATEMENT_BYTES) -> SignedStatement:
        """Read a DSSE JSON envelope of at most `limit` bytes; unknown members are ignored, as envelope.md asks.

        Raises: StatementError.
        """
        if len(data) > limit:
            raise StatementError(
                f"The statement has {len(data)} bytes, more than the {limit} allowed here",
                remedy="Send large content as an evidence file and name its hash in the statement.",
            )
        return cls.from_object(_read_object(data))

    @classmethod
    def from_object(cls, envelope: Mapping[str, object]) -> SignedStatement:
        """The same from the members of a DSSE JSON envelope that stood in a larger document.

        Raises: StatementError.
        """
        return cls(
            payload_type=_text(envelope, "payloadType", "the envelope"),
            payload=_from_base64(_text(envelope, "payload", "the envelope"), "payload"),
            signatures=_read_signatures(envelope.get("signatures")),
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding.

    Raises: StatementError where the type cannot be written in UTF-8.
    """
    try:
        kind = payload_type.encode()
    except UnicodeEncodeError as error:
        raise StatementError("The payload type is not well-formed text", where=ascii(payload_type)[:80]) from error
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_statement(payload_type: str, payload: bytes, *keys: StatementSigner) -> SignedStatement:
    """A statement signed by each key.

    Raises: StatementError where the type is empty or no key was given.
    """
    if not payload_type or not keys:
        raise StatementError("A statement needs a type and at least one signing key")
    signed = pae(payload_type, payload)
    signatures = tuple(Signature(key.verify_key.keyid, key.sign(signed)) for key in keys)
    return SignedStatement(payload_type, payload, signatures)


def verify_statement(
    statement: SignedStatement, keys: Iterable[Verifier], *, payload_type: str, threshold: int = 1
) -> tuple[str, ...]:
    """The keyids of the trusted keys that signed, each once, when they are at least `threshold`.

    Raises: SignatureError.
    """
    if statement.payload_type != payload_type:
        raise SignatureError(
            f"The statement is of type {statement.payload_type[:80]!r}, expected was {payload_type!r}",
            remedy="Send it to the place that takes statements of its type.",
        )
    trusted = {key.keyid: key for key in keys}
    signed = pae(payload_type, statement.payload)
    accepted: dict[str, None] = {}
    for signature in statement.signatures:
        keyid = _signer_of(signature, signed, trusted)
        if keyid:
            accepted[keyid] = None
    if threshold < 1 or len(accepted) < threshold:
        raise _too_few(statement, trusted, accepted, threshold)
    return tuple(accepted)


def _signer_of(signature: Signature, signed: bytes, trusted: Mapping[str, Verifier]) -> str:
    """The keyid of the trusted key that made the signature, or nothing. A foreign or missing hint means: try all."""
    hinted = trusted.get(signature.keyid)
    for key in (hinted,) if hinted else trusted.values():
        try:
            key.verify(signature.sig, signed)
        except SignatureError:
            continue
        return key.keyid
    return ""


def _too_few(
    statement: SignedStatement, trusted: Mapping[str, Verifier], accepted: Mapping[str, None], threshold: int
) -> SignatureError:
    named = ", ".join(ascii(each.keyid)[1:33] or "no key" for each in statement.signatures[:4]) or "nobody"
    where = f"signed by {named}; trusted here: {', '.join(trusted) or 'no key'}"
    if any(each.keyid in trusted and each.keyid not in accepted for each in statement.signatures):
        return SignatureError(
            "The signature does not fit the payload",
            where=where,
            remedy="The statement was changed on the way: ask the sender to send it again.",
        )
    return SignatureError(
        f"{len(accepted)} trusted signatures of the {threshold} that are needed",
        where=where,
        remedy="Ask the signer for its present key document, or for the missing signature.",
    )


def _read_object(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise StatementError(
            "Not a signed statement: the bytes are not JSON in UTF-8", remedy="Send the DSSE envelope as it was made."
        ) from error
    if not isinstance(value, dict):
        raise StatementError("Not a signed statement: the JSON is no object")
    return value


def _read_signatures(value: object) -> tuple[Signature, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SIGNATURES:
        raise StatementError(f"A statement has a list of 1 to {MAX_SIGNATURES} signatures", where="signatures")
    return tuple(_read_signature(each, f"signatures[{index}]") for index, each in enumerate(value))


def _read_signature(value: object, where: str) -> Signature:
    if not isinstance(value, dict):
        raise StatementError("A signature is an object with sig and keyid", where=where)
    keyid = value.get("keyid")
    if keyid is not None and not isinstance(keyid, str):
        raise StatementError("A keyid is text", where=where)
    return Signature(keyid or "", _from_base64(_text(value, "sig", where), f"{where}.sig"))


def _text(source: Mapping[str, object], name: str, where: str) -> str:
    value = source.get(name)
    if not isinstance(value, str):
        raise StatementError(f"The member {name} is missing or not text", where=where)
    return value


def _to_base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _from_base64(text: str, where: str) -> bytes:
    """protocol.md: both alphabets are accepted. Exactly one text of each alphabet stands for given bytes."""
    standard = text.translate(_STANDARD_ALPHABET) if "-" in text or "_" in text else text
    try:
        data = base64.b64decode(standard)
    except ValueError as error:
        raise StatementError("Not base64", where=where) from error
    if _to_base64(data) != standard:
        raise StatementError("Not base64 in its one exact form", where=where)
    return data
