"""Procedures between nodes: both sides see the same case, whatever crosses, waits or is withheld."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from comity.common import show_instant
from tests.federation import World, running
from tests.migrated import EACH_DATABASE, databases
from tests.operations.cast import ANSWER, CODES, REQUEST, THREE

DELIVERY = {
    "operation": "North 1",
    "purpose": "To find the receivers.",
    "goods": ["2402"],
    "content_mode": "intact",
    "route": ["XB", "XC"],
}
SHARED = ("state", "flags", "turn", "clocks", "may", "history")


@pytest.fixture(scope="module", params=EACH_DATABASE)
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Running nodes; each test has cases of its own."""
    folder = tmp_path_factory.mktemp("assist")
    with databases(request.param) as new_database, running(THREE, folder, new_database) as made:
        yield made


@pytest.fixture(autouse=True)
def _mended(nodes: World) -> Iterator[None]:
    """Every line is whole before and after a test."""
    yield
    nodes.cut.clear()
    nodes.settle()


def _open(nodes: World, **changes: Any) -> str:
    case = nodes.ask(
        "XA",
        "open_case",
        procedure="tfa12",
        parties={"XA": "asker", "XB": "asked"},
        fields={**REQUEST, **changes},
    )
    assert isinstance(case, str), case
    return case


def _same(nodes: World, case: str, codes: tuple[str, ...] = ("XA", "XB")) -> dict[str, Any]:
    """The case, once every node that has it sees the same."""
    views = [nodes.ask(code, "case", case=case) for code in codes]
    for other in views[1:]:
        assert {name: views[0][name] for name in SHARED} == {name: other[name] for name in SHARED}
    return dict(views[0])


def test_a_request_is_acknowledged_answered_and_closed(nodes: World) -> None:
    case = _open(nodes)
    nodes.settle()
    seen = _same(nodes, case)
    assert seen["state"] == "received"
    assert seen["turn"] == ["XB"]
    assert [line[0] for line in seen["history"]] == ["submit", "receive"]
    assert nodes.ask("XB", "tasks").count(case) == 1
    for event, fields in (("accept", {}), ("reply", ANSWER)):
        assert isinstance(nodes.ask("XB", "step", case=case, event=event, fields=fields), str)
    nodes.settle()
    assert nodes.ask("XA", "case", case=case)["fields"]["answer_text"] == "As declared."
    nodes.ask("XA", "step", case=case, event="report_outcome", fields={"outcome": "The value was corrected."})
    nodes.settle()
    assert _same(nodes, case)["state"] == "closed"
    assert case not in nodes.ask("XB", "tasks")


def test_what_an_article_withholds_is_seen_to_be_withheld(nodes: World) -> None:
    case = _open(nodes)
    nodes.settle()
    ours, theirs = nodes.ask("XA", "case", case=case), nodes.ask("XB", "case", case=case)
    assert ours["fields"]["persons"] == ["Jan Novak, Praha"]
    assert "persons" not in theirs["fields"]
    assert theirs["withheld"] == {"persons": "1"}
    assert ours["sendings"] == [["XB", "1", ["persons"]]]
    _same(nodes, case)


def test_both_nodes_compute_the_deadline_with_the_days_of_the_agreement(nodes: World) -> None:
    case = _open(nodes)
    nodes.settle()
    due_at, _, standing = _same(nodes, case)["clocks"]["answer"]
    assert standing == "running"
    assert due_at > "2026-04-10"


def test_steps_that_cross_are_seen_alike(nodes: World) -> None:
    case = _open(nodes)
    nodes.settle()
    nodes.cut = {("XA", "XB")}
    nodes.ask("XB", "step", case=case, event="accept")
    nodes.ask("XB", "step", case=case, event="reply", fields=ANSWER)
    nodes.ask("XA", "step", case=case, event="withdraw")
    nodes.settle()
    assert nodes.ask("XA", "case", case=case)["state"] == "withdrawn"
    assert nodes.ask("XB", "case", case=case)["state"] == "replied"
    nodes.cut = set()
    nodes.settle()
    seen = _same(nodes, case)
    assert seen["state"] == "withdrawn"
    assert [line[:3] for line in seen["history"]][-2:] == [
        ["accept", "overtaken", "state"],
        ["reply", "overtaken", "state"],
    ]


def test_without_an_answer_both_see_it_overdue(nodes: World) -> None:
    case = _open(nodes)
    nodes.settle()
    nodes.pass_time(days=80)
    assert nodes.ask("XA", "overdue") >= 1
    assert nodes.ask("XB", "overdue") >= 1
    assert _same(nodes, case)["flags"] == ["overdue"]
    assert case in nodes.ask("XA", "late")
    assert nodes.ask("XA", "overdue") == 0


def test_what_cannot_be_done_now_is_refused_and_keeps_nothing(nodes: World) -> None:
    case = _open(nodes)
    nodes.settle()
    before = nodes.ask("XB", "case", case=case)
    assert nodes.ask("XB", "step", case=case, event="reply", fields=ANSWER)["error"] == "not_now"
    assert nodes.ask("XB", "step", case=case, event="withdraw")["error"] == "wrong_role"
    assert nodes.ask("XB", "step", case=case, event="refuse", fields={"grounds": ["R1"]})["error"] == "law_missing"
    assert nodes.ask("XB", "step", case="00000000-none", event="accept")["error"] == "case_unknown"
    assert nodes.ask("XB", "case", case=case) == before


def test_an_agreement_that_does_not_cover_the_procedure_keeps_the_case_at_home(nodes: World) -> None:
    before = nodes.ask("XA", "every_case")
    refused = nodes.ask(
        "XA",
        "open_case",
        procedure="dispute",
        parties={"XA": "asker", "XB": "asked"},
        fields={"agreement_id": "a1", "articles": ["1"], "question": "What is a day?"},
    )
    assert refused["error"] == "sharing_refused"
    assert nodes.ask("XA", "every_case") == before


def _deliver(nodes: World) -> str:
    case = nodes.ask(
        "XA",
        "open_case",
        procedure="controlled_delivery",
        parties={"XA": "lead", "XB": "members", "XC": "members"},
        fields=DELIVERY,
    )
    assert isinstance(case, str), case
    return case


def test_a_delivery_waits_for_the_consent_of_every_state_on_the_route(nodes: World) -> None:
    case = _deliver(nodes)
    nodes.settle()
    nodes.cut = {("XB", "XC")}
    nodes.ask("XB", "step", case=case, event="consent")
    nodes.settle()
    assert nodes.ask("XA", "case", case=case)["turn"] == ["XC"]
    nodes.ask("XC", "step", case=case, event="consent")
    nodes.settle()
    # Each member has seen its own consent; only the lead, who hears both, sees the delivery armed.
    assert [nodes.ask(code, "case", case=case)["state"] for code in CODES] == ["armed", "proposed", "proposed"]
    nodes.ask("XA", "step", case=case, event="depart", fields={"place": "Antwerp"})
    nodes.settle()
    assert nodes.ask("XB", "case", case=case)["missing"] != []
    nodes.cut = set()
    nodes.settle()
    assert _same(nodes, case, CODES)["state"] == "in_transit"
    assert nodes.ask("XB", "case", case=case)["missing"] == []


def test_a_refusal_that_crosses_the_last_consent_counts(nodes: World) -> None:
    case = _deliver(nodes)
    nodes.settle()
    nodes.cut = {("XA", "XC"), ("XB", "XC"), ("XA", "XB")}
    nodes.ask("XB", "step", case=case, event="consent")
    nodes.ask("XC", "step", case=case, event="refuse", fields={"grounds": ["E1"], "law_reference": "Art. 1"})
    nodes.cut = set()
    nodes.settle()
    seen = _same(nodes, case, CODES)
    assert seen["state"] == "refused"
    assert ["consent", "overtaken", "state"] in [line[:3] for line in seen["history"]]


def test_what_is_taken_back_goes_from_the_case_and_leaves_it_standing(nodes: World) -> None:
    case = _open(nodes, matter_at_issue="Matter 7f3a: brushes", purpose="Purpose 7f3a", export_declaration_no="7F3A-77")
    nodes.settle()
    nodes.ask("XB", "step", case=case, event="accept")
    nodes.settle()
    before = nodes.ask("XB", "case", case=case)
    assert "Matter 7f3a: brushes" in nodes.ask("XB", "rows")
    assert isinstance(nodes.ask("XA", "recall", ids=nodes.ask("XA", "told", case=case)[:1]), list)
    nodes.settle()
    after, rows = nodes.ask("XB", "case", case=case), nodes.ask("XB", "rows")
    assert {name: after[name] for name in SHARED} == {name: before[name] for name in SHARED}
    assert after["fields"] == {}
    assert after["purged"]["purpose"] == ["recalled", "1"]
    assert after["withheld"] == {"persons": "1"}, "what never came is still withheld"
    for text in ("Matter 7f3a: brushes", "Purpose 7f3a", "7F3A-77"):
        assert text not in rows
    ours = nodes.ask("XA", "case", case=case)
    assert ours["fields"]["purpose"] == "Purpose 7f3a", "our own information stays"
    assert ours["recalls"] == ["recall: issued_in_error"]
    assert nodes.statuses("XA", nodes.ask("XA", "told", case=case)[0])["XB"] == "purged"
    assert isinstance(nodes.ask("XB", "step", case=case, event="reply", fields=ANSWER), str)
    nodes.settle()
    _same(nodes, case)


def test_a_step_that_was_taken_back_before_it_came_is_in_the_case_all_the_same(nodes: World) -> None:
    nodes.cut = {("XA", "XB")}
    case = _open(nodes, purpose="Purpose 9c1d")
    assert isinstance(nodes.ask("XA", "recall", ids=nodes.ask("XA", "told", case=case)), list)
    nodes.ask("XA", "step", case=case, event="withdraw")
    nodes.cut = set()
    nodes.settle()
    seen = _same(nodes, case)
    assert (seen["state"], nodes.ask("XB", "case", case=case)["missing"]) == ("withdrawn", [])
    assert nodes.ask("XB", "case", case=case)["fields"] == {}
    assert "Purpose 9c1d" not in nodes.ask("XB", "rows")


def test_what_may_be_kept_no_longer_goes_and_what_is_tightened_is_handled_so(nodes: World) -> None:
    case = _open(nodes, purpose="Purpose 5b2e")
    nodes.settle()
    ids, until = nodes.ask("XA", "told", case=case), show_instant(nodes.at + timedelta(hours=1))
    tightened = nodes.ask("XA", "recall", ids=ids, mode="tighten", handling="restricted", keep_until=until)
    assert isinstance(tightened, list), tightened
    nodes.settle()
    held = nodes.ask("XB", "case", case=case)
    assert (held["handling"], held["fields"]["purpose"]) == ("restricted", "Purpose 5b2e")
    assert nodes.ask("XB", "step", case=case, event="accept")["error"] == "second_officer_needed"
    nodes.pass_time(hours=2)
    assert nodes.ask("XB", "purge_due") >= 1
    nodes.settle()
    assert nodes.ask("XB", "case", case=case)["purged"]["purpose"] == ["retention_ended", "1"]
    assert "Purpose 5b2e" not in nodes.ask("XB", "rows")
    assert nodes.statuses("XA", ids[0])["XB"] == "purged"
