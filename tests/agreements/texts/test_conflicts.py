"""Conflicts between agreements: each example is a request that the engine answers as the conflict says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from comity.agreements import Agreement, Article, Engine, Onward
from comity.agreements.texts import Conflict, Rule, conflicts
from tests.agreements.cast import agreement_of, demo, permit_article, prohibition
from tests.agreements.strategies import agreements
from tests.scale import scaled


def found(one: Article, other: Article) -> list[Conflict]:
    return list(conflicts([agreement_of(one), agreement_of(other, version="2")]))


def check(conflict: Conflict) -> None:
    """Ask the engine what the conflict says of its example."""
    one, other, request = conflict.one, conflict.other, conflict.example
    by_one = Engine([one.agreement]).decide(request)
    by_other = Engine([other.agreement]).decide(request)
    assert by_one.is_permitted
    assert by_one.article_id == one.article.id
    match conflict.rule:
        case Rule.PROHIBITED:
            assert by_other.reasons[0].code == "prohibited"
            assert by_other.article_id == other.article.id
        case Rule.WITHHELD:
            both = Engine([one.agreement, other.agreement]).decide(request)
            assert by_one.fields_released == conflict.strictest
            assert both.fields_withheld == conflict.strictest
        case Rule.PURPOSE:
            assert request.purpose not in conflict.strictest
            assert not by_other.is_permitted
            assert by_other.reasons[0].code != "prohibited"
        case _:
            assert by_other.is_permitted
            assert by_other.article_id == other.article.id


@settings(max_examples=scaled(13, 40), deadline=None)
@given(agreements(5), agreements(5))
def test_the_engine_confirms_every_example(one: Agreement, other: Agreement) -> None:
    for conflict in conflicts([one, replace(other, version="2")]):
        check(conflict)


@pytest.mark.parametrize(
    ("changes", "rule", "strictest"),
    [
        ({"onward": Onward.PARTIES}, Rule.ONWARD, ("none",)),
        ({"retention_days": 30}, Rule.RETENTION, ("30",)),
        ({"use_limits": ("strict_confidence",)}, Rule.USE_LIMITS, ("strict_confidence",)),
        ({"purposes": ("control", "evidence")}, Rule.PURPOSE, ("control",)),
    ],
)
def test_rules_that_differ(changes: dict[str, object], rule: Rule, strictest: tuple[str, ...]) -> None:
    for pair in (
        (permit_article(), permit_article("1", **changes)),
        (permit_article("1", **changes), permit_article()),
    ):
        (conflict,) = found(*pair)
        assert (conflict.rule, conflict.strictest) == (rule, strictest)
        check(conflict)


def test_what_one_permits_and_the_other_prohibits_or_withholds() -> None:
    (barred,) = found(permit_article(goods=("30",)), prohibition(goods=("3004",)))
    assert barred.rule is Rule.PROHIBITED
    assert barred.example.hs_codes == ("3004",)
    check(barred)
    (withheld,) = found(permit_article(), prohibition(fields=("subjects",)))
    assert withheld.strictest == ("subjects.role",)
    check(withheld)


def test_what_does_not_overlap_does_not_conflict() -> None:
    assert found(permit_article(), prohibition(senders=("XB",))) == []
    assert found(permit_article(goods=("30",)), prohibition(goods=("64",))) == []
    assert found(permit_article(), permit_article()) == []
    assert conflicts([demo()]) == ()
