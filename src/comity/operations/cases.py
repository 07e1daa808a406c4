"""Cases of procedures: who does what on which day, and where the case should then stand, in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from comity.agreements.clocks import CalendarTerms, ClockFormError, Term
from comity.agreements.markup import Listed, Mapped, Node, Scalar, read_yaml
from comity.agreements.procedures import GROUNDS, Procedure
from comity.agreements.reader import Reader, fail, read_day, read_list, read_matching, read_text, read_word
from comity.agreements.vocabulary import PARTY, TERM, meant
from comity.operations.checking import parties_of
from comity.operations.composing import Move, compose
from comity.operations.errors import StepRefusedError
from comity.operations.fields import value_of
from comity.operations.machine import Terms, view
from comity.operations.steps import Party, Step
from comity.operations.views import CaseView, Effect

_CODE = "a code of two capital letters, such as XA"
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2}))?", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SALT = "0" * 32
_AGREEMENT = "0" * 64
_CASE_ID = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the cases of a file have in common: parties, terms, and values of fields that a step may leave out."""

    parties: tuple[Party, ...]
    terms: Terms
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Act:
    """One step of a case. seen: how many of the steps above it its author had seen; None: all."""

    event: str
    by: str
    at: datetime
    fields: Mapping[str, object]
    leave: tuple[str, ...] = ()
    seen: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a case expects; None or empty: anything will do. refused: the code of the last step's refusal."""

    state: str = ""
    flags: tuple[str, ...] | None = None
    turn: tuple[str, ...] | None = None
    due: Mapping[str, str] = field(default_factory=dict)
    may: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    may_not: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overtaken: tuple[int, ...] | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ProcedureCase:
    """One case: a name, steps, the moment at which it is looked at, what is expected, its line."""

    name: str
    acts: tuple[Act, ...]
    at: datetime
    expected: Outlook
    scene: Scene
    line: int


@dataclass(frozen=True, slots=True)
class ProcedureResult:
    """What came of a case. faults: each difference in words; none: it passed."""

    case: ProcedureCase
    faults: tuple[str, ...]


def named_procedure(data: bytes) -> str:
    """The name of the procedure to which this file of cases belongs; empty: it is of another kind.

    Raises: AgreementFormError.
    """
    root = read_yaml(data)
    node = root.items.get("procedure") if isinstance(root, Mapped) else None
    return node.text if isinstance(node, Scalar) else ""


def read_procedure_cases(procedure: Procedure, data: bytes) -> tuple[ProcedureCase, ...]:
    """The cases in this YAML.

    Raises: AgreementFormError naming the line.
    """
    reader = Reader(read_yaml(data), "The file of cases")
    read_word(reader.need("procedure"), "procedure", (procedure.name,))
    scene = _scene(reader, procedure, None)
    items = read_list(reader.need("cases"), "cases")
    reader.finish()
    cases = tuple(_case(Reader(item, "The case"), procedure, scene) for item in items)
    names: set[str] = set()
    for case, item in zip(cases, items, strict=True):
        if case.name in names:
            fail(f"cases names {case.name!r} twice", item, "Name it once.")
        names.add(case.name)
    return cases


def run_procedure_case(procedure: Procedure, case: ProcedureCase) -> ProcedureResult:
    """Take the steps and compare. Each step is checked as a node that receives it would."""
    steps: list[Step] = []
    terms, expected = case.scene.terms, case.expected
    for place, act in enumerate(case.acts, 1):
        try:
            steps.append(_take(procedure, case.scene, steps, act))
        except StepRefusedError as error:
            is_last = place == len(case.acts)
            if is_last and expected.refused == error.code:
                expected = replace(expected, refused="")
                continue
            return ProcedureResult(case, (f"step {place}, {act.event}, is refused: {error.code}: {error}",))
    if expected.refused:
        return ProcedureResult(case, (f"expected the last step to be refused ({expected.refused}), but it is taken",))
    seen = view(procedure, steps, at=case.at, terms=terms)
    faults = list(_faults(seen, steps, expected))
    if view(procedure, reversed(steps), at=case.at, terms=terms) != seen:
        faults.append("the order of arrival changes the case")
    return ProcedureResult(case, tuple(faults))


def _take(procedure: Procedure, scene: Scene, steps: list[Step], act: Act) -> Step:
    known = steps if act.seen is None else steps[: act.seen]
    needed: dict[str, object] = {}
    if any(event.name == act.event for event in procedure.events):
        needed = {name: scene.fields[name] for name in procedure.event(act.event).needs if name in scene.fields}
    said = {name: value for name, value in {**needed, **act.fields}.items() if name not in act.leave}
    move = Move(_CASE_ID, _AGREEMENT, act.event, act.by, scene.parties, said)
    return compose(procedure, known, move, scene.terms, at=act.at, salt=lambda: _SALT)


def _faults(seen: CaseView, steps: list[Step], expected: Outlook) -> Iterator[str]:
    if expected.state and expected.state != seen.state.name:
        yield f"expected {expected.state}, but it is {seen.state.name}"
    overtaken = tuple(place for place, step in enumerate(steps, 1) if _is_overtaken(seen, step))
    for name, wanted, found in (
        ("flags", expected.flags, tuple(sorted(seen.flags))),
        ("turn", expected.turn, tuple(sorted(seen.whose_turn))),
        ("overtaken", expected.overtaken, overtaken),
    ):
        if wanted is not None and tuple(sorted(wanted)) != found:
            yield f"expected {name} {_spoken(wanted)}, but it is {_spoken(found)}"
    for clock, due in expected.due.items():
        if (stands := _due(seen, clock, due)) != due:
            yield f"expected the clock {clock} {due}, but it is {stands}"
    for party, names in expected.may.items():
        yield from (f"expected {party} may {name}, but it may not" for name in names if name not in _may(seen, party))
    for party, names in expected.may_not.items():
        yield from (f"expected {party} may not {name}, but it may" for name in names if name in _may(seen, party))
    for name, value in expected.fields.items():
        if seen.fields.get(name) != value:
            yield f"expected {name} to be {value!r}, but it is {seen.fields.get(name)!r}"


def _is_overtaken(seen: CaseView, step: Step) -> bool:
    return any(each.step == step and each.effect is Effect.OVERTAKEN for each in seen.history)


def _spoken(words: tuple[object, ...]) -> str:
    return ", ".join(str(word) for word in words) or "none"


def _may(seen: CaseView, party: str) -> set[str]:
    return {event.name for table in (seen.may, seen.automatic) for event in table.get(party, ())}


def _due(seen: CaseView, clock: str, form: str) -> str:
    """How a clock stands, in the form in which it was asked: none, stopped, paused, a day, or a day and time."""
    found = seen.clock(clock)
    if found is None:
        return "none"
    if found.stopped_at is not None:
        return "stopped"
    if found.deadline.is_paused:
        return "paused"
    return found.deadline.due_at.strftime("%Y-%m-%dT%H:%M" if "T" in form else "%Y-%m-%d")


def _case(reader: Reader, procedure: Procedure, scene: Scene) -> ProcedureCase:
    name = read_text(reader.need("name"), "name")
    own = _scene(reader, procedure, scene)
    items = read_list(reader.need("steps"), "steps")
    acts = tuple(_act(Reader(item, f"A step of {name!r}"), procedure, place) for place, item in enumerate(items))
    moment = reader.take("at")
    at = _moment(moment, "at") if moment else max(act.at for act in acts)
    expected = _outlook(Reader(reader.need("expect"), f"What {name!r} expects"), procedure)
    reader.finish()
    return ProcedureCase(name, acts, at, expected, own, reader.line)


def _scene(reader: Reader, procedure: Procedure, base: Scene | None) -> Scene:
    """The parties, calendars, clocks and fields of a file, or those of a case where it has its own."""
    parties, calendars = reader.take("parties"), reader.take("calendars")
    clocks, fields = reader.take("clocks"), reader.take("fields")
    if base is None and parties is None:
        parties = reader.need("parties")
    terms = base.terms if base else Terms()
    return Scene(
        parties=_parties(parties, procedure) if parties or base is None else base.parties,
        terms=Terms(
            {**terms.calendars, **(_calendars(calendars) if calendars else {})},
            {**terms.clocks, **(_clocks(clocks, procedure) if clocks else {})},
        ),
        fields={**(base.fields if base else {}), **(_values(fields, procedure) if fields else {})},
    )


def _parties(node: Node | None, procedure: Procedure) -> tuple[Party, ...]:
    roles: dict[str, tuple[str, ...]] = {}
    for key, item in _items(node, "parties"):
        if key not in {role.name for role in procedure.roles}:
            fail(f"parties: there is no role {key!r}", item, meant(key, tuple(each.name for each in procedure.roles)))
        roles[key] = tuple(read_matching(each, key, PARTY, _CODE) for each in read_list(item, key))
    return parties_of(roles)


def _calendars(node: Node) -> dict[str, CalendarTerms]:
    found = {}
    for code, item in _items(node, "calendars"):
        reader = Reader(item, f"The calendar of {code}")
        country, part, weekend = reader.take("country"), reader.take("subdivision"), reader.take("weekend")
        closed, opened = reader.take("closed"), reader.take("open")
        reader.finish()
        try:
            found[code] = CalendarTerms(
                country=read_text(country, "country") if country else "",
                subdivision=read_text(part, "subdivision") if part else "",
                weekend=tuple(_WEEKDAYS.index(read_word(each, "weekend", _WEEKDAYS)) for each in _listed(weekend)),
                closed=tuple(read_day(each, "closed") for each in _listed(closed)),
                open=tuple(read_day(each, "open") for each in _listed(opened)),
            )
        except ClockFormError as error:
            fail(error.what, item, error.remedy)
    return found


def _clocks(node: Node, procedure: Procedure) -> dict[str, Term]:
    found = {}
    names = tuple(clock.name for clock in procedure.clocks)
    for name, item in _items(node, "clocks"):
        if name not in names:
            fail(f"clocks: there is no clock {name!r}", item, meant(name, names))
        try:
            found[name] = Term.parse(read_text(item, name))
        except ClockFormError as error:
            fail(error.what, item, error.remedy)
    return found


def _values(node: Node, procedure: Procedure) -> dict[str, object]:
    """Values by field. What a field cannot hold is kept as it is: a case may want to see it refused."""
    return {name: _value(item, procedure, name) for name, item in _items(node, "fields")}


def _value(node: Node, procedure: Procedure, name: str) -> object:
    if name == GROUNDS:
        return [read_text(each, name) for each in read_list(node, name)]
    known = {each.name: each for each in procedure.fields}
    if isinstance(node, Listed):
        return [read_text(each, name) for each in node.items]
    if isinstance(node, Mapped):
        return {key: read_text(item, name) for key, item in node.items.items()}
    text = read_text(node, name)
    return value_of(known[name], text) if name in known else text


def _act(reader: Reader, procedure: Procedure, place: int) -> Act:
    fields, leave, seen = reader.take("fields"), reader.take("leave"), reader.take("seen")
    act = Act(
        event=read_matching(reader.need("do"), "do", TERM, "the name of an event"),
        by=read_matching(reader.need("by"), "by", PARTY, _CODE),
        at=_moment(reader.need("on"), "on"),
        fields=_values(fields, procedure) if fields else {},
        leave=tuple(read_text(each, "leave") for each in _listed(leave)),
        seen=int(read_matching(seen, "seen", _NUMBER, "a number of steps")) if seen else None,
        line=reader.line,
    )
    reader.finish()
    if act.seen is not None and seen is not None and act.seen > place:
        fail(f"seen is {act.seen}, but only {place} steps stand above", seen, "Count the steps above it.")
    return act


def _outlook(reader: Reader, procedure: Procedure) -> Outlook:
    states = tuple(state.name for state in procedure.states)
    state, refused, fields = reader.take("state"), reader.take("refused"), reader.take("fields")
    due, may, may_not = reader.take("due"), reader.take("may"), reader.take("may_not")
    outlook = Outlook(
        state=read_word(state, "state", states) if state else "",
        flags=_chosen(reader.take("flags"), "flags", tuple(flag.name for flag in procedure.flags)),
        turn=_chosen(reader.take("turn"), "turn", None),
        due=_dues(due, procedure) if due else {},
        may=_allowed(may, procedure) if may else {},
        may_not=_allowed(may_not, procedure) if may_not else {},
        overtaken=_places(reader.take("overtaken")),
        fields=_values(fields, procedure) if fields else {},
        refused=read_matching(refused, "refused", TERM, "the code of a refusal") if refused else "",
    )
    reader.finish()
    return outlook


def _chosen(node: Node | None, name: str, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Words of a list, or `none`."""
    if node is None:
        return None
    if isinstance(node, Scalar) and node.text == "none":
        return ()
    return tuple(
        read_word(each, name, words) if words is not None else read_matching(each, name, PARTY, _CODE)
        for each in read_list(node, name)
    )


def _places(node: Node | None) -> tuple[int, ...] | None:
    if node is None:
        return None
    if isinstance(node, Scalar) and node.text == "none":
        return ()
    return tuple(int(read_matching(each, "overtaken", _NUMBER, "the place of a step")) for each in _listed(node))


def _dues(node: Node, procedure: Procedure) -> dict[str, str]:
    names = tuple(clock.name for clock in procedure.clocks)
    found = {}
    for name, item in _items(node, "due"):
        if name not in names:
            fail(f"due: there is no clock {name!r}", item, meant(name, names))
        text = read_text(item, "due").replace(" ", "T")
        if text not in ("none", "stopped", "paused") and not _INSTANT.fullmatch(text):
            fail(f"due is {text[:60]!r}", item, "Write a day, a day and time, stopped, paused or none.")
        found[name] = text
    return found


def _allowed(node: Node, procedure: Procedure) -> dict[str, tuple[str, ...]]:
    names = tuple(event.name for event in procedure.events)
    return {
        party: tuple(read_word(each, party, names) for each in read_list(item, party))
        for party, item in _items(node, "may")
    }


def _items(node: Node | None, name: str) -> Iterator[tuple[str, Node]]:
    if node is not None and not isinstance(node, Mapped):
        fail(f"{name} must be a mapping", node, "Write `word: value` lines beneath it.")
    yield from node.items.items() if node is not None else ()


def _listed(node: Node | None) -> tuple[Node, ...]:
    return read_list(node, "the list") if node is not None else ()


def _moment(node: Node, name: str) -> datetime:
    """A day, at noon in UTC; or a day and time."""
    text = read_text(node, name)
    found = _INSTANT.fullmatch(text)
    try:
        day = date.fromisoformat(found[1] if found else text)
        clock = time(int(found[2]), int(found[3])) if found and found[2] else time(12)
    except ValueError:
        fail(f"{name} is {text[:60]!r}", node, "Write a day as 2026-12-31, or 2026-12-31 09:30.")
    return datetime.combine(day, clock, UTC)
