"""Collects what `comity doctor` judges: the rules stand in checks.py, the facts come from here."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

from django.conf import settings
from django.db import DatabaseError, connection

from comity.agreements import selectors as agreements
from comity.agreements.selectors import AgreementState
from comity.exchange import selectors as exchange
from comity.exchange.lines import LineView, journeys_backlog, lines, retention_backlog
from comity.journeys.probe import ProbeResult, probe_results
from comity.ledger import selectors as ledger
from comity.ledger.growth import entries_since
from comity.node import checks
from comity.node.backups import last_backup_at
from comity.node.checks import Check, DatabaseFacts, Disk, Line, ProbeFacts
from comity.node.home import Home, HomeError, Listener
from comity.node.recovering import read_recovery
from comity.risk.modelling import views as models
from comity.trust import Keyring, certificate_ends

# A check of every page reads the whole file: beyond this it is left to `comity ledger verify` and to the backup.
_LARGEST_CHECKED_BYTES = 2 * 1024**3
# A page does not keep its reader waiting for it.
_LARGEST_CHECKED_ON_PAGES = 64 * 1024**2
# A probe that was posted a moment ago is not late yet.
_PROBE_PATIENCE = timedelta(seconds=45)
_GROWTH_DAYS = 7
_TIMEX_BYTES, _TIME_ERROR = 512, 5
_PORT_SECONDS = 2.0


def check_up(at: datetime) -> list[Check]:
    """Every check for a page, with those probes that were made; quick, and sends nothing."""
    home = Home(settings.COMITY_HOME)
    asked = [each for each in probe_results() if each.asked_at is not None and not _is_on_its_way(each, at)]
    found = examine(home, at, largest_checked_bytes=_LARGEST_CHECKED_ON_PAGES)
    return found + examine_probes(asked, is_serving=home.is_initialised and is_serving(home))


def examine(home: Home, at: datetime, *, largest_checked_bytes: int = _LARGEST_CHECKED_BYTES) -> list[Check]:
    """Every check but the probes, in the order in which a person would ask.

    largest_checked_bytes: the integrity of a larger database file is not checked.
    """
    database = _database_facts(largest_checked_bytes)
    checked = [
        _ports(home),
        checks.check_permissions(exposed_files(home)),
        *checks.check_database(database),
        *(checks.check_disk(each) for each in _disks(home, database.size_bytes, at)),
    ]
    if database.answer_seconds is None:
        return checked
    all_lines = lines()
    return [
        *checked,
        *_clocks(all_lines),
        *_own_keys(settings.COMITY_KEYRING, at),
        *(checks.check_line(_line(each), at) for each in all_lines),
        *_partner_keys(all_lines, at),
        *_agreements(at),
        _journeys(at),
        _retention(at),
        _models(at),
        *_logs(),
        *_recovery(home),
        checks.check_backup(last_backup_at(home), settings.COMITY_KEYRING.key_document.issued_at, at),
    ]


def examine_probes(results: Sequence[ProbeResult], *, is_serving: bool) -> list[Check]:
    """A check for each probe."""
    by_partner = {each.partner: each for each in lines()}
    return [checks.check_probe(_probe(each, by_partner.get(each.partner)), is_serving=is_serving) for each in results]


def is_serving(home: Home) -> bool:
    """Whether a node listens on the port for partners, so that it delivers and takes in by itself."""
    return is_listening(home.read_settings().partners)


def is_listening(listener: Listener) -> bool:
    """Whether anybody takes a connection there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listener.host, listener.host)  # noqa: S104  # asked, not bound
    try:
        with socket.create_connection((host, listener.port), timeout=_PORT_SECONDS):
            return True
    except OSError:
        return False


def exposed_files(home: Home) -> list[str]:
    """What lies in the home, or is its keys or database, and may be read or changed by others on the machine."""
    names = [home.root / "comity.toml", home.keys, *home.keys.glob("*"), *home.root.glob("comity.sqlite3*")]
    exposed = []
    for path in names:
        # The settings hold no secret, but who changes them moves the node.
        forbidden = 0o022 if path.name == "comity.toml" else 0o077
        if path.exists() and path.stat().st_mode & forbidden:
            exposed.append(str(path.relative_to(home.root)))
    return exposed


def system_clock_synchronised() -> bool | None:
    """What the kernel says of its clock (adjtimex(2)); None where it does not tell."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def disk_of(used_for: str, path: Path, growth_bytes: float = 0.0) -> Disk:
    """The file system that a path lies on, as its user sees it."""
    usage = shutil.disk_usage(path)
    return Disk(used_for, usage.total, usage.free, growth_bytes)


def _is_on_its_way(result: ProbeResult, at: datetime) -> bool:
    is_fresh = result.asked_at is not None and at - result.asked_at < _PROBE_PATIENCE
    return is_fresh and not result.is_answered and result.state != "refused"


def _models(at: datetime) -> Check:
    found = models.standing(at)
    return checks.check_models(found.champion.name if found.champion else "", found.silence.value, found.detail)


def _ports(home: Home) -> Check:
    try:
        wishes = home.read_settings()
    except HomeError as error:
        return Check("settings", checks.ATTENTION, f"{error.what}: {error.where}", error.remedy)
    return checks.check_ports(
        console=is_listening(wishes.console),
        partners=is_listening(wishes.partners),
        console_at=f"{wishes.console.host}:{wishes.console.port}",
        partners_at=f"{wishes.partners.host}:{wishes.partners.port}",
    )


def _database_facts(largest_checked_bytes: int) -> DatabaseFacts:
    engine = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    begun = perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
            seconds = perf_counter() - begun
            return (
                _postgresql(seconds) if connection.vendor == "postgresql" else _sqlite(seconds, largest_checked_bytes)
            )
    except DatabaseError as error:
        return DatabaseFacts(engine, None, error=str(error).strip().splitlines()[0][:200])


def _sqlite(seconds: float, largest_checked_bytes: int) -> DatabaseFacts:
    path = Path(connection.settings_dict["NAME"])
    wal = path.with_name(path.name + "-wal")
    size = path.stat().st_size if path.exists() else 0
    problems = None
    if size <= largest_checked_bytes:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            problems = tuple(row[0] for row in cursor.fetchall() if row[0] != "ok")
    wal_bytes = wal.stat().st_size if wal.exists() else 0
    return DatabaseFacts("SQLite", seconds, size + wal_bytes, problems, wal_bytes)


def _postgresql(seconds: float) -> DatabaseFacts:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database()), pg_is_in_recovery()")
        size, is_standby = cursor.fetchone()
        lag = None
        if not is_standby:
            cursor.execute("SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) FROM pg_stat_replication")
            lag = cursor.fetchone()[0]
    return DatabaseFacts(
        "PostgreSQL", seconds, size, lag_bytes=None if lag is None else int(lag), is_standby=is_standby
    )


def _disks(home: Home, database_bytes: int, at: datetime) -> Iterator[Disk]:
    """Each file system once, with what grows on it."""
    is_here = connection.vendor == "sqlite"
    database = Path(connection.settings_dict["NAME"]).parent if is_here else home.root
    growth = _database_growth(database_bytes, at) if is_here else 0.0
    wanted = (
        ("home", home.root, 0.0),
        ("database", database, growth),
        ("evidence", home.evidence, _evidence(home, at)),
    )
    by_device: dict[int, tuple[list[str], Path, float]] = {}
    for name, path, grows in wanted:
        if path.is_dir():
            names, first, total = by_device.get(path.stat().st_dev, ([], path, 0.0))
            by_device[path.stat().st_dev] = ([*names, name], first, total + grows)
    for names, path, total in by_device.values():
        yield disk_of(" and ".join(names), path, total)


def _database_growth(size_bytes: int, at: datetime) -> float:
    """Bytes a day: every deed adds to the log, so the database grows as the log did in the last days."""
    size = ledger.log_size()
    before = size - entries_since(at - timedelta(days=_GROWTH_DAYS))
    return size_bytes * (size - before) / size / _GROWTH_DAYS if size and before else 0.0


def _evidence(home: Home, at: datetime) -> float:
    since = (at - timedelta(days=_GROWTH_DAYS)).timestamp()
    total = 0
    for folder, _, names in os.walk(home.evidence):
        for name in names:
            status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118  # a folder may hold very many
            total += status.st_size if status.st_mtime >= since else 0
    return total / _GROWTH_DAYS


def _clocks(all_lines: Sequence[LineView]) -> Iterator[Check]:
    moved = checks.check_clock_file(os.environ.get("COMITY_CLOCK_FILE", ""))
    if moved is not None:
        yield moved
    skews = [each.skew_seconds for each in all_lines if each.skew_seconds is not None]
    yield checks.check_system_clock(is_synchronised=system_clock_synchronised(), skews=skews)
    for each in all_lines:
        yield checks.check_skew(each.partner, each.skew_seconds)


def _own_keys(keyring: Keyring, at: datetime) -> Iterator[Check]:
    ends_at = certificate_ends(keyring.tls_certificate_pem)
    by_itself = "The node renews it by itself while it runs: see its log, and `comity keys show`."
    yield checks.check_expiry("our certificate", ends_at, at, by_itself)
    renew = "`comity keys renew`; the running node takes it up and tells the partners."
    yield checks.check_expiry("our key document", keyring.key_document.expires_at, at, renew)


def _partner_keys(all_lines: Sequence[LineView], at: datetime) -> Iterator[Check]:
    seen = {each.partner: each.certificate_until for each in all_lines}
    for view in exchange.partners():
        code = view.administration
        ask = f"Ask {code} to run `comity keys renew` and to send its invitation."
        yield checks.check_expiry(f"key document of {code}", view.keys.expires_at, at, ask)
        until = seen.get(code)
        if until is not None:
            yield checks.check_expiry(f"certificate of {code}", until, at, ask)


def _agreements(at: datetime) -> Iterator[Check]:
    for stored in agreements.agreements(at=at):
        if stored.state in {AgreementState.IN_FORCE, AgreementState.EXPIRED} and stored.adopted_at is not None:
            found = checks.check_agreement(stored.agreement.short_id, stored.agreement.in_force.closes_at, at)
            if found is not None:
                yield found


def _journeys(at: datetime) -> Check:
    backlog = journeys_backlog()
    return checks.check_inbox(
        due=backlog.due,
        failing=backlog.failing,
        oldest_at=backlog.oldest_at,
        last_error=backlog.last_error,
        at=at,
    )


def _retention(at: datetime) -> Check:
    backlog = retention_backlog(at)
    return checks.check_retention(backlog.due, backlog.oldest_at, at)


def _logs() -> list[Check]:
    ours = settings.COMITY_KEYRING.log.name  # of which the warnings speak
    views = [each for each in ledger.split_views() if each.origin != ours]
    proven = dict.fromkeys(each.origin for each in views if each.is_proven)
    return checks.check_log(
        size=ledger.log_size(),
        warnings=[each.text for each in ledger.own_fork_warnings()],
        split_views=list(proven),
        suspicions=[each for each in dict.fromkeys(each.origin for each in views) if each not in proven],
    )


def _recovery(home: Home) -> list[Check]:
    left = read_recovery(home)
    found = checks.check_recovery(left.waiting, left.behind) if left is not None else None
    return [found] if found is not None else []


def _line(view: LineView) -> Line:
    return Line(
        partner=view.partner,
        is_suspended=view.state == "suspended",
        failures=view.failures,
        last_error=view.last_error,
        last_answer_at=view.last_answer_at,
        next_attempt_at=view.next_attempt_at,
        waiting=view.waiting,
        oldest_at=view.oldest_at,
    )


def _probe(result: ProbeResult, line: LineView | None) -> ProbeFacts:
    return ProbeFacts(
        partner=result.partner,
        asked_at=result.asked_at,
        state=result.state,
        receipt_seconds=result.receipt_seconds,
        answer_seconds=result.answer_seconds,
        version=result.version,
        agreements=result.agreements,
        error=line.last_error if line else "",
    )
