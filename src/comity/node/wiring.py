"""The wiring tables: message kind -> journey, job -> schedule. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import cast

from django.conf import settings

from comity.exchange.evidence import Folder, evidence_routes
from comity.exchange.inbox import Handler, process_due
from comity.exchange.judging import Validator
from comity.exchange.log_routes import log_routes
from comity.exchange.transports.https.handing import collect_route
from comity.exchange.transports.https.routes import Route
from comity.insight.mentions import read_mentions_due
from comity.insight.requests import forget_requests_due
from comity.insight.services import remind_due
from comity.journeys import (
    assist,
    consult,
    evidence,
    forget,
    forward,
    gossip,
    keys,
    mirror,
    negotiate,
    receive,
    report,
    teach,
)
from comity.journeys.arrive import assess_waiting
from comity.journeys.hold import guarded
from comity.journeys.lanes import lanes_turn
from comity.journeys.probe import PROBE_KIND, probe_due, probe_from_body, probe_journey
from comity.journeys.record import log_decisions
from comity.journeys.remind import custody_due
from comity.journeys.watch import Inbox
from comity.node.home import Home, current_home
from comity.node.jobs import Job
from comity.node.keycare import KeyCare
from comity.node.keys import LiveKeyring
from comity.node.recovering import recover
from comity.registers.screeners import keep_ready
from comity.risk.modelling.retraining import models_turn
from comity.risk.outlook_making import forecasts_turn
from comity.trust import Keyring

__all__ = ["JOURNEYS", "VALIDATORS", "jobs_of", "learning_jobs", "line_jobs", "routes_of"]

_INBOX_SECONDS = 0.0  # at every turn, so that a long queue ends
_FOLDER_SECONDS = 1.0
_DECISIONS_SECONDS = 1.0
_ASSESS_SECONDS = 30.0
_LANES_SECONDS = 60.0
_PROBE_SECONDS = 60.0
_KEYS_SECONDS = 2.0
_CUSTODY_SECONDS = 15.0
_STANDING_SECONDS = 300.0
_MIRROR_SECONDS = 1.0
_CASES_SECONDS = 60.0
_KNOWLEDGE_SECONDS = 2.0
_OBLIGATIONS_SECONDS = 300.0
_MONITOR_SECONDS = 60.0
_MENTIONS_SECONDS = 60.0
_RECOVER_SECONDS = 3.0
_MODELS_SECONDS = 60.0
_INDEX_SECONDS = 10.0
_FORECASTS_SECONDS = 600.0
_HOURLY_SECONDS = 3600.0

VALIDATORS: Mapping[str, Validator] = {
    **receive.VALIDATORS,
    **assist.VALIDATORS,
    **evidence.VALIDATORS,
    **mirror.VALIDATORS,
    **teach.VALIDATORS,
    **consult.VALIDATORS,
    **report.VALIDATORS,
    **gossip.VALIDATORS,
    **forget.VALIDATORS,
    **forward.VALIDATORS,
    **keys.VALIDATORS,
    **negotiate.VALIDATORS,
    PROBE_KIND: probe_from_body,
}
JOURNEYS: Mapping[str, Handler] = {
    **guarded(
        {
            **receive.JOURNEYS,
            **evidence.JOURNEYS,
            **assist.JOURNEYS,
            **mirror.JOURNEYS,
            **teach.JOURNEYS,
            **consult.JOURNEYS,
            **report.JOURNEYS,
        },
        forget.forget_on_arrival,
    ),
    **forget.JOURNEYS,
    **forward.JOURNEYS,
    **gossip.JOURNEYS,
    **keys.JOURNEYS,
    **negotiate.JOURNEYS,
    PROBE_KIND: probe_journey(VALIDATORS),
}


def jobs_of(home: Home) -> tuple[Job, ...]:
    """What this node does by itself, and how often."""
    run_inbox: Callable[[datetime], object] = partial(process_due, JOURNEYS)
    return (
        Job("inbox", _INBOX_SECONDS, run_inbox, is_urgent=True),
        Job("watched folder", _FOLDER_SECONDS, Inbox(home.inbox).turn),
        Job("decisions into the log", _DECISIONS_SECONDS, log_decisions, is_urgent=True),
        Job("assess what waits", _ASSESS_SECONDS, assess_waiting),
        Job("lanes", _LANES_SECONDS, lanes_turn),
        Job("keys", _KEYS_SECONDS, KeyCare(home, cast(LiveKeyring, settings.COMITY_KEYRING)).turn),
        Job("probe partners", _PROBE_SECONDS, probe_due),
        Job("mirror check", _MIRROR_SECONDS, mirror.mirror_turn),
        Job("keys of mirror checks", _STANDING_SECONDS, mirror.forget_due),
        Job("profiles taken back", _KNOWLEDGE_SECONDS, teach.teach_turn),
        Job("questions about hits", _KNOWLEDGE_SECONDS, consult.consult_turn),
        Job("old decisions on hits", _HOURLY_SECONDS, consult.forget_due),
        Job("what came of alerts", _STANDING_SECONDS, report.report_turn),
        Job("retention", _CUSTODY_SECONDS, forget.purge_due),
        Job("recalls that wait", _CUSTODY_SECONDS, custody_due),
        Job("standing of agreements", _STANDING_SECONDS, negotiate.ask_due),
        Job("obligations", _OBLIGATIONS_SECONDS, remind_due),
        Job("who is named where", _MENTIONS_SECONDS, read_mentions_due),
        Job("old questions of persons", _HOURLY_SECONDS, forget_requests_due),
        Job("clocks of cases", _CASES_SECONDS, assist.overdue_turn),
    )


def line_jobs() -> tuple[Job, ...]:
    """What waits for partners: in a thread of its own, so that one that is away holds up nothing."""
    return (
        Job("recover after a restore", _RECOVER_SECONDS, _recover),
        Job("watch the partners' logs", _MONITOR_SECONDS, gossip.watch_logs),
    )


def learning_jobs() -> tuple[Job, ...]:
    """What computes for long: in a thread of its own, so that nothing else waits for it."""
    return (
        Job("screening index", _INDEX_SECONDS, keep_ready),
        Job("models", _MODELS_SECONDS, models_turn),
        Job("forecasts", _FORECASTS_SECONDS, forecasts_turn),
    )


def _recover(at: datetime) -> object:
    return recover(current_home(), settings.COMITY_KEYRING, at)


def routes_of(keyring: Keyring, home: Home) -> tuple[Route, ...]:
    """What partners may ask on their port besides sending envelopes and asking for their position. home: of files."""
    return (
        *log_routes(keyring),
        collect_route(keyring),
        *evidence_routes(Folder(home.evidence)),
    )
