"""Hypothesis strategies of this room: articles, requests, bodies."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from comity.agreements import Agreement, Article, Effect, Onward, SharingRequest
from comity.agreements.vocabulary import CATEGORIES, KINDS, PURPOSES, RISK_TYPES, SELECTOR, fields_of_kind
from comity.trade import Handling
from tests.agreements.cast import agreement_of, wording

PARTIES = ("XA", "XB", "XC")
CODES = ("30", "3004", "300490", "64", "640411", "640299", "9503")
FIELDS = tuple(sorted(set().union(*(fields_of_kind(kind) for kind in KINDS))))

_handling = st.sampled_from(Handling)


def subsets(words: tuple[str, ...], *, least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Sorted subsets of the words."""
    return st.lists(st.sampled_from(words), unique=True, min_size=least, max_size=4).map(
        lambda each: tuple(sorted(each))
    )


@st.composite
def articles(draw: st.DrawFn, article_id: str) -> Article:
    """Any article on the three parties."""
    is_permit = draw(st.booleans())
    kinds = draw(subsets(KINDS, least=1 if is_permit else 0))
    named = draw(subsets(tuple(sorted(set().union(*(fields_of_kind(kind) for kind in kinds or KINDS)))), least=1))
    roles = {f"{field.partition('[')[0]}.role" for field in named if "[" in field}
    fields = tuple(sorted({*named, *roles}))
    return Article(
        id=article_id,
        effect=Effect.PERMIT if is_permit else Effect.PROHIBIT,
        title=wording(f"Title {article_id}"),
        text=wording(),
        senders=draw(subsets(PARTIES, least=1)),
        receivers=draw(subsets(PARTIES, least=1)),
        kinds=kinds,
        purposes=draw(subsets(PURPOSES, least=1 if is_permit else 0)),
        handling_at_most=draw(_handling) if is_permit else draw(st.none() | _handling),
        handling_at_least=draw(st.none() | _handling),
        goods=draw(subsets(CODES)),
        origins=draw(subsets(PARTIES)),
        categories=draw(st.just(()) | subsets(CATEGORIES)),
        risk_types=draw(st.just(()) | subsets(RISK_TYPES)),
        fields=fields if is_permit or draw(st.booleans()) else (),
        onward=draw(st.sampled_from(Onward)) if is_permit else Onward.NONE,
        size_at_most=draw(st.none() | st.integers(1, 2**40)) if is_permit else None,
        retention_days=draw(st.none() | st.integers(1, 4000)) if is_permit else None,
    )


@st.composite
def agreements(draw: st.DrawFn, most: int = 8) -> Agreement:
    """Any agreement of up to so many articles."""
    count = draw(st.integers(1, most))
    return agreement_of(*(draw(articles(str(number))) for number in range(1, count + 1)))


requests = st.builds(
    SharingRequest,
    sender=st.sampled_from((*PARTIES, "XD")),
    receiver=st.sampled_from((*PARTIES, "XD")),
    kind=st.sampled_from((*KINDS, "rumour/1")),
    purpose=st.sampled_from((*PURPOSES, "", "curiosity")),
    handling=_handling,
    at=st.datetimes(datetime(2025, 6, 1), datetime(2027, 6, 1), timezones=st.just(UTC)),
    hs_codes=subsets((*CODES, "3", "")),
    origin=st.sampled_from((*PARTIES, "", "XD")),
    fields=st.frozensets(st.sampled_from(FIELDS), max_size=6),
    onward_from=st.sampled_from((None, "", "XA", "XD")),
    owner_consents=st.booleans(),
    size_bytes=st.none() | st.integers(0, 2**41),
    attributes=st.fixed_dictionaries(
        {}, optional={"category": st.sampled_from(CATEGORIES), "risk_type": st.sampled_from(RISK_TYPES)}
    ),
)

_names = st.sampled_from(("ref", "title", "subjects", "role", "name", "id", "route", "origin", "a.b", "x[y]", "é", "?"))
_words = st.sampled_from(("consignor", "consignee", "carrier", "other", "", "XA"))
_scalars = st.none() | st.booleans() | st.integers(-5, 5) | _words

values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_names | st.just(SELECTOR), inner, max_size=5)
        | st.dictionaries(_names, inner, max_size=4).map(lambda each: {**each, SELECTOR: "consignor"})
    ),
    max_leaves=20,
)
bodies = st.dictionaries(_names, values, max_size=6)
field_paths = st.sampled_from(
    (
        "ref",
        "title",
        "route",
        "route.origin",
        "subjects",
        "subjects.role",
        "subjects.name",
        "subjects[consignor]",
        "subjects[consignor].name",
        "subjects[consignee].id",
        "subjects.subjects.name",
        "name.id",
    )
)
