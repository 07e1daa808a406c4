"""Who may form and take envelopes: a partner whose position is awaited gets nothing; each taking has a lease."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from comity.exchange.limits import SendingRules
from comity.exchange.models import OutboxEnvelope, Partner
from comity.exchange.outbox import Formed, Former
from comity.exchange.services import Posting, post_all
from tests.exchange.cast import AT, LOG, NODE_XC, adopt_demo, introduce, keyring, release

pytestmark = pytest.mark.django_db
RULES = SendingRules()
LATER = AT + timedelta(seconds=RULES.lease_seconds)


@pytest.fixture(autouse=True)
def _posted() -> None:
    introduce("XA", "XC")
    adopt_demo()
    post_all(NODE_XC, [Posting(release("XA"))] * 2, signer=LOG, at=AT)


def form(at: datetime = AT, held: frozenset[int] = frozenset()) -> list[Formed]:
    with transaction.atomic():
        return Former(keyring("XC"), RULES, at, {}, held=held).form()


def test_nothing_is_formed_for_a_partner_whose_position_is_awaited() -> None:
    partner = Partner.objects.get(administration="XA")
    assert form(held=frozenset({partner.pk})) == []
    assert [each.peer.administration for each in form()] == ["XA"]


def test_whoever_takes_an_envelope_again_takes_it_alone() -> None:
    (first,) = form()
    assert form(LATER - timedelta(microseconds=1)) == [], "it is somebody's"
    (again,) = form(LATER)
    assert again.contents == first.contents
    assert form(LATER) == [], "it is somebody's again"
    row = OutboxEnvelope.objects.get()
    assert (row.attempts, row.leased_until) == (2, LATER + timedelta(seconds=RULES.lease_seconds))
