"""At XA, the origin: what partners claim of copies moves only what they may speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from comity.custody import HoldingNotice, Limits, Mode, RecallOrder, Status
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody.notices import sign_holding, sign_recall
from comity.custody.services import Shared
from tests.exchange.cast import keyring, message

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MESSAGE, RECALL = message(40).id, message(41).id


@pytest.fixture(autouse=True)
def _shared() -> None:
    limits = Limits(AT + timedelta(days=30), "official")
    keeping.note_shared("XA", [Shared(MESSAGE, "XB", "alert/1", "0" * 64, "1", limits)], at=AT)


def recalled(mode: Mode = Mode.RECALL) -> None:
    end = AT + timedelta(days=10) if mode is Mode.TIGHTEN else None
    order = RecallOrder(RECALL, "XA", (MESSAGE,), mode, "breach", AT, AT + timedelta(days=1), keep_until=end)
    keeping.take_order(sign_recall(order, keyring("XA").signing), agreement="0" * 64, holder="XA", at=AT)


def claim(teller: str, status: Status, *, recall: str = "", holder: str = "XB", **limits: object) -> str:
    """The status of the holder's copy after the teller's word."""
    notice = HoldingNotice(MESSAGE, "XA", holder, teller, status, "", AT, recall=recall, **limits)  # type: ignore[arg-type]
    signed = sign_holding(notice, keyring(teller).signing)
    keeping.take_notice(signed, sender=teller, agreement="0" * 64, is_proved=True, at=AT)
    return view(holder).status.value


def view(holder: str) -> custody.HolderView:
    (found,) = [each for each in custody.holders_of(MESSAGE) if each.holder == holder]
    return found


def test_a_holder_that_says_that_it_still_holds_what_is_to_go_has_not_answered() -> None:
    recalled()
    assert claim("XB", Status.HELD, recall=RECALL) == "recalled"
    assert keeping.mark_overdue("XA", at=AT + timedelta(days=2))
    assert claim("XB", Status.HELD, recall=RECALL) == "overdue"
    assert claim("XB", Status.PURGED, recall=RECALL) == "purged"


def test_a_tightening_is_answered_by_who_still_holds_it_and_by_nobody_else() -> None:
    recalled(Mode.TIGHTEN)
    assert claim("XC", Status.HELD, recall=RECALL) == "recalled"
    assert claim("XB", Status.HELD, recall=RECALL) == "held"


@pytest.mark.parametrize("status", [Status.OVERDUE, Status.HELD])
def test_of_a_copy_that_we_gave_its_holder_ourselves_nobody_else_says_anything(status: Status) -> None:
    before = view("XB")
    assert claim("XC", status, keep_until=AT, handling="confidential") == "held"
    assert view("XB") == before


def test_who_handed_a_copy_on_says_so_and_that_its_holder_is_overdue() -> None:
    assert claim("XB", Status.HELD, holder="XC", via="XB") == "held"
    recalled()
    assert claim("XB", Status.HELD, holder="XC", via="XB", recall=RECALL) == "recalled"
    assert claim("XB", Status.OVERDUE, holder="XC", via="XB", recall=RECALL) == "overdue"
