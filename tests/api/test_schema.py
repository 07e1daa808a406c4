"""The OpenAPI document: the committed snapshot, and answers that keep to it whatever is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi import checks

from comity.api.urls import api
from tests.api.conftest import MakeCaller, every_role
from tests.api.snapshot import SNAPSHOT, shown
from tests.scale import scaled


def test_the_snapshot_is_the_document_that_is_served(db: None) -> None:
    served = Client().get("/api/v1/openapi.json").json()
    assert SNAPSHOT.read_text() == shown(served), "the API changed: write it anew with `python -m tests.api.snapshot`"


def without_security() -> dict[str, object]:
    """The document for a caller that always bears a token; that one is asked for is tested further below."""
    whole = json.loads(shown(api.get_openapi_schema(path_prefix="/api/v1/")))
    for methods in whole["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return dict(whole)


schemathesis.serializer.alias("application/zip", "application/octet-stream")
document = schemathesis.openapi.from_dict(without_security())
document.app = WSGIHandler()
# A text that is longer than its schema allows may be longer than the path takes at all: that is told first, by 413.
_rejection = document.config.checks.negative_data_rejection
_rejection.expected_statuses = [*_rejection.expected_statuses, "413"]


@pytest.fixture
def token(caller: MakeCaller) -> Iterator[str]:
    """A token with every role. The connection of the test's transaction stays open between requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield caller(*every_role(), name="boris", officer=True).token
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@document.parametrize()
@settings(
    max_examples=scaled(5, 20),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_keeps_to_the_document(case: schemathesis.Case, token: str) -> None:
    response = case.call(headers={"Authorization": f"Bearer {token}"})
    # The rooms refuse for reasons that no schema can state: dates in the wrong order, a rule that does not parse, a
    # sharing that no article permits.
    case.validate_response(response, excluded_checks=[checks.positive_data_acceptance])


def operations() -> list[tuple[str, str, str]]:
    """Every method and path, its parameters filled in, and the permission that it names."""
    filler = "01890000-0000-7000-8000-000000000000"
    return [
        (method, re.sub(r"\{[^}]*\}", filler, path), operation["x-comity-permission"])
        for path, methods in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items()
        for method, operation in methods.items()
        if path != "/api/v1/health"
    ]


@pytest.mark.parametrize(("method", "path", "permission"), operations())
def test_every_operation_but_health_asks_for_a_token(db: None, method: str, path: str, permission: str) -> None:
    response = getattr(Client(), method)(path)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path", "permission"), operations())
def test_a_token_without_roles_gets_nowhere(caller: MakeCaller, method: str, path: str, permission: str) -> None:
    client = caller(name="nobody")
    response = getattr(client.client, method)(path, headers={"Authorization": f"Bearer {client.token}"})
    if permission == "any valid token":
        assert response.status_code not in {401, 403}
    else:
        assert response.status_code == 403
        assert response.json()["where"] == permission.split(" or ", maxsplit=1)[0]
