"""Training in the node: asked for or when it is due, one at a time; it leaves a candidate and promotes nothing.

A training is a row: due, running, done, failed. One that was running when the node was killed is begun again. The
histories by which models speak are made anew each day, and with each new week.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from comity.common import Actor, ActorKind, ComityError
from comity.risk.errors import MissingLibraryError
from comity.risk.modelling.errors import ModelError
from comity.risk.modelling.held import SPEAKING, clear_leftovers, drop_histories
from comity.risk.modelling.life import enter_model
from comity.risk.modelling.rows import monday_of
from comity.risk.modelling.rules import LOCAL, STATE_EVERY, VARIANTS
from comity.risk.modelling.shelves import learning, models_folder, state_path, tariff_path, this_shelf
from comity.risk.modelling.views import champion, drift, model, retraining_stated
from comity.risk.models import LearnedModel, ModelSetting, ModelTraining
from comity.staff import Permission, require
from comity.staff.services import record_deed

log = logging.getLogger("comity.models")

DUE, RUNNING, DONE, FAILED = "due", "running", "done", "failed"
MOST_DAYS = 365
# One that began so long ago was killed with its node.
_LOST = timedelta(hours=6)
# A drift warning does not ask for another training sooner than this.
_AFTER_WARNING = timedelta(days=7)
Tell = Callable[[str], None]

# Of a model that was made to see what partners told, where there was nothing of it to see.
HEARD_NOTHING = (
    "Partners had told nothing of what it learned from, or no article permits a model to see it: it knows no more than "
    "one that learns from our own records alone."
)


@transaction.atomic
def ask_training(actor: Actor, *, variant: str = LOCAL, at: datetime) -> int:
    """Ask the node to train on its own history. Returns the number of the training; one that waits is not doubled.

    variant: local, or exchange to see what partners told too.

    Raises: PermissionRefusedError, ModelError.
    """
    require(actor, Permission.MANAGE_PROFILES)
    _check_variant(variant)
    waiting = ModelTraining.objects.filter(state__in=(DUE, RUNNING), variant=variant).first()
    if waiting is not None:
        return waiting.pk
    row = ModelTraining.objects.create(state=DUE, variant=variant, asked_by=str(actor), asked_at=at)
    record_deed(actor, deed="ask_training", subject=f"training:{row.pk}", facts={"variant": variant}, at=at)
    return row.pk


@transaction.atomic
def set_retraining(actor: Actor, *, every_days: int, variant: str = LOCAL, at: datetime) -> None:
    """State after how many days the node trains by itself, 0: never; and whether models see what partners told.

    Raises: PermissionRefusedError, ModelError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    if not 0 <= every_days <= MOST_DAYS:
        raise ModelError(f"Training comes after 1 to {MOST_DAYS} days, or 0 for never", where="every_days")
    _check_variant(variant)
    ModelSetting.objects.create(every_days=every_days, variant=variant, set_by=str(actor), at=at)
    facts = {"every_days": str(every_days), "variant": variant}
    record_deed(actor, deed="set_retraining", subject="models", facts=facts, at=at)


def _check_variant(variant: str) -> None:
    if variant not in VARIANTS:
        raise ModelError(f"A model learns in one of the variants {' and '.join(VARIANTS)}", where="variant")


def models_turn(at: datetime) -> int:
    """What the clock does with models: makes the histories anew, trains what is due. Returns how many it trained."""
    clear_leftovers(at)
    try:
        learning("own_training")
    except MissingLibraryError:
        drop_histories(at)
        return 0
    refresh_if_due(at)
    drop_histories(at)
    _make_due(at)
    return _train_due(at)


def refresh_if_due(at: datetime, tell: Tell | None = None, *, is_asked: bool = False) -> bool:
    """Make the histories anew, where models speak and they are a day or a week old. Returns whether it did.

    is_asked: in any case. Raises: HistoryError, TableError, ModelFileError where it was asked for.
    """
    if not is_asked and not (LearnedModel.objects.filter(state__in=SPEAKING).exists() and _is_old(at)):
        return False
    try:
        training = learning("own_training")
        state = training.refresh_state(
            models_folder(), tariff_path(), settings.COMITY_ADMINISTRATION, at=at, tell=tell or log.debug
        )
        training.keep_state(state, state_path())
    except ComityError as error:
        if is_asked:
            raise
        log.warning("the histories could not be made: %s", error)
        return False
    return True


def _is_old(at: datetime) -> bool:
    path = state_path()
    if not path.is_file():
        return True
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return at - made >= STATE_EVERY or monday_of(at) > monday_of(made)


def _make_due(at: datetime) -> None:
    """By the setting: after so many days, or sooner where the watch on the champion warns.

    A training in the other variant, asked for to compare, puts the next one off no more than it takes.
    """
    stated = retraining_stated()
    every, asked = stated.every_days, ModelTraining.objects.order_by("-asked_at")
    if not every or asked.filter(state__in=(DUE, RUNNING)).exists():
        return
    latest = asked.filter(variant=stated.variant).first()
    since = at - latest.asked_at if latest else timedelta(days=MOST_DAYS + 1)
    shown = champion() if since >= _AFTER_WARNING else None
    if since >= timedelta(days=every) or (shown is not None and drift(shown, at).is_warning):
        ModelTraining.objects.create(state=DUE, variant=stated.variant, asked_by=str(_this_node()), asked_at=at)


def _train_due(at: datetime) -> int:
    with transaction.atomic():
        rows = ModelTraining.objects.select_for_update().order_by("pk")
        lost = rows.filter(state=RUNNING, began_at__lt=at - _LOST).first()
        row = lost or rows.filter(state=DUE).first()
        if row is None or (lost is None and rows.filter(state=RUNNING).exists()):
            return 0
        row.state, row.began_at = RUNNING, at
        row.save(update_fields=["state", "began_at"])
    try:
        row.model_id = train_now(_this_node(), at=at, seed=1, tell=log.debug, variant=row.variant)
        row.state, row.note = DONE, note_on(row.model_id)
    except ComityError as error:
        row.state, row.note = FAILED, str(error)[:500]
        log.warning("training failed: %s", error)
    row.ended_at = at
    row.save(update_fields=["state", "note", "model_id", "ended_at"])
    return 1


def train_now(actor: Actor, *, at: datetime, seed: int, tell: Tell, variant: str = LOCAL) -> str:
    """Train on the node's own history and put the model in as a candidate. Returns its id.

    variant: local, or exchange to see what partners told too; where that was nothing, it is told.

    Raises: PermissionRefusedError, HistoryError, TrainingError, ModelError, MissingLibraryError.
    """
    if actor.kind is not ActorKind.NODE:
        require(actor, Permission.MANAGE_PROFILES)
    _check_variant(variant)
    training, shelf = learning("own_training"), this_shelf()
    seen = learning("features").Variant(variant)
    folder: Path = training.train_own(
        shelf.root, tariff_path(), shelf.administration, at=at, seed=seed, tell=tell, variant=seen
    )
    try:
        model_id = enter_model(actor, folder=folder, shelf=shelf, at=at)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
    if note := note_on(model_id):
        tell(note)
    return model_id


def note_on(model_id: str) -> str:
    """What whoever asked for a model must know of what came of it; mostly nothing."""
    return HEARD_NOTHING if model(model_id).heard_nothing else ""


def _this_node() -> Actor:
    return Actor(ActorKind.NODE, settings.COMITY_ADMINISTRATION, settings.COMITY_ADMINISTRATION)
