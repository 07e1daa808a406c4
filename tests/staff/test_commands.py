"""`comity officer` and `comity token`, as they are called."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from comity.cli.staff import officer, token
from comity.common import ComityError, utc_now
from comity.staff import selectors, services

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet river"


def run(group, *words: str, **options) -> Result:
    result = CliRunner().invoke(group, list(words), **options)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result


def add(username: str, *words: str) -> Result:
    return run(officer, "add", username, "--role", "officer", "--password", PASSWORD, *words)


def test_officers_are_added_listed_changed_and_disabled():
    assert add("ana", "--full-name", "Ana Alvarez", "--second-factor").output == "ana may sign in as officer\n"
    assert selectors.officer("ana").needs_second_factor
    run(officer, "roles", "ana", "--role", "analyst", "--role", "liaison")
    listed = run(officer, "list").output
    assert "Ana Alvarez" in listed
    assert "analyst, liaison" in listed
    run(officer, "disable", "ana")
    assert "disabled" in run(officer, "list").output


def test_the_password_is_asked_for_and_not_shown():
    result = run(officer, "add", "ana", "--role", "officer", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in result.output
    run(officer, "password", "ana", "--password", "another quiet river")
    run(officer, "forget-second-factor", "ana")


def test_tokens_are_issued_listed_and_revoked():
    add("ana")
    text = run(token, "issue", "asycuda", "--role", "system").output.strip()
    assert services.actor_of_token(text, utc_now()).id == "asycuda"
    run(token, "issue", "tool", "--role", "officer", "--officer", "ana", "--days", "1")
    listed = run(token, "list").output
    assert "valid" in listed
    assert text not in listed
    run(token, "revoke", "asycuda")
    assert "revoked" in run(token, "list").output


def test_a_refusal_is_an_error_that_says_what_to_do():
    with pytest.raises(ComityError, match="no such token"):
        CliRunner().invoke(token, ["revoke", "nothing"], catch_exceptions=False)
