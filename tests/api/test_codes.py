"""Every error that a room raises has its place in the table of statuses."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from django.test import RequestFactory

import comity
from comity.api.problems import STATUS_OF_CODE, answer
from comity.common import ComityError


def codes() -> Iterator[str]:
    """The code of each error in the `errors` modules of the rooms."""
    for module in pkgutil.walk_packages(comity.__path__, "comity."):
        if module.name.endswith(".errors"):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, type) and issubclass(value, ComityError) and not name.startswith("_"):
                    yield value.code


def test_each_status_is_one_that_the_document_knows() -> None:
    assert set(STATUS_OF_CODE.values()) <= {400, 401, 403, 404, 409, 410, 411, 413, 415, 422, 500}


def test_the_table_names_errors_that_exist() -> None:
    known = set(codes()) | {"bad_instant", "no_recipient", "too_large", "unsupported_media_type", "not_found"}
    known |= {"purpose_missing", "purpose_refused", "unknown_procedure"}
    assert set(STATUS_OF_CODE) <= known | {"unknown_parameter", "length_required"}


def test_what_asks_for_a_thing_that_is_not_there_is_404() -> None:
    lost = {code for code in codes() if code.endswith("_not_found") or code.startswith("unknown_")}
    assert {code: STATUS_OF_CODE.get(code) for code in lost} == dict.fromkeys(lost, 404)


def test_what_is_refused_for_want_of_a_right_is_403() -> None:
    assert {code for code, status in STATUS_OF_CODE.items() if status == 403} == {
        "need_to_know",
        "permission_refused",
        "purpose_missing",
        "purpose_refused",
        "sharing_refused",
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ComityError("It cannot be.", where="there", remedy="Do this."), 400, "error"),
        (SuspiciousOperation("odd"), 400, "bad_request"),
        (Http404("inner words"), 404, "not_found"),
        (ValueError("inner words"), 500, "internal_error"),
    ],
)
def test_any_error_is_a_problem(error: Exception, status: int, code: str) -> None:
    response = answer(RequestFactory().get("/api/v1/x"), error)
    assert response.status_code == status
    assert f'"code": "{code}"' in response.content.decode()
    assert "inner words" not in response.content.decode()
