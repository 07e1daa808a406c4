"""Models: list, card and life, how they compare and drift, the deeds of their life, training."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import StringConstraints

from comity.api.fields import Given, Instant
from comity.api.guard import actor_of, needs
from comity.common import utc_now
from comity.risk.modelling import life, retraining, views
from comity.risk.modelling.rules import ModelState, Silence
from comity.risk.modelling.shelves import this_shelf
from comity.risk.modelling.values import Comparison, Drift, Judged, ModelView, Training
from comity.staff import Permission

router = Router(tags=["risk"])

ModelId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
# The words of risk.modelling.rules.VARIANTS.
VariantWord = Literal["local", "exchange"]
Why = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]


class MoveOut(Schema):
    """A step of a model's life. log_index: of its entry in the append-only log."""

    state: ModelState
    by: str
    reason: str
    at: Instant
    log_index: int


class ModelOut(Schema):
    """A model. model_id: the SHA-256 of its manifest; precision, average_precision: on weeks that it had not seen."""

    model_id: str
    state: ModelState
    variant: str
    first_day: date
    last_day: date
    precision: float | None
    average_precision: float | None
    proposed_by: str
    proposed_at: Instant
    approved_by: str | None


class TrainingOut(Schema):
    """A training that was asked for. note: why it failed, or what to know of the model that came of it."""

    number: int
    state: str
    variant: str
    asked_by: str
    asked_at: Instant
    ended_at: Instant | None
    model_id: str | None
    note: str


class Models(Schema):
    """Every model, and whether one speaks. silence: empty where the champion speaks, else why it does not.

    retrain_variant: what the node's own trainings see; trainings: the latest ten.
    """

    items: list[ModelOut]
    silence: Silence
    detail: str
    histories_until: date | None
    retrain_every_days: int
    retrain_variant: str
    trainings: list[TrainingOut]


class ShiftOut(Schema):
    """How far a figure has moved from what was learned. psi: population stability index, less what chance makes."""

    name: str
    psi: float
    declarations: int
    level: str


class DriftOut(Schema):
    """The watch. level: steady, moving, changed or too_few; share: of exploration that follows it, 0 to 1."""

    level: str
    share: float
    shifts: list[ShiftOut]
    controls: int
    told: float
    found: float


class JudgedOut(Schema):
    """A model on controlled records that both scored. hit_rate: among those ranked highest."""

    model_id: str
    average_precision: float | None
    hit_rate: float | None
    told: float
    found: float


class ComparisonOut(Schema):
    """Champion and challenger on the same controls. is_guess: they are too few to prefer one."""

    controls: int
    irregular: int
    top: int
    champion: JudgedOut
    challenger: JudgedOut
    is_guess: bool


class ModelDetailOut(ModelOut):
    """A model with its card, its life, drift, and, where it is not the champion, how it compares with it."""

    card: dict[str, object]
    moves: list[MoveOut]
    drift: DriftOut
    comparison: ComparisonOut | None


class ReasonIn(Given):
    """Why; it stands in the audit and in the log."""

    reason: Why


class TrainingIn(Given):
    """What the model sees: own declarations and controls alone, or what partners told too."""

    variant: VariantWord = "local"


class RetrainingIn(TrainingIn):
    """After how many days the node trains by itself, 0: never; and what the models see."""

    every_days: int = Field(strict=True, ge=0, le=retraining.MOST_DAYS)


@router.get("/models", response=Models, summary="Models", **needs(Permission.VIEW_CONSIGNMENTS))
def list_models(request: HttpRequest) -> Models:
    """The champion, challengers, those that wait and those that retired; and whether one speaks in assessments."""
    found, stated = views.standing(utc_now()), views.retraining_stated()
    return Models(
        items=[ModelOut(**_fields(each)) for each in views.models()],
        silence=found.silence,
        detail=found.detail,
        histories_until=found.state_until,
        retrain_every_days=stated.every_days,
        retrain_variant=stated.variant,
        trainings=[_training(each) for each in views.trainings()],
    )


@router.post(
    "/models/training", response=TrainingOut, summary="Ask for a training", **needs(Permission.MANAGE_PROFILES)
)
def ask_training(request: HttpRequest, body: TrainingIn | None = None) -> TrainingOut:
    """The node trains on its own history; what comes of it waits for approval. One that waits is not doubled.

    Variant `exchange` also sees what partners told, where articles permit it; where that was nothing, `note` says so.
    """
    variant = body.variant if body else "local"
    return _training(views.training(retraining.ask_training(actor_of(request), variant=variant, at=utc_now())))


@router.post(
    "/models/retraining",
    response=RetrainingIn,
    summary="Set when models are trained",
    **needs(Permission.APPROVE_PROFILES),
)
def set_retraining(request: HttpRequest, body: RetrainingIn) -> RetrainingIn:
    """State after how many days the node trains by itself; it promotes nothing."""
    actor = actor_of(request)
    retraining.set_retraining(actor, every_days=body.every_days, variant=body.variant, at=utc_now())
    return body


@router.get("/models/{model_id}", response=ModelDetailOut, summary="One model", **needs(Permission.VIEW_CONSIGNMENTS))
def show_model(request: HttpRequest, model_id: ModelId) -> ModelDetailOut:
    """Its card, its life, whether it still fits, and how it compares with the champion on outcomes."""
    return _detail(model_id)


@router.post(
    "/models/{model_id}/approve",
    response=ModelDetailOut,
    summary="Approve a model as challenger",
    **needs(Permission.APPROVE_PROFILES),
)
def approve_model(request: HttpRequest, model_id: ModelId) -> ModelDetailOut:
    """By another officer than put it in; it then scores what arrives, without effect."""
    life.approve_model(actor_of(request), model_id=model_id, shelf=this_shelf(), at=utc_now())
    return _detail(model_id)


@router.post(
    "/models/{model_id}/promote",
    response=ModelDetailOut,
    summary="Make a model the champion",
    **needs(Permission.APPROVE_PROFILES),
)
def promote_model(request: HttpRequest, model_id: ModelId, body: ReasonIn) -> ModelDetailOut:
    """A challenger, or one that was champion before; the champion until now retires."""
    life.promote_model(actor_of(request), model_id=model_id, reason=body.reason, shelf=this_shelf(), at=utc_now())
    return _detail(model_id)


@router.post(
    "/models/{model_id}/retire",
    response=ModelDetailOut,
    summary="Retire a model",
    **needs(Permission.MANAGE_PROFILES),
)
def retire_model(request: HttpRequest, model_id: ModelId, body: ReasonIn) -> ModelDetailOut:
    """It tells no more; what it told stays."""
    life.retire_model(actor_of(request), model_id=model_id, reason=body.reason, shelf=this_shelf(), at=utc_now())
    return _detail(model_id)


def _detail(model_id: str) -> ModelDetailOut:
    at, shown, first = utc_now(), views.model(model_id), views.champion()
    is_other = first is not None and first.model_id != shown.model_id and shown.state is not ModelState.TRAINED
    compared = views.comparison(first.model_id, shown.model_id, at) if first is not None and is_other else None
    return ModelDetailOut(
        **_fields(shown),
        card=dict(shown.card),
        moves=[
            MoveOut(state=each.to_state, by=each.by, reason=each.reason, at=each.at, log_index=each.log_index)
            for each in shown.moves
        ],
        drift=_drift(views.drift(shown, at)),
        comparison=_comparison(compared) if compared else None,
    )


def _training(shown: Training) -> TrainingOut:
    return TrainingOut(
        number=shown.number,
        state=shown.state,
        variant=shown.variant,
        asked_by=shown.asked_by,
        asked_at=shown.asked_at,
        ended_at=shown.ended_at,
        model_id=shown.model_id or None,
        note=shown.note,
    )


def _fields(shown: ModelView) -> dict[str, Any]:
    quality = shown.card.get("quality_at_5_percent")
    told = quality if isinstance(quality, dict) else {}
    return {
        "model_id": shown.model_id,
        "state": shown.state,
        "variant": shown.variant,
        "first_day": shown.first_day,
        "last_day": shown.last_day,
        "precision": told.get("precision"),
        "average_precision": told.get("average_precision"),
        "proposed_by": shown.proposed_by,
        "proposed_at": shown.proposed_at,
        "approved_by": shown.approved_by or None,
    }


def _drift(found: Drift) -> DriftOut:
    return DriftOut(
        level=found.level,
        share=found.share,
        shifts=[
            ShiftOut(name=each.name, psi=each.index, declarations=each.count, level=each.level) for each in found.shifts
        ],
        controls=found.controls,
        told=found.told,
        found=found.found,
    )


def _comparison(found: Comparison) -> ComparisonOut:
    return ComparisonOut(
        controls=found.controls,
        irregular=found.irregular,
        top=found.top,
        champion=_judged(found.champion),
        challenger=_judged(found.challenger),
        is_guess=found.is_guess,
    )


def _judged(found: Judged) -> JudgedOut:
    return JudgedOut(
        model_id=found.model_id,
        average_precision=found.average_precision,
        hit_rate=found.hit_rate,
        told=found.told,
        found=found.found,
    )
