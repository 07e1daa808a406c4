"""What is remembered of copies: at XB, which has alerts of XA and handed some on to XC. One database, no envelopes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from comity.common import Actor, ActorKind
from comity.custody import HoldingNotice, Limits, Mode, NotHeldError, RecallOrder, RetainError, Signed, Status
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody.models import Copy, HandOn, Holding, Recall, RecalledMessage, RecallHop
from comity.custody.notices import sign_holding, sign_recall
from comity.custody.services import Arrived, HandedOn, Shared
from comity.staff import PermissionRefusedError, Role
from comity.staff.selectors import AuditFilter, audit_entries
from comity.trust import SigningKey

pytestmark = pytest.mark.django_db
KEY = SigningKey.from_seed(b"k" * 32)
BORIS = Actor(ActorKind.OFFICER, "boris", "XB", frozenset({Role.LIAISON.value}))
NOBODY = replace(BORIS, roles=frozenset({Role.ANALYST.value}))
DAY = timedelta(days=1)


def name(number: int) -> str:
    return str(UUID(int=0x0195_3333_0000_7000_8000_000000000000 + number))


M, COPY, RECALL = name(1), name(2), name(9)


def came(at: datetime, *, keep: datetime | None = None, handling: str = "official") -> custody.HolderView:
    limits = Limits(keep, handling)
    return keeping.note_arrival("XB", Arrived("XA", M, "XA", M, "alert/1", "a" * 64, "1", limits), at=at)


def handed(at: datetime) -> None:
    to = HandedOn("XC", COPY, "a" * 64, "1", "", Limits(at + 9 * DAY, "official"))
    keeping.note_hand_on(BORIS, came(at), to, at=at)


def order(at: datetime, mode: Mode = Mode.RECALL, *, id: str = RECALL, **limits: object) -> Signed:  # noqa: A002
    made = RecallOrder(id, "XA", (M,), mode, "breach", at, at + DAY)
    return sign_recall(replace(made, **limits), KEY)  # type: ignore[arg-type]  # fields of the order


def said(at: datetime, status: Status, *, told_by: str = "XC", recall: str = RECALL, ground: str = "") -> Signed:
    return sign_holding(HoldingNotice(M, "XA", "XC", told_by, status, ground, at, via="XB", recall=recall), KEY)


def status(holder: str) -> Status:
    held = custody.holding_of("XA", M, holder)
    assert held is not None
    return held.status


def test_what_was_shared_is_held_by_whoever_got_it_and_remembered_once(at: datetime) -> None:
    one = Shared(M, "XC", "alert/1", "a" * 64, "1", Limits(at + DAY, "official"))
    for _ in range(2):
        keeping.note_shared("XB", [one, replace(one, holder="XD")], at=at)
    assert {view.holder: view.status for view in custody.holders_of(M)} == {"XC": Status.HELD, "XD": Status.HELD}
    assert not custody.holders_of(M)[0].is_answer_missing


def test_a_second_copy_only_tightens(at: datetime) -> None:
    came(at, keep=at + 9 * DAY, handling="restricted")
    held = came(at + DAY, keep=at + 3 * DAY)
    assert (held.keep_until, held.handling, held.since) == (at + 3 * DAY, "restricted", at)
    assert len(custody.copies_of("XA", M)) == 1
    assert custody.held_as(M, holder="XB") == held
    assert custody.held_as(name(77), holder="XB") is None


@pytest.mark.parametrize("state", [each for each in Status if each is not Status.HELD])
def test_only_what_is_held_and_may_still_be_kept_is_handed_on(at: datetime, state: Status) -> None:
    with pytest.raises(NotHeldError, match="not held"):
        keeping.lock_own("XB", "XA", M, at=at)
    came(at, keep=at + DAY)
    assert keeping.lock_own("XB", "XA", M, at=at).message_id == M
    with pytest.raises(NotHeldError, match="any longer"):
        keeping.lock_own("XB", "XA", M, at=at + DAY)
    Holding.objects.update(status=state.value)
    with pytest.raises(NotHeldError, match=state.value):
        keeping.lock_own("XB", "XA", M, at=at)


def test_an_order_is_remembered_once_and_asks_every_other_holder(at: datetime) -> None:
    handed(at)
    signed = order(at)
    taken = [keeping.take_order(signed, agreement="a" * 64, holder="XB", at=at) for _ in range(2)]
    assert [is_new for _, is_new in taken] == [True, False]
    assert (status("XB"), status("XC")) == (Status.HELD, Status.RECALLED)
    assert custody.orders_naming("XA", M) == (signed,)
    assert custody.open_count() == 1
    recall = taken[0][0]
    assert keeping.note_hop(recall, "XA", name(20), "a" * 64, is_outward=False, at=at)
    assert not keeping.note_hop(recall, "XA", name(21), "a" * 64, is_outward=False, at=at)
    assert keeping.hops_of(recall, is_outward=False) == (("XA", name(21), "a" * 64),)
    view = custody.recall(RECALL)
    assert view is not None
    assert (view.count_open, view.came_from, [each.holder for each in view.own]) == (1, ("XA",), ["XB"])
    assert custody.recalls(origin="XA") == custody.recalls() == custody.received_recalls("XB") == (view,)
    with pytest.raises(TypeError):
        keeping.take_order(said(at, Status.HELD), agreement="", holder="XB", at=at)
    with pytest.raises(TypeError):
        keeping.take_notice(signed, sender="XC", agreement="", is_proved=True, at=at)


def test_a_tightening_never_takes_the_place_of_a_recall(at: datetime) -> None:
    handed(at)
    keeping.take_order(order(at), agreement="a" * 64, holder="XB", at=at)
    tighter = order(at, Mode.TIGHTEN, id=name(10), keep_until=at + 2 * DAY, handling="restricted")
    keeping.take_order(tighter, agreement="a" * 64, holder="XB", at=at)
    held = custody.holding_of("XA", M, "XC")
    assert held is not None
    assert (held.recall_id, held.status, held.handling) == (RECALL, Status.RECALLED, "official")
    keeping.take_notice(said(at, Status.PURGED, ground="recalled"), sender="XC", agreement="", is_proved=True, at=at)
    again = order(at, id=name(11))
    keeping.take_order(again, agreement="a" * 64, holder="XB", at=at)
    assert status("XC") is Status.PURGED, "what is purged is not asked again"


def test_a_tightening_of_what_is_held_asks_and_tightens(at: datetime) -> None:
    handed(at)
    tighter = order(at, Mode.TIGHTEN, keep_until=at + 2 * DAY, handling="restricted")
    made, _ = keeping.take_order(tighter, agreement="a" * 64, holder="XB", at=at)
    held = custody.holding_of("XA", M, "XC")
    assert held is not None
    assert (held.keep_until, held.handling, held.is_answer_missing) == (at + 2 * DAY, "restricted", True)
    settled = keeping.settle_order("XB", made, M, is_evidence=False, at=at)
    assert settled is not None
    assert (settled.must_purge, settled.holding.status, settled.holding.handling) == (False, Status.HELD, "restricted")
    past = keeping.settle_order("XB", made, M, is_evidence=False, at=at + 2 * DAY)
    assert past is not None
    assert (past.must_purge, past.holding.ground) == (True, "retention_ended")


@pytest.mark.parametrize(("mode", "ground"), [(Mode.RECALL, "recalled"), (Mode.CORRECT, "corrected")])
def test_a_recall_purges_and_a_second_copy_goes_too(at: datetime, mode: Mode, ground: str) -> None:
    made = order(at, mode).notice
    assert isinstance(made, RecallOrder)
    assert keeping.settle_order("XB", made, M, is_evidence=False, at=at) is None
    came(at)
    for _ in range(2):
        settled = keeping.settle_order("XB", made, M, is_evidence=False, at=at)
        assert settled is not None
        assert (settled.must_purge, settled.holding.status, settled.holding.ground) == (True, Status.PURGED, ground)


def test_an_objection_holds_until_its_day_or_until_it_is_taken_back(at: datetime) -> None:
    came(at)
    made = order(at).notice
    assert isinstance(made, RecallOrder)
    keeping.retain(BORIS, origin="XA", message_id=M, ground="court_order", until=None, at=at)
    settled = keeping.settle_order("XB", made, M, is_evidence=False, at=at)
    assert settled is not None
    assert (settled.must_purge, settled.holding.status, settled.holding.ground) == (
        False,
        Status.RETAINED,
        "court_order",
    )
    still = keeping.settle_retention("XB", "XA", M, is_evidence=False, at=at)
    assert still is not None
    assert not still.must_purge
    free = keeping.let_go(BORIS, origin="XA", message_id=M, at=at)
    assert free.retain_ground == ""
    gone = keeping.settle_retention("XB", "XA", M, is_evidence=False, at=at)
    assert gone is not None
    assert (gone.must_purge, gone.holding.ground) == (True, "recalled")
    with pytest.raises(RetainError, match="Nobody has objected"):
        keeping.let_go(BORIS, origin="XA", message_id=M, at=at)
    with pytest.raises(RetainError, match="no copy here"):
        keeping.retain(BORIS, origin="XA", message_id=M, ground="court_order", until=None, at=at)
    deeds = [each.deed for each in audit_entries(AuditFilter()) if each.subject == f"message:{M}"]
    assert sorted(deeds) == ["let_go_copy", "retain_copy"]


def test_who_may_object_and_on_which_grounds(at: datetime) -> None:
    came(at)
    with pytest.raises(PermissionRefusedError):
        keeping.retain(NOBODY, origin="XA", message_id=M, ground="court_order", until=None, at=at)
    with pytest.raises(PermissionRefusedError):
        keeping.let_go(NOBODY, origin="XA", message_id=M, at=at)
    with pytest.raises(RetainError, match="no ground"):
        keeping.retain(BORIS, origin="XA", message_id=M, ground="habit", until=None, at=at)
    with pytest.raises(RetainError, match="day has passed"):
        keeping.retain(BORIS, origin="XA", message_id=M, ground="court_order", until=at, at=at)
    supervisor = replace(BORIS, roles=frozenset({Role.SUPERVISOR.value}))
    kept = keeping.retain(supervisor, origin="XA", message_id=M, ground="court_order", until=at + DAY, at=at)
    assert (kept.retain_ground, kept.retain_until) == ("court_order", at + DAY)


@pytest.mark.parametrize(("is_evidence", "state"), [(False, Status.PURGED), (True, Status.RETAINED)])
def test_the_end_of_retention(at: datetime, is_evidence: bool, state: Status) -> None:
    assert keeping.settle_retention("XB", "XA", M, is_evidence=is_evidence, at=at) is None
    came(at, keep=at + DAY)
    assert keeping.settle_retention("XB", "XA", M, is_evidence=is_evidence, at=at) is None
    settled = keeping.settle_retention("XB", "XA", M, is_evidence=is_evidence, at=at + DAY)
    assert settled is not None
    assert settled.holding.status is state


def test_an_answer_counts_by_its_signature_and_not_by_its_order(at: datetime) -> None:
    handed(at)
    keeping.take_order(order(at), agreement="a" * 64, holder="XB", at=at)
    rumour = said(at, Status.PURGED, told_by="XD", ground="recalled")
    assert keeping.take_notice(rumour, sender="XD", agreement="", is_proved=False, at=at)
    assert status("XC") is Status.RECALLED, "what nobody proved moves nothing"
    early = said(at, Status.HELD, recall="")
    assert keeping.take_notice(early, sender="XC", agreement="", is_proved=True, at=at)
    assert status("XC") is Status.RECALLED, "an older notice is no answer"
    late = said(at, Status.OVERDUE, told_by="XB", recall="")
    keeping.take_notice(late, sender="XB", agreement="", is_proved=True, at=at)
    assert status("XC") is Status.OVERDUE
    assert not keeping.take_notice(late, sender="XB", agreement="", is_proved=True, at=at)
    answer = said(at, Status.PURGED, ground="recalled")
    assert keeping.take_notice(answer, sender="XC", agreement="", is_proved=True, at=at)
    assert not keeping.take_notice(answer, sender="XC", agreement="", is_proved=True, at=at)
    assert keeping.take_notice(rumour, sender="XD", agreement="", is_proved=False, at=at)
    held = custody.holding_of("XA", M, "XC")
    assert held is not None
    assert (held.status, held.told_by, held.is_proved) == (Status.PURGED, "XC", True)


def test_a_holder_of_whom_only_others_tell_is_known_from_then_on(at: datetime) -> None:
    keeping.take_notice(said(at, Status.HELD, recall=""), sender="XB", agreement="a" * 64, is_proved=True, at=at)
    held = custody.holding_of("XA", M, "XC")
    assert held is not None
    assert (held.status, held.via, held.since) == (Status.HELD, "XB", at)


def test_who_is_overdue_is_said_once_and_reminded(at: datetime) -> None:
    handed(at)
    keeping.take_order(order(at), agreement="a" * 64, holder="XB", at=at)
    assert keeping.mark_overdue("XB", at=at) == ()
    (late,) = keeping.mark_overdue("XB", at=at + DAY)
    assert (late.holder, late.status) == ("XC", Status.OVERDUE)
    assert keeping.mark_overdue("XB", at=at + 2 * DAY) == ()
    keeping.note_reminder(late, at=at + 2 * DAY)
    (still,) = custody.overdue()
    assert still.asked_at == at + 2 * DAY


def test_what_we_signed_is_kept_with_its_place_in_the_log(at: datetime) -> None:
    signed = sign_holding(HoldingNotice(M, "XA", "XB", "XB", Status.PURGED, "recalled", at), KEY)
    keeping.note_statement(came(at), signed, salt=b"s" * 32, log_index=7, at=at)
    held = custody.holding_of("XA", M, "XB")
    assert held is not None
    assert (held.log_index, held.is_proved, held.statement) == (7, True, signed.statement.to_bytes())


def test_outbox_copies_go_when_our_own_has_gone(at: datetime) -> None:
    handed(at)
    assert custody.unwiped_hand_ons() == ()
    Holding.objects.filter(holder="XB").update(status=Status.PURGED.value)
    Holding.objects.filter(holder="XB").update(origin="XC")  # another's message under the same id is another message
    assert custody.unwiped_hand_ons() == ()
    Holding.objects.filter(holder="XB").update(origin="XA")
    (left,) = custody.unwiped_hand_ons()
    assert (left.copy_id, left.recipient, custody.hand_ons("XA", M)) == (COPY, "XC", (left,))
    keeping.mark_wiped([COPY], at=at)
    assert custody.unwiped_hand_ons() == ()


def test_holders_are_found_by_any_id_under_which_a_copy_went(at: datetime) -> None:
    handed(at)
    by_origin = {view.holder for view in custody.holders_of(M)}
    assert by_origin == {view.holder for view in custody.holders_of(COPY)} == {"XB", "XC"}


def test_rows_name_themselves_for_whoever_reads_a_log(at: datetime) -> None:
    handed(at)
    made, _ = keeping.take_order(order(at), agreement="a" * 64, holder="XB", at=at)
    keeping.note_hop(made, "XA", name(20), "a" * 64, is_outward=False, at=at)
    keeping.note_hop(made, "XC", name(21), "a" * 64, is_outward=True, at=at)
    assert {str(row) for row in Holding.objects.all()} == {f"{M} at XB: held", f"{M} at XC: recalled"}
    assert str(Copy.objects.get()) == f"{M} from XA"
    assert str(HandOn.objects.get()) == f"{M} to XC"
    assert str(Recall.objects.get()) == f"XA recall {RECALL}"
    assert str(RecalledMessage.objects.get()) == M
    assert {str(row) for row in RecallHop.objects.all()} == {"from XA", "to XC"}
