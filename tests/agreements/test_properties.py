"""What holds of every agreement: default deny, prohibitions win, cutting leaks nothing, amending is never silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import Agreement, Article, Engine, Period, SharingRequest, cut
from comity.agreements.conditions import conditions_of
from comity.agreements.texts import difference
from comity.agreements.vocabulary import ROLES, SELECTOR
from tests.agreements.cast import agreement_of
from tests.agreements.strategies import agreements, articles, bodies, field_paths, requests
from tests.scale import scaled

Steps = tuple[tuple[str, str], ...]


@settings(max_examples=scaled(20, 60), deadline=None)
@given(requests)
def test_without_a_permit_nothing_passes(request: SharingRequest) -> None:
    assert not Engine([]).decide(request).is_permitted
    bare = Agreement(agreement_of().title, "1", ("XA", "XB"), ("en",), Period(date(2026, 1, 1)), (), ())
    assert not Engine([bare]).decide(request).is_permitted


@settings(max_examples=scaled(20, 60), deadline=None)
@given(agreements(), requests)
def test_without_its_permits_an_agreement_permits_nothing(agreement: Agreement, request: SharingRequest) -> None:
    bars = tuple(article for article in agreement.articles if not article.is_permit)
    assert not Engine([replace(agreement, articles=bars)]).decide(request).is_permitted


@settings(max_examples=scaled(33, 100), deadline=None)
@given(agreements(), articles("99"), requests)
def test_one_more_prohibition_never_opens_and_wins_where_it_applies(
    agreement: Agreement, article: Article, request: SharingRequest
) -> None:
    alone, beside = Engine([agreement]), agreement_of(article, version="2")
    if article.is_permit:
        return
    before, after = alone.decide(request), Engine([agreement, beside]).decide(request)
    assert set(after.fields_released) <= set(before.fields_released)
    on_route = request.sender in article.senders and request.receiver in article.receivers
    on_route &= request.sender != request.receiver and request.kind in article.kinds
    if on_route and not article.fields and all(each.holds(request) for each in conditions_of(beside, article)):
        assert after.reasons[0].code == "prohibited"
        assert not after.is_permitted


@settings(max_examples=scaled(20, 60), deadline=None)
@given(agreements(), requests)
def test_what_was_learned_changes_no_answer(agreement: Agreement, request: SharingRequest) -> None:
    """An engine that has served other requests answers as a new one."""
    used = Engine([agreement])
    for purpose in ("control", "evidence", ""):
        used.explain(replace(request, purpose=purpose))
        used.decide(replace(request, hs_codes=("640411",), owner_consents=not request.owner_consents))
        used.decide(replace(request, at=request.at.replace(year=2026)))
    new = Engine([agreement])
    assert used.decide(request) == new.decide(request)
    assert used.explain(request) == new.explain(request)


def leaves(value: object, steps: Steps = ()) -> Iterator[Steps]:
    """The way to each leaf: names, and the role of the element of a list that the way goes through."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*steps, (key, "")))
    elif isinstance(value, list | tuple) and value:
        for element in value:
            role = element.get(SELECTOR) if isinstance(element, Mapping) else None
            known = role if isinstance(role, str) and role in ROLES else ""
            inner = (*steps[:-1], (steps[-1][0], steps[-1][1] or known)) if steps else steps
            yield from leaves(element, inner)
    else:
        yield steps


def stands_for(path: str, steps: Steps) -> bool:
    """Whether a field of an article names this leaf or what holds it; written a second time, in plain words."""
    named = [part.removesuffix("]").partition("[") for part in path.split(".")]
    if len(named) > len(steps):
        return False
    pairs = zip(named, steps, strict=False)
    return all(name == step[0] and (not role or role == step[1]) for (name, _, role), step in pairs)


@settings(max_examples=scaled(100, 300), deadline=None)
@given(bodies, st.sets(field_paths, max_size=5), st.sets(field_paths, max_size=3))
def test_every_leaf_of_a_cut_body_is_released_and_not_withheld(
    body: dict[str, object], fields: set[str], never: set[str]
) -> None:
    for leaf in leaves(cut(body, fields, never)):
        if leaf:
            assert any(stands_for(path, leaf) for path in fields), leaf
            assert not any(stands_for(path, leaf) for path in never), leaf


@settings(max_examples=scaled(13, 40), deadline=None)
@given(agreements(most=4), requests, st.data())
def test_what_an_amendment_newly_permits_the_difference_names(
    new: Agreement, request: SharingRequest, data: st.DataObject
) -> None:
    """The version before lacked an article, or had a narrower one; the request is of one that a permit speaks of."""
    article = data.draw(st.sampled_from(new.articles))
    others = tuple(each for each in new.articles if each is not article)
    narrower = replace(article, purposes=article.purposes[1:])
    old = replace(new, version="0", articles=(*others, *((narrower,) if len(article.purposes) > 1 else ())))
    if article.is_permit:
        request = replace(request, sender=article.senders[0], receiver=article.receivers[-1], kind=article.kinds[0])
        request = replace(request, purpose=article.purposes[0], at=request.at.replace(year=2026), onward_from=None)
    if Engine([new]).decide(request).is_permitted and not Engine([old]).decide(request).is_permitted:
        change = difference(old, new).change_of(request)
        assert change is not None
        assert change.is_wider
