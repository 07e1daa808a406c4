"""What is to be handed on again: at XB, which handed an alert of XA on to XC, once XA corrects it."""

from __future__ import annotations

from datetime import datetime

import pytest

from comity.custody import ForwardError, Limits, Mode, RecallOrder, SuccessorState
from comity.custody import consents as asking
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody import successors as succeeding
from comity.custody.models import Successor
from comity.custody.notices import sign_recall
from comity.custody.services import Arrived, HandedOn
from comity.staff import PermissionRefusedError
from comity.staff.selectors import AuditFilter, audit_entries
from tests.custody.test_consents import answer
from tests.custody.test_keeping import BORIS, COPY, DAY, KEY, NOBODY, M, handed, name

pytestmark = pytest.mark.django_db
M2, M3 = name(41), name(42)


def arrives(message: str, at: datetime) -> custody.HolderView:
    limits = Limits(None, "official")
    return keeping.note_arrival("XB", Arrived("XA", message, "XA", message, "alert/1", "a" * 64, "1", limits), at=at)


def ordered(at: datetime, old: str, new: str = "", *, mode: Mode = Mode.CORRECT, refused: tuple[str, ...] = ()) -> None:
    """XA corrects one of its messages, or takes it back; the order has the number of the old one."""
    number = name(100 + int(old[-2:], 16))
    made = RecallOrder(number, "XA", (old,), mode, "information_wrong", at, at + DAY, ((old, new),) if new else ())
    keeping.take_order(sign_recall(made, KEY), agreement="a" * 64, holder="XB", at=at)
    keeping.settle_order("XB", made, old, is_evidence=False, at=at)
    succeeding.follow_order(made, refused=refused, at=at)


def hand_on(message: str, at: datetime, copy: str) -> None:
    held = custody.held_as(message, holder="XB")
    assert held is not None
    keeping.note_hand_on(BORIS, held, HandedOn("XC", copy, "a" * 64, "1", "", Limits(None, "official")), at=at)
    succeeding.note_handed_on(BORIS, held, "XC", at=at)


def states() -> dict[str, SuccessorState]:
    return {each.message_id: each.state for each in succeeding.successors()}


@pytest.mark.parametrize("comes_first", [True, False])
def test_who_has_the_old_one_is_to_get_the_new_one_once_it_is_here(at: datetime, comes_first: bool) -> None:
    handed(at)
    if comes_first:
        arrives(M2, at)
    for _ in range(2):
        ordered(at, M, M2)
    (waiting,) = succeeding.due()
    assert (waiting.message_id, waiting.recipient, waiting.handed.copy_id) == (M2, "XC", COPY)
    assert (waiting.own is not None, succeeding.due_count()) == (comes_first, int(comes_first))
    arrives(M2, at)
    assert succeeding.due()[0].own == custody.held_as(M2, holder="XB")
    assert succeeding.due_count() == 1
    for any_name in (M, M2, COPY):
        assert succeeding.successors_named(any_name) == succeeding.due()
    assert succeeding.successors_named(M3) == ()
    hand_on(M2, at, name(50))
    assert (succeeding.due(), succeeding.due_count(), states()) == ((), 0, {M2: SuccessorState.HANDED_ON})
    assert str(Successor.objects.get()) == f"{M2} to XC: handed_on"


def test_who_refused_the_old_one_needs_no_new_one_and_a_tightening_replaces_nothing(at: datetime) -> None:
    handed(at)
    tightening = RecallOrder(name(60), "XA", (M,), Mode.TIGHTEN, "level_raised", at, at + DAY, (), None, "restricted")
    succeeding.follow_order(tightening, refused=(), at=at)
    ordered(at, M, M2, refused=(COPY,))
    assert succeeding.successors() == ()


def test_it_ends_when_the_new_one_is_taken_back(at: datetime) -> None:
    handed(at)
    arrives(M2, at)
    ordered(at, M, M2)
    ordered(at, M2, mode=Mode.RECALL)
    assert succeeding.due() == ()
    assert states() == {M2: SuccessorState.TAKEN_BACK}
    assert succeeding.replacement_of("XA", M, holder="XB") is None


@pytest.mark.parametrize("is_late", [True, False])
def test_corrected_twice_it_is_the_last_one_in_whatever_order_that_comes(at: datetime, is_late: bool) -> None:
    handed(at)
    arrives(M2, at)
    arrives(M3, at)
    for old, new in ((M2, M3), (M, M2)) if is_late else ((M, M2), (M2, M3)):
        ordered(at, old, new)
    assert [each.message_id for each in succeeding.due()] == [M3]
    found = succeeding.replacement_of("XA", M, holder="XB")
    assert found is not None
    assert (found.message_id, found.own) == (M3, custody.held_as(M3, holder="XB"))


def test_orders_in_a_circle_end(at: datetime) -> None:
    handed(at)
    ordered(at, M, M2)
    ordered(at, M2, M)
    assert succeeding.due() == ()


def test_what_was_purged_in_its_time_is_not_asked_for(at: datetime) -> None:
    handed(at)
    arrives(M2, at)
    ordered(at, M, M2)
    keeping.Holding.objects.filter(message_id=M2).update(status="purged")
    assert (succeeding.due(), succeeding.due_count()) == ((), 0)


def test_an_officer_puts_it_aside_with_a_reason_that_the_audit_keeps(at: datetime) -> None:
    handed(at)
    arrives(M2, at)
    ordered(at, M, M2)
    with pytest.raises(PermissionRefusedError):
        succeeding.put_aside(NOBODY, message_id=M2, recipient="XC", why="No", at=at)
    for why in ("", " ", "x" * 501):
        with pytest.raises(ForwardError, match="Say why"):
            succeeding.put_aside(BORIS, message_id=M2, recipient="XC", why=why, at=at)
    with pytest.raises(ForwardError, match="Nothing waits"):
        succeeding.put_aside(BORIS, message_id=M2, recipient="XD", why="No", at=at)
    done = succeeding.put_aside(BORIS, message_id=COPY, recipient="XC", why="XA told\nthem", at=at)
    assert (done.state, done.why, done.ended_by) == (SuccessorState.PUT_ASIDE, "XA told them", str(BORIS))
    (entry,) = audit_entries(AuditFilter(deed="put_successor_aside"))
    assert (entry.subject, entry.facts["reason"]) == (f"message:{M2}", "XA told them")
    with pytest.raises(ForwardError, match="Nothing waits"):
        succeeding.put_aside(BORIS, message_id=M2, recipient="XC", why="Again", at=at)
    ordered(at, M, M2)
    assert succeeding.due() == (), "the same order again reminds nobody"
    ordered(at, M2, M3)
    assert [each.message_id for each in succeeding.due()] == [M3], "but a new correction does"


def test_what_was_handed_on_before_the_order_came_is_not_asked_for(at: datetime) -> None:
    handed(at)
    arrives(M2, at)
    hand_on(M2, at, name(51))
    ordered(at, M, M2)
    assert succeeding.due() == ()
    assert states() == {M2: SuccessorState.HANDED_ON}


def test_a_consent_that_nobody_asked_for_is_kept_where_it_is_for_us(at: datetime) -> None:
    given = answer(at, until=at + DAY, message=M2)
    for wrong in (answer(at, until=None, message=M2), answer(at, until=at + DAY, asker="XC")):
        assert not asking.take_unasked(wrong, asker="XB", agreement="a" * 64, at=at)
    assert asking.take_unasked(given, asker="XB", agreement="a" * 64, at=at)
    assert not asking.take_unasked(given, asker="XB", agreement="a" * 64, at=at)
    assert custody.consent_covering("XA", M2, "XC", at) is not None
    handed(at)
    arrives(M2, at)
    ordered(at, M, M2)
    assert succeeding.due()[0].consent == custody.consent(given.notice.id)  # type: ignore[union-attr]  # a consent
