"""Which door answers which path."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("comity.api.urls")),
    path("ledger/", include("comity.api.ledger_urls")),
    path("", include("comity.console.urls")),
]
