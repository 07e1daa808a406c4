"""Two officers at the terminal: what waits, who decides it, and that the terminal is no second person."""

from __future__ import annotations

import re
from datetime import datetime

import click
import pytest
from click.testing import CliRunner
from pytest_django import Settings

from comity.cli.agreements import agreement
from comity.cli.approvals import approval_group
from comity.cli.procedures import case_group
from comity.common import Actor, ActorKind, utc_now
from comity.exchange.selectors import messages
from comity.operations import selectors
from comity.staff import OfficerRefusedError, ProposalRefusedError, Role
from comity.staff.models import AuditEntry
from comity.staff.selectors import open_proposals
from comity.staff.services import create_officer, require_second_factor
from tests.journeys.test_four_eyes import adopted
from tests.operations.cast import REQUEST

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Actor(ActorKind.OFFICER, "root", "XA", frozenset({Role.ADMINISTRATOR.value}))
PASSWORD = "a long enough one"


@pytest.fixture(autouse=True)
def in_force(settings: Settings) -> str:
    """XA with its agreement, in force today too, and an officer who approves; the agreement's id."""
    now = utc_now()
    create_officer(ROOT, username="clara", full_name="Clara", roles=["supervisor"], password=PASSWORD, at=now)
    return adopted(settings, now)


def run(group: click.Group, *words: str, typed: str = "") -> str:
    """What a command prints."""
    done = CliRunner().invoke(group, list(words), input=typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def told_proposal(text: str) -> str:
    found = re.search(r"waits for a second officer: proposal (\S+)", text)
    assert found, text
    return found[1]


def fields() -> list[str]:
    """The request as options."""
    texts = {
        name: ";".join(value) if isinstance(value, list) else str(value).lower() if value is True else str(value)
        for name, value in REQUEST.items()
    }
    return [word for name, text in texts.items() for word in ("--set", f"{name}={text}")]


def opened(in_force: str) -> str:
    who = ("--party", "asker=XA", "--party", "asked=XB", "--purpose", "control", "--handling", "restricted")
    return run(case_group, "open", "tfa12", "--agreement", in_force[:12], *who, *fields())


def test_a_restricted_request_is_opened_by_two(in_force: str) -> None:
    proposal = told_proposal(opened(in_force))
    assert proposal in run(approval_group, "list")
    assert '"matter_at_issue"' in run(approval_group, "show", proposal)
    with pytest.raises(OfficerRefusedError, match="password is wrong"):
        run(approval_group, "approve", proposal, "--officer", "clara", typed="another one\n")
    assert AuditEntry.objects.filter(deed="sign_in_failed", subject="officer:clara").count() == 1
    done = run(approval_group, "approve", proposal, "--officer", "clara", typed=f"{PASSWORD}\n")
    assert "approved; on its way to XB; case " in done
    (line,) = selectors.cases()
    assert len(messages()) == 1
    step = run(case_group, "step", line.case_id, "withdraw")
    withdrawn = told_proposal(step)
    assert "taken back" in run(approval_group, "withdraw", withdrawn)
    assert open_proposals() == []


def test_a_suspension_waits_and_may_be_rejected(in_force: str) -> None:
    proposal = told_proposal(run(agreement, "suspend", in_force, "--reason", "A breach"))
    words = ("reject", proposal, "--officer", "clara", "--reason", "Talk first.")
    assert "rejected" in run(approval_group, *words, typed=f"{PASSWORD}\n")
    with pytest.raises(ProposalRefusedError, match="rejected already"):
        run(approval_group, "approve", proposal, "--officer", "clara", typed=f"{PASSWORD}\n")


def test_who_needs_a_second_factor_needs_it_here_too(in_force: str, at: datetime) -> None:
    require_second_factor(ROOT, username="clara", is_required=True, at=at)
    proposal = told_proposal(run(agreement, "leave", in_force, "--reason", "A vote"))
    with pytest.raises(OfficerRefusedError, match="no second factor"):
        run(approval_group, "approve", proposal, "--officer", "clara", typed=f"{PASSWORD}\n")
    assert len(open_proposals()) == 1
