"""Tokens, problems, sizes, methods: what holds for every path."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from comity.common import utc_now
from comity.staff.services import issue_token
from tests.api.conftest import ADMINISTRATOR, MakeCaller


def check_problem(response: HttpResponse, status: int, code: str) -> dict[str, object]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["code"] == code
    assert body["type"] == f"urn:comity:problem:{code}"
    assert body["status"] == status
    assert body["detail"]
    return dict(body)


def test_health_needs_no_token(db: None) -> None:
    response = Client().get("/api/v1/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "administration": "XA"}


def test_me_names_roles_and_permissions(caller: MakeCaller) -> None:
    body = caller("system", name="importer").get("/me").json()
    assert body["kind"] == "system"
    assert body["id"] == "token-importer"
    assert body["administration"] == "XA"
    assert body["permissions"] == ["import", "view_consignments"]


def test_a_program_of_an_officer_acts_as_the_officer(caller: MakeCaller) -> None:
    body = caller("officer", name="ana", officer=True).get("/me").json()
    assert (body["kind"], body["id"], body["roles"]) == ("officer", "ana", ["officer"])


@pytest.mark.parametrize(
    ("header", "code"), [("", "token_missing"), ("Basic YTpi", "token_missing"), ("Bearer", "token_refused")]
)
def test_no_token_is_401(db: None, header: str, code: str) -> None:
    headers = {"Authorization": header} if header else {}
    response = Client().get("/api/v1/me", headers=headers)
    check_problem(response, 401, code)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_unknown_token_is_401(db: None) -> None:
    response = Client().get("/api/v1/me", headers={"Authorization": "Bearer comity_0_1"})
    check_problem(response, 401, "token_refused")


def test_an_expired_token_is_401(db: None) -> None:
    long_ago = utc_now() - timedelta(days=800)
    token = issue_token(ADMINISTRATOR, name="old", roles=["system"], officer=None, at=long_ago)
    response = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    check_problem(response, 401, "token_refused")


def test_an_unknown_path_is_a_problem(db: None) -> None:
    for method in ("get", "post", "delete"):
        response = getattr(Client(enforce_csrf_checks=True), method)("/api/v1/nowhere")
        check_problem(response, 404, "not_found")
    check_problem(Client().get("/api/v1/"), 404, "not_found")


def test_a_method_that_is_not_possible_is_405_and_names_the_ones_that_are(caller: MakeCaller) -> None:
    response = caller("system").post("/me")
    body = check_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET"
    assert body["remedy"] == "Use GET."


def test_a_body_over_the_bound_is_413(caller: MakeCaller) -> None:
    response = caller("system").send("/me", b"x" * (1024 * 1024 + 1), "application/json")
    check_problem(response, 413, "too_large")


def test_the_document_is_served_and_there_is_no_page_from_elsewhere(db: None) -> None:
    response = Client().get("/api/v1/openapi.json")
    assert response.json()["info"]["title"] == "Comity"
    assert Client().get("/api/v1/docs").status_code == 404


def test_status_tells_who_the_node_is(caller: MakeCaller) -> None:
    body = caller("system").get("/status").json()
    assert body["administration"] == "XA"
    assert body["now"].endswith("Z")
    assert (body["records"], body["outbox_waiting"], body["log_size"], body["partners"]) == (0, 0, 0, 0)
    assert body["inspections"] == {"ordered": 0, "started": 0, "completed": 0, "dropped": 0}


def test_a_failure_tells_nothing_but_a_number(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("comity.api.node.connection", None)
    response = Client(raise_request_exception=False).get("/api/v1/health")
    body = check_problem(response, 500, "internal_error")
    assert "NoneType" not in response.content.decode()
    assert str(body["incident"]) in caplog.text
