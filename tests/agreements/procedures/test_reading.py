"""The reader of procedures: what is wrong is named with its line and what was meant."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from comity.agreements import AgreementFormError
from comity.agreements.procedures import (
    Facts,
    UnknownProcedureError,
    could_hold,
    described,
    holds,
    mermaid,
    procedure,
    procedure_names,
    read_guard,
    read_procedure,
    svg,
)
from comity.agreements.procedures.guards import GuardTroubleError

WORDS = "{en: a, fr: b}"
SMALL = f"""\
form: comity-procedure/1
procedure: small
edition: "1"
title: {WORDS}
text: {WORDS}
source: ours
tag: M
roles:
  asker: {{title: {WORDS}}}
  asked: {{title: {WORDS}}}
fields:
  question: {{type: text, label: {WORDS}}}
  kind: {{type: word, label: {WORDS}, words: {{easy: {WORDS}, hard: {WORDS}}}}}
grounds:
  R1: {{label: {WORDS}}}
clocks:
  answer: {{term: 3 calendar_days, start: request, tag: M}}
flags:
  late: {{title: {WORDS}}}
states:
  draft: {{title: {WORDS}, kind: open}}
  asked: {{title: {WORDS}, kind: waiting, whose_turn: asked}}
  done: {{title: {WORDS}, kind: closed}}
events:
  ask: {{title: {WORDS}, from: draft, to: asked, by: asker, needs: [question, kind], starts: answer}}
  answer: {{title: {WORDS}, from: asked, to: done, by: asked, when: kind is easy, stops: answer}}
  refuse: {{title: {WORDS}, from: asked, to: done, by: asked, grounds: one, stops: answer}}
  late: {{title: {WORDS}, from: open, to: same, by: clock answer, raises: late}}
"""


def test_a_small_procedure_is_read() -> None:
    found = read_procedure(SMALL.encode())
    assert (found.name, found.initial.name, [event.name for event in found.openings]) == ("small", "draft", ["ask"])
    assert found.event("late").sources == ("asked",)
    assert found.digest != read_procedure(SMALL.replace("ours", "theirs").encode()).digest
    for lookup in (found.event, found.state, found.field, found.role, found.ground, found.clock, found.flag):
        with pytest.raises(KeyError):
            lookup("nothing")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("form: comity-procedure/1", "form: comity-procedure/2", "Did you mean 'comity-procedure/1'"),
        ("type: text", "type: txt", "Did you mean 'text'"),
        ("from: asked, to: done, by: asked, when", "from: askd, to: done, by: asked, when", "Did you mean 'asked'"),
        ("by: asked, grounds", "by: nobody, grounds", "there is no 'nobody'"),
        ("clock answer", "clock anser", "there is no clock 'anser'"),
        ("kind is easy", "kind is", "is no condition"),
        ("kind is easy", "kind is simple", "kind is never 'simple'"),
        ("kind is easy", "kind", "kind is no flag"),
        ("kind is easy", "has nothing", "there is no field 'nothing'"),
        ("kind is easy", "flag early", "there is no flag 'early'"),
        ("kind is easy", "state in (done)", "can never hold"),
        ("starts: answer", "starts: []", "starts has 0 entries"),
        (", starts: answer", "", "No event starts the clock answer"),
        (", stops: answer", "", "No event stops the clock answer"),
        (", raises: late", "", "late changes nothing"),
        ("start: request", "start: receipt", "starts by receipt, but a person starts it"),
        ("3 calendar_days", "3 moons", "Write a number and a unit"),
        ("request, tag: M", "request, tag: M, verified: true", "verified but its tag is M"),
        (", whose_turn: asked", "", "nobody's turn in asked"),
        ("whose_turn: asked", "whose_turn: asker", "In asked asker can do nothing"),
        ("kind: closed", "kind: waiting, whose_turn: asked", "No state is closed"),
        (f"  done: {{title: {WORDS}, kind: closed}}", f"  done: {{title: {WORDS}, kind: shut}}", "there is no 'shut'"),
        (", grounds: one", "", "No event names a ground"),
        ("needs: [question, kind]", "needs: [kind]", "No event uses the field question"),
        ("needs: [question, kind]", "needs: [question, kind, kind]", "names 'kind' twice"),
        ("needs: [question, kind]", "needs: [question, kind], may: kind", "needs and may say kind"),
        ("grounds: one", "grounds: one, needs_all: true", "asks all of a role of one"),
        ("grounds: one", "grounds: one, automatic: true", "cannot do refuse by itself"),
        ("raises: late", "raises: late, needs: kind", "Nobody does late"),
        ("stops: answer}\n  refuse", "stops: answer, pauses: answer}\n  refuse", "paused or resumed alone"),
        ("stops: answer}\n  refuse", "stops: answer, extends: answer}\n  refuse", "extended by nothing"),
        ("tag: M}", "tag: M, extendable: 2 calendar_days}", "No event extends answer"),
        ("by: asker, needs", "by: [asker, asked], needs", "opens a case for several roles"),
        ("from: draft, to: asked", "from: [draft, asked], to: asked", "opens a case and goes on"),
        ("from: draft, to: asked", "from: draft, to: same", "does not open the case"),
        ('edition: "1"', "edition: one", "edition is 'one'"),
        ("  R1:", "  reason:", "is no name"),
        ("question: {type", "reason: {type", "field of every step with grounds"),
        ("title: {en: a, fr: b}\ntext", "title: {en: a}\ntext", "has no 'fr'"),
        ("tag: M\nroles", "tag: M\nmore: 1\nroles", "has no field 'more'"),
        ("  draft: {", "  same: {", "No state can be called same"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(AgreementFormError) as found:
        read_procedure(SMALL.replace(old, new).encode())
    assert words in str(found.value)
    assert re.search(r"line \d+", found.value.where)


def test_what_is_not_reached_or_never_ends_is_an_error() -> None:
    lost = SMALL.replace("  done:", f"  lost: {{title: {WORDS}, kind: closed}}\n  done:")
    with pytest.raises(AgreementFormError, match="No event leads to lost"):
        read_procedure(lost.encode())
    stuck = SMALL.replace("  done:", f"  stuck: {{title: {WORDS}, kind: open, whose_turn: asked}}\n  done:")
    stuck += f"  stick: {{title: {WORDS}, from: asked, to: stuck, by: asked}}\n"
    with pytest.raises(AgreementFormError, match="stuck is a dead end"):
        read_procedure(stuck.encode())


@pytest.mark.parametrize("text", ["", "and", "not", "(a", "a)", "a is", "state (a)", "state in ()", "a or", "A", "a b"])
def test_what_is_no_guard(text: str) -> None:
    with pytest.raises(GuardTroubleError):
        read_guard(text)


def test_guards_are_bounded() -> None:
    with pytest.raises(GuardTroubleError, match="deeper"):
        read_guard("(" * 40 + "a" + ")" * 40)
    with pytest.raises(GuardTroubleError, match="at most"):
        read_guard(" and ".join(["a"] * 200))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("sure", True),
        ("not sure", False),
        ("has secret and has name", True),
        ("name is x or flag late", True),
        ("name is y or flag late and not state in (open, closed)", False),
        ("not (name is y) and state in (open)", True),
        ("other", False),
    ],
)
def test_guards_hold_or_do_not(text: str, answer: bool) -> None:
    facts = Facts("open", frozenset({"late"}), {"sure": True, "name": "x"}, frozenset({"secret"}))
    assert holds(read_guard(text), facts) is answer
    assert could_hold(read_guard(text), facts, frozenset()) is answer


def test_a_guard_over_what_a_step_will_say_may_come_to_hold() -> None:
    facts = Facts("open", frozenset(), {})
    assert could_hold(read_guard("sure and not name is x"), facts, frozenset({"sure", "name"}))
    assert not could_hold(read_guard("sure and flag late"), facts, frozenset({"sure"}))


@pytest.mark.parametrize("name", procedure_names())
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_procedure_has_its_pictures(name: str, language: str) -> None:
    kind = procedure(name)
    picture = ElementTree.fromstring(svg(kind, language))
    space = "{http://www.w3.org/2000/svg}"
    assert picture.find(f"{space}title") is not None
    told = picture.findtext(f"{space}desc") or ""
    assert all(sentence in told for sentence in described(kind, language))
    text = mermaid(kind, language)
    assert all(f"    {state.name}: " in text for state in kind.states)


def test_an_unknown_procedure_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownProcedureError, match="tfa12"):
        procedure("tfa2")
