"""The life of an agreement: the same moves say the same in every order, and what the engine makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import Agreement, Engine
from comity.agreements.bodies import request_for
from comity.agreements.clocks import CalendarTerms
from comity.agreements.course import LONGEST_WAY, UNTOUCHED, Course, Suspension, course_of
from comity.agreements.life import Life, Move, MoveKind, Stage, accession_of, fold
from comity.agreements.values import Reservation
from tests.agreements.cast import AT, agreement_of, alert_body, asking, permit_article, prohibition, wording

EVERYBODY = ("XA", "XB", "XC")
FIRST = replace(
    agreement_of(permit_article(senders=EVERYBODY, receivers=EVERYBODY), permit_article("2", senders=("XB",))),
    depositary="XA",
)
SECOND = replace(FIRST, version="2", supersedes=FIRST.id)
RIVAL = replace(FIRST, version="3", supersedes=FIRST.id)
BETWEEN_TWO = replace(FIRST, version="4", supersedes=FIRST.id, parties=("XA", "XB"), depositary="")
OTHER = agreement_of(permit_article("7"))
KNOWN = {each.id: each for each in (FIRST, SECOND, RIVAL, BETWEEN_TWO, OTHER)}
HOUR = timedelta(hours=1)


def move(kind: MoveKind, by: str, agreement: Agreement = FIRST, number: int = 1, **changes: object) -> Move:
    """A move at the hour of its number."""
    value = Move(kind, by, agreement.id, number, AT + number * HOUR)
    return replace(value, **changes)  # type: ignore[arg-type]  # the tests name fields of Move


def signed_by_all(agreement: Agreement = FIRST, start: int = 1) -> list[Move]:
    first, *others = agreement.parties
    moves = [move(MoveKind.PROPOSE, first, agreement, start)]
    return moves + [move(MoveKind.SIGN, each, agreement, start + place) for place, each in enumerate(others, 1)]


def life(moves: list[Move], agreement: Agreement = FIRST) -> Life:
    return fold(moves, KNOWN)[agreement.id]


def permits(course: Course, *, sender: str = "XC", receiver: str = "XA", at: datetime, **changes: object) -> bool:
    engine = Engine([FIRST], {FIRST.id: course})
    wanted = asking(sender=sender, receiver=receiver, at=at, **changes)
    body = alert_body(issuer=sender)
    return engine.decide(request_for(wanted, body)).is_permitted


def test_from_a_proposal_to_force() -> None:
    first, second, third = signed_by_all()
    assert life([first]).stage(AT) is Stage.PROPOSED
    assert life([first, second]).in_force_at is None
    whole = life([first, second, third])
    assert whole.signed_by == EVERYBODY
    assert whole.in_force_at == third.at
    assert whole.stage(third.at) is Stage.IN_FORCE
    assert whole.stage(second.at) is Stage.SIGNED
    assert [each.by for each in whole.history] == ["XA", "XB", "XC"]


def test_before_its_first_day_it_is_signed_and_not_in_force() -> None:
    opens = FIRST.in_force.opens_at
    early = [replace(each, at=opens - timedelta(days=9 - each.number)) for each in signed_by_all()]
    assert life(early).in_force_at == opens
    assert life(early).stage(opens - HOUR) is Stage.SIGNED


def test_a_counter_proposal_is_shown_and_closes_nothing() -> None:
    proposal = move(MoveKind.PROPOSE, "XA")
    counter = move(MoveKind.COUNTER_PROPOSE, "XB", OTHER, 2, predecessor=FIRST.id)
    assert life([proposal, counter]).stage(AT) is Stage.COUNTERED
    assert life([proposal, counter]).countered_by == (OTHER.id,)
    late = [move(MoveKind.SIGN, each, FIRST, 2) for each in ("XB", "XC")]
    assert life([proposal, counter, *late]).stage(AT + 5 * HOUR) is Stage.IN_FORCE


def test_an_acceptance_on_its_way_beats_what_crosses_it() -> None:
    moves = signed_by_all()
    crossing = [move(MoveKind.WITHDRAW, "XA", number=2), move(MoveKind.REFUSE, "XB", number=2, reason="No")]
    assert life([moves[0], *crossing]).stage(AT + 9 * HOUR) is Stage.REFUSED
    assert life([moves[0], crossing[0]]).stage(AT + 9 * HOUR) is Stage.WITHDRAWN
    assert life([*moves, *crossing]).stage(AT + 9 * HOUR) is Stage.IN_FORCE
    assert life([*moves, *crossing]).refused == ()


def test_moves_of_strangers_and_about_unknown_texts() -> None:
    assert life([move(MoveKind.PROPOSE, "XA"), move(MoveKind.SIGN, "XD")]).signed_by == ("XA",)
    unknown = fold([move(MoveKind.SUSPEND, "XA")], {})[FIRST.id]
    assert unknown.stage(AT) is Stage.UNKNOWN
    assert unknown.needed == ()


def test_an_amendment_takes_the_place_of_the_former_version() -> None:
    moves = signed_by_all() + signed_by_all(SECOND, 10)
    former = life(moves)
    assert former.course.superseded_by == SECOND.id
    assert former.course.superseded_at == AT + 12 * HOUR
    assert former.stage(AT + 11 * HOUR) is Stage.IN_FORCE
    assert former.stage(AT + 12 * HOUR) is Stage.SUPERSEDED
    assert life(moves, SECOND).stage(AT + 12 * HOUR) is Stage.IN_FORCE


def test_an_amendment_takes_the_place_of_a_version_that_was_adopted_from_a_file() -> None:
    moves = signed_by_all(SECOND, 10)
    assert FIRST.id not in fold(moves[:-1], KNOWN), "not yet signed by all"
    former = life(moves)
    assert former.course.superseded_by == SECOND.id
    assert former.stage(AT + 11 * HOUR) is Stage.IN_FORCE
    assert former.stage(AT + 12 * HOUR) is Stage.SUPERSEDED
    assert former.history == ()


def test_of_two_amendments_of_one_version_the_later_one_prevails() -> None:
    moves = signed_by_all() + signed_by_all(SECOND, 10) + signed_by_all(RIVAL, 20)
    assert life(moves).course.superseded_by == SECOND.id
    assert life(moves, SECOND).course.superseded_by == RIVAL.id
    assert life(moves, RIVAL).course == UNTOUCHED


def test_among_some_parties_alone_the_former_goes_on_until_the_others_have_left() -> None:
    moves = signed_by_all() + signed_by_all(BETWEEN_TWO, 10)
    assert life(moves).course.superseded_at is None
    gone = move(MoveKind.LEAVE, "XC", number=4, reason="Elections")
    assert life([*moves, gone]).course.superseded_by == BETWEEN_TWO.id


def test_suspended_restored_and_by_whom() -> None:
    moves = signed_by_all()
    suspended = move(MoveKind.SUSPEND, "XA", number=5, reason="A breach", effective_at=AT + 6 * HOUR)
    restored = move(MoveKind.RESTORE, "XA", number=8)
    not_theirs = move(MoveKind.RESTORE, "XB", number=7)
    course = life([*moves, suspended, not_theirs]).course
    assert course.suspensions == (Suspension("XA", "", AT + 6 * HOUR, reason="A breach"),)
    assert life([*moves, suspended]).stage(AT + 6 * HOUR) is Stage.SUSPENDED
    assert life([*moves, suspended]).stage(AT + 5 * HOUR) is Stage.IN_FORCE
    assert life([*moves, suspended, restored]).stage(AT + 8 * HOUR) is Stage.IN_FORCE
    assert life([*moves, suspended, restored]).course.suspensions[0].last == AT + 8 * HOUR


def test_articles_are_suspended_and_restored_one_by_one() -> None:
    moves = [*signed_by_all(), move(MoveKind.SUSPEND, "XA", number=5, articles=("1", "2"), reason="R")]
    again = move(MoveKind.SUSPEND, "XA", number=6, articles=("2",), reason="Again")
    part = move(MoveKind.RESTORE, "XA", number=7, articles=("1",))
    course = life([*moves, again, part]).course
    assert [(each.article, each.last) for each in course.suspensions] == [("1", AT + 7 * HOUR), ("2", None)]
    assert life([*moves, again, part]).stage(AT + 9 * HOUR) is Stage.IN_FORCE, "the agreement as a whole goes on"


def test_nothing_is_backdated() -> None:
    early = move(MoveKind.LEAVE, "XA", number=5, effective_at=AT, reason="R")
    assert early.takes_effect_at == AT + 5 * HOUR


def test_who_leaves_and_what_goes_on() -> None:
    moves = [*signed_by_all(), move(MoveKind.LEAVE, "XC", number=5, reason="R")]
    assert life(moves).stage(AT + 9 * HOUR) is Stage.IN_FORCE
    moves.append(move(MoveKind.LEAVE, "XB", number=6, reason="R"))
    assert life(moves).stage(AT + 9 * HOUR) is Stage.ENDED
    assert life(moves).stage(AT + 5 * HOUR) is Stage.IN_FORCE


JOINED = replace(
    FIRST,
    version="5",
    supersedes=FIRST.id,
    parties=("XA", "XB", "XC", "XD"),
    articles=(
        replace(FIRST.articles[0], senders=(*EVERYBODY, "XD"), receivers=(*EVERYBODY, "XD")),
        FIRST.articles[1],
    ),
    reservations=(Reservation("XD", ("2",), wording("Not we")),),
    calendars=(("XD", CalendarTerms("FR")),),
)


def test_a_newcomer_and_the_depositary_are_enough() -> None:
    assert accession_of(FIRST, JOINED) == "XD"
    known = {**KNOWN, JOINED.id: JOINED}
    moves = [*signed_by_all(), move(MoveKind.ACCEDE, "XD", JOINED, 10)]
    assert fold(moves, known)[JOINED.id].stage(AT + 20 * HOUR) is Stage.PROPOSED
    moves.append(move(MoveKind.SIGN, "XA", JOINED, 11))
    assert fold(moves, known)[JOINED.id].in_force_at == AT + 11 * HOUR
    assert fold(moves, known)[FIRST.id].course.superseded_by == JOINED.id


@pytest.mark.parametrize(
    "changed",
    [
        replace(JOINED, articles=JOINED.articles[:1]),
        replace(JOINED, articles=(replace(JOINED.articles[0], retention_days=9), JOINED.articles[1])),
        replace(JOINED, articles=(JOINED.articles[0], replace(JOINED.articles[1], senders=("XB", "XD")))),
        replace(JOINED, reservations=(Reservation("XB", ("2",), wording("Not we")),)),
        replace(JOINED, parties=(*JOINED.parties, "XE")),
        replace(JOINED, supersedes=OTHER.id),
        replace(JOINED, depositary="XB"),
        SECOND,
    ],
)
def test_whoever_changes_more_than_the_newcomer_amends(changed: Agreement) -> None:
    assert accession_of(FIRST, changed) == ""


def test_without_a_depositary_nobody_accedes() -> None:
    closed = replace(FIRST, depositary="")
    assert accession_of(closed, replace(JOINED, depositary="", supersedes=closed.id)) == ""


_moves = st.builds(
    move,
    kind=st.sampled_from(MoveKind),
    by=st.sampled_from((*EVERYBODY, "XD")),
    agreement=st.sampled_from((FIRST, SECOND, RIVAL, BETWEEN_TWO, OTHER)),
    number=st.integers(1, 4),
    articles=st.sampled_from(((), ("1",), ("1", "2"))),
    predecessor=st.sampled_from(("", FIRST.id)),
    reason=st.sampled_from(("", "R")),
    effective_at=st.none() | st.integers(-5, 30).map(lambda hours: AT + hours * HOUR),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_moves, max_size=9), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(moves: list[Move], chance: object) -> None:
    """Whatever arrives twice or in another order: every node says the same, down to the hash."""
    shuffled = [*moves, *moves[:2]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    one, other = fold(moves, KNOWN), fold(shuffled, KNOWN)
    assert one == other
    assert {each: found.fold for each, found in one.items()} == {each: found.fold for each, found in other.items()}


def test_every_order_of_a_small_set_of_crossing_moves_ends_alike() -> None:
    """Both propose at once, a signature crosses a counter-proposal, a suspension crosses a leaving."""
    crossing = [
        move(MoveKind.PROPOSE, "XA"),
        move(MoveKind.COUNTER_PROPOSE, "XB", SECOND, 1, predecessor=FIRST.id),
        move(MoveKind.SIGN, "XC", number=2),
        move(MoveKind.SIGN, "XB", number=2),
        move(MoveKind.SUSPEND, "XA", number=3, reason="R"),
        move(MoveKind.LEAVE, "XB", number=3, reason="R"),
    ]
    expected = fold(crossing, KNOWN)
    assert expected[FIRST.id].in_force_at is not None
    for order in permutations(crossing):
        assert fold(order, KNOWN) == expected


def test_what_differs_has_another_hash() -> None:
    moves = signed_by_all()
    seen = {life(moves[:1]).fold, life(moves[:2]).fold, life(moves).fold}
    seen.add(life([*moves, move(MoveKind.LEAVE, "XC", number=9, reason="R")]).fold)
    assert len(seen) == 4


def test_a_suspension_closes_the_routes_of_who_declares_it() -> None:
    course = Course(suspensions=(Suspension("XA", "", AT, AT + HOUR, "A breach"),))
    assert not permits(course, at=AT)
    assert permits(course, at=AT - HOUR)
    assert permits(course, at=AT + HOUR)
    assert permits(course, sender="XC", receiver="XB", at=AT), "between the others it goes on"


def test_a_suspension_of_another_article_changes_nothing() -> None:
    assert permits(Course(suspensions=(Suspension("XA", "2", AT),)), at=AT)
    assert not permits(Course(suspensions=(Suspension("XA", "1", AT),)), at=AT)


def test_a_suspension_never_opens_what_is_prohibited() -> None:
    barred = agreement_of(permit_article(), prohibition(), version="8")
    course = Course(suspensions=(Suspension("XB", "", AT), Suspension("XC", "", AT)))
    found = Engine([FIRST, barred], {barred.id: course}).decide(request_for(asking(at=AT), alert_body()))
    assert not found.is_permitted
    assert found.reasons[0].code == "prohibited"


def test_a_refusal_says_what_became_of_it() -> None:
    for course, words in (
        (Course(suspensions=(Suspension("XA", "", AT, reason="A breach"),)), "XA has suspended the agreement"),
        (Course(left=(("XC", AT),)), "XC has left the agreement"),
        (Course(superseded_at=AT, superseded_by=SECOND.id), f"version {SECOND.id[:12]} is in its place"),
    ):
        found = Engine([FIRST], {FIRST.id: course}).decide(request_for(asking(at=AT), alert_body()))
        assert not found.is_permitted
        assert words in found.reasons[0].text


def test_what_was_posted_before_is_judged_by_what_was_then() -> None:
    course = Course(superseded_at=AT, superseded_by=SECOND.id)
    assert not permits(course, at=AT + HOUR)
    assert permits(course, at=AT + HOUR, posted_at=AT - HOUR)
    assert not permits(course, at=AT + HOUR, posted_at=AT)
    long_after = AT + LONGEST_WAY + HOUR
    assert not permits(course, at=long_after, posted_at=AT - HOUR), "nobody posts into the past for ever"
    assert not permits(course, at=AT - HOUR + HOUR, posted_at=AT + HOUR), "nor into the future"


def test_a_leaving_ends_the_routes_of_who_leaves() -> None:
    course = Course(left=(("XC", AT),))
    assert not permits(course, at=AT)
    assert permits(course, at=AT - HOUR)
    assert permits(course, sender="XA", receiver="XB", at=AT)


def test_a_course_is_stored_and_read_back() -> None:
    course = Course(
        AT,
        SECOND.id,
        (Suspension("XA", "", AT, AT + HOUR, "R"), Suspension("XB", "2", AT)),
        (("XC", datetime(2026, 5, 1, tzinfo=UTC)),),
    )
    assert course_of(course.text) == course
    assert course_of("") == UNTOUCHED
    assert UNTOUCHED.text == ""
