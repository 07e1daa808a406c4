"""What is fuzzed: a parser with its checks, a genuine input, and what a genuine input says.

A target takes bytes and either refuses them with a ComityError or gives what it understood and would act on. The
promise: it never ends otherwise, never hangs, and what it takes says exactly what the genuine input says, since only
that was signed. So a changed byte is refused, or it stands where it means nothing to anybody (white space around a
statement, an unsigned hint).
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import FrameType
from uuid import UUID

from comity.common import ComityError
from comity.exchange.carriedfile import FileNames, open_file, read_line, write_file
from comity.exchange.checking import Parcel, check_receipt
from comity.exchange.directory import Peer
from comity.exchange.envelope import (
    ENVELOPE_TYPE,
    Contents,
    check_contents,
    messages_root,
    open_envelope,
    read_contents,
    read_header,
    seal_envelope,
    sign_contents,
)
from comity.exchange.invitation import read_invitation, write_invitation
from comity.exchange.message import read_message
from comity.exchange.parts import Answered, PartList, read_parts
from comity.exchange.position import Position
from comity.exchange.receipt import Answer, Receipt, SealedReceipt, sign_receipt
from comity.ledger import commit
from comity.trust import (
    Checkpoint,
    ForkProof,
    Keyring,
    canonical_json,
    inclusion_path,
    leaf_hash,
    make_keyring,
    make_tlog_proof,
    open_checkpoint,
    parse_policy,
    read_key_document,
    seal,
    sha256_hex,
    sign_note,
    tree_root,
    unseal,
    verify_fork,
    verify_statement,
    verify_tlog_proof,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LONGEST_SECONDS = 5


class HangError(Exception):
    """An input kept a parser busy for longer than any input may."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser with its checks. take: gives what it understood. seeds: genuine inputs. meant: what they say."""

    name: str
    take: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    meant: list[object] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "meant", [self.take(seed) for seed in self.seeds])

    def attack(self, data: bytes) -> bool:
        """Whether the bytes were taken. Raises: AssertionError where a promise is broken; HangError."""
        try:
            with _BoundedTime():
                understood = self.take(data)
        except ComityError:
            return False
        assert understood in self.meant, f"{self.name} took what nobody signed: {data!r}"
        return True


class _BoundedTime:
    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise HangError


@cache
def _keyring(code: str) -> Keyring:
    return make_keyring(
        code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], datetime(2026, 1, 1, tzinfo=UTC)
    )


def _peer(code: str) -> Peer:
    keys = _keyring(code)
    document = keys.key_document
    return Peer(
        id=1,
        administration=code,
        name=document.name,
        endpoint=document.endpoint_url,
        state="active",
        statement=keys.key_statement.to_bytes(),
        fingerprint=document.fingerprint,
    )


@cache
def _envelope() -> tuple[Contents, bytes, bytes, tuple[bytes, ...]]:
    messages = (b'{"body":{},"kind":"alert/1"}', b'{"body":{"x":"1"},"kind":"alert/1"}')
    contents = Contents(
        sender="XC",
        recipient="XA",
        envelope="019cade2-11c0-7000-8000-000000000001",
        first_sequence=7,
        count=2,
        root=messages_root(messages),
        created=AT,
    )
    statement = sign_contents(contents, _keyring("XC").signing)
    data = seal_envelope(contents, statement.to_bytes(), messages, _keyring("XA").encryption.public)
    return contents, statement.payload, data, messages


def envelope() -> Target:
    """R1 to R6: header, seal, parts, signature, root."""

    def take(data: bytes) -> object:
        header = read_header(data)
        opened = open_envelope(data, header, _keyring("XA").encryption)
        verify_statement(opened.statement, [_keyring("XC").signing.verify_key], payload_type=ENVELOPE_TYPE)
        contents = read_contents(opened.statement.payload)
        check_contents(contents, opened)
        return contents, opened.messages

    return Target("envelope", take, (_envelope()[2],))


def inside() -> Target:
    """R4 to R6 for what a partner seals rightly: parts, statement, signature, root."""
    contents, _, data, messages = _envelope()
    header, key = read_header(data), _keyring("XA").encryption
    statement = sign_contents(contents, _keyring("XC").signing).to_bytes()

    def take(plaintext: bytes) -> object:
        opened = open_envelope(header.line + b"\n" + seal(key.public, plaintext, info=header.line), header, key)
        verify_statement(opened.statement, [_keyring("XC").signing.verify_key], payload_type=ENVELOPE_TYPE)
        check_contents(read_contents(opened.statement.payload), opened)
        return opened.messages

    parts = (statement, *messages)
    return Target("inside", take, (b"".join(len(part).to_bytes(4, "big") + part for part in parts),))


def statement() -> Target:
    """What a partner signs of an envelope, whatever it is; what was read can be written and read again."""
    payload = _envelope()[1]

    def take(data: bytes) -> object:
        read = read_contents(data)
        return read_contents(sign_contents(read, _keyring("XC").signing).payload) == read

    return Target("statement", take, (payload,))


def message() -> Target:
    """A message, whatever a partner writes into it: read, and kept byte for byte."""
    words = {"kind": "alert/1", "id": "019cade2-11c0-7000-8000-000000000002", "origin": "XC", "sender": "XC"}
    words |= {"recipient": "XA", "agreement": "a" * 64, "article": "1", "purpose": "control", "handling": "official"}
    whole = canonical_json(words | {"created": "2026-03-02T09:30:00Z", "body": {"ref": "XC-1", "priority": 2}})

    def take(data: bytes) -> object:
        read = read_message(data)
        return read.to_bytes() == data and bool(UUID(read.id))

    return Target("message", take, (whole,))


def receipt() -> Target:
    """S8 to S10: form, signature, names, place in the log."""
    contents, payload, data, messages = _envelope()
    digests = tuple(map(sha256_hex, messages))
    parcel = Parcel(1, _peer("XA"), contents, sha256_hex(payload), digests, data)
    answers = (
        Answer("019cade2-11c0-7000-8000-000000000002", digests[0], accepted=True, article="1"),
        Answer("", digests[1], accepted=False, code="expired", text="Too late", field="valid_until"),
    )
    signed = sign_receipt(
        Receipt(contents.envelope, "XC", "XA", sha256_hex(payload), answers, AT, 8, ()), _keyring("XA").signing
    )
    salt = bytes(range(32))
    entry = commit(
        "receipt", bytes.fromhex(sha256_hex(signed.payload)), agreement="", message_id=contents.envelope, salt=salt
    )
    sealed = SealedReceipt(signed, _proof(entry), salt).to_bytes()

    def take(body: bytes) -> object:
        checked = check_receipt(parcel, body, at=AT)
        return checked.receipt, checked.proved.index, checked.proved.checkpoint

    return Target("receipt", take, (sealed,))


def checkpoint() -> Target:
    """A signed checkpoint of a known log."""
    keys = _keyring("XA")
    note = sign_note(Checkpoint(keys.log.name, 3, bytes(32)).text, keys.log, at=AT)
    cosigned = note + _keyring("XC").cosigner.sign(Checkpoint(keys.log.name, 3, bytes(32)).text, AT)

    def take(data: bytes) -> object:
        return open_checkpoint(_text(data), keys.log.verifier, [_keyring("XC").cosigner.verifier])[0]

    return Target("checkpoint", take, (note.encode(), cosigned.encode()))


def tlog_proof() -> Target:
    """A C2SP tlog-proof for one entry."""
    entry = b'{"commitment":"00","kind":"message"}'

    def take(data: bytes) -> object:
        proved = verify_tlog_proof(_text(data), entry, _keyring("XA").log.verifier)
        return proved.index, proved.checkpoint

    return Target("tlog-proof", take, (_proof(entry).encode(),))


def key_document() -> Target:
    """A first key document, and one that follows a document that is held."""

    def take(data: bytes) -> object:
        return read_key_document(data, trusted=None, at=AT).fingerprint

    return Target("key document", take, (_keyring("XA").key_statement.to_bytes(),))


def invitation() -> Target:
    """An invitation with the key document in it."""

    def take(data: bytes) -> object:
        read = read_invitation(data, at=AT)
        return read.keys.fingerprint, read.note

    return Target("invitation", take, (write_invitation(_keyring("XA"), note="Ring us"),))


def _carried() -> PartList:
    name = "019cade2-11c0-7000-8000-000000000003"
    return PartList((b"an envelope", b""), (Answered(name, b"a receipt", is_receipt=True),), Position(3, ((5, 6),)))


def _carried_names() -> FileNames:
    return FileNames("XC", "XA", "019cade2-11c0-7000-8000-000000000004", AT)


def carried_file() -> Target:
    """F4 to F7: mark, clear line, seal, signature, list of parts."""

    def take(data: bytes) -> object:
        read = open_file(data, read_line(data), keyring=_keyring("XA"), peer=_peer("XC"), at=AT)
        return read.names, read.parts

    return Target(
        "carried file", take, (write_file(_carried_names(), _carried(), keyring=_keyring("XC"), peer=_peer("XA")),)
    )


def carried_inside() -> Target:
    """F7 for what a partner seals rightly: the statement and the list that it signs."""
    data = write_file(_carried_names(), _carried(), keyring=_keyring("XC"), peer=_peer("XA"))
    line, key = read_line(data), _keyring("XA").encryption

    def take(plaintext: bytes) -> object:
        sealed = line.raw + seal(key.public, plaintext, info=line.raw)
        return open_file(sealed, line, keyring=_keyring("XA"), peer=_peer("XC"), at=AT).parts

    return Target("carried inside", take, (unseal(key, data[len(line.raw) :], info=line.raw),))


def parts() -> Target:
    """A list of parts, whatever a partner writes into it; what was read can be written and read again."""

    def take(data: bytes) -> object:
        read = read_parts(data)
        return read_parts(read.to_bytes()) == read

    return Target("parts", take, (_carried().to_bytes(),))


def policy() -> Target:
    """The text of a policy of witnesses: what was read is written again, and reads the same."""
    vkey = _keyring("XC").cosigner.vkey
    text = f"witness w {vkey}\ngroup g 2 XA w\ngroup h any g XB\nquorum h\n"

    def take(data: bytes) -> object:
        read = parse_policy(_text(data), known=("XA", "XB"))
        again = parse_policy(read.text, known=("XA", "XB"))
        return again == read and set(read.counted) <= {"XA", "XB", *(each.name for each in read.witnesses)}

    return Target("policy", take, (text.encode(),))


def fork() -> Target:
    """Evidence of two histories: it accuses only who signed both."""
    keys = _keyring("XA")
    notes = [sign_note(Checkpoint(keys.log.name, 3, bytes([each]) * 32).text, keys.log, at=AT) for each in (1, 2)]
    proof = ForkProof(keys.log.vkey, *notes)

    def take(data: bytes) -> object:
        read = ForkProof.from_bytes(data)
        verify_fork(read)
        return read.origin, frozenset(head.root for head in read.heads())

    return Target("fork", take, (proof.to_bytes(),))


def _proof(entry: bytes) -> str:
    keys, leaves = _keyring("XA"), [leaf_hash(b"first"), leaf_hash(entry), leaf_hash(b"third")]
    note = sign_note(Checkpoint(keys.log.name, 3, tree_root(leaves)).text, keys.log, at=AT)
    return make_tlog_proof(1, inclusion_path(leaves, 1), note)


def _text(data: bytes) -> str:
    """As every caller gets it: from JSON or a file, both read as UTF-8."""
    return data.decode("utf-8", "surrogateescape")


TARGETS: dict[str, Callable[[], Target]] = {
    "envelope": envelope,
    "inside": inside,
    "statement": statement,
    "message": message,
    "receipt": receipt,
    "checkpoint": checkpoint,
    "tlog-proof": tlog_proof,
    "key-document": key_document,
    "invitation": invitation,
    "carried-file": carried_file,
    "carried-inside": carried_inside,
    "parts": parts,
    "policy": policy,
    "fork": fork,
}
