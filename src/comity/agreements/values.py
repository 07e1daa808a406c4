"""Agreements, articles, requests and decisions as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from comity.agreements.clocks.values import CalendarTerms, Term
from comity.agreements.vocabulary import WEEKDAYS, Effect, Every, ObligationKind, Onward, Tag
from comity.common import Reason
from comity.trade import Handling
from comity.trust import canonical_json, sha256_hex

FORM = "comity-agreement/1"


@dataclass(frozen=True, slots=True)
class Wording:
    """A text for people in each language of an agreement: (language, text), sorted by language."""

    texts: tuple[tuple[str, str], ...]

    def in_(self, language: str) -> str:
        """The text in this language, else in the first that there is."""
        return dict(self.texts).get(language) or (self.texts[0][1] if self.texts else "")


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar days in UTC, both included; None: no bound."""

    first: date | None = None
    last: date | None = None

    @property
    def opens_at(self) -> datetime:
        """The first instant."""
        return datetime.combine(self.first or date.min, time.min, UTC)

    @property
    def closes_at(self) -> datetime:
        """The first instant that no longer belongs to it."""
        if self.last is None or self.last == date.max:
            return datetime.max.replace(tzinfo=UTC)
        return datetime.combine(self.last + timedelta(days=1), time.min, UTC)


@dataclass(frozen=True, slots=True)
class Article:
    """One article: for people its title and text, for the engine its conditions and what it releases.

    Empty tuples of conditions mean: any. goods: prefixes of HS codes. fields: what a permit releases, or what a
    prohibition withholds from every permit; a prohibition without fields refuses the sharing as a whole.
    retention_days: how long the receiver may keep it, from the day of sharing. source: the clause it rests on.
    size_at_most: of a permit, the bytes that a file may have; None: vocabulary.DEFAULT_SIZE_AT_MOST.
    procedures: names of procedures, for steps of theirs.
    """

    id: str
    effect: Effect
    title: Wording
    text: Wording
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    handling_at_most: Handling | None = None
    handling_at_least: Handling | None = None
    goods: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    risk_types: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    size_at_most: int | None = None
    valid: Period = Period()
    fields: tuple[str, ...] = ()
    onward: Onward = Onward.NONE
    retention_days: int | None = None
    use_limits: tuple[str, ...] = ()
    source: str = ""
    tag: Tag = Tag.UNCHECKED
    is_verified: bool = False

    @property
    def is_permit(self) -> bool:
        """Whether the article permits."""
        return self.effect is Effect.PERMIT


@dataclass(frozen=True, slots=True)
class Reservation:
    """A party takes no part in these permits: no route from it or to it is left in them. It narrows, never widens."""

    party: str
    articles: tuple[str, ...]
    text: Wording


@dataclass(frozen=True, slots=True)
class ProcedureTerms:
    """A procedure that the parties use, under which article, and the clocks that they set otherwise: (clock, term)."""

    procedure: str
    article: str
    clocks: tuple[tuple[str, Term], ...] = ()


@dataclass(frozen=True, slots=True)
class Obligation:
    """What parties owe each other: within a term after something (after, within), or every so often (every)."""

    id: str
    what: ObligationKind
    owed_by: tuple[str, ...]
    owed_to: tuple[str, ...]
    after: str = ""
    within: Term | None = None
    every: Every | None = None
    title: Wording = Wording(())
    source: str = ""
    tag: Tag = Tag.UNCHECKED
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement: parties, period, definitions, articles. Its id is the SHA-256 of its canonical form.

    witnesses: whose cosignatures a log of its parties needs, as tlog-policy text; empty: no quorum is asked.
    seal, second_signature: words of vocabulary.SEALS and vocabulary.SECOND_SIGNATURES; empty: the ordinary ones.
    supersedes: the id of the version that this one amends. depositary: the party that receives newcomers; empty: nobody
    accedes. calendars: whose working days count how, by party.
    """

    title: Wording
    version: str
    parties: tuple[str, ...]
    languages: tuple[str, ...]
    in_force: Period
    definitions: tuple[tuple[str, Wording], ...]
    articles: tuple[Article, ...]
    witnesses: str = ""
    seal: str = ""
    second_signature: str = ""
    supersedes: str = ""
    depositary: str = ""
    reservations: tuple[Reservation, ...] = ()
    procedures: tuple[ProcedureTerms, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    calendars: tuple[tuple[str, CalendarTerms], ...] = ()
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", sha256_hex(self.to_bytes()))

    def to_bytes(self) -> bytes:
        """The canonical JSON that is hashed and signed. Comments, order and layout of the YAML leave no trace in it."""
        return canonical_json(_form_of_agreement(self))

    def article(self, article_id: str) -> Article | None:
        """The article with this id."""
        return next((article for article in self.articles if article.id == article_id), None)

    def calendar(self, party: str) -> CalendarTerms | None:
        """What the agreement says about the working days of a party; None where it says nothing."""
        return dict(self.calendars).get(party)

    @property
    def binding_articles(self) -> tuple[Article, ...]:
        """The articles as they bind: without the routes that reservations take out, and without what is then empty."""
        if not self.reservations:
            return self.articles
        return tuple(left for article in self.articles if (left := _reserved(article, self.reservations)))

    @property
    def short_id(self) -> str:
        """The first twelve digits of the id, for people."""
        return self.id[:12]


@dataclass(frozen=True, slots=True)
class SharingRequest:
    """The question: may sender give receiver this, for this purpose?

    hs_codes, origin, attributes (category, risk_type, procedure): what the conditions of articles read; empty where
    unknown. fields: the paths that the body holds. onward_from: whose information it is, where it is not the sender's
    own; empty where nobody says. owner_consents: that administration has agreed to the sharing. size_bytes: of the file
    that a message offers; None where it offers none or does not say. posted_at: when it was posted, where `at` is its
    arrival.
    """

    sender: str
    receiver: str
    kind: str
    purpose: str
    handling: Handling
    at: datetime
    hs_codes: tuple[str, ...] = ()
    origin: str = ""
    fields: frozenset[str] = frozenset()
    onward_from: str | None = None
    owner_consents: bool = False
    size_bytes: int | None = None
    posted_at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An article that would permit, but for the conditions that failed; each says what would be needed."""

    article_id: str
    failed: tuple[Reason, ...]
    agreement_id: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict of the engine. fields_withheld of a refusal: everything that was asked for.

    article_id: the permitting article, or the prohibition that won; empty where no article applies.
    onward, retention_days, use_limits: what the permitting article lays on the receiver.
    """

    is_permitted: bool
    agreement_id: str
    article_id: str
    fields_released: tuple[str, ...]
    fields_withheld: tuple[str, ...]
    reasons: tuple[Reason, ...]
    near_misses: tuple[NearMiss, ...] = ()
    onward: Onward = Onward.NONE
    retention_days: int | None = None
    use_limits: tuple[str, ...] = ()

    def valid_until(self, at: datetime) -> datetime | None:
        """Until when the receiver may keep what was shared at this instant; None: the article sets no limit."""
        return None if self.retention_days is None else at + timedelta(days=self.retention_days)


def _form_of_agreement(agreement: Agreement) -> dict[str, object]:
    form: dict[str, object] = {
        "form": FORM,
        "title": dict(agreement.title.texts),
        "version": agreement.version,
        "parties": sorted(agreement.parties),
        "languages": sorted(agreement.languages),
        "in_force": _form_of_period(agreement.in_force),
        "definitions": {word: dict(wording.texts) for word, wording in agreement.definitions},
        "articles": [_form_of_article(article) for article in sorted(agreement.articles, key=lambda each: each.id)],
        "witnesses": agreement.witnesses,
        "seal": agreement.seal,
        "second_signature": agreement.second_signature,
        "supersedes": agreement.supersedes,
        "accession": _without_empty({"depositary": agreement.depositary}),
        "reservations": [_form_of_reservation(each) for each in agreement.reservations],
        "procedures": [_form_of_procedure(each) for each in agreement.procedures],
        "obligations": [_form_of_obligation(each) for each in agreement.obligations],
        "calendars": {party: _form_of_calendar(terms) for party, terms in agreement.calendars},
    }
    return _without_empty(form)


def _reserved(article: Article, reservations: tuple[Reservation, ...]) -> Article | None:
    """What reservations leave of an article; None where no route is left."""
    out = {each.party for each in reservations if article.id in each.articles} if article.is_permit else set()
    if not out:
        return article
    senders = tuple(each for each in article.senders if each not in out)
    receivers = tuple(each for each in article.receivers if each not in out)
    has_route = any(sender != receiver for sender in senders for receiver in receivers)
    return replace(article, senders=senders, receivers=receivers) if has_route else None


def _form_of_reservation(reservation: Reservation) -> dict[str, object]:
    articles, text = sorted(reservation.articles), dict(reservation.text.texts)
    return {"party": reservation.party, "articles": articles, "text": text}


def _form_of_procedure(terms: ProcedureTerms) -> dict[str, object]:
    clocks = {name: term.text for name, term in terms.clocks}
    return _without_empty({"procedure": terms.procedure, "article": terms.article, "clocks": clocks})


def _form_of_obligation(obligation: Obligation) -> dict[str, object]:
    form: dict[str, object] = {
        "id": obligation.id,
        "what": obligation.what.value,
        "owed_by": sorted(obligation.owed_by),
        "owed_to": sorted(obligation.owed_to),
        "after": obligation.after,
        "within": obligation.within.text if obligation.within else None,
        "every": obligation.every.value if obligation.every else None,
        "title": dict(obligation.title.texts),
        "source": obligation.source,
        "tag": obligation.tag.value,
        "verified": obligation.is_verified,
    }
    return _without_empty(form)


def _form_of_calendar(terms: CalendarTerms) -> dict[str, object]:
    form: dict[str, object] = {
        "country": terms.country,
        "subdivision": terms.subdivision,
        "weekend": [WEEKDAYS[day] for day in sorted(terms.weekend)],
        "closed": [day.isoformat() for day in sorted(terms.closed)],
        "open": [day.isoformat() for day in sorted(terms.open)],
    }
    return _without_empty(form)


def _form_of_article(article: Article) -> dict[str, object]:
    form: dict[str, object] = {
        "id": article.id,
        "effect": article.effect.value,
        "title": dict(article.title.texts),
        "text": dict(article.text.texts),
        "handling_at_most": article.handling_at_most.word if article.handling_at_most is not None else None,
        "handling_at_least": article.handling_at_least.word if article.handling_at_least is not None else None,
        "valid": _form_of_period(article.valid),
        "onward": article.onward.value if article.is_permit else None,
        "retention_days": article.retention_days,
        "size_at_most": article.size_at_most,
        "source": article.source,
        "tag": article.tag.value,
        "verified": article.is_verified,
    }
    for name in (
        "senders",
        "receivers",
        "kinds",
        "purposes",
        "goods",
        "origins",
        "categories",
        "risk_types",
        "procedures",
    ):
        form[name] = sorted(getattr(article, name))
    form["procedures"] = sorted(article.procedures)
    form["fields"], form["use_limits"] = sorted(article.fields), sorted(article.use_limits)
    return _without_empty(form)


def _form_of_period(period: Period) -> dict[str, object]:
    bounds = {"from": period.first, "until": period.last}
    return {name: day.isoformat() for name, day in bounds.items() if day is not None}


def _without_empty(form: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in form.items() if value not in (None, "", [], {})}
