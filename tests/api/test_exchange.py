"""A message that was answered: its receipt, the other end of it, and the file that proves it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from comity.exchange.delivery import deliver_due
from comity.exchange.purging import wipe_sent
from comity.exchange.services import post
from comity.ledger.bundle import verify_bundle
from comity.staff.models import Officer
from comity.staff.selectors import AuditFilter, audit_entries
from tests.api.conftest import Caller, MakeCaller
from tests.exchange.cast import AT, CHIPO, LOG, Loop, adopt_demo, introduce, keyring, release


@pytest.fixture
def message_id(db: None) -> Iterator[str]:
    """An alert of XC that XA has answered; both nodes of the cast live in this database."""
    with override_settings(COMITY_ADMINISTRATION="XC", COMITY_KEYRING=keyring("XC")):
        introduce("XA", "XB", "XC")
        adopt_demo()
        posted = post(CHIPO, release(), signer=LOG, at=AT)
        deliver_due(keyring("XC"), AT, transport=Loop())
        yield posted


@pytest.fixture
def liaison(caller: MakeCaller) -> Caller:
    return caller("liaison", name="chipo", officer=True)


def test_the_answer_stands_beside_the_message(message_id: str, liaison: Caller) -> None:
    shown = liaison.get(f"/messages/{message_id}", purpose="control").json()
    assert (shown["direction"], shown["state"], shown["partner"]) == ("sent", "delivered", "XA")
    assert shown["answer"]["accepted"] is True
    assert shown["log_index"] is not None
    assert shown["body"]["ref"] == "XC-2026-0007"
    received = liaison.get("/messages", direction="received").json()["items"]
    assert [(line["message_id"], line["state"]) for line in received] == [(message_id, "accepted")]


def test_the_bundle_verifies_offline(message_id: str, liaison: Caller) -> None:
    response = liaison.get(f"/messages/{message_id}/bundle", purpose="control")
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/vnd.comity.bundle+json"
    assert message_id in response["Content-Disposition"]
    steps = verify_bundle(response.content)
    assert [step for step in steps if not step.is_ok] == []
    assert len(steps) >= 5


def test_the_bundle_of_what_was_purged_is_refused_by_name(message_id: str, liaison: Caller) -> None:
    wipe_sent([message_id])
    response = liaison.get(f"/messages/{message_id}/bundle", purpose="control")
    assert (response.status_code, response.json()["code"]) == (410, "message_purged")
    assert "Ask its origin" in response.json()["remedy"]
    assert not audit_entries(AuditFilter(deed="download_bundle"))


def test_who_may_not_read_a_message_gets_no_bundle_of_it(message_id: str, caller: MakeCaller, liaison: Caller) -> None:
    administrator = caller("administrator", name="root2", officer=True)
    for path in (f"/messages/{message_id}", f"/messages/{message_id}/bundle"):
        assert administrator.get(path).status_code == 403
    assert liaison.get(f"/messages/{message_id}/bundle", purpose="control").status_code == 200
    (deed,) = audit_entries(AuditFilter(deed="download_bundle"))
    assert (deed.actor_id, deed.subject) == ("chipo", f"message:{message_id}")


def test_a_session_of_the_console_is_no_token(message_id: str, liaison: Caller) -> None:
    """So a page of a stranger that an officer has open can make no call in his name."""
    browser = Client(raise_request_exception=False, enforce_csrf_checks=True)
    browser.force_login(Officer.objects.get(username="chipo"), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(f"/api/v1/messages/{message_id}").status_code == 401
    assert browser.post("/api/v1/alerts", "{}", content_type="application/json").status_code == 401


def test_a_partner_is_shown_with_how_the_exchange_goes(message_id: str, liaison: Caller) -> None:
    partners = {partner["administration"]: partner for partner in liaison.get("/partners").json()["items"]}
    assert partners["XA"]["waiting"] == 0
    assert partners["XA"]["failures"] == 0
    assert partners["XA"]["last_answer_at"] is not None
    assert partners["XB"]["last_answer_at"] is None
    assert len(partners["XA"]["fingerprint"].split()) > 4
