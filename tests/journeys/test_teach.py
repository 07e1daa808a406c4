"""Two real nodes: what the one learned, the other may use: profiles, decisions on hits, what came of alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comity.agreements import parse_agreement
from comity.trade import Party
from comity.trade.values import Address
from tests.federation import Federation, World, running
from tests.journeys.mirror_cast import IMPORT, paper
from tests.migrated import databases

AGREEMENT = parse_agreement((Path(__file__).parent / "teach_agreement.yaml").read_bytes())
PAIR = Federation(("XA", "XC"), AGREEMENT, "tests.journeys.teach_deeds.TeachingNode")
RULE = "hs_chapter = '64' and origin = 'XA'"


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.long])]
)
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """XA gives, XC receives."""
    folder = tmp_path_factory.mktemp("teach")
    with databases(request.param) as new_database, running(PAIR, folder, new_database) as made:
        yield made


def _profile(nodes: World, code: str, ref: str) -> Any:
    return next(each for each in nodes.ask(code, "profiles") if each["ref"] == ref)


def _given(nodes: World, ref: str, rule: str = RULE) -> str:
    """A profile of XA that XC has received; the id of its message."""
    nodes.ask("XA", "write_profile", ref=ref, expression=rule)
    (((recipient, message_id),), proposal) = nodes.ask("XA", "give_profile", ref=ref, recipients=["XC"])
    assert (recipient, proposal) == ("XC", "")
    nodes.settle()
    return str(message_id)


def _lodged(nodes: World, number: int) -> Any:
    """An import at XC, and the profiles among its reasons."""
    declaration = replace(IMPORT, lrn=f"XC-K-{number}", mrn=f"26XC9{number:013d}", ucr="")
    nodes.ask("XC", "lodge", data=paper(declaration))
    found = next(each for each in nodes.ask("XC", "reasons") if each["reference"] == declaration.lrn)
    return [reason for reason in found["reasons"] if reason[0] == "profile"]


def test_a_profile_runs_unchanged_after_two_officers_and_ends_with_its_issuer(nodes: World) -> None:
    message_id = _given(nodes, "P-1")
    told = nodes.ask("XA", "posted")[-1]
    assert (told["kind"], told["article"], told["withheld"]) == ("profile/1", "1", ["expected_hit_rate"])
    ours = _profile(nodes, "XA", "P-1")
    received = _profile(nodes, "XC", "XA.P-1")
    assert received["state"] == "received"
    assert received["issuer"] == ["XA", "P-1", "1"]
    assert received["rule"] == [RULE, 45, "orange", 2, None]
    assert received["digest"] == ours["digest"]
    # It does nothing before two officers of XC let it run.
    assert _lodged(nodes, 1) == []
    assert nodes.ask("XC", "approve_profile", ref="XA.P-1")["error"] == "bad_profile"
    nodes.pass_time(seconds=1)
    assert nodes.ask("XC", "try_profile", ref="XA.P-1") >= 1
    assert nodes.ask("XC", "approve_profile", ref="XA.P-1", by="ana")["error"] == "four_eyes"
    assert nodes.ask("XC", "approve_profile", ref="XA.P-1") == ours["digest"]
    ((_, text, weight, administration, facts),) = _lodged(nodes, 2)
    assert (weight, administration) == (45.0, "XA")
    assert "Profile of XA, tried and approved here by officer:boris" in text
    assert facts["Digest"] == ours["digest"]
    assert facts["Issuer's reference"] == "P-1"
    # XA retires it: it is taken back, ends at XC, and what was kept of it is emptied.
    nodes.ask("XA", "retire_profile", ref="P-1")
    nodes.settle()
    assert nodes.ask("XA", "profile_shares", ref="P-1") == [["XC", message_id, True]]
    ended = _profile(nodes, "XC", "XA.P-1")
    assert (ended["state"], ended["because"]) == ("retired", "recalled, by XA")
    assert ended["rule"][0] == ""
    assert RULE not in nodes.ask("XC", "kept")
    assert _lodged(nodes, 3) == []
    assert nodes.statuses("XA", message_id) == {"XC": "purged"}


def test_what_no_article_permits_or_is_not_in_force_is_not_given(nodes: World) -> None:
    nodes.ask("XC", "write_profile", ref="C-1", expression=RULE)
    before = nodes.ask("XC", "refusals")
    refused = nodes.ask("XC", "give_profile", ref="C-1", recipients=["XA"])
    assert refused["error"] == "sharing_refused"
    assert nodes.ask("XC", "refusals") == before + 1
    _given(nodes, "P-2")
    assert "has this profile already" in nodes.ask("XA", "give_profile", ref="P-2", recipients=["XC"])["what"]
    assert "XA's" in nodes.ask("XC", "give_profile", ref="XA.P-2", recipients=["XA"])["what"]
    nodes.ask("XA", "retire_profile", ref="P-2")
    assert "is retired" in nodes.ask("XA", "give_profile", ref="P-2", recipients=["XC"])["what"]


@pytest.mark.long
def test_from_restricted_up_a_second_officer_agrees(nodes: World) -> None:
    nodes.ask("XA", "write_profile", ref="P-3", expression=RULE)
    words = {"ref": "P-3", "recipients": ["XC"], "handling": "restricted"}
    posted, proposal = nodes.ask("XA", "give_profile", **words)
    assert (posted, bool(proposal)) == ([], True)
    ((_, message_id),), _ = nodes.ask("XA", "agree", proposal=proposal)
    assert nodes.ask("XA", "profile_shares", ref="P-3") == [["XC", message_id, False]]
    nodes.settle()
    assert _profile(nodes, "XC", "XA.P-3")["state"] == "received"


def test_a_rule_that_the_partner_cannot_read_is_refused_with_what_and_where(nodes: World) -> None:
    nodes.ask("XA", "write_profile", ref="P-4", expression=RULE)
    nodes.ask("XA", "write_profile", ref="P-6", expression=RULE)
    before = len(nodes.ask("XC", "profiles"))
    strange = {"expression": "hs_chapter = '64' and crew_size > 3"}
    nodes.ask("XA", "give_changed", ref="P-4", recipient="XC", changes=strange)
    nodes.ask("XA", "give_changed", ref="P-6", recipient="XC", changes={"weight": 99})
    nodes.settle()
    unknown, other = nodes.answers("XA", "profile/1")[-2:]
    assert unknown["code"] == "bad_profile"
    assert "crew_size" in unknown["text"]
    assert unknown["field"] == "expression, line 1, column 23"
    assert other["field"] == "digest"
    assert len(nodes.ask("XC", "profiles")) == before
    # What was refused did not arrive: it may be given again.
    assert nodes.ask("XA", "give_profile", ref="P-6", recipients=["XC"])[0][0][0] == "XC"


@pytest.fixture(scope="module")
def hits(nodes: World) -> tuple[str, str]:
    """A party with one name but other numbers at both nodes, like an entry of a list that both have."""
    refs = []
    for code in ("XA", "XC"):
        assert nodes.ask(code, "load_list") is None
        listed = Party(f"{code}-ZQ881", "Kelimdar, Orban Tavrsh", Address(country="XA"))
        found = replace(IMPORT, lrn=f"{code}-H-1", mrn=f"26{code}70000000000001", ucr="", exporter=listed)
        nodes.ask(code, "lodge", data=paper(found))
        (ref,) = nodes.ask(code, "open_hits")
        refs.append(ref)
    nodes.settle()
    return refs[0], refs[1]


def test_not_the_same_is_told_on_request_and_never_applied(nodes: World, hits: tuple[str, str]) -> None:
    ours, theirs = hits
    ((_, question),), _ = nodes.ask("XC", "ask_hit", ref=theirs, partners=["XA"])
    nodes.settle()
    # XA has not decided yet; when it does, the question is answered.
    assert nodes.ask("XC", "advice", ref=theirs) == []
    nodes.ask("XA", "decide", ref=ours, verdict="not_same", ground="documents")
    nodes.settle()
    answer = nodes.ask("XA", "posted")[-1]
    assert (answer["kind"], answer["article"], answer["withheld"]) == ("hit_decision/1", "2", ["reason"])
    assert nodes.ask("XC", "advice", ref=theirs) == [["XA", "not_same", "documents", "", "name", "2"]]
    assert nodes.ask("XC", "open_hits") == [theirs]
    # The party asks either of them what is held: what was decided is told, what waits is not without a decision.
    assert nodes.ask("XA", "screened", name="Orban Tavrsh Kelimdar") == [
        ["hit", "XA", False, [["XC", "2"]]],
        ["hit_question", "XC", True, []],
    ]
    assert nodes.ask("XC", "screened", name="Orban Tavrsh Kelimdar") == [
        ["hit", "XC", True, [["XA", "2"]]],
        ["hit_advice", "XA", True, []],
    ]
    for code in ("XA", "XC"):
        told = json.dumps([each["body"] for each in nodes.ask(code, "posted") if each["kind"].startswith("hit_")])
        assert "kelimdar" not in told.casefold()
        assert "zq881" not in told.casefold(), "no digest can hold these letters"
    # Another decision takes its place: the former is taken back, and who had asked is answered anew.
    nodes.ask("XA", "decide", ref=ours, verdict="same", ground="birth_date")
    nodes.settle()
    assert nodes.ask("XC", "advice", ref=theirs) == [["XA", "same", "birth_date", "", "name", "2"]]
    assert nodes.statuses("XA", answer["id"]) == {"XC": "purged"}
    nodes.ask("XC", "recall", ids=[question])
    nodes.settle()


@pytest.mark.long
def test_a_decision_is_told_unasked_and_only_of_what_was_decided(nodes: World, hits: tuple[str, str]) -> None:
    ours, theirs = hits
    assert nodes.ask("XC", "tell_hit", ref=theirs, partners=["XA"])["error"] == "bad_screening"
    nodes.ask("XC", "decide", ref=theirs, verdict="not_same", ground="country")
    nodes.ask("XC", "tell_hit", ref=theirs, partners=["XA"])
    nodes.settle()
    assert nodes.ask("XA", "advice", ref=ours)[0][:3] == ["XC", "not_same", "country"]


def test_the_issuer_is_told_what_came_of_alert_and_profile(nodes: World) -> None:
    profile_message = _given(nodes, "P-5", "origin = 'XA' and hs_chapter = '64'")
    nodes.pass_time(seconds=1)
    nodes.ask("XC", "try_profile", ref="XA.P-5")
    nodes.ask("XC", "approve_profile", ref="XA.P-5")
    (alert_message,) = nodes.ask("XA", "share", recipients=["XC"], ref="XA-A-5")
    nodes.settle()
    _lodged(nodes, 51)
    _lodged(nodes, 52)
    nodes.ask("XC", "conclude", reference="XC-K-51", source="alert:XA-A-5", is_irregular=True)
    nodes.ask("XC", "conclude", reference="XC-K-52", source="alert:XA-A-5", is_irregular=False)
    nodes.pass_time(seconds=1)
    nodes.ask("XC", "conclude", reference="XC-K-52", source="profile:XA.P-5", is_irregular=True)
    nodes.settle()
    # Told once a week, and at the end at once.
    assert nodes.ask("XA", "reports", told="alert", ref="XA-A-5") == []
    nodes.pass_time(days=8)
    nodes.settle()
    told = nodes.ask("XC", "posted")
    report = next(
        each for each in reversed(told) if each["kind"] == "signal_report/1" and each["body"]["told"] == "alert"
    )
    assert report["withheld"] == ["fired"]
    assert report["body"]["about"] == alert_message
    assert "XC-K" not in json.dumps(report)
    assert nodes.ask("XA", "reports", told="alert", ref="XA-A-5") == [["XC", None, 2, 1, False, [["counterfeit", 1]]]]
    assert nodes.ask("XA", "reports", told="profile", ref="P-5") == [["XC", None, 1, 1, False, [["counterfeit", 1]]]]
    assert nodes.ask("XA", "our_standing", partner="XC") == [2, 1]
    count = len(nodes.ask("XC", "posted"))
    nodes.pass_time(days=8)
    nodes.settle()
    assert len(nodes.ask("XC", "posted")) == count
    assert profile_message


def test_without_an_article_nothing_is_reported(nodes: World) -> None:
    """Article 3 lets XC tell XA, and not XA tell XC."""
    nodes.ask("XC", "share", recipients=["XA"], ref="XC-A-6")
    nodes.settle()
    nodes.ask("XA", "lodge", data=paper(replace(IMPORT, lrn="XA-K-6", mrn="26XA90000000000006", ucr="")))
    nodes.ask("XA", "conclude", reference="XA-K-6", source="alert:XC-A-6", is_irregular=True)
    nodes.pass_time(days=8)
    nodes.settle()
    assert nodes.ask("XC", "reports", told="alert", ref="XC-A-6") == []
    assert "signal_report/1" not in {each["kind"] for each in nodes.ask("XA", "posted")}
