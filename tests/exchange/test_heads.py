"""Heads of logs on envelopes and receipts: what cannot be followed is kept as evidence and never holds up a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from comity.exchange.checking import Parcel
from comity.exchange.delivery import deliver_due
from comity.exchange.envelope import Extension, PartnerHead
from comity.exchange.models import Delivery, InboxMessage, OutboxMessage
from comity.exchange.outcomes import Outcome
from comity.exchange.receipt import SealedReceipt, read_sealed_receipt
from comity.exchange.services import post
from comity.ledger.selectors import split_views
from comity.trust import Checkpoint, sign_note
from tests.exchange.cast import (
    AT,
    LOG,
    NODE_XC,
    Loop,
    Wrapping,
    adopt_demo,
    introduce,
    keyring,
    message,
    receiver,
    release,
    wrap,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XC")
    adopt_demo()


def note_of(size: int, root: bytes) -> str:
    return sign_note(Checkpoint(LOG.name, size, root * 32).text, LOG, at=AT)


def accept(number: int, **changes: object) -> SealedReceipt:
    how = Wrapping(number=number, first_sequence=number, changes=changes)
    return read_sealed_receipt(receiver().accept([wrap(message(number), how=how)], AT)[0])


def test_a_head_is_cosigned_and_remembered() -> None:
    receipt = accept(1, log_head=Extension(note_of(7, b"a"), 0, ()))
    assert receipt.cosignature is not None
    assert receipt.witnessed == 7


def test_a_log_that_shows_two_histories_is_not_cosigned_and_the_message_passes() -> None:
    accept(1, log_head=Extension(note_of(7, b"a"), 0, ()))
    receipt = accept(2, log_head=Extension(note_of(7, b"b"), 7, ()))
    assert receipt.cosignature is None
    (evidence,) = split_views()
    assert evidence.origin == LOG.name
    assert InboxMessage.objects.filter(is_accepted=True).count() == 2


def test_a_head_from_elsewhere_is_told_where_to_start() -> None:
    accept(1, log_head=Extension(note_of(7, b"a"), 0, ()))
    receipt = accept(2, log_head=Extension(note_of(9, b"c"), 3, ()))
    assert (receipt.cosignature, receipt.witnessed) == (None, 7)


@pytest.mark.parametrize("head", [Extension("no note", 0, ()), Extension(note_of(7, b"a"), 0, ("zz" * 32,))])
def test_a_head_that_cannot_be_read_holds_up_nothing(head: Extension) -> None:
    assert accept(1, log_head=head).cosignature is None
    assert InboxMessage.objects.get().is_accepted


def test_a_cosignature_that_is_none_holds_up_nothing() -> None:
    receipt = accept(1, partner_head=PartnerHead(0, "no note"))
    assert receipt.consistency is not None
    assert InboxMessage.objects.get().is_accepted


def test_a_partner_that_claims_to_know_more_than_there_is_gets_no_proof() -> None:
    assert accept(1, partner_head=PartnerHead(99)).consistency is None


BENDS = {
    "cosignature": lambda receipt: replace(receipt, cosignature="no line"),
    "path": lambda receipt: replace(receipt, consistency=Extension("", 0, ("zz" * 32,))),
    "stale": lambda receipt: replace(receipt, consistency=Extension("", 1, ())),
    "nothing": lambda receipt: replace(receipt, consistency=None, cosignature=None),
}


@pytest.mark.parametrize("bend", BENDS)
def test_a_receipt_whose_heads_are_wrong_still_delivers(bend: str) -> None:
    def twist(_parcel: Parcel, outcome: Outcome) -> Outcome:
        return replace(outcome, body=BENDS[bend](read_sealed_receipt(outcome.body)).to_bytes())

    post(NODE_XC, release(), signer=LOG, at=AT)
    assert deliver_due(keyring("XC"), AT, transport=Loop(bend=twist)) == 1
    assert OutboxMessage.objects.get().state == "delivered"
    assert Delivery.objects.get(partner__administration="XA").failures == 0


def test_a_partner_whose_log_shows_us_two_histories_is_found_out() -> None:
    accept(1, log_head=Extension(note_of(1, b"a"), 0, ()))  # the log as it was shown before
    for seconds in (0, 10):  # the first receipt says from where to prove, the second cannot
        at = AT + timedelta(seconds=seconds)
        post(NODE_XC, release(), signer=LOG, at=at)
        deliver_due(keyring("XC"), at, transport=Loop(at=at))
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"delivered"}
    assert split_views()
