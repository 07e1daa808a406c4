"""Whatever the doctor says is said in both languages; what is not known stays English and says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import translation

from comity.console.conditions import conditions_of, summarise
from comity.console.findings import cause_of, say_finding, say_remedy, say_span
from comity.console.refusals import ADVICE, advice_for
from comity.node import checks
from comity.node.checks import Check, DatabaseFacts, Disk, Line, ProbeFacts

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GIB = 1024**3
DOCS = Path(__file__).resolve().parents[2] / "docs" / "guide"


def line(**changes: object) -> Line:
    facts: dict[str, object] = {
        "partner": "XB",
        "is_suspended": False,
        "failures": 0,
        "last_error": "",
        "last_answer_at": AT - timedelta(minutes=5),
        "next_attempt_at": None,
        "waiting": 0,
        "oldest_at": None,
    }
    return Line(**{**facts, **changes})  # type: ignore[arg-type]  # the keys are those of a Line


def probe(**changes: object) -> ProbeFacts:
    facts: dict[str, object] = {
        "partner": "XB",
        "asked_at": AT,
        "state": "delivered",
        "receipt_seconds": 0.4,
        "answer_seconds": 1.2,
        "version": "0.1.0",
        "agreements": 2,
        "error": "",
    }
    return ProbeFacts(**{**facts, **changes})  # type: ignore[arg-type]  # the keys are those of ProbeFacts


def machine() -> Iterator[Check | None]:
    yield from (checks.check_skew("XB", each) for each in (None, 0.2, 12.0, 45.0, -45.0, 7300.0))
    yield checks.check_system_clock(is_synchronised=None, skews=[])
    yield checks.check_system_clock(is_synchronised=True, skews=[])
    yield checks.check_system_clock(is_synchronised=False, skews=[])
    yield checks.check_system_clock(is_synchronised=True, skews=[400.0, 500.0])
    yield checks.check_system_clock(is_synchronised=True, skews=[-400.0, -500.0])
    yield checks.check_clock_file("/var/lib/clock")
    for growth in (0.0, 1.0, GIB / 30, 2.0 * GIB):
        yield checks.check_disk(Disk("home and database and evidence", 100 * GIB, 10 * GIB, growth))
    yield checks.check_disk(Disk("home", 100 * GIB, GIB // 2))
    for facts in (
        DatabaseFacts("SQLite", None, error="locked"),
        DatabaseFacts("SQLite", 0.01, 5000, (), 2 * GIB),
        DatabaseFacts("SQLite", 0.9, 500, ("row 3 is missing",)),
        DatabaseFacts("PostgreSQL", 0.01, 5 * GIB, lag_bytes=7),
        DatabaseFacts("PostgreSQL", 0.01, 5 * GIB, lag_bytes=GIB),
        DatabaseFacts("PostgreSQL", 0.01, 5 * GIB, is_standby=True),
    ):
        yield from checks.check_database(facts)
    yield checks.check_permissions([])
    yield checks.check_permissions(["keys/a", "keys/b", "keys/c", "keys/d", "keys/e"])
    for console, partners in ((True, True), (True, False), (False, False)):
        yield checks.check_ports(console=console, partners=partners, console_at="a:1", partners_at="b:2")
    for made in (None, AT, AT - timedelta(days=30)):
        yield checks.check_backup(made, AT - timedelta(days=90), AT)
    yield checks.check_recovery(["XA", "XB"], [])
    yield checks.check_recovery([], ["XB"])


def exchange() -> Iterator[Check | None]:
    for error in (
        "certificate verify failed",
        "[Errno 111] Connection refused It is tried again by itself. If it lasts, check the endpoint.",
        "Name or service not known",
        "the node answered 503",
        "timed out",
    ):
        yield checks.check_line(line(failures=3, last_error=error, next_attempt_at=AT), AT)
    yield checks.check_line(line(failures=1, last_error="x", last_answer_at=None), AT)
    yield checks.check_line(line(is_suspended=True), AT)
    for hours in (0, 1, 5):
        yield checks.check_line(line(waiting=1 + hours, oldest_at=AT - timedelta(hours=hours)), AT)
    yield checks.check_line(line(), AT)
    for facts in (
        probe(),
        probe(receipt_seconds=None),
        probe(answer_seconds=99.0),
        probe(agreements=0),
        probe(asked_at=None),
        probe(answer_seconds=None, state="refused", error="no"),
        probe(answer_seconds=None, receipt_seconds=None),
        probe(answer_seconds=None, receipt_seconds=None, error="Connection refused"),
        probe(answer_seconds=None),
    ):
        yield checks.check_probe(facts, is_serving=True)
    yield checks.check_probe(probe(answer_seconds=None), is_serving=False)


def work() -> Iterator[Check | None]:
    ask = "Ask XB to run `comity keys renew` and to send its invitation."
    for days in (-3, 10, 45, 400):
        yield checks.check_expiry("key document of XB", AT + timedelta(days=days), AT, ask)
        yield checks.check_agreement("Mutual assistance", AT + timedelta(days=days), AT)
    for due, failing, minutes in ((0, 0, 0), (3, 0, 1), (3, 0, 90), (3, 2, 1)):
        oldest = AT - timedelta(minutes=minutes)
        yield checks.check_inbox(due=due, failing=failing, oldest_at=oldest, last_error="odd", at=AT)
    yield checks.check_retention(0, None, AT)
    yield checks.check_retention(4, AT - timedelta(days=3), AT)
    yield from checks.check_log(size=7, warnings=(), split_views=["comity.xb/log"], suspicions=["comity.xa/log"])
    yield from checks.check_log(
        size=7,
        warnings=(
            (
                "XB holds a checkpoint of 9 entries that this node signed; its log has 7. The database is older than "
                "that. Nothing is appended, so that no second history begins."
            ),
            "XB says that it has seen 9 entries of our log, which has 7.",
            "Nothing is appended to our log until the partners were asked: a backup was restored.",
            "XB showed us two notes of our own log that contradict each other. Partners cosign it no longer.",
            "This node found two notes of our own log that contradict each other. Partners cosign it no longer.",
        ),
        split_views=(),
    )


EVERY = [each for each in (*machine(), *exchange(), *work()) if each is not None]


@pytest.mark.parametrize("check", EVERY, ids=lambda each: f"{each.title}: {each.detail}"[:60])
def test_every_sentence_of_the_doctor_is_french_too(check: Check):
    with translation.override("fr"):
        (condition,) = conditions_of([check])
        assert condition.label != check.title
        assert condition.meaning
        assert not condition.finding.is_foreign, check.detail
        assert not condition.remedy.is_foreign or not check.remedy, check.remedy
        assert condition.finding.text != check.detail
    with translation.override("en"):
        (condition,) = conditions_of([check])
        assert "%(" not in condition.finding.text + condition.remedy.text
        assert not re.search(r"\d{4}-\d\d-\d\dT", condition.finding.text), "a time as machines write it"


def test_what_is_urgent_comes_first_and_every_check_has_its_place():
    summary = summarise(conditions_of(EVERY))
    assert {group.name for group in summary.groups} == {"partners", "work", "keys", "machine"}
    for group in summary.groups:
        states = [each.state for each in group.conditions]
        assert states == sorted(states, key=("attention", "waiting", "ok").index)
        assert (*group.troubles, *group.working) == group.conditions
    shown = sum(len(group.conditions) for group in summary.groups)
    probes = sum(each.title.startswith("probe ") for each in EVERY)  # they have a table of their own
    assert shown + probes == len(EVERY) == len(summary.urgent) + len(summary.coming) + summary.working


def test_an_unknown_sentence_is_english_and_says_so():
    with translation.override("fr"):
        assert say_finding("Something new.").is_foreign
        assert say_remedy("Do something new.").is_foreign
    assert not say_finding("Something new.").is_foreign
    (odd,) = conditions_of([Check("a later check", checks.ATTENTION, "Something new.")])
    assert (odd.label, odd.subject, odd.is_urgent) == ("a later check", "", True)
    (found,) = [group for group in summarise([odd]).groups if odd in group.conditions]
    assert found.name == "machine"


def test_the_advice_of_a_line_is_not_part_of_its_cause():
    assert cause_of("Refused It is tried again by itself. If it lasts, look.") == "Refused"
    assert say_span(-3.0 + 10800) == "3 h"
    with translation.override("fr"):
        assert [say_span(each) for each in (40, 600, 7200, 172800)] == ["40 s", "10 min", "2 h", "2 jours"]


def test_every_code_of_the_guide_has_advice():
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "refusals.md").read_text(), re.MULTILINE)
    assert len(rows) >= 40
    assert set(rows) - set(ADVICE) == set()
    assert set(ADVICE) - set(rows) == set()
    assert advice_for("of_a_later_version") == ""
