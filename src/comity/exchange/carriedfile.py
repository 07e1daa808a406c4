"""The file that a person carries between two nodes: what would have gone over the line, sealed and signed as a whole.

The form is docs/protocol.md §8: a mark, one clear line, and a sealed body. Pure: bytes in, values out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from comity.common import ComityError, parse_instant, show_instant
from comity.exchange.canonical import read_canonical, write_canonical
from comity.exchange.directory import Peer
from comity.exchange.errors import CarriedFormError
from comity.exchange.message import check_administration, check_id
from comity.exchange.parts import PartList, read_parts
from comity.trust import (
    Keyring,
    SignedStatement,
    TrustError,
    seal,
    sha256_hex,
    sign_statement,
    unseal,
    verify_statement,
)

MARK = b"comity file 1\n"
FILE_TYPE = "application/vnd.comity.file.v1+json"
# What a partner takes at most; an export stops before and says how much is left.
FILE_BYTES = 64 * 1024 * 1024
_LINE_BYTES = 1024
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class FileNames:
    """What a file says of itself: who carries to whom, under which id, when it was made."""

    sender: str
    recipient: str
    file: str
    created: datetime


@dataclass(frozen=True, slots=True)
class FileLine:
    """The clear line. size: of what is sealed; key: that it is sealed to. raw: mark and line, the seal's `info`."""

    sender: str
    recipient: str
    file: str
    key: str
    size: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file of which every byte was signed by its sender."""

    names: FileNames
    parts: PartList


def write_file(names: FileNames, parts: PartList, *, keyring: Keyring, peer: Peer) -> bytes:
    """Step F3: sign what the file holds, and seal all of it to the partner.

    Raises: PartnerStateError where the partner has no key.
    """
    body = parts.to_bytes()
    payload = {
        "sender": names.sender,
        "recipient": names.recipient,
        "file": names.file,
        "created": show_instant(names.created),
        "sha256": sha256_hex(body),
    }
    statement = sign_statement(FILE_TYPE, write_canonical(payload), *keyring.signers).to_bytes()
    plaintext = len(statement).to_bytes(_LENGTH_BYTES, "big") + statement + body
    key = peer.sealing_key(names.created)
    line = write_canonical(
        {
            "sender": names.sender,
            "recipient": names.recipient,
            "file": names.file,
            "key": key.keyid,
            "size": len(plaintext),
        }
    )
    head = MARK + line + b"\n"
    return head + seal(key, plaintext, info=head)


def read_line(data: bytes) -> FileLine:
    """Step F4: what the file says in clear, before anything in it is believed.

    Raises: CarriedFormError.
    """
    if not data.startswith(MARK):
        raise CarriedFormError(
            "This is no file of an exchange",
            where=f"its first bytes are not {MARK.decode().strip()!r}",
            remedy="Take the file that the partner wrote with `comity exchange export`.",
        )
    if len(data) > FILE_BYTES:
        raise CarriedFormError("The file is too large", where=f"{len(data)} bytes", remedy=f"At most {FILE_BYTES}.")
    line, newline, _ = data[len(MARK) : len(MARK) + _LINE_BYTES].partition(b"\n")
    try:
        values = read_canonical(line) if newline else {}
        for name in ("sender", "recipient"):
            check_administration(values.get(name), name)
        check_id(values.get("file"), "file")
        size = values.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise CarriedFormError("not a size", where="size")
    except ComityError as error:
        raise CarriedFormError(
            "The first line of the file cannot be read", where=error.where, remedy="Copy the file again."
        ) from error
    head = data[: len(MARK) + len(line) + 1]
    if len(data) - len(head) < size:
        raise CarriedFormError(
            "The file is cut off",
            where=f"{len(data) - len(head)} of more than {size} bytes are there",
            remedy="Copy it again; nothing of it was taken.",
        )
    return FileLine(
        cast(str, values["sender"]),
        cast(str, values["recipient"]),
        cast(str, values["file"]),
        str(values.get("key", "")),
        size,
        head,
    )


def open_file(data: bytes, line: FileLine, *, keyring: Keyring, peer: Peer, at: datetime) -> CarriedFile:
    """Steps F6 and F7: unseal, check the signature of the whole, cut into parts.

    Raises: CarriedFormError; then nothing in the file is believed.
    """
    key = keyring.opening_key(line.key)
    if key is None:
        raise CarriedFormError(
            "The file is sealed to a key that is not in use here",
            where=f"key {line.key[:80]}",
            remedy=f"Give {line.sender} our present invitation (`comity partner invite`) and ask for the file again.",
        )
    try:
        plaintext = unseal(key, data[len(line.raw) :], info=line.raw)
    except TrustError as error:
        raise CarriedFormError(
            "The file was changed or damaged on its way",
            where=f"file {line.file} of {line.sender}",
            remedy="Copy it again, or ask for another one; nothing of it was taken and nothing is lost.",
        ) from error
    length = int.from_bytes(plaintext[:_LENGTH_BYTES], "big")
    signed, body = plaintext[_LENGTH_BYTES : _LENGTH_BYTES + length], plaintext[_LENGTH_BYTES + length :]
    try:
        statement = SignedStatement.from_bytes(signed)
        verify_statement(statement, peer.signing_keys(at), payload_type=FILE_TYPE)
        values = _values(statement.payload)
        names = FileNames(
            str(values["sender"]),
            str(values["recipient"]),
            str(values["file"]),
            parse_instant(str(values["created"])),
        )
        stands_outside = (line.sender, line.recipient, line.file)
        if (names.sender, names.recipient, names.file) != stands_outside or values["sha256"] != sha256_hex(body):
            raise CarriedFormError("What was signed is not what the file holds", where=f"file {line.file}")
    except CarriedFormError:
        raise
    except (ComityError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise CarriedFormError(
            f"The file does not carry the signature of {line.sender}",
            where=f"file {line.file}: {error}"[:200],
            remedy="Do not take it. Ask the partner, by a number that you know, what it sent.",
        ) from error
    return CarriedFile(names, read_parts(body))


def _values(payload: bytes) -> Mapping[str, object]:
    values = json.loads(payload)
    if not isinstance(values, dict):
        raise TypeError("not an object")
    return values
