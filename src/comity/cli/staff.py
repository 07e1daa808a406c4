"""Officers and tokens at the terminal."""

from __future__ import annotations

from datetime import datetime

import click

from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.staff import Role, second_factor, selectors, services

_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the bearer may do; give it several times for several roles.",
)


@click.group()
def officer() -> None:
    """Add officers, change their roles, disable them."""


@officer.command("add")
@click.argument("username")
@click.option("--full-name", default="", help="The name that pages show. Default: the user name.")
@_roles
@click.password_option(help="At least 12 characters. Asked for where it is not given, which is safer.")
@click.option("--second-factor", is_flag=True, help="Sign-in also asks for a code from an authenticator app.")
def add_officer(username: str, *, full_name: str, roles: tuple[str, ...], password: str, second_factor: bool) -> None:
    """Let a person with USERNAME sign in to the console."""
    actor, at = terminal_actor(), now()
    made = services.create_officer(
        actor, username=username, full_name=full_name or username, roles=roles, password=password, at=at
    )
    if second_factor:
        services.require_second_factor(actor, username=made.username, is_required=True, at=at)
    click.echo(f"{made.username} may sign in as {', '.join(made.roles)}")


@officer.command("list")
def list_officers() -> None:
    """Print every officer, with roles and the last sign-in."""
    require_home()
    rows: list[tuple[str, ...]] = [
        (
            row.username,
            row.full_name,
            ", ".join(row.roles),
            "yes" if row.is_active else "disabled",
            "required" if row.needs_second_factor else "",
            _day(row.last_sign_in_at),
        )
        for row in selectors.officers()
    ]
    say_table(("USER NAME", "NAME", "ROLES", "ACTIVE", "SECOND FACTOR", "LAST SIGN-IN"), rows)


@officer.command("roles")
@click.argument("username")
@_roles
def change_roles(username: str, *, roles: tuple[str, ...]) -> None:
    """Give USERNAME exactly the roles named."""
    changed = services.set_roles(terminal_actor(), username=username, roles=roles, at=now())
    click.echo(f"{changed.username} is now {', '.join(changed.roles)}")


@officer.command("disable")
@click.argument("username")
def disable(username: str) -> None:
    """Let USERNAME sign in no more; tokens that speak for that officer are revoked."""
    services.disable_officer(terminal_actor(), username=username, at=now())
    click.echo(f"{username} may not sign in any more")


@officer.command("password")
@click.argument("username")
@click.password_option(help="At least 12 characters. Asked for where it is not given, which is safer.")
def new_password(username: str, *, password: str) -> None:
    """Give USERNAME a new password."""
    services.set_password(terminal_actor(), username=username, password=password, at=now())
    click.echo(f"{username} has a new password")


@officer.command("forget-second-factor")
@click.argument("username")
def forget_second_factor(username: str) -> None:
    """Forget the authenticator app of USERNAME, for example when a telephone is lost."""
    second_factor.remove_second_factor(terminal_actor(), username=username, at=now())
    click.echo(f"{username} can set up a new authenticator app")


@click.group()
def token() -> None:
    """Issue and revoke the tokens with which programs use the API."""


@token.command("issue")
@click.argument("name")
@_roles
@click.option("--officer", default=None, help="The officer for whom the program speaks. Default: it is a system.")
@click.option("--days", default=services.TOKEN_DAYS, show_default=True, help="How long it is valid.")
def issue(name: str, *, roles: tuple[str, ...], officer: str | None, days: int) -> None:
    """Print a new token for the program NAME. It is shown this once; only its hash is kept."""
    click.echo(services.issue_token(terminal_actor(), name=name, roles=roles, officer=officer, at=now(), days=days))


@token.command("list")
def list_tokens() -> None:
    """Print every token that was issued, without its secret."""
    require_home()
    at = now()
    rows: list[tuple[str, ...]] = [
        (
            row.name,
            ", ".join(row.roles),
            row.officer,
            _state(row, at),
            _day(row.issued_at),
            _day(row.expires_at),
            _day(row.last_used_at),
        )
        for row in selectors.tokens()
    ]
    say_table(("NAME", "ROLES", "SPEAKS FOR", "STATE", "ISSUED", "EXPIRES", "LAST USED"), rows)


@token.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Make the token NAME useless from now on."""
    services.revoke_token(terminal_actor(), name=name, at=now())
    click.echo(f"the token {name} is revoked")


def _state(row: selectors.TokenSummary, at: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at <= at else "valid"


def _day(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d") if at else ""
