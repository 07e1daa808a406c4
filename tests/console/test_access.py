"""Each page and each role: who may open what, and what one who may not is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import get_resolver

from comity.console.context import MENU
from comity.staff import Role
from comity.staff.models import AuditEntry

pytestmark = pytest.mark.django_db
NOTHING = UUID(int=1)
EVERYONE = "analyst officer supervisor liaison administrator auditor data_protection system"
VIEWERS = "analyst officer supervisor liaison auditor system"
DECIDERS = "officer supervisor"

# route -> (address, method, roles that may)
PAGES = {
    "dashboard": ("/", "get", EVERYONE),
    "second_factor": ("/second-factor", "get", EVERYONE),
    "second_factor_qr": ("/second-factor/code.svg", "get", EVERYONE),
    "password": ("/password", "get", EVERYONE),
    "purpose": ("/purpose", "get", EVERYONE),
    "queue": ("/queue", "get", VIEWERS),
    "assign": ("/queue/assign", "post", DECIDERS),
    "consignment": (f"/consignments/{NOTHING}", "get", VIEWERS),
    "planner": ("/planner", "get", VIEWERS),
    "lane": (f"/consignments/{NOTHING}/lane", "get", DECIDERS),
    "inspect": (f"/consignments/{NOTHING}/inspect", "get", DECIDERS),
    "release": (f"/consignments/{NOTHING}/release", "get", DECIDERS),
    "finding": (f"/inspections/{NOTHING}/finding", "get", DECIDERS),
    "revenue": ("/findings/F/revenue", "get", DECIDERS),
    "checks": ("/checks", "get", VIEWERS),
    "assign_checks": ("/checks/assign", "post", DECIDERS),
    "drop_check": (f"/checks/{NOTHING}/drop", "get", DECIDERS),
    "exhibit": ("/findings/F/exhibits/00", "get", VIEWERS),
    "raw": (f"/arrivals/{NOTHING}/raw", "get", VIEWERS),
    "profiles": ("/profiles", "get", VIEWERS),
    "forecasts": ("/forecasts", "get", VIEWERS),
    "outlook": ("/forecasts/0", "get", VIEWERS),
    "mirror": ("/mirror", "get", VIEWERS),
    "mirror_match": ("/mirror/0", "get", VIEWERS),
    "screening": ("/screening", "get", VIEWERS),
    "registers": ("/registers", "get", VIEWERS),
    "register": ("/registers/none", "get", VIEWERS),
    "screening_hit": ("/screening/hit", "get", VIEWERS),
    "edit_profile": ("/profiles/write", "get", "analyst"),
    "profile": ("/profiles/P", "get", VIEWERS),
    "share_profile": ("/profiles/P/share", "get", "liaison"),
    "ask_hit": ("/screening/hit/ask?hit=x", "get", "liaison"),
    "tell_hit": ("/screening/hit/tell?hit=x", "get", "liaison"),
    "backtest_profile": ("/profiles/P/backtest", "post", "analyst"),
    "approve_profile": ("/profiles/P/approve", "post", "supervisor"),
    "retire_profile": ("/profiles/P/retire", "post", "analyst"),
    "models": ("/models", "get", VIEWERS),
    "model": ("/models/none", "get", VIEWERS),
    "ask_training": ("/models/train", "post", "analyst"),
    "set_retraining": ("/models/retraining", "post", "supervisor"),
    "approve_model": ("/models/none/approve", "post", "supervisor"),
    "promote_model": ("/models/none/promote", "post", "supervisor"),
    "retire_model": ("/models/none/retire", "post", "analyst"),
    "share": ("/share", "get", "liaison"),
    "approvals": ("/approvals", "get", "supervisor liaison administrator"),
    "cases": ("/requests", "get", "supervisor liaison auditor"),
    "case_new": ("/requests/new", "get", "liaison"),
    "case_open": ("/requests/new/none/none/none", "get", "liaison"),
    "case": (f"/requests/{NOTHING}", "get", "supervisor liaison auditor"),
    "case_step": (f"/requests/{NOTHING}/do/none", "get", "liaison"),
    "procedures": ("/procedures", "get", EVERYONE),
    "procedure": ("/procedures/none", "get", EVERYONE),
    "obligations": ("/obligations", "get", "supervisor liaison auditor"),
    "take_note": ("/obligations/1/seen", "post", "supervisor liaison auditor"),
    "reciprocity": ("/reciprocity", "get", "supervisor liaison auditor"),
    "messages": ("/messages", "get", "supervisor liaison auditor"),
    "message": ("/messages/none", "get", "supervisor liaison auditor"),
    "bundle": ("/messages/none/bundle", "get", "supervisor liaison auditor"),
    "statement": ("/messages/none/statements/XA", "get", "supervisor liaison auditor"),
    "file": ("/messages/none/files/00", "get", "supervisor liaison auditor"),
    "take_back": ("/messages/none/take-back", "get", "supervisor liaison"),
    "hand_on": ("/messages/none/hand-on", "get", "liaison"),
    "ask_consent": ("/messages/none/ask-consent", "get", "liaison"),
    "keep": ("/messages/none/keep", "get", "supervisor liaison"),
    "put_aside": ("/messages/none/put-aside/XB", "get", "supervisor liaison"),
    "let_go": ("/messages/none/let-go", "get", "supervisor liaison"),
    "attach": ("/messages/none/attach", "get", "liaison"),
    "recalls": ("/recalls", "get", "supervisor liaison auditor"),
    "consent": ("/consents/none", "get", "supervisor liaison"),
    "partners": ("/partners", "get", EVERYONE),
    "partner": ("/partners/XX", "get", EVERYONE),
    "suspend_partner": ("/partners/XX/suspend", "post", "administrator"),
    "resume_partner": ("/partners/XX/resume", "post", "administrator"),
    "health": ("/health", "get", "supervisor liaison administrator auditor"),
    "ask_partners": ("/health/ask", "post", "administrator"),
    "agreements": ("/agreements", "get", EVERYONE),
    "agreement": ("/agreements/none", "get", EVERYONE),
    "agreement_file": ("/agreements/none/as/text", "get", EVERYONE),
    "agreement_changes": ("/agreements/none/changes/none", "get", EVERYONE),
    "ask_standing": ("/agreements/none/ask", "post", "administrator"),
    "reserve": ("/agreements/none/reserve", "get", "administrator"),
    "move_agreement": ("/agreements/none/moves/accept", "get", "administrator"),
    "propose_agreement": ("/agreements/propose", "get", "administrator"),
    "compose": ("/agreements/compose", "get", "administrator"),
    "compose_template": ("/agreements/compose/none", "get", "administrator"),
    "simulator": ("/simulator", "get", EVERYONE),
    "clauses": ("/clauses", "get", EVERYONE),
    "clause": ("/clauses/none", "get", EVERYONE),
    "proof": ("/proof", "get", EVERYONE),
    "verify_log": ("/proof/verify", "post", "liaison administrator auditor"),
    "download_proof": ("/proof/0.tlog-proof", "get", EVERYONE),
    "download_fork": ("/proof/two-histories/00", "get", EVERYONE),
    "audit": ("/audit", "get", "auditor"),
    "privacy": ("/privacy", "get", "analyst supervisor liaison auditor data_protection"),
    "access_log": ("/privacy/access", "get", "auditor data_protection"),
    "access_csv": ("/privacy/access.csv", "get", "auditor data_protection"),
    "statistics": ("/privacy/statistics", "get", "analyst supervisor liaison auditor data_protection"),
    "processing": ("/privacy/processing", "get", "auditor data_protection"),
    "processing_record": ("/privacy/processing/none", "get", "auditor data_protection"),
    "subject_requests": ("/privacy/requests", "get", "supervisor data_protection"),
    "subject_request": (f"/privacy/requests/{NOTHING}", "get", "supervisor data_protection"),
    "subject_answer": (f"/privacy/requests/{NOTHING}/answer", "post", "data_protection"),
    "officers": ("/officers", "get", "administrator auditor"),
    "add_officer": ("/officers/add", "get", "administrator"),
    "change_roles": ("/officers/nobody/roles", "get", "administrator"),
    "disable_officer": ("/officers/nobody/disable", "post", "administrator"),
    "change_second_factor": ("/officers/nobody/second-factor", "post", "administrator"),
    "issue_token": ("/systems/issue", "get", "administrator"),
    "revoke_token": ("/systems/none/revoke", "post", "administrator"),
}
# Who decides a proposal is asked for by the service, since its proposer may take it back.
OPEN_TO_ALL = {"sign_in", "sign_in_code", "sign_out", "language", "decide"}


def test_every_route_is_in_the_table():
    routes = {pattern.name for pattern in get_resolver("comity.console.urls").url_patterns}
    assert routes == set(PAGES) | OPEN_TO_ALL


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_a_role_opens_its_pages_and_no_other(as_role: Callable[..., Client], role: str):
    client = as_role(role)
    for name, (address, method, allowed) in PAGES.items():
        answer = getattr(client, method)(address)
        assert answer.status_code < 500, name
        if role in allowed.split():
            assert answer.status_code != 403, name
        else:
            assert answer.status_code == 403, name
            assert b"You may not do this" in answer.content, name
            assert b"Ask someone with one of these roles" in answer.content, name


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_the_menu_shows_only_what_opens(as_role: Callable[..., Client], role: str):
    client = as_role(role)
    page = client.get("/").content.decode()
    for item in MENU:
        is_shown = f'href="{item.url}"' in page.split("<main")[0].split('class="menu"')[1]
        is_allowed = client.get(item.url).status_code != 403
        assert is_shown == is_allowed, item.name


def test_strangers_open_nothing(client: Client):
    for name, (address, method, _allowed) in PAGES.items():
        answer = getattr(client, method)(address)
        assert answer.status_code in {302, 403}, name
        if answer.status_code == 302:
            assert answer.url.startswith("/sign-in"), name
    assert not AuditEntry.objects.exists()


def test_what_is_not_there_is_not_found(as_role: Callable[..., Client]):
    client = as_role("officer", "liaison", "administrator")
    addresses = ["consignment", "inspect", "lane", "release", "finding", "raw", "agreement", "message", "change_roles"]
    client.post("/purpose", {"purpose": "control"})
    for name in addresses:
        assert client.get(PAGES[name][0]).status_code == 404, name


def test_nothing_seen_stays_in_the_browsers_store(as_role: Callable[..., Client]):
    assert "no-store" in as_role("officer").get("/queue")["Cache-Control"]


def test_forms_need_the_token_against_forgery(as_role: Callable[..., Client]):
    signed_in = as_role("administrator")
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    assert client.post("/officers/add", {"username": "eve"}).status_code == 403


def test_the_purpose_is_asked_for_and_fades(as_role: Callable[..., Client], monkeypatch: pytest.MonkeyPatch):
    client = as_role("liaison")
    assert client.get("/share").url == "/purpose?next=%2Fshare"
    assert client.post("/purpose", {"next": "/share"}).status_code == 422
    assert client.post("/purpose", {"purpose": "control", "next": "/share"}).url == "/share"
    assert client.get("/share").status_code == 200
    assert AuditEntry.objects.filter(deed="state_purpose", subject="purpose:control").count() == 1
    later = datetime.now(UTC) + timedelta(minutes=61)
    monkeypatch.setattr("comity.console.purpose.utc_now", lambda: later)
    assert client.get("/share").status_code == 302
