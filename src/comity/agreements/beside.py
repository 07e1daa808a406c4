"""Reading what an agreement says beside its articles: what it amends, who may join, reservations, procedures,
obligations, calendars. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from comity.agreements.clocks.errors import ClockFormError
from comity.agreements.clocks.values import CalendarTerms, Term
from comity.agreements.framing import CODE, Frame, read_wording, take_backing, take_word, take_words
from comity.agreements.markup import Node
from comity.agreements.procedures.shipped import procedure, procedure_names
from comity.agreements.reader import (
    Reader,
    fail,
    read_day,
    read_list,
    read_matching,
    read_text,
    read_word,
    read_words,
    unique,
)
from comity.agreements.values import Article, Obligation, ProcedureTerms, Reservation, Wording
from comity.agreements.vocabulary import (
    AGREEMENT_ID,
    ARTICLE_ID,
    OBLIGATION_EVENTS,
    PARTY,
    PROCEDURE,
    SUBDIVISION,
    WEEKDAYS,
    Every,
    ObligationKind,
    meant,
)

_T = TypeVar("_T")
_TERM_FORM = "Write a term such as 90 calendar_days."


@dataclass(frozen=True, slots=True)
class Beside:
    """What an agreement says beside its articles."""

    supersedes: str
    depositary: str
    reservations: tuple[Reservation, ...]
    procedures: tuple[ProcedureTerms, ...]
    obligations: tuple[Obligation, ...]
    calendars: tuple[tuple[str, CalendarTerms], ...]


def read_beside(reader: Reader, frame: Frame, articles: tuple[Article, ...]) -> Beside:
    """Everything that stands beside the articles; each key may be left out.

    Raises: AgreementFormError.
    """
    former = reader.take("supersedes")
    return Beside(
        supersedes=read_matching(former, "supersedes", AGREEMENT_ID, "the id of the version") if former else "",
        depositary=_depositary(reader.take("accession"), frame),
        reservations=_reservations(reader.take("reservations"), frame, articles),
        procedures=_procedures(reader.take("procedures"), articles),
        obligations=_obligations(reader.take("obligations"), frame),
        calendars=tuple(_calendars(reader.take("calendars"), frame)),
    )


def _depositary(node: Node | None, frame: Frame) -> str:
    if node is None:
        return ""
    reader = Reader(node, "accession")
    depositary = read_word(reader.need("depositary"), "depositary", frame.parties)
    reader.finish()
    return depositary


def _reservations(node: Node | None, frame: Frame, articles: tuple[Article, ...]) -> tuple[Reservation, ...]:
    permits = frozenset(article.id for article in articles if article.is_permit)
    known = frozenset(article.id for article in articles)

    def read(reader: Reader) -> Reservation:
        named = reader.need("articles")
        words = read_words(named, "articles", known)
        if barred := sorted(set(words) - permits):
            fail(
                f"The reservation names article {barred[0]}, which prohibits",
                named,
                "A reservation narrows what is permitted: name permits alone.",
            )
        party = read_word(reader.need("party"), "party", frame.parties)
        return Reservation(party, words, read_wording(reader.need("text"), f"reservation of {party}", frame))

    found = _each(node, "reservations", read)
    unique([(f"{each.party} on article {one}", item) for each, item in found for one in each.articles], "reservations")
    return tuple(sorted((each for each, _ in found), key=lambda each: (each.party, each.articles)))


def _procedures(node: Node | None, articles: tuple[Article, ...]) -> tuple[ProcedureTerms, ...]:
    known = frozenset(article.id for article in articles)

    def read(reader: Reader) -> ProcedureTerms:
        name = read_matching(reader.need("procedure"), "procedure", PROCEDURE, "the name of a procedure such as tfa12")
        return ProcedureTerms(
            procedure=name,
            article=read_word(reader.need("article"), "article", known),
            clocks=tuple(_clocks(reader.take("clocks"), name)),
        )

    found = _each(node, "procedures", read)
    unique([(each.procedure, item) for each, item in found], "procedures")
    return tuple(sorted((each for each, _ in found), key=lambda each: each.procedure))


def _clocks(node: Node | None, name_of_procedure: str) -> Iterable[tuple[str, Term]]:
    """The clocks set otherwise. What a procedure that is not known here calls its clocks, nobody can check."""
    if node is None:
        return
    is_known = name_of_procedure in procedure_names()
    known = frozenset(clock.name for clock in procedure(name_of_procedure).clocks) if is_known else None
    reader = Reader(node, "clocks")
    for name in sorted(reader.keys()):
        if not PROCEDURE.fullmatch(name):
            fail(f"{name[:60]!r} is no name of a clock", node, "Write it in small letters, such as answer.")
        if known is not None and name not in known:
            fail(f"Procedure {name_of_procedure} has no clock {name!r}", node, meant(name, known))
        yield name, _term(reader.need(name), name)


def _obligations(node: Node | None, frame: Frame) -> tuple[Obligation, ...]:
    found = _each(node, "obligations", lambda reader: _obligation(reader, frame))
    unique([(each.id, item) for each, item in found], "obligations")
    for each, item in found:
        _check_obligation(each, item)
    return tuple(sorted((each for each, _ in found), key=lambda each: each.id))


def _obligation(reader: Reader, frame: Frame) -> Obligation:
    backing = take_backing(reader)
    every, within, title = take_word(reader, "every", tuple(Every)), reader.take("within"), reader.take("title")
    number = read_matching(reader.need("id"), "id", ARTICLE_ID, "a short id such as o1")
    return Obligation(
        id=number,
        what=ObligationKind(read_word(reader.need("what"), "what", tuple(ObligationKind))),
        owed_by=take_words(reader, "owed_by", frame.parties) or tuple(sorted(frame.parties)),
        owed_to=take_words(reader, "owed_to", frame.parties) or tuple(sorted(frame.parties)),
        after=take_word(reader, "after", OBLIGATION_EVENTS),
        within=_term(within, "within") if within else None,
        every=Every(every) if every else None,
        title=read_wording(title, f"title of obligation {number}", frame) if title else Wording(()),
        source=backing.source,
        tag=backing.tag,
        is_verified=backing.is_verified,
    )


def _check_obligation(obligation: Obligation, node: Node) -> None:
    if bool(obligation.after) != (obligation.within is not None):
        fail(
            f"Obligation {obligation.id} needs both `after` and `within`, or neither",
            node,
            "Say after which event, and within which term.",
        )
    if (obligation.every is None) == (obligation.within is None):
        fail(
            f"Obligation {obligation.id} must say either `within` or `every`",
            node,
            "Owed once after something, or every month, quarter or year.",
        )
    if len(obligation.owed_by) == 1 and obligation.owed_by == obligation.owed_to:
        fail(f"In obligation {obligation.id} {obligation.owed_by[0]} owes itself", node, "Name another in owed_to.")


def _calendars(node: Node | None, frame: Frame) -> Iterable[tuple[str, CalendarTerms]]:
    if node is None:
        return
    parties = Reader(node, "calendars")
    for party in sorted(parties.keys()):
        if party not in frame.parties:
            known = ", ".join(frame.parties)
            fail(f"The calendar of {party[:60]!r} is of no party", node, f"Parties are {known}.")
        yield party, _calendar(parties.need(party), party)


def _calendar(node: Node, party: str) -> CalendarTerms:
    reader, name = Reader(node, f"calendar of {party}"), f"calendar of {party}"
    country, subdivision = reader.take("country"), reader.take("subdivision")
    weekend = take_words(reader, "weekend", WEEKDAYS)
    days = {}
    for key in ("closed", "open"):
        listed = read_list(given, key) if (given := reader.take(key)) else ()
        unique([(read_text(item, key), item) for item in listed], key)
        days[key] = tuple(sorted(read_day(item, f"{name}, {key}") for item in listed))
    reader.finish()
    return _made(
        lambda: CalendarTerms(
            country=read_matching(country, "country", PARTY, CODE) if country else "",
            subdivision=read_matching(subdivision, "subdivision", SUBDIVISION, "its code, such as DU")
            if subdivision
            else "",
            weekend=tuple(sorted(WEEKDAYS.index(day) for day in weekend)),
            closed=days["closed"],
            open=days["open"],
        ),
        node,
    )


def _term(node: Node, name: str) -> Term:
    return _made(lambda: Term.parse(read_text(node, name)), node)


def _made(make: Callable[[], _T], node: Node) -> _T:
    """What a clock's value is made of, its complaint with our line."""
    try:
        return make()
    except ClockFormError as error:
        fail(error.what, node, error.remedy or _TERM_FORM)


def _each(node: Node | None, name: str, read: Callable[[Reader], _T]) -> list[tuple[_T, Node]]:
    """Every entry of a list of mappings, with where it stands."""
    found = []
    for item in read_list(node, name) if node else ():
        reader = Reader(item, f"An entry of {name}")
        found.append((read(reader), item))
        reader.finish()
    return found
