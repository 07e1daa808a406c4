"""What an engine remembers: it changes no word of any answer, and it has bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import Engine, Onward, Period, SharingRequest, remembering
from comity.agreements.course import UNTOUCHED, Course, Suspension
from comity.agreements.remembering import MOST_TEXT, Recent
from comity.agreements.values import Agreement
from comity.trade import Handling
from tests.agreements.cast import AT, agreement_of, permit_article, prohibition
from tests.agreements.strategies import agreements, requests
from tests.scale import scaled

FIELDS = frozenset({"ref", "issuer", "case_ref"})
ASKED = SharingRequest("XC", "XA", "alert/1", "control", Handling.RESTRICTED, AT, fields=FIELDS)
HOUR = timedelta(hours=1)


@contextmanager
def bound(most: int) -> Iterator[None]:
    """Memories that hold so little that they forget before they are asked again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remembering, "MOST_REMEMBERED", most)
        yield


def like(request: SharingRequest) -> SharingRequest:
    """The same question, made of parts of its own."""
    return replace(
        request,
        sender="".join(list(request.sender)),
        hs_codes=tuple("".join(list(code)) for code in request.hs_codes),
        fields=frozenset(list(request.fields)),
        attributes=dict(request.attributes),
    )


_instants = st.sampled_from(
    (AT, AT + 2 * HOUR, AT + 20 * HOUR, AT.replace(year=2027), AT.astimezone(timezone(-15 * HOUR)))
)
_courses = st.sampled_from(
    (
        UNTOUCHED,
        Course(superseded_at=AT + HOUR, superseded_by="f" * 64),
        Course(left=(("XA", AT + HOUR),)),
        Course(suspensions=(Suspension("XB", "", AT - HOUR, AT + HOUR, "A breach"),)),
        Course(suspensions=(Suspension("XA", "1", AT + HOUR, None, "A breach"),)),
    )
)


@st.composite
def questions(draw: st.DrawFn) -> list[tuple[SharingRequest, str]]:
    """Questions of which many are alike in most of what they say, each with the article that is named, if any."""
    few = draw(st.lists(requests, min_size=1, max_size=3))
    size, posted = st.sampled_from((None, 0, 10, 2**41)), st.none() | _instants
    return [
        (
            replace(draw(st.sampled_from(few)), at=draw(_instants), size_bytes=draw(size), posted_at=draw(posted)),
            draw(st.sampled_from(("", "", "1"))),
        )
        for _ in range(draw(st.integers(2, 12)))
    ]


@settings(max_examples=scaled(25, 400), deadline=None)
@given(agreements(most=5), _courses, questions(), st.sampled_from((1, 3, 1000)))
def test_a_used_engine_says_what_a_new_one_says(
    agreement: Agreement, course: Course, asked: list[tuple[SharingRequest, str]], most: int
) -> None:
    """Word by word: the reasons, the near misses, what is withheld; whatever was asked before and is forgotten."""
    courses = {agreement.id: course}
    with bound(most):
        used = Engine([agreement], courses)
        for request, article_id in asked:
            name = (agreement.id, article_id) if article_id else ("", "")
            new = Engine([agreement], courses)
            assert used.decide(like(request), *name) == new.decide(request, *name)
            assert used.explain(like(request), *name) == Engine([agreement], courses).explain(request, *name)
            assert used.decide(like(request), *name) == used.explain(like(request), *name).decision


def test_questions_that_are_alike_have_one_answer() -> None:
    engine = Engine([agreement_of(permit_article(goods=("64",)), prohibition(categories=("persons",)))])
    for codes, category in ((("640411",), "businesses"), (("30",), "businesses"), (("640411",), "persons")):
        request = replace(ASKED, hs_codes=codes, attributes={"category": category})
        assert engine.decide(like(request)) is engine.decide(like(request))
        assert engine.explain(like(request)) is engine.explain(like(request))
    named = (engine.agreements[0].id, "1")
    assert engine.decide(like(ASKED), *named) is engine.decide(like(ASKED), *named)


def test_what_no_article_asks_for_tells_no_questions_apart() -> None:
    engine = Engine([agreement_of(permit_article())])
    assert engine.decide(replace(ASKED, hs_codes=("30",), origin="XB")) is engine.decide(replace(ASKED, origin="XA"))


def test_a_refusal_speaks_of_the_day_and_of_the_size_of_its_own_request() -> None:
    agreement = agreement_of(
        permit_article(kinds=("evidence/1",), fields=("ref",), size_at_most=1000, valid=Period(date(2026, 4, 1), None))
    )
    engine, file = Engine([agreement]), replace(ASKED, kind="evidence/1")
    for at, size, words in (
        (AT, 2000, ("2026-03-02", "2,000 bytes")),
        (AT, 2001, ("2026-03-02", "2,001 bytes")),
        (AT + timedelta(days=1), 2001, ("2026-03-03", "2,001 bytes")),
        (AT.astimezone(timezone(-15 * HOUR)), 2001, ("2026-03-02", "2,001 bytes")),
    ):
        request = replace(file, at=at, size_bytes=size)
        for decision in (engine.decide(request), engine.explain(request).decision):
            assert all(word in decision.reasons[0].text for word in words)


def test_what_an_engine_remembers_is_bounded_and_changes_nothing() -> None:
    with bound(2):
        engine = Engine([agreement_of(permit_article())])
        asked = [replace(ASKED, fields=frozenset({"ref", f"extra_{number}"})) for number in range(5)]
        first = engine.decide(asked[0])
        for number, request in enumerate(asked[:4]):
            assert engine.decide(request).fields_withheld == (f"extra_{number}",)
            assert engine.decide(asked[0]) is first  # asked for again and again, it is not forgotten
        for request in asked[1:]:
            engine.decide(request)
        assert engine.decide(asked[0]) is not first
        assert engine.decide(asked[0]) == first


def test_long_words_are_not_remembered() -> None:
    engine = Engine([agreement_of(permit_article())])
    long = replace(ASKED, fields=frozenset({"ref", "x" * MOST_TEXT}))
    assert engine.decide(long) == engine.decide(long)
    assert engine.decide(long) is not engine.decide(long)
    assert engine.explain(long) is not engine.explain(long)


def test_recent_things_are_kept_and_others_forgotten() -> None:
    for last in range(3, 20):
        recent: Recent[int, str] = Recent(3)
        for number in range(last + 1):
            recent.keep(number, str(number))
        assert [recent.again(each) for each in range(last - 2, last + 1)] == [str(last - 2), str(last - 1), str(last)]
        assert sum(recent.again(each) is not None for each in range(last + 1)) <= 6


def test_before_and_after_a_turn_of_the_law() -> None:
    """One engine, asked to and fro: in force, suspended for an hour, amended."""
    agreement = agreement_of(permit_article(onward=Onward.PARTIES))
    course = Course(
        superseded_at=AT + 3 * HOUR,
        superseded_by="f" * 64,
        suspensions=(Suspension("XA", "", AT + HOUR, AT + 2 * HOUR, "A breach"),),
    )
    engine = Engine([agreement], {agreement.id: course})
    expected = {AT: True, AT + HOUR: False, AT + 2 * HOUR: True, AT + 3 * HOUR: False}
    for at in (*expected, *reversed(expected), *expected):
        assert engine.decide(replace(ASKED, at=at)).is_permitted is expected[at]
        late = replace(ASKED, at=at, posted_at=AT)
        assert engine.decide(late).is_permitted
        assert engine.explain(late).decision.is_permitted
    assert not engine.decide(replace(ASKED, at=datetime(2028, 1, 1, tzinfo=UTC))).is_permitted
