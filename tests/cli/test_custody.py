"""The command `comity custody`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from comity.cli.custody import custody_group
from comity.common import new_id, show_instant, utc_now
from comity.custody import ConsentAsked, ConsentError, ForwardError, Limits, NotHeldError, RecallError, RetainError
from comity.custody import selectors as custody
from comity.custody.consents import take_question
from comity.custody.services import Arrived, note_arrival
from comity.exchange import MessageUnknownError
from comity.journeys.remind import custody_due
from comity.journeys.share import share_alert
from tests.api.cast import EVERYONE, adopt_agreement, introduce_partners
from tests.custody.owing import owe
from tests.exchange.cast import alert

pytestmark = pytest.mark.django_db


def run(*words: str) -> Result:
    return CliRunner().invoke(custody_group, words)


def out_of(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture
def agreement() -> str:
    introduce_partners()
    return adopt_agreement()


@pytest.fixture
def sent(agreement: str) -> str:
    now = utc_now()
    ours = alert(issuer="XA", issued_at=now, valid_from=now, valid_until=now + timedelta(days=30), subjects=())
    return share_alert(EVERYONE, alert=ours, recipients=["XB"], purpose="control", at=now).posted[0][1]


@pytest.fixture
def held(agreement: str) -> str:
    name, at = str(new_id(utc_now())), utc_now()
    note_arrival("XA", Arrived("XB", name, "XB", name, "alert/1", agreement, "1", Limits(None, "official")), at=at)
    return name


def test_who_holds_it_and_taking_it_back(sent: str) -> None:
    assert "XB" in out_of("holders", sent)
    assert "held" in out_of("holders", sent)
    said = out_of("recall", sent, "--ground", "breach")
    assert "recall of 1 to XB" in said
    assert "recalled" in out_of("holders", sent)
    assert "breach" in out_of("recalls")
    assert "breach" not in out_of("recalls", "--received")
    assert out_of("overdue").count("\n") == 1
    custody_due(utc_now() + timedelta(days=2))
    late = run("overdue")
    assert (late.exit_code, sent in late.output) == (1, True)


def test_tightening_and_correcting(sent: str) -> None:
    soon = show_instant(utc_now() + timedelta(days=3))
    out_of("recall", sent, "--ground", "purpose_ended", "--mode", "tighten", "--keep-until", soon)
    assert soon in out_of("holders", sent)
    words = ("recall", sent, "--ground", "superseded", "--mode", "correct")
    assert isinstance(run(*words).exception, RecallError), "a correction names what takes its place"
    assert isinstance(run(*words, "--replaced", f"{sent}={sent}").exception, RecallError)
    now = utc_now()
    better = alert(issuer="XA", issued_at=now, valid_from=now, valid_until=now + timedelta(days=30), subjects=())
    ((_, new),) = share_alert(EVERYONE, alert=better, recipients=["XB"], purpose="control", at=now).posted
    assert "correct of 1" in out_of(*words, "--replaced", f"{sent}={new}")


def test_only_ours_is_taken_back(held: str) -> None:
    assert isinstance(run("recall", held, "--ground", "breach").exception, MessageUnknownError)


def test_retaining_and_letting_go(held: str, sent: str) -> None:
    assert "is kept: a court ordered" in out_of("retain", held, "--ground", "court_order")
    assert "goes when it is due" in out_of("let-go", held)
    assert isinstance(run("retain", sent, "--ground", "court_order").exception, RetainError)


def test_consents_and_handing_on(held: str, sent: str, agreement: str) -> None:
    assert "XB is asked" in out_of("consent", "ask", held, "--to", "xc", "--reason", "They load it")
    asked = ConsentAsked(str(new_id(utc_now())), sent, "XA", ("XC",), "They load it")
    take_question(asked, asker="XB", agreement=agreement, handling="official", asked_in=asked.id, at=utc_now())
    other = ConsentAsked(str(new_id(utc_now())), sent, "XA", ("XC",), "Again")
    take_question(other, asker="XB", agreement=agreement, handling="official", asked_in=other.id, at=utc_now())
    assert asked.id in out_of("consent", "list")
    assert len(custody.consents_waiting("XA")) == 2
    until = show_instant(utc_now() + timedelta(days=3))
    assert "XB may hand" in out_of("consent", "give", asked.id, "--until", until)
    assert "may not" in out_of("consent", "refuse", other.id)
    assert isinstance(run("consent", "give", asked.id, "--until", until).exception, ConsentError)
    assert len(custody.consents(sent)) == 2
    refused = run("forward", sent, "--to", "XC", "--purpose", "control")
    assert isinstance(refused.exception, NotHeldError)


def test_what_is_to_be_handed_on_again_is_listed_and_put_aside(agreement: str) -> None:
    owed = owe(EVERYONE, "XB", "XC", agreement=agreement, at=utc_now())
    line = out_of("successors")
    assert owed.old in line
    assert owed.new in line
    assert "never" in line
    said = out_of("put-aside", owed.copy, "--to", "xc", "--reason", "They have it from XB")
    assert f"{owed.new} of XB is not handed on to XC: They have it from XB" in said
    assert owed.new not in out_of("successors")
    assert "put_aside" in out_of("successors", "--all")
    assert isinstance(run("put-aside", owed.new, "--to", "XC", "--reason", "Again").exception, ForwardError)
