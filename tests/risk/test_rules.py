"""Weights, lanes, reliability, draws."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.risk.rules import (
    Lane,
    ProfileState,
    Reliability,
    combine_weights,
    draw,
    is_mandatory_signal,
    lane_of,
    random_slots,
    signal_lane,
    signal_weight,
    state_at,
)
from comity.trade import Handling, SuggestedAction

weights = st.lists(st.floats(0, 100), max_size=12)


class TestScore:
    def test_nothing_known_is_nothing(self):
        assert combine_weights([]) == 0.0

    def test_two_halves_make_three_quarters(self):
        assert combine_weights([50, 50]) == 75.0

    @given(weights=weights, more=st.floats(0, 100))
    def test_one_more_reason_never_lowers_and_order_does_not_matter(self, weights: list[float], more: float):
        score = combine_weights(weights)
        assert 0 <= score <= 100
        assert combine_weights([*weights, more]) >= score
        assert combine_weights(reversed(weights)) == pytest.approx(score, abs=0.11)
        assert score >= round(max(weights, default=0.0), 1) - 0.11

    def test_weights_out_of_range_are_cut(self):
        assert combine_weights([150]) == 100.0
        assert combine_weights([-5]) == 0.0


@pytest.mark.parametrize(
    ("score", "lanes", "expected"),
    [(0, [], "green"), (20, [], "blue"), (40, [], "yellow"), (70, [], "red"), (10, [Lane.YELLOW], "yellow"),
     (80, [Lane.GREEN], "red"), (5, [Lane.BLUE, Lane.RED], "red")],
)  # fmt: skip
def test_lane_is_the_most_severe(score: float, lanes: list[Lane], expected: str):
    assert lane_of(score, lanes) == expected


class TestReliability:
    def test_starts_even_and_follows_outcomes(self):
        assert Reliability("XC").value == 0.5
        assert Reliability("XC", 1, 0).value == pytest.approx(2 / 3)
        assert Reliability("XC", 0, 8).value == pytest.approx(0.1)
        assert str(Reliability("XC", 1, 0)) == "0.67 from 1 outcome"
        assert str(Reliability("XC", 1, 1)) == "0.50 from 2 outcomes"

    def test_the_weight_follows_it(self):
        def weight(reliability: Reliability) -> float:
            return signal_weight(
                action=SuggestedAction.SELECT_FOR_CONTROL, grades="B2", strength=1.0, reliability=reliability
            )

        assert weight(Reliability("XC")) == 67.5
        assert weight(Reliability("XC", 3, 0)) == 95.0
        assert weight(Reliability("XC", 0, 8)) == 13.5

    def test_grades_and_action_and_strength_count(self):
        def weight(action: SuggestedAction, grades: str, strength: float) -> float:
            return signal_weight(action=action, grades=grades, strength=strength, reliability=Reliability("XC"))

        assert weight(SuggestedAction.STOP, "A1", 1.0) == 90.0
        assert weight(SuggestedAction.STOP, "A1", 0.5) == 45.0
        assert weight(SuggestedAction.INFORM_ONLY, "E5", 1.0) == 7.5
        assert weight(SuggestedAction.DISCREET_CHECK, "F6", 1.0) == 36.0
        assert weight(SuggestedAction.STOP, "", 1.0) == 45.0


class TestMandatory:
    @pytest.mark.parametrize(
        ("action", "handling", "strength", "reliability", "expected"),
        [
            (SuggestedAction.SELECT_FOR_CONTROL, Handling.OFFICIAL, 1.0, Reliability("XC"), True),
            (SuggestedAction.STOP, Handling.CONFIDENTIAL, 0.64, Reliability("XC"), True),
            (SuggestedAction.INFORM_ONLY, Handling.OFFICIAL, 1.0, Reliability("XC"), False),
            (SuggestedAction.DISCREET_CHECK, Handling.OFFICIAL, 1.0, Reliability("XC"), False),
            (SuggestedAction.STOP, Handling.OPEN, 1.0, Reliability("XC"), False),
            (SuggestedAction.STOP, Handling.OFFICIAL, 0.5, Reliability("XC"), False),
            (SuggestedAction.STOP, Handling.OFFICIAL, 1.0, Reliability("XC", 0, 9), False),
        ],
    )
    def test_when_an_alert_selects_by_itself(
        self, action: SuggestedAction, handling: Handling, strength: float, reliability: Reliability, expected: bool
    ):
        verdict = is_mandatory_signal(action=action, handling=handling, strength=strength, reliability=reliability)
        assert verdict is expected

    def test_one_that_may_not_asks_for_papers_at_most(self):
        assert signal_lane(SuggestedAction.STOP, is_mandatory=True) is Lane.RED
        assert signal_lane(SuggestedAction.STOP, is_mandatory=False) is Lane.YELLOW
        assert signal_lane(SuggestedAction.DISCREET_CHECK, is_mandatory=False) is Lane.BLUE
        assert signal_lane(SuggestedAction.INFORM_ONLY, is_mandatory=False) is Lane.GREEN


def test_an_approved_profile_lives_by_its_dates(at: datetime):
    day = timedelta(days=1)
    assert state_at("draft", at, None, at) is ProfileState.DRAFT
    assert state_at("retired", at, None, at) is ProfileState.RETIRED
    assert state_at("approved", at, at + day, at - day) is ProfileState.APPROVED
    assert state_at("approved", at, at + 99 * day, at) is ProfileState.ACTIVE
    assert state_at("approved", at, at + day, at) is ProfileState.EXPIRING
    assert state_at("approved", at, None, at + 999 * day) is ProfileState.ACTIVE
    assert state_at("approved", at, at + day, at + day) is ProfileState.EXPIRED


class TestDraw:
    def test_anyone_can_recompute_it(self):
        record_id = UUID(int=7)
        digest = hashlib.sha256(b"comity/selection/1\0seed\0" + record_id.bytes).digest()
        assert draw(b"seed", record_id) == int.from_bytes(digest[:8], "big") / 2**64

    def test_draws_are_spread_evenly(self):
        draws = [draw(b"seed", UUID(int=number)) for number in range(4000)]
        tenths = [sum(1 for one in draws if tenth / 10 <= one < (tenth + 1) / 10) for tenth in range(10)]
        assert all(330 < count < 470 for count in tenths)
        assert draw(b"other", UUID(int=1)) != draws[1]

    @pytest.mark.parametrize(
        ("capacity", "share", "slots"), [(0, 0.1, 0), (1, 0.1, 1), (10, 0.1, 1), (20, 0.1, 2), (21, 0.1, 3),
                                         (30, 0.1, 3), (5, 0.0, 0), (5, 1.0, 5)]
    )  # fmt: skip
    def test_the_random_part_is_rounded_up(self, capacity: int, share: float, slots: int):
        assert random_slots(capacity, share) == slots
