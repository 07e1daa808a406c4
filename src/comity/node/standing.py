"""How the node stands, in lines that people and monitors read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from comity.common import show_instant
from comity.custody import successors
from comity.exchange import selectors as exchange
from comity.intake import selectors as intake
from comity.ledger import selectors as ledger
from comity.risk import selectors as risk
from comity.staff import selectors as staff
from comity.trust import KeyDocument

GOOD, WAITING, ATTENTION = "ok", "waiting", "attention"
RENEW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """One line. state: ok, waiting, or attention where a person should look."""

    title: str
    state: str
    detail: str

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look."""
        return self.state == ATTENTION


def standing_of_node(*, at: datetime) -> list[Standing]:
    """Every line, in the order in which a person would ask."""
    return [
        *_intake(),
        *_queue(at),
        *_exchange(),
        *_again(),
        *_ledger(),
        _keys(settings.COMITY_KEYRING.key_document, at),
    ]


def _keys(document: KeyDocument, at: datetime) -> Standing:
    days = (document.expires_at - at).days
    state = ATTENTION if days < RENEW_DAYS or document.warnings(at) else GOOD
    return Standing("keys", state, f"version {document.version}, {days} days left; `comity keys renew` makes the next")


def _intake() -> Iterator[Standing]:
    counts = intake.counts()
    yield Standing("records", GOOD, f"{counts.records} current, {counts.versions} versions, {counts.arrivals} arrivals")
    if counts.refusals:
        yield Standing("refused records", WAITING, f"{counts.refusals} kept with their reasons")


def _queue(at: datetime) -> Iterator[Standing]:
    states = ", ".join(f"{count} {state.value}" for state, count in risk.state_counts().items() if count)
    yield Standing("queue", GOOD, states or "empty")
    plan = risk.plan(at.date())
    yield Standing("inspections today", GOOD, f"{plan.used} of {plan.capacity}, {plan.random_share:.0%} at random")
    proposals = len(staff.open_proposals())
    if proposals:
        yield Standing("approvals", WAITING, f"{proposals} for a second officer")


def _exchange() -> Iterator[Standing]:
    for partner in exchange.partners():
        status = exchange.outbox_status(partner.administration)
        last = show_instant(partner.last_answer_at) if partner.last_answer_at else "never"
        state = ATTENTION if partner.last_error else WAITING if status.waiting else GOOD
        trouble = f"; {partner.last_error}" if partner.last_error else ""
        yield Standing(
            f"partner {partner.administration}",
            state,
            f"{partner.state}, {status.waiting} waiting, last answer {last}{trouble}",
        )
    inbox = exchange.inbox_status()
    if inbox.failing:
        yield Standing("inbox", ATTENTION, f"{inbox.failing} messages whose journey fails")


def _again() -> Iterator[Standing]:
    count = successors.due_count()
    if count:
        yield Standing("to hand on again", WAITING, f"{count} corrected by partners; see `comity custody successors`")


def _ledger() -> Iterator[Standing]:
    ours, views = settings.COMITY_KEYRING.log.name, ledger.split_views()
    yield Standing("log", GOOD, f"{ledger.log_size()} entries")
    for warning in ledger.own_fork_warnings():
        yield Standing("our log", ATTENTION, warning.text)
    proven = dict.fromkeys(each.origin for each in views if each.is_proven and each.origin != ours)
    for origin in proven:
        yield Standing("log of a partner", ATTENTION, f"{origin} showed two histories; see the proof page")
    for origin in dict.fromkeys(each.origin for each in views if each.origin not in {*proven, ours}):
        detail = f"{origin} did not show that it continues what it showed before; being checked"
        yield Standing("log of a partner", WAITING, detail)
