"""Three nodes negotiate: proposals, answers, amendments, suspensions, leavings, across cut lines and crossing moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema_rs
import pytest

from comity.agreements import Agreement, SharingRefusedError, parse_agreement
from comity.agreements.errors import MoveRefusedError
from comity.agreements.life import FORM, MoveKind, Stage
from comity.agreements.models import AgreementMoveRow, AgreementRow
from comity.agreements.moves import Wish, keep_move
from comity.agreements.moving import lives, moves_of, our_standing
from comity.agreements.selectors import AgreementState, adopted_agreement, agreement
from comity.agreements.services import permit
from comity.exchange.models import InboxMessage, Refusal
from comity.journeys import negotiate
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import Handling
from comity.trade.encoding import alert_to_body
from tests.exchange.cast import CODES, DEMO, adopt_demo, alert, keyring
from tests.journeys.negotiators import World, in_force, introduced, memory, officer, second_officer, world

__all__ = ["in_force", "introduced", "memory", "world"]

pytestmark = [pytest.mark.django_db, pytest.mark.once]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "agreement-1.json").read_text())
YAML = DEMO.read_bytes()
DRAFT = parse_agreement(YAML)


def version(number: str, **lines: str) -> bytes:
    """The demo's agreement as another version, with some lines added."""
    more = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return YAML.replace(b"version: 1.0", f"version: {number}".encode()) + more.encode()


def propose(world: World, code: str, data: bytes = YAML, **how: str) -> Agreement:
    with world.node(code):
        return negotiate.propose(officer(code), data=data, at=world.at, **how).agreement


def make(world: World, code: str, kind: MoveKind, agreement_id: str, **how: object) -> negotiate.MoveMade:
    wish = replace(Wish(kind, agreement_id), **how)  # type: ignore[arg-type]  # the tests name fields of Wish
    with world.node(code):
        if kind not in negotiate.DEED_OF_MOVE:
            return negotiate.make(officer(code), wish=wish, at=world.at)
        waiting = negotiate.propose_move(officer(code), wish=wish, at=world.at)
        return negotiate.approve_move(second_officer(code), proposal_id=waiting.proposal_id, at=world.at)


def each_node(world: World) -> Iterator[str]:
    for code in CODES:
        with world.node(code):
            yield code


def folds(world: World, agreement_id: str) -> set[str]:
    return {our_standing(agreement_id, at=world.at).fold for _ in each_node(world)}


def may_share(world: World, agreement_id: str, recipient: str = "XA") -> bool:
    """Whether XC may send its alert."""
    with world.node("XC"):
        try:
            permit(
                officer("XC"),
                agreement_id=agreement_id,
                kind="alert/1",
                recipient=recipient,
                purpose="control",
                handling=Handling.OFFICIAL,
                body=alert_to_body(alert()),
                at=world.at,
            )
        except SharingRefusedError:
            return False
        return True


def test_from_a_proposal_to_force_at_three_nodes(world: World, in_force: str) -> None:
    assert len(folds(world, in_force)) == 1
    for code in each_node(world):
        assert agreement(in_force, at=world.at).state is AgreementState.IN_FORCE
        assert agreement(in_force, at=world.at).signed_by == ("XA", "XB", "XC"), "as a file would hold them"
        assert not Refusal.objects.exists(), code
        assert negotiate.ask_due(world.at) == 0, "it has just told"
    world.at += timedelta(hours=2)
    asked = sum(negotiate.ask_due(world.at) for _ in each_node(world))
    assert asked > 0, "what a partner told before the third one signed has grown old"
    assert sum(negotiate.ask_due(world.at) for _ in each_node(world)) == 0
    world.run(3)
    for code in each_node(world):
        assert all(each.is_same for each in negotiate.standings(at=world.at)), code
    assert may_share(world, in_force)
    deeds = set(AuditEntry.objects.values_list("deed", flat=True))
    assert {"agreement_propose", "agreement_sign", "adopt_agreement"} <= deeds


def test_what_travels_is_as_its_schema_says(world: World, in_force: str) -> None:
    with world.node("XB"):
        bodies = [json.loads(bytes(each.data))["body"] for each in InboxMessage.objects.all()]
    assert {body["move"] for body in bodies} == {"propose", "sign", "standing"}
    for body in bodies:
        assert jsonschema_rs.is_valid(SCHEMA, body), body["move"]


@pytest.mark.usefixtures("introduced")
def test_a_counter_proposal_answers_a_proposal(world: World) -> None:
    first = propose(world, "XA")
    world.run(2)
    second = propose(world, "XB", version("2.0"), counters=first.id)
    world.run(2)
    for code in ("XA", "XC"):
        make(world, code, MoveKind.SIGN, second.id)
    world.run()
    for _ in each_node(world):
        assert lives()[first.id].stage(world.at) is Stage.COUNTERED
        assert lives()[first.id].countered_by == (second.id,)
        assert lives()[second.id].stage(world.at) is Stage.IN_FORCE
    assert len(folds(world, first.id)) == len(folds(world, second.id)) == 1


@pytest.mark.usefixtures("introduced")
def test_both_propose_at_once_and_a_signature_crosses_a_counter_proposal(world: World) -> None:
    world.cut_off(*CODES)
    first = propose(world, "XA")
    rival = propose(world, "XC", version("3.0"))
    world.cut.clear()
    world.run(2)
    world.cut_off(*CODES)
    counter = propose(world, "XB", version("2.0"), counters=first.id)
    make(world, "XC", MoveKind.SIGN, first.id)
    make(world, "XA", MoveKind.WITHDRAW, first.id)
    world.run(2)
    assert len(folds(world, first.id)) > 1, "as long as the lines are cut"
    world.cut.clear()
    world.run(8)
    for found in (first, rival, counter):
        assert len(folds(world, found.id)) == 1, found.version
    for _ in each_node(world):
        assert lives()[first.id].stage(world.at) is Stage.WITHDRAWN
        assert lives()[rival.id].stage(world.at) is Stage.PROPOSED


def test_an_amendment_takes_its_place_everywhere(world: World, in_force: str) -> None:
    later = world.bring_into_force(version("2.0"), amends=in_force)
    assert later != in_force
    assert len(folds(world, in_force)) == 1
    for _ in each_node(world):
        assert agreement(in_force, at=world.at).state is AgreementState.SUPERSEDED
        assert our_standing(in_force, at=world.at).version == later
        assert adopted_agreement(in_force) is not None, "duties about what was shared under it go on"
    assert not may_share(world, in_force)
    assert may_share(world, later)


@pytest.mark.usefixtures("introduced")
def test_an_amendment_takes_the_place_of_what_was_adopted_from_a_file(world: World) -> None:
    for _ in each_node(world):
        former = adopt_demo()
    later = world.bring_into_force(version("2.0"), amends=former)
    for _ in each_node(world):
        assert agreement(former, at=world.at).state is AgreementState.SUPERSEDED
        assert our_standing(former, at=world.at).version == later
    assert not may_share(world, former)
    assert may_share(world, later)


def test_a_suspension_and_a_restoration(world: World, in_force: str) -> None:
    make(world, "XA", MoveKind.SUSPEND, in_force, reason="A breach", effective_at=world.at + timedelta(hours=2))
    world.run()
    assert may_share(world, in_force), "not yet"
    world.at += timedelta(hours=3)
    assert not may_share(world, in_force)
    assert may_share(world, in_force, "XB"), "between the others it goes on"
    for _ in each_node(world):
        assert agreement(in_force, at=world.at).state is AgreementState.SUSPENDED
    make(world, "XA", MoveKind.RESTORE, in_force)
    world.run()
    assert may_share(world, in_force)
    assert len(folds(world, in_force)) == 1


def test_a_suspension_crosses_a_leaving(world: World, in_force: str) -> None:
    world.cut_off("XA", "XB")
    world.cut_off("XB", "XC")
    make(world, "XA", MoveKind.SUSPEND, in_force, reason="A breach", articles=("1",))
    make(world, "XB", MoveKind.LEAVE, in_force, reason="A vote")
    world.run(3)
    assert len(folds(world, in_force)) == 2
    world.cut.clear()
    world.run(10)
    assert len(folds(world, in_force)) == 1
    for _ in each_node(world):
        course = lives()[in_force].course
        assert [each.article for each in course.suspensions] == ["1"]
        assert dict(course.left).keys() == {"XB"}
        assert agreement(in_force, at=world.at).state is AgreementState.IN_FORCE, "two are left"
    assert not may_share(world, in_force), "article 1 is suspended by XA"
    assert not may_share(world, in_force, "XB"), "XB has left"


def test_what_differs_is_named_and_healed_through_a_third(world: World, in_force: str) -> None:
    """XA cannot reach XB at all; XC hands on what XB lacks, and XB checks who signed it."""
    world.cut_off("XA", "XB")
    make(world, "XA", MoveKind.SUSPEND, in_force, reason="A breach")
    world.run(3)
    with world.node("XB"):
        assert not lives()[in_force].course.suspensions
        negotiate.ask_standings(officer("XB"), at=world.at, agreement_id=in_force)
    world.run(2)
    with world.node("XB"):
        (before,) = [each for each in negotiate.standings(at=world.at) if each.partner == "XC"]
        assert before.text.startswith("differs: they hold version ")
        assert "4 moves" in before.text
    with world.node("XC"):
        negotiate.ask_standings(officer("XC"), at=world.at, agreement_id=in_force)
    world.run(3)
    with world.node("XB"):
        assert lives()[in_force].course.suspensions[0].by == "XA"
        (after,) = [each for each in negotiate.standings(at=world.at) if each.partner == "XC"]
        assert after.text == "same"
        (silent,) = [each for each in negotiate.standings(at=world.at) if each.partner == "XA"]
        assert not silent.is_same


@pytest.mark.usefixtures("introduced")
def test_refused_and_withdrawn(world: World) -> None:
    found = propose(world, "XA")
    world.run(2)
    make(world, "XB", MoveKind.REFUSE, found.id, reason="Article 4 goes too far")
    world.run()
    for _ in each_node(world):
        assert lives()[found.id].stage(world.at) is Stage.REFUSED
        assert lives()[found.id].refused == (("XB", "Article 4 goes too far"),)
    make(world, "XB", MoveKind.SIGN, found.id)
    make(world, "XC", MoveKind.SIGN, found.id)
    world.run()
    for _ in each_node(world):
        assert lives()[found.id].stage(world.at) is Stage.IN_FORCE, "who has refused may still accept"


@pytest.mark.usefixtures("introduced")
def test_a_newcomer_accedes(world: World) -> None:
    small = b"""\
form: comity-agreement/1
title: {en: Small}
version: 1
parties: [XA, XC]
languages: [en]
in_force: {from: 2026-01-01}
accession: {depositary: XA}
articles:
  - id: 1
    effect: permit
    title: {en: Findings}
    text: {en: Findings may be sent.}
    kinds: [finding/1]
    purposes: [control]
    handling_at_most: restricted
    fields: [ref, administration, found_at, result, risk_type, hs_code, handling]
"""
    former = propose(world, "XA", small)
    world.run(2)
    make(world, "XC", MoveKind.SIGN, former.id)
    world.run(3)
    joined = small.replace(b"[XA, XC]", b"[XA, XB, XC]").replace(b"version: 1", b"version: 2")
    data = joined + f"supersedes: {former.id}\n".encode()
    with world.node("XB"):
        found = negotiate.accede(officer("XB"), data=data, at=world.at).agreement
        with pytest.raises(MoveRefusedError, match="Nobody can accede"):
            negotiate.accede(officer("XB"), data=joined, at=world.at)
    world.run(2)
    make(world, "XA", MoveKind.SIGN, found.id)
    world.run()
    for _ in each_node(world):
        assert agreement(found.id, at=world.at).state is AgreementState.IN_FORCE
    for code in ("XA", "XC"):
        with world.node(code):
            assert agreement(former.id, at=world.at).state is AgreementState.SUPERSEDED


@pytest.mark.parametrize(
    ("kind", "how", "words"),
    [
        (MoveKind.SIGN, {}, "in force already"),
        (MoveKind.WITHDRAW, {}, "in force already"),
        (MoveKind.SUSPEND, {}, "needs a reason"),
        (MoveKind.SUSPEND, {"reason": "R", "articles": ("99",)}, "no article 99"),
        (MoveKind.RESTORE, {}, "has not suspended"),
        (MoveKind.LEAVE, {"reason": "R", "effective_at": "yesterday"}, "has passed"),
    ],
)
def test_what_cannot_be_done_is_said(
    world: World, in_force: str, kind: MoveKind, how: dict[str, object], words: str
) -> None:
    if "effective_at" in how:
        how = {**how, "effective_at": world.at - timedelta(days=1)}
    with pytest.raises(MoveRefusedError, match=words):
        make(world, "XA", kind, in_force, **how)


@pytest.mark.usefixtures("introduced")
def test_before_it_is_proposed_and_before_it_is_in_force(world: World) -> None:
    found = propose(world, "XA")
    for kind, words in (
        (MoveKind.SIGN, "has signed it already"),
        (MoveKind.LEAVE, "not in force here"),
    ):
        with pytest.raises(MoveRefusedError, match=words):
            make(world, "XA", kind, found.id, reason="R")
    world.run(2)
    with pytest.raises(MoveRefusedError, match="XB has not proposed it"):
        make(world, "XB", MoveKind.WITHDRAW, found.id)
    nobody = replace(officer("XB"), roles=frozenset())
    with world.node("XB"), pytest.raises(PermissionRefusedError):
        negotiate.make(nobody, wish=Wish(MoveKind.SIGN, found.id), at=world.at)


@pytest.mark.usefixtures("introduced")
def test_forged_and_malformed_moves_are_refused(world: World) -> None:
    found = propose(world, "XA")
    with world.node("XA"):
        (placed,) = moves_of(found.id)
        body = placed.to_body()
    with world.node("XB"):
        assert negotiate.check_body(body)
        for member, value, words in (
            ("reason", "altered", "not signed by XA"),
            ("by", "XC", "not signed by XC"),
            ("by", "XZ", "is no party"),
            ("number", 0, "number"),
            ("move", "annul", "No move can be read"),
            ("form", "other/1", "no known form"),
            ("agreement_id", "0" * 64, "not the one that is named"),
            ("extra", 1, "canonical form"),
            ("document", "", "comes with its document"),
            ("proof", [], "not signed by XA"),
            ("proof", [{"keyid": "k", "sig": "?"}], "no base64"),
            ("proof", [{"keyid": "k"}], "a keyid and a sig"),
            ("proof", "x", "No move can be read"),
            ("at", "soon", "No move can be read"),
            ("reason", "x" * 1001, "too long"),
            ("standing", {"agreement_id": 1}, "standing cannot be read"),
        ):
            with pytest.raises(MoveRefusedError, match=words):
                negotiate.check_body({**body, member: value})
        for other in ({"form": FORM, "move": "standing"}, {"form": FORM, "move": "standing", "standing": None}):
            with pytest.raises(MoveRefusedError, match="says what is held"):
                negotiate.check_body(other)
        held = our_standing(found.id, at=world.at).form()
        with pytest.raises(MoveRefusedError, match="more than belongs"):
            negotiate.check_body({"form": FORM, "move": "standing", "standing": {**held, "letter": "x"}})


def test_a_move_that_arrives_twice_is_kept_once_and_needs_no_order(world: World, in_force: str) -> None:
    with world.node("XA"):
        placed = moves_of(in_force)
    with world.node("XB"):
        AgreementMoveRow.objects.all().delete()
        AgreementRow.objects.all().delete()
        for each in [*reversed(placed), *placed]:
            key = keyring(each.move.by).signing.verify_key
            keep_move(officer("XB"), placed=each, verify_keys=[key], at=world.at)
        assert AgreementMoveRow.objects.count() == 3
        assert agreement(in_force, at=world.at).state is AgreementState.IN_FORCE
    assert len(folds(world, in_force)) == 1
