"""The API put together: its routers, its error handlers, its OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from comity.api import (
    agreement_texts,
    agreements,
    checks,
    custody,
    enforcement,
    evidence,
    exchange,
    forecasts,
    insight,
    intake,
    knowledge,
    mirror,
    models,
    negotiation,
    node,
    operations,
    privacy,
    profiles,
    registers,
    risk,
    selection,
    sharing,
    signals,
    staff,
)
from comity.api.openapi import complete
from comity.api.problems import answer

_DESCRIPTION = (
    "The node of a customs administration, for programs. Every call but /health and this document carries "
    "`Authorization: Bearer <token>`; errors are problem+json (RFC 9457). Instants are RFC 3339 in UTC, "
    "masses are kilograms, money is a decimal in a string beside its ISO 4217 code."
)


class ComityAPI(NinjaAPI):
    """NinjaAPI whose errors are problems, in its answers and in its document."""

    def on_exception(self, request: HttpRequest, exc: Exception | type[Exception]) -> HttpResponse:
        """The problem that answers an error."""
        return answer(request, exc if isinstance(exc, Exception) else exc())

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The OpenAPI document."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        complete(schema)
        return schema


def make_api() -> ComityAPI:
    """The API with every router."""
    api = ComityAPI(
        title="Comity",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        urls_namespace="api",
    )
    rooms = (
        node,
        staff,
        intake,
        risk,
        profiles,
        selection,
        signals,
        mirror,
        forecasts,
        models,
        registers,
        knowledge,
        checks,
        enforcement,
        agreement_texts,
        negotiation,
        agreements,
        operations,
        insight,
        sharing,
        exchange,
        evidence,
        custody,
        privacy,
    )
    for room in rooms:
        api.add_router("", room.router)
    return api
