"""Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from comity.trust.errors import NoteError, SignatureError
from comity.trust.keys import SIGNATURE_BYTES, Signer, VerifyKey
from comity.trust.merkle import HASH_SIZE

MAX_NOTE_CHARS = 65_536
MAX_SIGNATURES = 100
MAX_SIZE = (1 << 63) - 1

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteKind(IntEnum):
    """What a key's signatures mean: the signature type identifier byte of signed-note."""

    NOTE = 1
    COSIGNATURE = 4


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's head: its name, the number of its entries and the root of its tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint; extension lines are refused, since no monitor could audit them.

        Raises: NoteError where the text is not written exactly as tlog-checkpoint asks.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise NoteError("A checkpoint has three lines: origin, size and root", where=repr(text)[:120])
        return cls(lines[0], parse_decimal(lines[1]), parse_hash(lines[2]))


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line of a note, unverified."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"— {self.name} {to_base64(self.key_id + self.signature)}\n"

    @classmethod
    def parse(cls, line: str) -> NoteSignature:
        """Read a signature line, without its newline.

        Raises: NoteError.
        """
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise NoteError("Not a signature line", where=repr(line)[:120])
        _check_name(parts[1])
        raw = from_base64(parts[2])
        if len(raw) < 5:
            raise NoteError("A signature is too short", where=repr(line)[:120])
        return cls(parts[1], raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note of which at least one trusted key's signature was verified.

    signed_by: the vkey of each such key, with the POSIX seconds of a cosignature (None for a plain signature).
    """

    text: str
    signed_by: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class LogVerifier:
    """A public key with the name it signs notes under, and what its signatures mean."""

    name: str
    key: VerifyKey
    kind: NoteKind = NoteKind.NOTE
    key_id: bytes = field(init=False, compare=False)
    vkey: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        typed_key = bytes([self.kind]) + self.key.raw
        key_id = hashlib.sha256(self.name.encode() + b"\n" + typed_key).digest()[:4]
        object.__setattr__(self, "key_id", key_id)
        object.__setattr__(self, "vkey", f"{self.name}+{key_id.hex()}+{to_base64(typed_key)}")

    @classmethod
    def from_vkey(cls, vkey: str) -> LogVerifier:
        """Read a verifier key: name+key id+base64 of the type byte and the key.

        Raises: NoteError where it is malformed or its id is another key's; KeyRefusedError for a weak key.
        """
        parts = vkey.split("+", 2)
        typed_key = from_base64(parts[2]) if len(parts) == 3 else b""
        if len(typed_key) != 33 or typed_key[0] not in tuple(NoteKind):
            raise NoteError("Not a verifier key of a known type", where=repr(vkey)[:120])
        verifier = cls(parts[0], VerifyKey.from_raw(typed_key[1:]), NoteKind(typed_key[0]))
        if verifier.vkey != vkey:
            raise NoteError("The id of the verifier key does not fit its key", where=repr(vkey)[:120])
        return verifier

    def verify(self, text: str, signature: NoteSignature) -> int | None:
        """Check one signature over a note's text; the POSIX seconds of a cosignature, None for a plain signature.

        Raises: NoteError.
        """
        raw, data, seconds = signature.signature, text.encode(), None
        if self.kind is NoteKind.COSIGNATURE:
            Checkpoint.parse(text)
            raw, seconds = raw[8:], int.from_bytes(raw[:8], "big")
            data = _cosigned(text, seconds)
        if len(raw) != SIGNATURE_BYTES or (seconds or 0) > MAX_SIZE:
            raise NoteError("A signature has the wrong length or time", where=self.name)
        try:
            self.key.verify(raw, data)
        except SignatureError as error:
            raise NoteError("A signature on a note is wrong", where=self.name) from error
        return seconds


@dataclass(frozen=True, slots=True)
class LogSigner:
    """A private key that signs notes under a name."""

    name: str
    key: Signer = field(repr=False)
    kind: NoteKind = NoteKind.NOTE
    verifier: LogVerifier = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verifier", LogVerifier(self.name, self.key.verify_key, self.kind))

    @property
    def vkey(self) -> str:
        """The verifier key to hand out."""
        return self.verifier.vkey

    def sign(self, text: str, at: datetime) -> str:
        """The signature line over a note's text, with its newline. A plain signature does not carry the time.

        Raises: NoteError where a cosigner is given something else than a checkpoint.
        """
        check_text(text)
        if self.kind is NoteKind.NOTE:
            return NoteSignature(self.name, self.verifier.key_id, self.key.sign(text.encode())).line
        Checkpoint.parse(text)
        seconds = int(at.timestamp())
        signature = seconds.to_bytes(8, "big") + self.key.sign(_cosigned(text, seconds))
        return NoteSignature(self.name, self.verifier.key_id, signature).line


def sign_note(text: str, *signers: LogSigner, at: datetime) -> str:
    """A note: the text and a signature line of each signer."""
    return text + "\n" + "".join(signer.sign(text, at) for signer in signers)


def split_note(note: str) -> tuple[str, tuple[NoteSignature, ...]]:
    """The text of a note and its signatures, none of them verified.

    Raises: NoteError where it is not written exactly as signed-note asks.
    """
    if len(note) > MAX_NOTE_CHARS:
        raise NoteError("The note is too long", where=f"{len(note)} characters")
    check_text(note)
    text, blank, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if not blank or lines.pop() or not 0 < len(lines) <= MAX_SIGNATURES:
        raise NoteError("A note is a text, an empty line and signature lines", where=repr(note)[:120])
    return text + "\n", tuple(NoteSignature.parse(line) for line in lines)


def open_note(note: str, verifiers: Iterable[LogVerifier]) -> OpenedNote:
    """The text of a note that at least one of the verifiers signed. Signatures of other keys are ignored.

    Raises: NoteError where none signed it, or where the signature of one of them is wrong.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    text, signatures = split_note(note)
    signed_by: dict[str, int | None] = {}
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is not None:
            seconds = verifier.verify(text, signature)
            earlier = signed_by.get(verifier.vkey)
            signed_by[verifier.vkey] = seconds if seconds is None else max(seconds, earlier or 0)
    if not signed_by:
        raise NoteError(
            "No trusted key signed the note",
            where=", ".join(signature.name for signature in signatures)[:120],
            remedy="Ask the log's administration for its present verifier key.",
        )
    return OpenedNote(text, signed_by)


def open_checkpoint(
    note: str, log: LogVerifier, witnesses: Iterable[LogVerifier] = ()
) -> tuple[Checkpoint, OpenedNote]:
    """The checkpoint in a note that the log itself signed under its own name.

    Raises: NoteError where the log did not sign it, or it is the head of another log.
    """
    opened = open_note(note, [log, *witnesses])
    checkpoint = Checkpoint.parse(opened.text)
    if log.vkey not in opened.signed_by or checkpoint.origin != log.name:
        raise NoteError("The checkpoint is not one that this log signed", where=f"{checkpoint.origin}, not {log.name}")
    return checkpoint, opened


def cosign(note: str, *, log: LogVerifier, cosigner: LogSigner, at: datetime) -> str:
    """The cosigner's signature line for a checkpoint that the log signed; consistency must have been checked before.

    Raises: NoteError where the log did not sign the note.
    """
    checkpoint, _ = open_checkpoint(note, log)
    return cosigner.sign(checkpoint.text, at)


def add_signatures(note: str, lines: Sequence[str]) -> str:
    """The note with more signature lines, each once.

    Raises: NoteError for a malformed note or line.
    """
    text, signatures = split_note(note)
    added = [NoteSignature.parse(line.removesuffix("\n")) for line in lines]
    return text + "\n" + "".join(dict.fromkeys(signature.line for signature in (*signatures, *added)))


def check_text(text: str) -> None:
    """Refuse what may not stand in a note: control characters other than newline, and what is no UTF-8.

    Raises: NoteError.
    """
    if _CONTROL.search(text):
        raise NoteError("The note has a control character", where=repr(text)[:120])
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("The note is no valid UTF-8", where=repr(text)[:120]) from error


def to_base64(raw: bytes) -> str:
    """Base64 as in RFC 4648 §4."""
    return base64.b64encode(raw).decode("ascii")


def from_base64(text: str) -> bytes:
    """Read base64 that is written in the one canonical way.

    Raises: NoteError.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NoteError("Not base64", where=repr(text)[:120]) from error
    if to_base64(raw) != text:  # unused bits that are not zero would give one value two spellings
        raise NoteError("Not canonical base64", where=repr(text)[:120])
    return raw


def parse_hash(text: str) -> bytes:
    """Read a SHA-256 hash in base64.

    Raises: NoteError.
    """
    raw = from_base64(text)
    if len(raw) != HASH_SIZE:
        raise NoteError("Not a SHA-256 hash in base64", where=repr(text)[:120])
    return raw


def parse_decimal(text: str) -> int:
    """Read a size or index: ASCII digits, no leading zeroes, below 2^63.

    Raises: NoteError.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or text != str(int(text)) or int(text) > MAX_SIZE:
        raise NoteError("Not a decimal number without leading zeroes", where=repr(text)[:40])
    return int(text)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _check_name(name: str) -> None:
    check_text(name)
    if not name or "+" in name or any(character.isspace() for character in name):
        raise NoteError("A key name is empty or has a space or a plus", where=repr(name)[:120])
