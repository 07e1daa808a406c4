"""Handing out to whoever fetches, and taking the answers that he brings: no socket, one database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comity.exchange import EnvelopeRefusedError, PartnerStateError
from comity.exchange.checking import Parcel
from comity.exchange.collecting import Taken, answered, hand_out, is_anything_due, take_answers, take_position
from comity.exchange.delivery import Postman, deliver_due
from comity.exchange.limits import RULES
from comity.exchange.models import Delivery, InboxMessage, OutboxEnvelope, Partner
from comity.exchange.outcomes import Outcome
from comity.exchange.parts import Answered
from comity.exchange.position import Position
from comity.exchange.services import Posting, post_all, set_partner_way, suspend_partner
from comity.staff.models import AuditEntry
from tests.exchange.cast import (
    ANA,
    AT,
    CHIPO,
    LOG,
    NODE_XC,
    Loop,
    adopt_demo,
    introduce,
    keyring,
    receiver,
    release,
    states,
)

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(seconds=61)
FEW = replace(RULES, messages=2)


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


def post_alerts(count: int) -> None:
    post_all(NODE_XC, [Posting(release())] * count, signer=LOG, at=AT)


def collect_way() -> None:
    set_partner_way(CHIPO, administration="XA", way="collect", at=AT)


def replies_to(envelopes: list[bytes], at: datetime = AT) -> list[tuple[str, bytes, bool]]:
    answers = answered(envelopes, receiver("XA").answer(envelopes, at))
    return [(each.envelope, each.body, each.is_receipt) for each in answers]


def test_what_is_fetched_is_leased_answered_and_settled() -> None:
    collect_way()
    assert not is_anything_due("XA", AT)
    post_alerts(3)
    assert is_anything_due("XA", AT)
    envelopes = hand_out(keyring("XC"), "XA", AT, rules=FEW)
    assert len(envelopes) == 2
    assert hand_out(keyring("XC"), "XA", AT, rules=FEW) == [], "somebody has them"
    assert not is_anything_due("XA", AT)
    assert take_answers(keyring("XC"), "XA", replies_to(envelopes), AT) == Taken(recorded=2)
    assert states() == ["delivered"] * 3
    assert Partner.objects.get(administration="XA").state == "active"


def test_answers_that_come_twice_change_nothing() -> None:
    collect_way()
    post_alerts(1)
    replies = replies_to(hand_out(keyring("XC"), "XA", AT))
    take_answers(keyring("XC"), "XA", replies, AT)
    before = OutboxEnvelope.objects.values_list("answer_index", "answered_at", "state").get()
    assert take_answers(keyring("XC"), "XA", replies, LATER) == Taken(known=1)
    assert OutboxEnvelope.objects.values_list("answer_index", "answered_at", "state").get() == before


def test_a_lost_answer_means_the_same_envelope_again_and_the_same_receipt() -> None:
    collect_way()
    post_alerts(1)
    first = replies_to(hand_out(keyring("XC"), "XA", AT))
    again = replies_to(hand_out(keyring("XC"), "XA", LATER), LATER)
    assert again == first, "the same bytes, though sealed anew"
    assert InboxMessage.objects.count() == 1
    assert take_answers(keyring("XC"), "XA", again, LATER).recorded == 1


def test_a_partner_that_fetches_is_not_pushed_to_nor_asked() -> None:
    post_alerts(1)
    collect_way()
    loop = Loop()
    assert deliver_due(keyring("XC"), AT, transport=loop) == 0
    postman = Postman(keyring("XC"), loop)
    postman.ask_positions()
    assert loop.asked == ["XB", "XC"]
    set_partner_way(CHIPO, administration="XA", way="push", at=AT)
    assert deliver_due(keyring("XC"), AT, transport=loop) == 1
    assert states() == ["delivered"]


def test_an_envelope_goes_by_two_ways_and_is_settled_once() -> None:
    """Fetched first, its answer late; then pushed after the lease: one receipt, whichever comes first."""
    collect_way()
    post_alerts(2)
    late = replies_to(hand_out(keyring("XC"), "XA", AT))
    set_partner_way(CHIPO, administration="XA", way="push", at=AT)
    brought: list[bytes] = []

    def keep(_parcel: Parcel, outcome: Outcome) -> Outcome:
        brought.append(outcome.body)
        return outcome

    deliver_due(keyring("XC"), LATER, transport=Loop(bend=keep))
    assert brought == [late[0][1]]
    assert take_answers(keyring("XC"), "XA", late, LATER) == Taken(known=1)
    assert states() == ["delivered"] * 2
    assert InboxMessage.objects.count() == 2


def test_a_refusal_of_what_was_handed_out_is_believed() -> None:
    """A changed byte is refused by the partner, whose refusal names those very bytes: as over a line, not believed."""
    collect_way()
    post_alerts(1)
    (envelope,) = hand_out(keyring("XC"), "XA", AT)
    broken = envelope[:-1] + bytes([envelope[-1] ^ 1])
    (reply,) = replies_to([broken])
    taken = take_answers(keyring("XC"), "XA", [reply], AT)
    assert (taken.recorded, len(taken.refused)) == (0, 1)
    assert states() == ["sent"]
    assert hand_out(keyring("XC"), "XA", AT) == [], "after an answer that is not believed, a while passes"
    (again,) = hand_out(keyring("XC"), "XA", LATER)
    unreadable = EnvelopeRefusedError("unknown_key", "This key is not in use here")
    replies = [(reply[0], receiver("XA").refuse(again, unreadable, LATER).body, False)]
    assert take_answers(keyring("XC"), "XA", replies, LATER).recorded == 1
    assert states() == ["waiting"], "an unknown key dissolves the envelope"


def test_the_words_of_another_partner_are_not_believed() -> None:
    collect_way()
    post_alerts(1)
    (envelope,) = hand_out(keyring("XC"), "XA", AT)
    (name, _, _) = replies_to([envelope])[0]
    for body in (b"{}", b"", b'{"refusal": 1}'):
        for is_receipt in (True, False):
            OutboxEnvelope.objects.update(leased_until=None)
            assert len(take_answers(keyring("XC"), "XA", [(name, body, is_receipt)], AT).refused) == 1
    assert take_answers(keyring("XC"), "XB", [(name, b"{}", True)], AT) == Taken(known=1), "not its envelope"
    assert states() == ["sent"]


def test_a_forged_refusal_is_not_believed() -> None:
    collect_way()
    post_alerts(1)
    (envelope,) = hand_out(keyring("XC"), "XA", AT)
    forger = replace(receiver("XB"), limits=replace(receiver("XB").limits, envelope_bytes=1))
    replies = [(each.envelope, each.body, False) for each in answered([envelope], forger.answer([envelope], AT))]
    assert len(take_answers(keyring("XC"), "XA", replies, AT).refused) == 1
    assert states() == ["sent"]


def test_a_position_brings_back_what_the_partner_lost() -> None:
    collect_way()
    post_alerts(4)
    take_answers(keyring("XC"), "XA", replies_to(hand_out(keyring("XC"), "XA", AT, rules=FEW)), AT)
    assert take_position("XA", Position(4)) == 0
    assert take_position("XA", Position(2), before=AT) == 0, "an old word says nothing about what was answered since"
    assert take_position("XA", Position(2)) == 2
    assert states() == ["delivered", "delivered", "waiting", "waiting"]
    again = hand_out(keyring("XC"), "XA", LATER)
    assert take_answers(keyring("XC"), "XA", replies_to(again, LATER), LATER).recorded == 1
    assert states() == ["delivered"] * 4
    assert InboxMessage.objects.count() == 4, "nothing twice"


def test_little_by_little() -> None:
    """No more is handed out at once than was asked for, nor than fits; the rest stays unclaimed."""
    collect_way()
    post_alerts(10)
    assert len(hand_out(keyring("XC"), "XA", AT, limit=3, rules=FEW)) == 3
    assert is_anything_due("XA", AT)
    assert len(hand_out(keyring("XC"), "XA", AT, rules=FEW)) == 2


def test_what_does_not_fit_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.exchange.collecting.HANDED_BYTES", 1)
    collect_way()
    post_alerts(6)
    first = hand_out(keyring("XC"), "XA", AT, rules=FEW)
    assert len(first) == 1
    assert OutboxEnvelope.objects.filter(leased_until=None, state="open").count() == 2
    assert len(hand_out(keyring("XC"), "XA", AT, rules=FEW)) == 1


def test_a_suspended_partner_gets_nothing() -> None:
    post_alerts(1)
    suspend_partner(CHIPO, administration="XA", reason="A key is missing", at=AT)
    with pytest.raises(PartnerStateError, match="suspended"):
        hand_out(keyring("XC"), "XA", AT)


def test_setting_a_way() -> None:
    Delivery.objects.update(failures=3, next_attempt_at=LATER, last_error="The line is dead")
    set_partner_way(ANA, administration="XB", way="file", is_collected=True, at=AT)
    row = Partner.objects.select_related("delivery").get(administration="XB")
    assert (row.way, row.is_collected, row.delivery.failures, row.delivery.next_attempt_at) == ("file", True, 0, None)
    assert AuditEntry.objects.get(deed="set_partner_way").facts == {"way": "file", "is_collected": "True"}
    with pytest.raises(PartnerStateError, match="no such way"):
        set_partner_way(ANA, administration="XB", way="pigeon", at=AT)


def test_what_has_no_header_is_answered_to_nobody() -> None:
    envelopes = [b"garbage"]
    assert answered(envelopes, receiver("XA").answer(envelopes, AT)) == []
    assert Answered("x", b"", is_receipt=True).to_part().kind == "A"
