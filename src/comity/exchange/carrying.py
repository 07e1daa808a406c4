"""Posts without a line: what waits for a partner goes into a file, and a partner's file is taken like its envelopes.

The step numbers are those of docs/protocol.md §8.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from comity.common import Actor, new_id
from comity.exchange.carriedfile import FILE_BYTES, CarriedFile, FileLine, FileNames, open_file, read_line, write_file
from comity.exchange.collecting import Taken, answered, hand_out_open, take_answers, take_position, willing
from comity.exchange.directory import Peer
from comity.exchange.envelope import read_header
from comity.exchange.errors import CarriedFormError, EnvelopeRefusedError, PartnerStateError
from comity.exchange.inbox import Receiver, Reply
from comity.exchange.models import CarriedAnswer
from comity.exchange.parts import Answered, PartList
from comity.exchange.receipt import read_refusal
from comity.exchange.selectors import outbox_status, reception_of
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trust import Keyring

# What of a file may be answers, what is left for statement and seal, and how much is answered in one transaction.
_ANSWER_BYTES = FILE_BYTES // 3
_SPARE_BYTES = 1024 * 1024
_GROUP_BYTES = 8 * 1024 * 1024
_GROUP = 64


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written. waiting: messages to the partner that are not in it and go into the next."""

    file: str
    recipient: str
    envelopes: int
    answers: int
    size_bytes: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file did. envelopes: answered with a receipt; refused: envelopes, with reasons. answers: to ours.

    sent_again: messages that the partner had answered and lost. to_carry: answers that wait for the way back.
    """

    file: str
    sender: str
    envelopes: int
    refused: tuple[str, ...]
    answers: Taken
    sent_again: int
    to_carry: int


@transaction.atomic
def export_file(actor: Actor, *, keyring: Keyring, administration: str, target: Path, at: datetime) -> Exported:
    """Steps F1 to F3: write all that is open or waits for this partner, and the answers that go back, into one file.

    Raises: PermissionRefusedError, PartnerUnknownError, PartnerStateError where it is suspended, CarriedFormError where
    the file exists or cannot be written. Then nothing has changed.
    """
    require(actor, Permission.MANAGE_PARTNERS)
    peer = willing(administration)  # F1
    rows = _answers_to(peer)
    answers = tuple(Answered(row.envelope_id, bytes(row.body), row.is_receipt) for row in rows)
    most_bytes = FILE_BYTES - _SPARE_BYTES - sum(len(each.body) for each in answers)
    envelopes = hand_out_open(keyring, peer, at, most_bytes=most_bytes)  # F2
    parts = PartList(tuple(envelopes), answers, reception_of(administration))
    names = FileNames(keyring.administration, administration, str(new_id(at)), at)
    data = write_file(names, parts, keyring=keyring, peer=peer)  # F3
    CarriedAnswer.objects.filter(pk__in=[row.pk for row in rows]).delete()
    facts = {"file": names.file, "envelopes": str(len(envelopes)), "answers": str(len(answers))}
    record_deed(actor, deed="export_file", subject=f"partner:{administration}", facts=facts, at=at)
    # Last, so that an error before leaves no file. If the commit after it fails, the file is only one more copy.
    write_once(target, data)
    waiting = outbox_status(administration).waiting
    return Exported(names.file, administration, len(envelopes), len(answers), len(data), waiting)


def import_file(actor: Actor, *, receiver: Receiver, source: Path, at: datetime) -> Imported:
    """Steps F4 to F10: take a partner's file. Twice, late or in any order does no more than once.

    Each step is durable by itself, so that a cut in the middle only means to import again. Raises:
    PermissionRefusedError, PartnerUnknownError, PartnerStateError, CarriedFormError; then nothing was taken.
    """
    require(actor, Permission.MANAGE_PARTNERS)
    data = _read(source)
    line = read_line(data)  # F4
    peer = _sender_of(line, receiver.keyring)  # F5
    carried = open_file(data, line, keyring=receiver.keyring, peer=peer, at=at)  # F6, F7
    answers = take_answers(
        receiver.keyring,
        peer.administration,
        [(each.envelope, each.body, each.is_receipt) for each in carried.parts.answers],
        at,
    )  # F8
    sent_again = 0
    if carried.parts.position is not None:
        sent_again = take_position(peer.administration, carried.parts.position, before=carried.names.created)  # F9
    replies = [each for group in _groups(carried.parts.envelopes) for each in _take(group, receiver, peer, at)]  # F10
    with transaction.atomic():
        facts = {"file": line.file, "envelopes": str(len(replies)), "answers": str(len(carried.parts.answers))}
        record_deed(actor, deed="import_file", subject=f"partner:{peer.administration}", facts=facts, at=at)
    return _summary(carried, replies, answers, sent_again, peer)


def write_once(target: Path, data: bytes) -> None:
    """A new file, whole or not at all, readable by its owner alone.

    Raises: CarriedFormError where there is one already or it cannot be written.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        if target.exists():
            raise FileExistsError(0, "a file of this name is there already")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CarriedFormError(
            f"The file cannot be written: {error.strerror or error}",
            where=str(target),
            remedy="Choose another name or folder; what was to be in it waits as before.",
        ) from error


def _read(source: Path) -> bytes:
    try:
        with source.open("rb") as file:
            return file.read(FILE_BYTES + 1)
    except OSError as error:
        raise CarriedFormError(f"The file cannot be read: {error.strerror or error}", where=str(source)) from error


def _answers_to(peer: Peer) -> list[CarriedAnswer]:
    """The oldest that wait for the way back, as many as a file holds."""
    rows: list[CarriedAnswer] = []
    size = 0
    for row in CarriedAnswer.objects.select_for_update().filter(partner_id=peer.id).order_by("id"):
        size += len(row.body) + 64
        if rows and size > _ANSWER_BYTES:
            break
        rows.append(row)
    return rows


def _sender_of(line: FileLine, keyring: Keyring) -> Peer:
    """Step F5: it is for us, and from a partner."""
    own = keyring.administration
    if line.recipient != own:
        is_ours = line.sender == own
        raise PartnerStateError(
            f"This file is for {line.recipient}, not for {own}",
            where=f"file {line.file} of {line.sender}",
            remedy=f"Carry it to {line.recipient}." if is_ours else f"Give it back, or carry it to {line.recipient}.",
        )
    return willing(line.sender)


def _groups(envelopes: Iterable[bytes]) -> Iterable[list[bytes]]:
    group: list[bytes] = []
    for each in envelopes:
        if group and (len(group) == _GROUP or sum(map(len, group)) + len(each) > _GROUP_BYTES):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _take(group: Sequence[bytes], receiver: Receiver, peer: Peer, at: datetime) -> list[tuple[Answered | None, Reply]]:
    """Step F10: answer envelopes like those that come over a line, and keep the answers for the way back."""
    welcome = [data for data in group if _is_from(peer, data)]
    replies = receiver.answer(welcome, at) if welcome else []
    strangers = [receiver.refuse(data, _stranger(peer), at) for data in group if not _is_from(peer, data)]
    named = answered(welcome, replies)
    with transaction.atomic():
        for each in named:
            CarriedAnswer.objects.update_or_create(
                partner_id=peer.id,
                envelope_id=each.envelope,
                defaults={"is_receipt": each.is_receipt, "body": each.body, "made_at": at},
            )
    return [(each, reply) for each, reply in zip(named, replies, strict=True)] + [(None, each) for each in strangers]


def _is_from(peer: Peer, data: bytes) -> bool:
    """Over a line the certificate says so; here, whoever signed the file."""
    try:
        return read_header(data).sender == peer.administration
    except EnvelopeRefusedError:
        return False


def _stranger(peer: Peer) -> EnvelopeRefusedError:
    return EnvelopeRefusedError(
        "mismatch", f"A file of {peer.administration} brought an envelope that is not its own", where="sender"
    )


def _summary(
    carried: CarriedFile, replies: Sequence[tuple[Answered | None, Reply]], answers: Taken, again: int, peer: Peer
) -> Imported:
    refused = []
    for each, reply in replies:
        if not reply.is_receipt:
            refusal = read_refusal(reply.body)
            refused.append(f"{each.envelope if each else 'an envelope'}: {refusal.what if refusal else reply.code}")
    return Imported(
        file=carried.names.file,
        sender=carried.names.sender,
        envelopes=sum(reply.is_receipt for _, reply in replies),
        refused=tuple(refused),
        answers=answers,
        sent_again=again,
        to_carry=CarriedAnswer.objects.filter(partner_id=peer.id).count(),
    )
