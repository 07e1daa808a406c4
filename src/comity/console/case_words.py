"""Words of cases for officers: clocks, how they stand, what became of a step, why one was refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from comity.agreements.clocks import Standing
from comity.agreements.procedures import GROUNDS, LAW_REFERENCE, REASON, Event, Field, FieldType, Guard, Procedure
from comity.common import ComityError, parse_instant
from comity.console.holders import Badge
from comity.console.templatetags.comity import country, day, moment
from comity.console.words import in_english

CLOCKS: Mapping[str, str | Promise] = {
    "answer": pgettext_lazy("clock", "Answer"),
    "application": _("Application of the change"),
    "authorisation": _("Authorisation"),
    "confirm": _("Confirmation by the right holder"),
    "confirm_perishable": _("Confirmation, perishable goods"),
    "confirmation": _("Confirmation in writing"),
    "contact_points": _("Consultation of the contact points"),
    "correction": _("Correction"),
    "customs_answer": _("Answer of the customs administration"),
    "decision": _("Decision"),
    "experts": _("Consultation of experts"),
    "final_report": _("Final report"),
    "handover": _("Handover"),
    "heads": _("Consultation of the heads of administration"),
    "hearing": _("Hearing"),
    "identify": _("Finding the right holder"),
    "merits_calendar": _("Proceedings, in calendar days"),
    "merits_working": _("Proceedings, in working days"),
    "notice": _("Notice to the parties"),
    "notification": _("Notification"),
    "remedy": _("Remedy"),
    "report": _("Report"),
    "trader_answer": _("Answer of the trader"),
    "validity": _("Validity"),
    "visit_consent": _("Consent to the visit"),
}
STANDINGS: Mapping[Standing, Badge] = {
    Standing.RUNNING: Badge(_("running"), "blue"),
    Standing.WARNED: Badge(_("ends soon"), "amber"),
    Standing.PAUSED: Badge(_("stands still"), "grey"),
    Standing.MET: Badge(_("kept"), "green"),
    Standing.LATE: Badge(_("done too late"), "red"),
    Standing.OVERDUE: Badge(_("overdue"), "red"),
}
# Why a step had no effect: the words of the machine.
OVERTAKEN: Mapping[str, str | Promise] = {
    "state": _("It crossed another step, which came first; the case had moved on, so this one has no effect."),
    "guard": _("A condition of it no longer held when its turn came, so it has no effect."),
    "done": _("The same administration had done this already, so it has no effect."),
    "extended": _("The clock was extended already, or no longer ran, so it has no effect."),
}
# What an officer reads where a step is refused, by code; what is not here is shown as the room says it.
REFUSALS: Mapping[str, str | Promise] = {
    "not_now": _(
        "This cannot be done now: something came in between, or a condition of the step is not met. Look at the case "
        "again."
    ),
    "case_moved": _(
        "Since this was proposed the case says something else. Look at it, then reject the proposal or have it made "
        "anew."
    ),
    "wrong_role": _("In this case that step is for the other side to take."),
    "deadline_differs": _(
        "The two sides count the deadline differently. Compare the agreement and its calendars with the partner."
    ),
    "bad_parties": _("Each role needs its administration: choose who takes part."),
    "unknown_edition": _("The partner runs another edition of this procedure: one of the two nodes must be updated."),
    "field_withheld": _(
        "A field that decides how the case goes on would be withheld by the agreement, so the step cannot be sent."
    ),
    "law_missing": _("One of these grounds needs the law and its article."),
    "ground_missing": _("Choose the ground of the refusal."),
}
_EXTRA: Mapping[str, str | Promise] = {
    GROUNDS: _("Grounds"),
    LAW_REFERENCE: _("Law and article"),
    REASON: _("Reason"),
}


def language() -> str:
    """The officer's language, as texts of agreements and procedures name it."""
    return (get_language() or "en").split("-")[0]


def clock_words(name: str) -> str:
    """What a clock is called; one that is not known here loses its underlines."""
    return str(CLOCKS.get(name) or name.replace("_", " ").capitalize())


def label_of(procedure: Procedure, name: str) -> str:
    """What a field is called, the grounds, the law and the reason among them."""
    if name in _EXTRA:
        return str(_EXTRA[name])
    return next((each.label.in_(language()) for each in procedure.fields if each.name == name), name)


def value_words(procedure: Procedure, name: str, value: object) -> str:
    """A value of a step as people read it: words in their language, days and amounts as written there."""
    if name == GROUNDS and isinstance(value, list | tuple):
        return "; ".join(ground_words(procedure, str(each)) for each in value)
    field = next((each for each in procedure.fields if each.name == name), None)
    if isinstance(value, list | tuple):
        return ("\n" if _is_prose(field) else ", ").join(_one(field, each) for each in value)
    return _one(field, value)


def ground_words(procedure: Procedure, name: str) -> str:
    """A ground with its code: R2 · Our law prevents the release."""
    found = next((each.label.in_(language()) for each in procedure.grounds if each.name == name), "")
    return f"{name} · {found}" if found else name


def condition_words(procedure: Procedure, event: Event) -> str:
    """On which condition of its own a step depends; empty: on none."""
    return _condition(procedure, event.when) if event.when is not None else ""


def refusal_words(error: ComityError) -> str:
    """Why a step was refused, in plain words where they are known; else as the room says it, in English."""
    known = REFUSALS.get(error.code)
    if known:
        return str(known)
    advice = f" {error.remedy}" if error.remedy else ""
    return str(in_english(f"{error.what}.{advice}".replace("..", ".")))


def _condition(procedure: Procedure, guard: Guard) -> str:
    parts = [_condition(procedure, each) for each in guard.parts]
    name = guard.names[0] if guard.names else ""
    match guard.op:
        case "and":
            return f" {_now('and')} ".join(parts)
        case "or":
            return f" {_now('or')} ".join(parts)
        case "not":
            return _now("not so: %(condition)s") % {"condition": parts[0]}
        case "flag":
            return _now("the case is marked “%(flag)s”") % {"flag": procedure.flag(name).title.in_(language())}
        case "has":
            return _now("“%(field)s” is said") % {"field": label_of(procedure, name)}
        case "is":
            value = value_words(procedure, name, guard.names[1])
            return _now("“%(field)s” is “%(value)s”") % {"field": label_of(procedure, name), "value": value}
        case "state":
            named = ", ".join(procedure.state(each).title.in_(language()) for each in guard.names)
            return _now("the case stands at: %(states)s") % {"states": named}
        case _:
            return _now("“%(field)s” is answered with yes") % {"field": label_of(procedure, name)}


def _is_prose(field: Field | None) -> bool:
    return field is not None and field.type is FieldType.TEXTS


def _one(field: Field | None, value: object) -> str:
    if isinstance(value, bool):
        return _now("yes") if value else _now("no")
    if isinstance(value, Mapping):
        return " ".join(str(each) for each in value.values())
    text = str(value)
    if field is None:
        return text
    match field.type:
        case FieldType.WORD | FieldType.WORDS:
            return next((each.in_(language()) for word, each in field.words if word == text), text)
        case FieldType.DATE:
            return _day(text)
        case FieldType.INSTANT:
            return _instant(text)
        case FieldType.COUNTRY:
            return country(text)
        case _:
            return text


def _day(text: str) -> str:
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


def _instant(text: str) -> str:
    try:
        return moment(parse_instant(text))
    except ComityError:
        return text
