"""What is due to be purged: nothing whose journey has not ended, and nothing twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.exchange.models import InboxMessage
from comity.exchange.purging import due_copies, keep_at_most, purge
from tests.exchange.cast import AT, adopt_demo, introduce, message, receiver, wrap

pytestmark = pytest.mark.django_db
END = AT + timedelta(days=1)
KEY = ("XC", message(1).id)


@pytest.fixture(autouse=True)
def _arrived() -> None:
    introduce("XA", "XC")
    adopt_demo()
    receiver().accept([wrap(message(1))], AT)
    keep_at_most(KEY, until=END)


def due(after: timedelta = timedelta()) -> list[tuple[str, str]]:
    return [each.key for each in due_copies(END + after)]


def test_a_message_is_not_torn_from_its_journey() -> None:
    assert InboxMessage.objects.get().is_accepted
    assert due() == [], "its journey has not ended"
    InboxMessage.objects.update(processed_at=AT)
    assert due() == [KEY]
    assert due(-timedelta(microseconds=1)) == [], "its time has not run out"


def test_what_was_refused_has_no_journey_to_wait_for() -> None:
    InboxMessage.objects.update(is_accepted=False)
    assert due() == [KEY]


def test_what_is_purged_is_not_due_again() -> None:
    purge([KEY], ground="retention_ended", at=END)
    assert due() == []
    assert purge([KEY], ground="recalled", at=END) == ()
    assert InboxMessage.objects.get().purge_ground == "retention_ended"


def test_an_end_only_comes_nearer() -> None:
    keep_at_most(KEY, until=END + timedelta(days=1))
    assert InboxMessage.objects.get().keep_until == END
    keep_at_most(KEY, until=AT, handling="restricted")
    row = InboxMessage.objects.get()
    assert (row.keep_until, row.handling) == (AT, "restricted")
