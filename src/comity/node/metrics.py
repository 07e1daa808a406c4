"""`/metrics` for Prometheus: figures of the whole node, read from the tables, so that every process tells the same.

No name, no identifier of a message or a person, no body: administrations by their codes, kinds, states and numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from time import monotonic

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from comity import __version__
from comity.common import ComityError, utc_now
from comity.exchange import selectors as exchange
from comity.exchange.lines import LineView, journeys_backlog, lines, retention_backlog
from comity.exchange.tallies import Latencies, Tally, tally
from comity.ledger import selectors as ledger
from comity.ledger.growth import newest_cosignature_at
from comity.node.backups import last_backup_at
from comity.node.checkup import disk_of
from comity.node.home import Home
from comity.node.meters import REGISTRY
from comity.staff.services import actor_of_token
from comity.trust import certificate_ends

_LABELS = ("partner", "priority")
_PRIORITIES: Mapping[int, str] = {0: "urgent", 1: "ordinary", 2: "bulk"}
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0, 86400.0)
_DAY = 86400.0
# Counting whole tables may take at most a fiftieth of the time, however large they have become.
_REST = 50.0
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures in Prometheus' text format, for a program on this machine or one with a token."""
    if not _is_local(request):
        try:
            actor_of_token(_token(request), utc_now())
        except ComityError as error:
            answer = HttpResponse(f"{error}\n", status=401, content_type="text/plain; charset=utf-8")
            answer["WWW-Authenticate"] = "Bearer"
            return answer
    return HttpResponse(generate_latest(_node) + generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


@dataclass(slots=True, eq=False)
class NodeCollector(Collector):
    """Reads the figures when it is asked. Envelopes are counted from the first asking on."""

    _latencies: Latencies = field(default_factory=Latencies)
    _counts: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS) + 1))
    _sum: float = 0.0
    _tally: Tally | None = None
    _next_tally: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def describe(self) -> Iterator[Metric]:
        """Nothing before it is asked: the tables may not be there yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        at = utc_now()
        all_lines = lines()
        with self._lock:
            yield from self._messages()
            yield self._envelopes()
        yield from _outbox(all_lines, at)
        yield from _lines(all_lines)
        yield from _journeys(at)
        yield from _log(all_lines, at)
        yield from _machine(at)
        yield from _certificates(all_lines, at)
        info = GaugeMetricFamily("comity_node", "The node and its version.", labels=["administration", "version"])
        info.add_metric([settings.COMITY_ADMINISTRATION, __version__], 1)
        yield info

    def _messages(self) -> Iterator[Metric]:
        if self._tally is None or monotonic() >= self._next_tally:
            begun = monotonic()
            self._tally = tally()
            self._next_tally = monotonic() + (monotonic() - begun) * _REST
        messages = GaugeMetricFamily("comity_messages", "Messages.", labels=["direction", "state", "kind"])
        for words, count in sorted(self._tally.messages.items()):
            messages.add_metric(words, count)
        refusals = CounterMetricFamily("comity_refusals", "Refusals by us and by partners.", labels=["by", "code"])
        for words_of, count in sorted(self._tally.refusals.items()):
            refusals.add_metric(words_of, count)
        yield messages
        yield refusals
        yield CounterMetricFamily(
            "comity_receipts_given", "Envelopes that were answered here.", value=self._tally.received_envelopes
        )

    def _envelopes(self) -> Metric:
        for seconds in self._latencies.since_last():
            place = next((number for number, bound in enumerate(_BUCKETS) if seconds <= bound), len(_BUCKETS))
            self._counts[place] += 1
            self._sum += seconds
        total, buckets = 0, []
        for bound, count in zip([*map(str, _BUCKETS), "+Inf"], self._counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return HistogramMetricFamily(
            "comity_envelope_seconds", "From forming an envelope to its receipt.", buckets=buckets, sum_value=self._sum
        )


def _outbox(all_lines: tuple[LineView, ...], at: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("comity_outbox_waiting", "Messages without an answer.", labels=_LABELS)
    oldest = GaugeMetricFamily("comity_outbox_oldest_seconds", "Age of the oldest of them.", labels=_LABELS)
    for line in all_lines:
        for number, name in _PRIORITIES.items():
            count, since = line.waiting_by_priority.get(number, (0, at))
            waiting.add_metric([line.partner, name], count)
            oldest.add_metric([line.partner, name], max((at - since).total_seconds(), 0.0))
    yield waiting
    yield oldest


def _lines(all_lines: tuple[LineView, ...]) -> Iterator[Metric]:
    failures = GaugeMetricFamily("comity_partner_failures", "Failed attempts in a row.", labels=["partner"])
    skew = GaugeMetricFamily("comity_partner_clock_skew_seconds", "Its clock is ahead of ours.", labels=["partner"])
    answered = GaugeMetricFamily("comity_partner_last_answer_seconds", "POSIX time of it.", labels=["partner"])
    suspended = GaugeMetricFamily("comity_partner_suspended", "1 where suspended.", labels=["partner"])
    for line in all_lines:
        failures.add_metric([line.partner], line.failures)
        suspended.add_metric([line.partner], line.state == "suspended")
        if line.skew_seconds is not None:
            skew.add_metric([line.partner], line.skew_seconds)
        if line.last_answer_at is not None:
            answered.add_metric([line.partner], line.last_answer_at.timestamp())
    yield from (failures, suspended, skew, answered)


def _journeys(at: datetime) -> Iterator[Metric]:
    backlog, overdue = journeys_backlog(), retention_backlog(at)
    age = (at - backlog.oldest_at).total_seconds() if backlog.oldest_at else 0.0
    yield GaugeMetricFamily("comity_journeys_due", "Accepted messages not acted on yet.", value=backlog.due)
    yield GaugeMetricFamily("comity_journeys_failing", "Those whose journey fails.", value=backlog.failing)
    yield GaugeMetricFamily("comity_journeys_oldest_seconds", "Age of the oldest of them.", value=max(age, 0.0))
    yield GaugeMetricFamily("comity_retention_overdue", "Messages to be purged.", value=overdue.due)


def _log(all_lines: tuple[LineView, ...], at: datetime) -> Iterator[Metric]:
    yield GaugeMetricFamily("comity_log_entries", "Entries of our log.", value=ledger.log_size())
    newest = newest_cosignature_at()
    if newest is not None:
        age = (at - newest).total_seconds()
        yield GaugeMetricFamily("comity_log_cosignature_age_seconds", "Since a partner cosigned.", value=age)
    cosigned = GaugeMetricFamily("comity_log_cosigned_entries", "Of our log, by a partner.", labels=["partner"])
    for line in all_lines:
        cosigned.add_metric([line.partner], line.cosigned_size)
    yield cosigned
    views = ledger.split_views()
    proven = {each.vkey for each in views if each.is_proven}
    suspected = {each.vkey for each in views} - proven
    yield GaugeMetricFamily("comity_log_split_views", "Logs proved to have shown two histories.", value=len(proven))
    yield GaugeMetricFamily("comity_log_suspicions", "Logs that did not show that they go on.", value=len(suspected))


def _machine(at: datetime) -> Iterator[Metric]:
    home = Home(settings.COMITY_HOME)
    free = GaugeMetricFamily("comity_disk_free_bytes", "Free where the node writes.", labels=["used_for"])
    size = GaugeMetricFamily("comity_disk_size_bytes", "Of that file system.", labels=["used_for"])
    for name, path in (("home", home.root), ("evidence", home.evidence)):
        if path.is_dir():
            disk = disk_of(name, path)
            free.add_metric([name], disk.free_bytes)
            size.add_metric([name], disk.total_bytes)
    yield from (free, size)
    made_at = last_backup_at(home)
    if made_at is not None:
        age = (at - made_at).total_seconds()
        yield GaugeMetricFamily("comity_backup_age_seconds", "Since the last backup.", value=age)


def _certificates(all_lines: tuple[LineView, ...], at: datetime) -> Iterator[Metric]:
    days = GaugeMetricFamily("comity_certificate_days", "Until a TLS certificate expires.", labels=["administration"])
    keys = GaugeMetricFamily("comity_key_document_days", "Until a key document expires.", labels=["administration"])
    ours = settings.COMITY_ADMINISTRATION
    days.add_metric([ours], _days(certificate_ends(settings.COMITY_KEYRING.tls_certificate_pem), at))
    keys.add_metric([ours], _days(settings.COMITY_KEYRING.key_document.expires_at, at))
    for line in all_lines:
        if line.certificate_until is not None:
            days.add_metric([line.partner], _days(line.certificate_until, at))
    for view in exchange.partners():
        keys.add_metric([view.administration], _days(view.keys.expires_at, at))
    yield from (days, keys)


def _days(moment: datetime, at: datetime) -> float:
    return (moment - at).total_seconds() / _DAY


def _is_local(request: HttpRequest) -> bool:
    """From this machine itself: not through a proxy on it, which says so and passes another Host."""
    if any(name in request.META for name in _FORWARDED):
        return False
    host = request.get_host().rpartition(":")[0] or request.get_host()
    return _is_loopback(str(request.META.get("REMOTE_ADDR", ""))) and (host == "localhost" or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def _token(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


_node = CollectorRegistry()
_node.register(NodeCollector())
ProcessCollector(registry=_node)
