"""Going on behind what a partner has, after a restore: what is filled, what is not, and from where it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from comity.exchange.models import OutboxMessage, Partner
from comity.exchange.position import Position
from comity.exchange.resuming import hold_partners, resume_from, was_sent_since
from comity.exchange.services import Posting, post, post_all
from tests.exchange.cast import AT, LOG, NODE_XC, adopt_demo, introduce, keyring, release

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _backup_knows_three(settings: Any) -> None:
    settings.COMITY_KEYRING = keyring("XC")
    introduce("XA", "XC")
    adopt_demo()
    post_all(NODE_XC, [Posting(release("XA"))] * 3, signer=LOG, at=AT)
    assert hold_partners(NODE_XC, reason="restored", at=AT) == ("XA", "XC")


def outbox() -> list[tuple[int, str]]:
    return list(OutboxMessage.objects.order_by("sequence").values_list("sequence", "kind"))


OURS = [(1, "alert/1"), (2, "alert/1"), (3, "alert/1")]


@pytest.mark.parametrize(
    ("position", "filled"),
    [
        (Position(0), []),
        (Position(1, ((3, 3),)), []),
        (Position(3), []),
        (Position(5), []),
        (Position(1, ((3, 5), (8, 9))), [6, 7]),
        (Position(2, ((7, 7),)), [4, 5, 6]),
        (Position(0, ((5, 5), (7, 7))), [4, 6]),
    ],
)
def test_only_places_that_nobody_will_ever_fill_are_filled(position: Position, filled: list[int]) -> None:
    assert resume_from(NODE_XC, administration="XA", position=position, at=AT) == len(filled)
    assert outbox() == OURS + [(sequence, "probe/1") for sequence in filled]
    row = Partner.objects.get(administration="XA")
    assert (row.state, row.next_sequence) == ("active", max(4, position.highest + 1))
    following = post(NODE_XC, release("XA"), signer=LOG, at=AT)
    assert OutboxMessage.objects.get(message_id=following).sequence == max(4, position.highest + 1)


@pytest.mark.parametrize(
    ("position", "is_so"), [(Position(3), False), (Position(4), True), (Position(0, ((4, 4),)), True)]
)
def test_a_partner_with_a_later_message_shows_that_the_backup_is_older(position: Position, *, is_so: bool) -> None:
    assert was_sent_since("XA", position) is is_so
