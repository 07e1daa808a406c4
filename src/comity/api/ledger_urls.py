"""Paths of the log below /ledger/ (C2SP tlog-tiles)."""

from __future__ import annotations

from django.urls import path

from comity.api import ledger

app_name = "ledger"
urlpatterns = [
    path("checkpoint", ledger.checkpoint, name="checkpoint"),
    path("checkpoint/cosigned", ledger.cosigned, name="cosigned"),
    path("tile/<path:path>", ledger.tile, name="tile"),
]
