"""The doctor's rules, as tables: facts in, finding out. The time is an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from comity.node import checks
from comity.node.checks import ATTENTION, GOOD, WAITING, Check, DatabaseFacts, Disk, Line, ProbeFacts

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GIB = 1024**3
LINE = Line(
    "XB",
    is_suspended=False,
    failures=0,
    last_error="",
    last_answer_at=AT,
    next_attempt_at=None,
    waiting=0,
    oldest_at=None,
)
PROBE = ProbeFacts("XB", AT, "delivered", 0.2, 0.9, "1.0", 1, "")


@pytest.mark.parametrize(
    ("skew", "state", "word"),
    [
        (None, WAITING, "not compared"),
        (0.2, GOOD, "agrees"),
        (-29.0, GOOD, "29 s"),
        (31.0, WAITING, "31 s ahead"),
        (-299.0, WAITING, "5 min behind"),
        (300.0, ATTENTION, "5 min ahead"),
        (-7200.0, ATTENTION, "2 h behind"),
    ],
)
def test_a_clock(skew: float | None, state: str, word: str) -> None:
    check = checks.check_skew("XB", skew)
    assert (check.state, word in check.detail) == (state, True)
    assert bool(check.remedy) == (skew is not None and state != GOOD)


@pytest.mark.parametrize(
    ("known", "skews", "state", "word"),
    [
        (True, [], GOOD, "synchronised"),
        (None, [1.0], GOOD, "does not tell"),
        (False, [], WAITING, "not synchronised"),
        (True, [400.0, 410.0], ATTENTION, "behind every partner's"),
        (True, [-400.0, -410.0], ATTENTION, "ahead of every partner's"),
        (True, [400.0, -410.0], GOOD, ""),
        (True, [400.0, 1.0], GOOD, ""),
        (True, [400.0], GOOD, ""),
    ],
)
def test_our_clock(known: bool | None, skews: list[float], state: str, word: str) -> None:
    check = checks.check_system_clock(is_synchronised=known, skews=skews)
    assert check.state == state
    assert word in check.detail


@pytest.mark.parametrize(
    ("free", "total", "growth", "state"),
    [
        (500 * GIB, 1000 * GIB, 0.0, GOOD),
        (500 * GIB, 1000 * GIB, GIB, GOOD),
        (20 * GIB, 1000 * GIB, 1 * GIB, WAITING),
        (20 * GIB, 1000 * GIB, 4 * GIB, ATTENTION),
        (4 * GIB, 1000 * GIB, 0.0, WAITING),
        (4 * GIB, 8 * GIB, 0.0, GOOD),
        (GIB // 2, 8 * GIB, 0.0, ATTENTION),
        (0, 0, 0.0, ATTENTION),
    ],
)
def test_a_disk(free: int, total: int, growth: float, state: str) -> None:
    check = checks.check_disk(Disk("home", total, free, growth))
    assert check.state == state
    assert bool(check.remedy) == (state != GOOD)
    assert ("days" in check.detail or "years" in check.detail) == (growth > 0)


def test_a_disk_that_lasts_years_says_so() -> None:
    assert "years" in checks.check_disk(Disk("home", 1000 * GIB, 900 * GIB, 1000.0)).detail


HEALTHY = DatabaseFacts("SQLite", 0.001, GIB, ())


@pytest.mark.parametrize(
    ("facts", "states"),
    [
        (HEALTHY, {"database": GOOD, "integrity": GOOD}),
        (DatabaseFacts("PostgreSQL", None, error="refused"), {"database": ATTENTION}),
        (replace(HEALTHY, answer_seconds=0.6), {"database": WAITING, "integrity": GOOD}),
        (replace(HEALTHY, problems=("row 7",)), {"database": GOOD, "integrity": ATTENTION}),
        (replace(HEALTHY, problems=None), {"database": GOOD}),
        (replace(HEALTHY, wal_bytes=GIB // 3), {"database": GOOD, "integrity": GOOD, "write-ahead log": WAITING}),
        (replace(HEALTHY, wal_bytes=2 * GIB), {"database": GOOD, "integrity": GOOD, "write-ahead log": ATTENTION}),
        (DatabaseFacts("PostgreSQL", 0.001, lag_bytes=5), {"database": GOOD, "replication": GOOD}),
        (DatabaseFacts("PostgreSQL", 0.001, lag_bytes=GIB), {"database": GOOD, "replication": ATTENTION}),
        (DatabaseFacts("PostgreSQL", 0.001, is_standby=True), {"database": GOOD, "replication": ATTENTION}),
    ],
)
def test_a_database(facts: DatabaseFacts, states: dict[str, str]) -> None:
    assert {each.title: each.state for each in checks.check_database(facts)} == states


@pytest.mark.parametrize(
    ("line", "state", "words"),
    [
        (LINE, GOOD, "none waiting"),
        (replace(LINE, is_suspended=True), WAITING, "suspended"),
        (replace(LINE, last_answer_at=None), GOOD, "never answered"),
        (replace(LINE, waiting=3, oldest_at=AT - timedelta(minutes=2)), GOOD, "3 waiting, the oldest for 2 min"),
        (replace(LINE, waiting=3, oldest_at=AT - timedelta(minutes=7)), WAITING, "7 min"),
        (replace(LINE, waiting=3, oldest_at=AT - timedelta(hours=3)), ATTENTION, "3 h"),
        (replace(LINE, failures=4, last_error="No answer in time"), ATTENTION, "not reached in 4 attempts"),
        (replace(LINE, failures=1, next_attempt_at=AT), ATTENTION, "next attempt 2026-03-02T09:30:00Z"),
    ],
)
def test_a_line(line: Line, state: str, words: str) -> None:
    check = checks.check_line(line, AT)
    assert check.state == state
    assert words in check.detail


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("certificate verify failed: unable to get local issuer certificate", "invitation"),
        ("[Errno 111] Connection refused", "start its node"),
        ("[Errno -2] Name or service not known", "DNS"),
        ("The partner's node answered 503", "comity doctor"),
        ("No answer in time (40 s)", "firewall"),
    ],
)
def test_what_to_do_about_a_dead_partner_follows_from_the_error(error: str, advice: str) -> None:
    said = f"The partner's node cannot be reached: {error} It is tried again. Check network and both certificates."
    assert advice in checks.check_line(replace(LINE, failures=1, last_error=said), AT).remedy


@pytest.mark.parametrize(
    ("probe", "is_serving", "state", "words"),
    [
        (PROBE, True, GOOD, "receipt after 0.2 s, answer after 0.9 s"),
        (replace(PROBE, asked_at=None), True, WAITING, "never"),
        (replace(PROBE, agreements=0), True, WAITING, "0 agreements"),
        (replace(PROBE, answer_seconds=90.0), True, WAITING, "90.0"),
        (replace(PROBE, answer_seconds=None), True, ATTENTION, "no answer of the journey"),
        (replace(PROBE, answer_seconds=None), False, WAITING, "no answer of the journey"),
        (replace(PROBE, answer_seconds=None, receipt_seconds=None, error="dead"), True, ATTENTION, "no receipt: dead"),
        (replace(PROBE, answer_seconds=None, state="refused", error="no"), True, ATTENTION, "refused: no"),
    ],
)
def test_a_probe(probe: ProbeFacts, is_serving: bool, state: str, words: str) -> None:  # a column
    check = checks.check_probe(probe, is_serving=is_serving)
    assert check.state == state
    assert words in check.detail


@pytest.mark.parametrize(
    ("days", "state"), [(400, GOOD), (60, GOOD), (59, WAITING), (30, WAITING), (29, ATTENTION), (-1, ATTENTION)]
)
def test_a_certificate_before_it_expires(days: int, state: str) -> None:
    ends = AT + timedelta(days=400)
    check = checks.check_expiry("our certificate", ends, ends - timedelta(days=days), "Renew it.")
    assert check.state == state
    assert check.remedy == ("" if state == GOOD else "Renew it.")


@pytest.mark.parametrize(("days", "state"), [(61, None), (59, WAITING), (13, ATTENTION), (-5, ATTENTION), (-31, None)])
def test_an_agreement_before_it_ends(days: int, state: str | None) -> None:
    check = checks.check_agreement("1ad8", AT + timedelta(days=days), AT)
    assert (check.state if check else None) == state


def test_journeys() -> None:
    def said(**facts: object) -> str:
        known: dict[str, object] = {"due": 0, "failing": 0, "oldest_at": None, "last_error": "", "at": AT}
        return checks.check_inbox(**(known | facts)).state  # type: ignore[arg-type]  # a table of facts

    assert said() == GOOD
    assert said(due=2, oldest_at=AT - timedelta(seconds=9)) == GOOD
    assert said(due=2, oldest_at=AT - timedelta(minutes=5)) == WAITING
    assert said(due=2, oldest_at=AT - timedelta(hours=5)) == ATTENTION
    assert said(due=2, failing=1, oldest_at=AT, last_error="KeyError") == ATTENTION


def test_retention_permissions_ports_backup_and_log() -> None:
    def states(*found: Check) -> list[str]:
        return [each.state for each in found]

    hour, day = AT - timedelta(hours=1), AT - timedelta(days=2)
    assert states(
        checks.check_retention(0, None, AT), checks.check_retention(1, hour, AT), checks.check_retention(1, day, AT)
    ) == [GOOD, WAITING, ATTENTION]
    assert states(checks.check_permissions([]), checks.check_permissions([f"keys/{each}" for each in "abcdef"])) == [
        GOOD,
        ATTENTION,
    ]
    where = {"console_at": "a:1", "partners_at": "b:2"}
    assert checks.check_ports(console=True, partners=True, **where).state == GOOD
    assert "b:2" in checks.check_ports(console=True, partners=False, **where).detail
    assert "a:1 and b:2" in checks.check_ports(console=False, partners=False, **where).detail
    week = timedelta(days=8)
    assert states(
        checks.check_backup(AT, AT, AT),
        checks.check_backup(None, AT, AT),
        checks.check_backup(None, AT - week, AT),
        checks.check_backup(AT - week, AT, AT),
    ) == [GOOD, WAITING, ATTENTION, ATTENTION]
    assert states(*checks.check_log(size=5, warnings=(), split_views=())) == [GOOD]
    assert states(*checks.check_log(size=5, warnings=("XB saw 9",), split_views=("x/log",))) == [ATTENTION, ATTENTION]
    (_, suspected) = checks.check_log(size=5, warnings=(), split_views=(), suspicions=("x/log",))
    assert (suspected.state, "showed two" in suspected.detail) == (WAITING, False)
    assert checks.check_recovery((), ()) is None
    assert checks.check_recovery(("XB",), ()).state == WAITING  # type: ignore[union-attr]  # there is one
    assert checks.check_recovery(("XB",), ("XC",)).state == ATTENTION  # type: ignore[union-attr]  # there is one
    assert checks.check_clock_file("") is None
    assert checks.check_clock_file("/tmp/clock").needs_attention  # type: ignore[union-attr]  # not used


def test_figures_are_shown_in_one_unit() -> None:
    assert [checks.duration(each) for each in (40, 119, 120, 7200, 172800)] == [
        "40 s",
        "119 s",
        "2 min",
        "2 h",
        "2 days",
    ]
    assert [checks.show_bytes(each) for each in (0, 1536, 3 * GIB, 5000 * GIB)] == [
        "0 B",
        "1.5 KiB",
        "3.0 GiB",
        "4.9 TiB",
    ]


def test_a_champion_that_cannot_speak() -> None:
    said = [
        checks.check_models(champion, silence, "detail").state
        for champion, silence in (("", "no_champion"), ("ab12", ""), ("ab12", "no_state"), ("ab12", "bad_model"))
    ]
    assert said == [GOOD, GOOD, WAITING, ATTENTION]
    assert "comity[learning]" in checks.check_models("ab12", "no_library", "").remedy
