"""`comity approval`: what waits for a second officer, and its decision by one."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

import click

from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import Actor, show_instant
from comity.journeys.approving import approve_proposal
from comity.staff import OfficerRefusedError, second_factor, selectors, services
from comity.staff.need_to_know import LEVELS
from comity.staff.selectors import Proposal

_proposal = click.argument("proposal_id", type=click.UUID)
_officer = click.option(
    "--officer", "username", required=True, help="The officer who decides; the password is asked for."
)


@click.group("approval")
def approval_group() -> None:
    """What two officers must agree to: list it, and decide it as the second one."""


@approval_group.command("list")
def list_proposals() -> None:
    """Print what waits for a second officer, the oldest first."""
    require_home()
    rows = [
        (str(each.proposal_id), each.deed, LEVELS[each.handling], each.proposed_by, show_instant(each.proposed_at))
        for each in selectors.open_proposals()
    ]
    say_table(("PROPOSAL", "DEED", "HANDLING", "PROPOSED BY", "AT"), rows)


@approval_group.command("show")
@_proposal
def show(proposal_id: UUID) -> None:
    """Print the proposal word for word, as it would be done."""
    require_home()
    found = selectors.proposal(proposal_id)
    decided = f"{found.state} by {found.decided_by}" if found.decided_by else str(found.state)
    click.echo(f"{found.deed} ({LEVELS[found.handling]}), proposed by {found.proposed_by}; {decided}")
    click.echo(f"digest {found.digest}")
    click.echo(json.dumps(found.payload, indent=2, ensure_ascii=False, sort_keys=True))


@approval_group.command("approve")
@_proposal
@_officer
def approve(proposal_id: UUID, username: str) -> None:
    """Agree to what another officer proposed; it is done at once. Nobody approves what he proposed."""
    at = now()
    done = approve_proposal(_officer_here(username, at), proposal_id=proposal_id, at=at)
    reached = ", ".join((*(recipient for recipient, _ in done.posted), *done.told)) or "nobody now"
    about = f"; case {done.case_id}" if done.case_id else ""
    click.echo(f"approved; on its way to {reached}{about}")


@approval_group.command("reject")
@_proposal
@_officer
@click.option("--reason", required=True, help="Why, in one sentence.")
def reject(proposal_id: UUID, username: str, reason: str) -> None:
    """Refuse what another officer proposed; nothing is done."""
    at = now()
    services.reject(_officer_here(username, at), proposal_id=proposal_id, reason=reason, at=at)
    click.echo("rejected; nothing was done")


@approval_group.command("withdraw")
@_proposal
def withdraw(proposal_id: UUID) -> None:
    """Take back what was proposed at this terminal."""
    services.withdraw(terminal_actor(), proposal_id=proposal_id, at=now())
    click.echo("taken back; nothing was done")


def say_waiting(proposal: Proposal) -> None:
    """Say that a proposal waits, and how it is approved."""
    click.echo(f"waits for a second officer: proposal {proposal.proposal_id}")
    click.echo(f"  comity approval approve {proposal.proposal_id} --officer NAME, or the page Approvals")


def _officer_here(username: str, at: datetime) -> Actor:
    """The officer who stands at the terminal. The terminal itself is no person, and so never a second one.

    Raises: OfficerRefusedError, SecondFactorRefusedError.
    """
    officer = selectors.officer_row(username)
    password = click.prompt(f"Password of {officer.username}", hide_input=True)
    if not officer.is_active or not officer.check_password(password):
        facts = {"step": "password"}
        subject = f"officer:{officer.username}"
        services.record_deed(terminal_actor(), deed="sign_in_failed", subject=subject, facts=facts, at=at)
        raise OfficerRefusedError("The password is wrong, or the officer is disabled", where=officer.username)
    if second_factor.has_second_factor(officer):
        second_factor.verify_code(officer, code=click.prompt("Code of the app", hide_input=True), at=at)
    elif officer.needs_second_factor:
        raise OfficerRefusedError(
            "This officer has set up no second factor yet", where=officer.username, remedy="Sign in to the console."
        )
    return services.actor_of(officer)
