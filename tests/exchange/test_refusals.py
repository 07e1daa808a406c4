"""What a partner refused of ours, shown with code, clause, field and remedy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner

from comity.cli.exchange import exchange
from comity.exchange.checking import Parcel
from comity.exchange.delivery import deliver_due
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.outcomes import Outcome
from comity.exchange.receipt import sign_refusal
from comity.exchange.selectors import refusals_of_partner
from comity.exchange.services import post
from tests.exchange.cast import AT, CHIPO, Loop, adopt_demo, introduce, keyring, release

pytestmark = pytest.mark.django_db


@pytest.fixture
def posted() -> str:
    introduce("XA", "XC")
    adopt_demo()
    return post(CHIPO, release(), signer=keyring("XC").log, at=AT)


def suspended(parcel: Parcel, _outcome: Outcome) -> Outcome:
    """As a partner that has suspended us answers."""
    error = EnvelopeRefusedError("suspended_sender", "The exchange is suspended", where="XC", remedy="Ask XA.")
    return Outcome(sign_refusal(error, parcel.data, recipient="XA", keys=[keyring("XA").signing], at=AT).to_bytes())


def test_a_refused_message_is_shown_whole(posted: str) -> None:
    deliver_due(keyring("XC"), AT, transport=Loop(at=AT - timedelta(days=3)))
    (refusal,) = refusals_of_partner()
    assert (refusal.partner, refusal.code, refusal.message) == ("XA", "created_in_future", posted)
    assert (refusal.field, refusal.kind, refusal.at) == ("created", "alert/1", AT)
    assert refusal.remedy == "Set the clock of the node."
    assert refusals_of_partner("XA") == (refusal,)
    assert refusals_of_partner("XC") == ()
    assert refusals_of_partner(before=AT) == ()


def test_a_refused_envelope_is_shown_until_something_is_answered(posted: str) -> None:
    deliver_due(keyring("XC"), AT, transport=Loop(bend=suspended))
    (refusal,) = refusals_of_partner("XA")
    assert (refusal.code, refusal.message, refusal.field) == ("suspended_sender", "", "XC")
    assert (refusal.text, refusal.remedy) == ("The exchange is suspended", "Ask XA.")
    assert refusals_of_partner(before=AT + timedelta(days=1)) == ()
    deliver_due(keyring("XC"), AT + timedelta(hours=1), transport=Loop())
    assert refusals_of_partner() == ()


def test_the_command_says_why_and_what_to_do(posted: str, settings: object) -> None:
    runner = CliRunner()
    assert "Nothing is refused." in runner.invoke(exchange, ["refusals"]).output
    deliver_due(keyring("XC"), AT, transport=Loop(at=AT - timedelta(days=3)))
    said = runner.invoke(exchange, ["refusals", "--partner", "xa"]).output
    for words in (f"XA refused alert/1 {posted}: created_in_future", "field      created", "what to do Set the clock"):
        assert words in said
