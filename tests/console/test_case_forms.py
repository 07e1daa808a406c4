"""Forms that come of procedures, words of cases, days left: pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from comity.agreements.clocks import ClockSpec, Pause, Term, Unit, calendar_of, deadline
from comity.agreements.procedures import Event, Field, FieldType, Procedure, procedure, procedure_names
from comity.agreements.values import Wording
from comity.common import ComityError
from comity.console.case_forms import EventForm, form_field
from comity.console.case_words import CLOCKS, condition_words, refusal_words, value_words
from comity.console.deadlines import left_of, left_until
from comity.operations import StepRefusedError

PARTIES = [("XA", "Customs of Alfa (XA)"), ("XB", "Customs of Bravo (XB)")]
EVENTS = [(procedure(name), event) for name in procedure_names() for event in procedure(name).events]


def field(kind: FieldType, *words: str) -> Field:
    choices = tuple((word, Wording((("en", word.capitalize()),))) for word in words)
    return Field("thing", kind, Wording((("en", "Thing"), ("fr", "Chose"))), words=choices)


def cleaned(kind: FieldType, *typed: str, words: tuple[str, ...] = ()) -> object:
    made = form_field(field(kind, *words), PARTIES, is_needed=True)
    many = kind in (FieldType.WORDS, FieldType.PARTIES)
    return made.clean(list(typed) if many else typed[0])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_event_has_a_form_that_asks_for_what_it_needs(language: str):
    with translation.override(language):
        for kind, event in EVENTS:
            form = EventForm({}, procedure=kind, event=event, parties=PARTIES)
            wanting = {name.removeprefix("say_") for name in form.errors}
            assert wanting >= set(event.needs), (kind.name, event.name)
            assert not wanting & set(event.may)
            for said in form.said_fields:
                assert str(said)
                assert "say_" not in str(said.label)
            assert isinstance(condition_words(kind, event), str)


@pytest.mark.parametrize(
    ("kind", "typed", "wire"),
    [
        (FieldType.TEXT, "  a line ", "a line"),
        (FieldType.LONG_TEXT, "one\r\ntwo", "one\ntwo"),
        (FieldType.NUMBER, "12.5", "12.5"),
        (FieldType.MONEY, "12.50 eur", {"amount": "12.50", "currency": "EUR"}),
        (FieldType.COUNTRY, "fr", "FR"),
        (FieldType.DATE, "2026-12-31", "2026-12-31"),
        (FieldType.INSTANT, "2026-12-31T09:30", "2026-12-31T09:30:00Z"),
        (FieldType.HS, "640411", "640411"),
        (FieldType.HS_CODES, "6404, 640411", ["6404", "640411"]),
        (FieldType.TEXTS, "one\r\ntwo, three", ["one", "two, three"]),
        (FieldType.REFS, "a-1, b-2", ["a-1", "b-2"]),
        (FieldType.FILE, "ab" * 32, "ab" * 32),
        (FieldType.FLAG, "false", False),
        (FieldType.PARTY, "XB", "XB"),
    ],
)
def test_what_a_person_writes_becomes_what_travels(kind: FieldType, typed: str, wire: object):
    assert cleaned(kind, typed) == wire


def test_choices_travel_as_their_words():
    assert cleaned(FieldType.WORD, "red", words=("red", "blue")) == "red"
    assert cleaned(FieldType.WORDS, "red", "blue", words=("red", "blue")) == ["red", "blue"]
    assert cleaned(FieldType.PARTIES, "XA", "XB") == ["XA", "XB"]


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (FieldType.NUMBER, "many"),
        (FieldType.MONEY, "12"),
        (FieldType.COUNTRY, "France"),
        (FieldType.DATE, "tomorrow"),
        (FieldType.INSTANT, "noon"),
        (FieldType.HS, "shoes"),
        (FieldType.FILE, "ab"),
        (FieldType.WORD, "green"),
        (FieldType.TEXT, "two\nlines"),
    ],
)
def test_what_is_in_another_form_is_said_in_words(kind: FieldType, typed: str):
    with pytest.raises(Exception, match=r"Thing|valid choice"):
        cleaned(kind, typed, words=("red",) if kind is FieldType.WORD else ())


def test_a_refusal_is_said_plainly_and_beside_its_field():
    kind = procedure("tfa12")
    form = EventForm({"say_clarification_question": "?"}, procedure=kind, event=kind.event("ask_clarification"))
    form.add_refusal(StepRefusedError("bad_field", "It is odd", where="fields.clarification_question"))
    assert "It is odd." in str(form.errors["say_clarification_question"])
    form.add_refusal(StepRefusedError("not_now", "XB cannot", where="case"))
    assert "something came in between" in str(form.non_field_errors())
    assert refusal_words(ComityError("Odd", remedy="Wait.")) == "Odd. Wait."


def test_every_clock_has_a_name_for_people():
    names = {clock.name for name in procedure_names() for clock in procedure(name).clocks}
    assert names <= set(CLOCKS)


def test_values_are_read_in_the_officers_language():
    kind = procedure("tfa12")
    with translation.override("fr"):
        assert value_words(kind, "items_given", ["commercial_invoice"]) == "Facture commerciale"
        assert value_words(kind, "true_copy_confirmed", value=True) == "oui"
        assert value_words(kind, "postponed_until", "2026-12-31") == "31 déc. 2026"
        assert value_words(kind, "grounds", ["R3"]).startswith("R3 · Cela entraverait")
    assert value_words(kind, "grounds", ["X9"]) == "X9"


AT = datetime(2026, 12, 17, 10, tzinfo=UTC)


def limit_of(text: str, **more: object):
    spec = ClockSpec("answer", Term.parse(text))
    calendars = {"asked": calendar_of("FR", None, years=(2026, 2027))} if spec.term.unit is Unit.WORKING_DAYS else {}
    return deadline(spec, started_at=AT, calendars=calendars, **more)


def test_days_left_are_those_that_the_clock_counts():
    limit = limit_of("10 working_days")
    assert limit.last_day == date(2027, 1, 4)
    assert left_of(limit, AT).text == "10 working days left"
    assert left_of(limit, datetime(2026, 12, 31, 9, tzinfo=UTC)).text == "1 working day left"
    assert left_of(limit, datetime(2027, 1, 4, 9, tzinfo=UTC)).text == "ends today"
    assert left_of(limit, datetime(2027, 1, 6, 9, tzinfo=UTC)).text == "2 days late"
    assert left_of(limit, datetime(2027, 1, 6, 9, tzinfo=UTC)).colour == "red"
    assert left_of(limit_of("30 calendar_days"), AT).text == "30 days left"


def test_hours_and_a_clock_that_stands_still():
    limit = limit_of("5 hours")
    assert left_of(limit, AT + timedelta(hours=2)).text == "3 hours left"
    assert left_of(limit, AT + timedelta(hours=6)).text == "1 hour late"
    paused = left_of(limit_of("30 calendar_days", pauses=[Pause(AT + timedelta(days=1))]), AT + timedelta(days=9))
    assert paused.text == "the clock stands still"
    assert paused.colour == "grey"
    assert left_until(AT, AT + timedelta(hours=1)).text == "1 day late"
    assert left_until(AT + timedelta(days=30), AT).colour == "blue"


def test_a_condition_is_told_in_words():
    kind: Procedure = procedure("tfa12")
    event: Event = kind.event("suspend")
    assert condition_words(kind, event) == (
        "the case is marked “Breach of confidence” and not so: the case is marked “Further answers suspended”"
    )
    assert condition_words(kind, kind.event("accept")) == ""
