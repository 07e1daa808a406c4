"""Reads of models: each with its life, champion beside challenger, drift, what stands in the way of speaking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from comity.risk.modelling.comparing import compare, judge, off_by, shift_of, verdict_of
from comity.risk.modelling.errors import ModelNotFoundError
from comity.risk.modelling.live import age_of, telling_now
from comity.risk.modelling.rules import LOCAL, ModelState, Silence
from comity.risk.modelling.values import (
    Comparison,
    Drift,
    Judged,
    ModelView,
    Move,
    Retraining,
    Shift,
    Standing,
    Training,
)
from comity.risk.models import LearnedModel, LearnedOutcome, ModelMove, ModelScore, ModelSetting, ModelTraining

RECENT, HISTORY = timedelta(days=28), timedelta(days=365)
_CALIBRATION = timedelta(days=84)
MOST_SCORES = 20_000
_AT_ONCE = 5_000
_ORDER = {
    ModelState.CHAMPION.value: 0,
    ModelState.CHALLENGER.value: 1,
    ModelState.TRAINED.value: 2,
    ModelState.RETIRED.value: 3,
}


def models() -> list[ModelView]:
    """Every model: the champion, the challengers, those that wait, those that retired; in each the latest first."""
    rows = sorted(LearnedModel.objects.all(), key=lambda row: (_ORDER[row.state], -row.pk))
    return _views(rows)


def model(model_id: str) -> ModelView:
    """One model, by its id or the beginning of it.

    Raises: ModelNotFoundError.
    """
    rows = list(LearnedModel.objects.filter(model_id__startswith=model_id or "-")[:2])
    if len(rows) != 1:
        what = "There is no such model" if not rows else "Several models begin so"
        raise ModelNotFoundError(what, where=model_id[:64], remedy="Look at `comity risk model list`.")
    return _views(rows)[0]


def champion() -> ModelView | None:
    """The model whose word counts, or None."""
    return next(iter(_views(LearnedModel.objects.filter(state=ModelState.CHAMPION.value))), None)


def standing(at: datetime) -> Standing:
    """Whether a model speaks in assessments now, and if not, why."""
    telling = telling_now()
    silence, detail = telling.silence_at(at)
    state = telling.state
    return Standing(
        champion=champion(),
        silence=silence,
        detail=detail,
        state_at=at - age_of(state, at) if state is not None else None,
        state_until=state.until if state is not None else None,
        declarations=state.declarations if state is not None else 0,
    )


def is_silent_against_expectation(found: Standing) -> bool:
    """Whether there is a champion that cannot speak."""
    return found.champion is not None and found.silence is not Silence.NONE


def comparison(champion_id: str, challenger_id: str, at: datetime) -> Comparison:
    """Two models on the records that both scored and that were controlled within a year."""
    first, second = _scored(champion_id, at), _scored(challenger_id, at)
    hits = _outcomes([record_id for record_id in first if record_id in second])
    pairs = [(first[each], second[each], hits[each]) for each in sorted(hits)]
    return compare(pairs, champion_id, challenger_id)


def judged(model_id: str, at: datetime) -> Judged | None:
    """One model on the records that it scored and that were controlled within a year; None where there is none."""
    chances = _scored(model_id, at)
    hits = _outcomes(list(chances))
    order = sorted(hits)
    return judge(model_id, [chances[each] for each in order], [hits[each] for each in order]) if order else None


def drift(shown: ModelView, at: datetime) -> Drift:
    """How far the last four weeks' declarations, and the last twelve weeks' outcomes, are from what a model learned."""
    rows = ModelScore.objects.filter(model__model_id=shown.model_id, at__gt=at - RECENT, at__lte=at)
    recent = list(rows.order_by("-at").values_list("chance", "main")[:MOST_SCORES])
    shifts = [_shift("chance", [chance for chance, _ in recent], shown.reference.get("chance"))]
    main = shown.reference.get("main")
    for place, each in enumerate(main if isinstance(main, list) else []):
        values = [told[place] for _, told in recent if len(told) > place]
        shifts.append(_shift(str(each.get("name", "")), values, {"rows": shown.reference.get("rows", 0)} | each))
    chances = _scored(shown.model_id, at, reach=_CALIBRATION)
    hits = _outcomes(list(chances))
    order = sorted(hits)
    told, found = [chances[each] for each in order], [hits[each] for each in order]
    z = off_by(told, found)
    level, share = verdict_of(shifts, z)
    count = max(len(order), 1)
    return Drift(shown.model_id, tuple(shifts), len(order), sum(told) / count, sum(found) / count, z, level, share)


def drift_share(at: datetime) -> float:
    """How much of the champion's drift exploration should follow, 0 to 1; 0 without a champion."""
    shown = champion()
    return drift(shown, at).share if shown is not None else 0.0


def trainings(limit: int = 10) -> list[Training]:
    """The latest trainings that were asked for."""
    return [_training(row) for row in ModelTraining.objects.order_by("-pk")[:limit]]


def training(number: int) -> Training:
    """One training, by the number that was given when it was asked for. It is there."""
    return _training(ModelTraining.objects.get(pk=number))


def _training(row: ModelTraining) -> Training:
    return Training(
        number=row.pk,
        state=row.state,
        variant=row.variant,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        model_id=row.model_id,
        note=row.note,
    )


def retraining_stated() -> Retraining:
    """After how many days the node trains by itself, and what its models see; without a setting never."""
    row = ModelSetting.objects.order_by("-pk").first()
    return Retraining(row.every_days, row.variant) if row else Retraining(0, LOCAL)


def _views(rows: Iterable[LearnedModel]) -> list[ModelView]:
    found = list(rows)
    moves: dict[int, list[Move]] = {}
    for move in ModelMove.objects.filter(model_id__in=[row.pk for row in found]).order_by("pk"):
        moves.setdefault(move.model_id, []).append(
            Move(
                from_state=ModelState(move.from_state) if move.from_state else None,
                to_state=ModelState(move.to_state),
                by=move.by,
                reason=move.reason,
                at=move.at,
                log_index=move.log_index,
            )
        )
    return [
        ModelView(
            model_id=row.model_id,
            administration=row.administration,
            variant=row.variant,
            first_day=row.first_day,
            last_day=row.last_day,
            state=ModelState(row.state),
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            approved_by=row.approved_by,
            approved_at=row.approved_at,
            changed_at=row.changed_at,
            card=row.card,
            reference=row.reference,
            moves=tuple(moves.get(row.pk, ())),
        )
        for row in found
    ]


def _shift(name: str, values: Sequence[float | None], reference: object) -> Shift:
    return shift_of(name, values, reference if isinstance(reference, dict) else {})


def _scored(model_id: str, at: datetime, reach: timedelta = HISTORY) -> dict[UUID, float]:
    rows = ModelScore.objects.filter(model__model_id=model_id, at__gt=at - reach, at__lte=at)
    return dict(rows.order_by("-at").values_list("record_id", "chance")[:MOST_SCORES])


def _outcomes(record_ids: Sequence[UUID]) -> dict[UUID, bool]:
    """What the first control of each record found."""
    found: dict[UUID, bool] = {}
    for start in range(0, len(record_ids), _AT_ONCE):
        rows = LearnedOutcome.objects.filter(record_id__in=record_ids[start : start + _AT_ONCE])
        for record_id, hit in rows.order_by("-decided_at", "-id").values_list("record_id", "is_irregular"):
            if record_id is not None:
                found[record_id] = hit
    return found
