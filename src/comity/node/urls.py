"""Which door answers which path."""

from __future__ import annotations

from django.urls import include, path

from comity.node.metrics import metrics

urlpatterns = [
    path("api/v1/", include("comity.api.urls")),
    path("ledger/", include("comity.api.ledger_urls")),
    path("metrics", metrics),
    path("", include("comity.console.urls")),
]
