"""Models: which speaks and why none does, the card in plain words, champion beside challenger, drift, the deeds."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.charts import dots_of
from comity.console.forms import ConsoleForm, worded
from comity.risk.modelling import life, retraining, views
from comity.risk.modelling.rules import LOCAL, VARIANTS, ModelState, Silence
from comity.risk.modelling.shelves import this_shelf
from comity.risk.modelling.values import Comparison, ModelView
from comity.staff import Permission, PermissionRefusedError

_MOST_REASON = 400
_SILENCES = {
    Silence.NO_CHAMPION: gettext_lazy("No model has been promoted, so none speaks in assessments."),
    Silence.NO_LIBRARY: gettext_lazy(
        "The libraries that models need are not installed on the node, so none speaks in assessments. On the node: "
        "pip install 'comity[learning]'"
    ),
    Silence.BAD_MODEL: gettext_lazy(
        "A model was changed or is not signed by this node, so none speaks in assessments. Bring it back from a "
        "backup, or retire it."
    ),
    Silence.NO_STATE: gettext_lazy(
        "The histories by which models speak are not made yet. The node makes them by itself once it has held "
        "declarations for a whole week; on the node: comity risk model refresh"
    ),
    Silence.OLD_STATE: gettext_lazy(
        "The histories by which models speak are too old, so none speaks in assessments. On the node: "
        "comity risk model refresh"
    ),
}


class ReasonForm(ConsoleForm):
    """Why a model is promoted or retired."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stands in the audit and in the log"),
        max_length=_MOST_REASON,
        error_messages={"required": gettext_lazy("Say why")},
    )


_DAYS_WANTED = format_lazy(
    gettext_lazy("Write a number of days from 1 to {most}, or 0 for never"), most=retraining.MOST_DAYS
)
_HEARD_NOTHING = gettext_lazy(
    "Partners had told nothing of what it learned from, or no article permits a model to see it: it knows no more than "
    "one that learns from our own records alone."
)
# Sentences that a training ends with; why one failed is told as it was.
_NOTES = {retraining.HEARD_NOTHING: _HEARD_NOTHING}


class _VariantForm(ConsoleForm):
    """What a model sees."""

    variant = forms.ChoiceField(
        label=gettext_lazy("Learn from"),
        help_text=gettext_lazy("What partners told is seen only where an article permits risk assessment with it."),
        choices=lambda: worded(VARIANTS),
        widget=forms.RadioSelect,
        initial=LOCAL,
        error_messages={"required": gettext_lazy("Choose what it learns from")},
    )


class TrainingForm(_VariantForm):
    """What the next training sees."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="train_%s", **kwargs)


class RetrainingForm(_VariantForm):
    """When the node trains by itself, and what its models see."""

    field_order = ("every_days", "variant")
    every_days = forms.IntegerField(
        label=gettext_lazy("Train by itself every so many days"),
        help_text=gettext_lazy("0: never. What it trains waits for approval; it promotes nothing."),
        min_value=0,
        max_value=retraining.MOST_DAYS,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), _DAYS_WANTED),
    )


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def models(request: HttpRequest, actor: Actor) -> HttpResponse:  # noqa: ARG001  # by the decorator
    """Every model, which of them speaks, how far trade has moved, what was trained."""
    return _show_all(request, _stated(), TrainingForm())


@page(Permission.APPROVE_PROFILES)
@require_POST
def set_retraining(request: HttpRequest, actor: Actor) -> HttpResponse:
    """State when the node trains by itself."""
    form = RetrainingForm(request.POST)
    if not form.is_valid():
        return _show_all(request, form, TrainingForm())
    days, variant = form.cleaned_data["every_days"], form.cleaned_data["variant"]
    retraining.set_retraining(actor, every_days=days, variant=variant, at=utc_now())
    messages.success(request, _("The setting is stated."))
    return redirect("console:models")


@page(Permission.MANAGE_PROFILES)
@require_POST
def ask_training(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask the node to train on its own history, and on what partners told where that is chosen."""
    form = TrainingForm(request.POST)
    if not form.is_valid():
        return _show_all(request, _stated(), form)
    retraining.ask_training(actor, variant=form.cleaned_data["variant"], at=utc_now())
    messages.success(request, _("The node will train; what comes of it waits here for approval."))
    return redirect("console:models")


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def model(request: HttpRequest, actor: Actor, model_id: str) -> HttpResponse:  # noqa: ARG001  # by the decorator
    """One model: what it saw, how good it was, what it cannot know, how it does since, its life."""
    return _show(request, views.model(model_id), ReasonForm())


@page(Permission.APPROVE_PROFILES)
@require_POST
def approve(request: HttpRequest, actor: Actor, model_id: str) -> HttpResponse:
    """Let a model that another officer put in tell beside the champion."""
    life.approve_model(actor, model_id=model_id, shelf=this_shelf(), at=utc_now())
    messages.success(request, _("The model is a challenger now: it scores what arrives, without effect."))
    return redirect("console:model", model_id)


@page(Permission.APPROVE_PROFILES)
@require_http_methods(["POST"])
def promote(request: HttpRequest, actor: Actor, model_id: str) -> HttpResponse:
    """Make a model the champion, or bring a former one back."""
    return _moved(request, actor, model_id, ModelState.CHAMPION)


@page(Permission.MANAGE_PROFILES)
@require_http_methods(["POST"])
def retire(request: HttpRequest, actor: Actor, model_id: str) -> HttpResponse:
    """Let a model tell no more."""
    return _moved(request, actor, model_id, ModelState.RETIRED)


def _moved(request: HttpRequest, actor: Actor, model_id: str, to: ModelState) -> HttpResponse:
    form, shown, at = ReasonForm(request.POST), views.model(model_id), utc_now()
    if form.is_valid():
        why = form.cleaned_data["reason"]
        try:
            if to is ModelState.CHAMPION:
                life.promote_model(actor, model_id=shown.model_id, reason=why, shelf=this_shelf(), at=at)
            else:
                life.retire_model(actor, model_id=shown.model_id, reason=why, shelf=this_shelf(), at=at)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            done = {
                ModelState.CHAMPION: _("The model is the champion now: what arrives is assessed with it."),
                ModelState.RETIRED: _("The model is retired."),
            }
            messages.success(request, done[to])
            return redirect("console:model", shown.model_id)
    return _show(request, shown, form)


def _stated() -> RetrainingForm:
    stated = views.retraining_stated()
    return RetrainingForm({"every_days": stated.every_days, "variant": stated.variant})


def _show_all(request: HttpRequest, form: RetrainingForm, asked: TrainingForm) -> HttpResponse:
    at = utc_now()
    standing = views.standing(at)
    context = {
        "models": views.models(),
        "standing": standing,
        "silence": _SILENCES.get(standing.silence, ""),
        "drift": views.drift(standing.champion, at) if standing.champion else None,
        "trainings": [(each, _NOTES.get(each.note, "")) for each in views.trainings(5)],
        "form": form,
        "asked": asked,
        "section": "profiles",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or asked.errors else HTTPStatus.OK
    return render(request, "console/models.html", context, status=status)


def _show(request: HttpRequest, shown: ModelView, form: ReasonForm) -> HttpResponse:
    at = utc_now()
    since, rows = views.judged(shown.model_id, at), _reliability(shown.card)
    context = {
        "model": shown,
        "live": life.is_live(dict(shown.card)),
        "heard_nothing": _HEARD_NOTHING if shown.heard_nothing else "",
        "measured": shown.card.get("measured_on"),
        "learned": shown.card.get("learned_from"),
        "quality": shown.card.get("quality_at_5_percent"),
        "rows": rows,
        "picture": dots_of([(row["told"], row["found"], int(row["count"])) for row in rows]),
        "since": since,
        "drift": views.drift(shown, at),
        "comparison": _comparison(shown),
        "form": form,
        "section": "profiles",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/model.html", context, status=status)


def _reliability(card: Mapping[str, object]) -> list[dict[str, float]]:
    rows = card.get("reliability")
    return [dict(row) for row in rows] if isinstance(rows, list) else []


def _comparison(shown: ModelView) -> Comparison | None:
    """A challenger or a former model beside the champion."""
    first = views.champion()
    if first is None or first.model_id == shown.model_id or shown.state is ModelState.TRAINED:
        return None
    return views.comparison(first.model_id, shown.model_id, utc_now())
