"""Cases: questions to an agreement with the answers that its authors expect, in words that a lawyer reads. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from comity.agreements.engine import Engine
from comity.agreements.explaining import Explanation
from comity.agreements.markup import Mapped, Node, read_yaml
from comity.agreements.reader import (
    Reader,
    read_day,
    read_flag,
    read_list,
    read_matching,
    read_number,
    read_text,
    read_word,
    unique,
)
from comity.agreements.values import SharingRequest
from comity.agreements.vocabulary import (
    ARTICLE_ID,
    CATEGORIES,
    HANDLINGS,
    HS_PREFIX,
    KINDS,
    MOST_SIZE_AT_MOST,
    PARTY,
    PROCEDURE,
    PURPOSES,
    RISK_TYPES,
    fields_of_kind,
)
from comity.trade import Handling

CONDITIONS = (
    "sender",
    "receiver",
    "kind",
    "purpose",
    "handling",
    "goods",
    "origin",
    "category",
    "risk_type",
    "procedure",
    "size",
    "in_force",
    "valid",
    "onward",
)
_ANSWERS = ("permitted", "refused", "prohibited")
_CODE = "a code of two capital letters, such as XA"


@dataclass(frozen=True, slots=True)
class Expected:
    """The answer that a case expects; empty: anything will do.

    answer: permitted, refused (no article permits) or prohibited. because: conditions that fail, or that bring a
    prohibition to bear. nearest: the article that all but permits.
    """

    answer: str
    article: str = ""
    because: tuple[str, ...] = ()
    nearest: str = ""
    released: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case: a name, a question, the expected answer, the line where it stands."""

    name: str
    request: SharingRequest
    expected: Expected
    line: int


@dataclass(frozen=True, slots=True)
class Composed:
    """An agreement that a template of the library makes. parties: (role, codes). settings: (parameter, value).

    without: articles that are left out. reservations: (party, articles).
    """

    template: str
    parties: tuple[tuple[str, tuple[str, ...]], ...]
    settings: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()
    reservations: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one file. agreement: the path of the agreement, relative to the file; empty where it is composed."""

    agreement: str
    cases: tuple[Case, ...]
    composed: Composed | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of a case. faults: each difference in words; none: it passed."""

    case: Case
    faults: tuple[str, ...]


def read_cases(data: bytes) -> CaseFile:
    """The cases in this YAML.

    Raises: AgreementFormError naming the line.
    """
    reader = Reader(read_yaml(data), "The file of cases")
    named = reader.need("agreement")
    composed = _composed(Reader(named, "agreement")) if isinstance(named, Mapped) else None
    agreement = "" if composed else read_text(named, "agreement")
    items = read_list(reader.need("cases"), "cases")
    reader.finish()
    cases = tuple(_case(Reader(item, "The case")) for item in items)
    unique([(case.name, item) for case, item in zip(cases, items, strict=True)], "cases")
    return CaseFile(agreement, cases, composed)


def run_case(engine: Engine, case: Case) -> CaseResult:
    """Put the question to the engine and compare."""
    explanation = engine.explain(case.request)
    return CaseResult(case, tuple(_faults(explanation, case.expected)))


def answer_of(explanation: Explanation) -> str:
    """permitted, refused or prohibited."""
    decision = explanation.decision
    if decision.is_permitted:
        return "permitted"
    return "prohibited" if decision.reasons[0].code == "prohibited" else "refused"


def _faults(explanation: Explanation, expected: Expected) -> list[str]:
    decision, answer = explanation.decision, answer_of(explanation)
    if answer != expected.answer:
        return [f"expected {expected.answer}, but it is {answer}: {decision.reasons[0].text}"]
    faults = []
    if expected.article and expected.article != decision.article_id:
        faults.append(f"expected article {expected.article}, but it is article {decision.article_id or 'none'}")
    near = decision.near_misses[0] if decision.near_misses else None
    nearest = near.article_id if near else "none"
    if expected.nearest and expected.nearest != nearest:
        faults.append(f"expected article {expected.nearest} to be nearest, but it is {nearest}")
    given = {reason.code for reason in (near.failed if near else decision.reasons)}
    for code in expected.because:
        if code not in given:
            faults.append(f"expected the condition {code} to be named, but named are {', '.join(sorted(given))}")
    for name, paths, has in (
        ("released", expected.released, decision.fields_released),
        ("withheld", expected.withheld, decision.fields_withheld),
    ):
        faults += [f"expected {path} to be {name}, but it is not" for path in paths if path not in has]
    return faults


def _composed(reader: Reader) -> Composed:
    roles = Reader(reader.need("parties"), "parties")
    settings, without, reserved = reader.take("set"), reader.take("without"), reader.take("reservations")
    composed = Composed(
        template=read_text(reader.need("template"), "template"),
        parties=tuple((role, _parties(roles.need(role), role)) for role in sorted(roles.keys())),
        settings=_settings(Reader(settings, "set")) if settings else (),
        without=_articles(without, "without") if without else (),
        reservations=_reservations(Reader(reserved, "reservations")) if reserved else (),
    )
    reader.finish()
    return composed


def _parties(node: Node, role: str) -> tuple[str, ...]:
    return tuple(read_matching(item, role, PARTY, _CODE) for item in read_list(node, role))


def _articles(node: Node, name: str) -> tuple[str, ...]:
    return tuple(_article(item, name) for item in read_list(node, name))


def _reservations(reader: Reader) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((party, _articles(reader.need(party), party)) for party in sorted(reader.keys()))


def _settings(reader: Reader) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, " ".join(read_text(item, name) for item in read_list(reader.need(name), name)))
        for name in sorted(reader.keys())
    )


def _case(reader: Reader) -> Case:
    name = read_text(reader.need("name"), "name")
    request = _request(Reader(reader.need("ask"), f"The question of {name!r}"))
    expected = _expected(Reader(reader.need("expect"), f"The answer of {name!r}"), request.kind)
    reader.finish()
    return Case(name, request, expected, reader.line)


def _request(reader: Reader) -> SharingRequest:
    kind = read_word(reader.need("kind"), "kind", KINDS)
    words = {"category": CATEGORIES, "risk_type": RISK_TYPES}
    attributes = {name: read_word(node, name, known) for name, known in words.items() if (node := reader.take(name))}
    if procedure := reader.take("procedure"):
        attributes["procedure"] = read_matching(procedure, "procedure", PROCEDURE, "a name such as tfa12")
    consents = reader.take("owner_consents")
    request = SharingRequest(
        sender=read_matching(reader.need("sender"), "sender", PARTY, _CODE),
        receiver=read_matching(reader.need("recipient"), "recipient", PARTY, _CODE),
        kind=kind,
        purpose=read_word(reader.need("purpose"), "purpose", PURPOSES),
        handling=Handling.from_word(read_word(reader.need("handling"), "handling", HANDLINGS)),
        at=datetime.combine(read_day(reader.need("day"), "day"), time(12), UTC),
        hs_codes=_codes(reader.take("hs")),
        origin=_party(reader.take("origin"), "origin"),
        fields=frozenset(_fields(reader.take("fields"), "fields", kind)),
        onward_from=_party(reader.take("information_of"), "information_of") or None,
        owner_consents=read_flag(consents, "owner_consents") if consents else False,
        size_bytes=read_number(size, "size", most=MOST_SIZE_AT_MOST) if (size := reader.take("size")) else None,
        attributes=attributes,
    )
    reader.finish()
    return request


def _expected(reader: Reader, kind: str) -> Expected:
    expected = Expected(
        answer=read_word(reader.need("answer"), "answer", _ANSWERS),
        article=_article(reader.take("article"), "article"),
        because=_words(reader.take("because"), "because", CONDITIONS),
        nearest=_article(reader.take("nearest"), "nearest"),
        released=_fields(reader.take("released"), "released", kind),
        withheld=_fields(reader.take("withheld"), "withheld", kind),
    )
    reader.finish()
    return expected


def _words(node: Node | None, name: str, words: tuple[str, ...] | frozenset[str]) -> tuple[str, ...]:
    if node is None:
        return ()
    return unique([(read_word(item, name, words), item) for item in read_list(node, name)], name)


def _fields(node: Node | None, name: str, kind: str) -> tuple[str, ...]:
    return _words(node, name, fields_of_kind(kind))


def _codes(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    form = "2, 4 or 6 digits of an HS code"
    return tuple(read_matching(item, "hs", HS_PREFIX, form) for item in read_list(node, "hs"))


def _article(node: Node | None, name: str) -> str:
    return read_matching(node, name, ARTICLE_ID, "an article's id") if node else ""


def _party(node: Node | None, name: str) -> str:
    return read_matching(node, name, PARTY, _CODE) if node else ""
