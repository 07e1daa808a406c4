"""The life of a model: put in by one officer, approved by another, promoted with a reason, retired, brought back.

Each move is one transaction with its audit entry and its entry in the append-only log, which commits to the model, the
states, the actor, the reason and the time. Locks are taken in the order of the models' keys.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.db import transaction

from comity.common import Actor, ActorKind, show_instant
from comity.ledger import commit
from comity.ledger.services import append
from comity.risk.errors import FourEyesError
from comity.risk.modelling import store
from comity.risk.modelling.errors import ModelError, ModelNotFoundError, ModelStoreError
from comity.risk.modelling.rules import MOST_CHALLENGERS, MOVES, ModelState
from comity.risk.modelling.store import Parts
from comity.risk.models import LearnedModel, ModelMove, ModelTraining
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trust import Keyring, canonical_json

ENTRY_KIND = "model"
MOST_REASON = 500
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Deed:
    """Who moves a model, when and why, and where it lies."""

    actor: Actor
    shelf: Shelf
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where models lie, whose they are, and the keys that sign them and the log."""

    root: Path
    administration: str
    keyring: Keyring

    def check(self, model_id: str) -> Parts:
        """A kept model after its signature and parts were checked. Raises: ModelStoreError."""
        return store.take(self.root, model_id, [signer.verify_key for signer in self.keyring.signers])


def enter_model(actor: Actor, *, folder: Path, shelf: Shelf, at: datetime) -> str:
    """Put a trained model into the node: checked, signed, kept, entered in the log. Returns its id.

    Raises: PermissionRefusedError, ModelStoreError, ModelError where it is there already or of somebody else.
    """
    _require(actor, Permission.MANAGE_PROFILES)
    parts = store.read_parts(folder)
    card = parts.json("card.json")
    if card.get("administration") != shelf.administration:
        raise ModelError(
            "The model learned from another administration's declarations",
            where=str(card.get("administration", ""))[:16],
            remedy="A model tells what controls of one administration would find: train one on your own.",
        )
    is_new = not (shelf.root / parts.model_id).is_dir()
    store.put(shelf.root, parts, shelf.keyring.signing)
    model_id = ""
    try:
        with transaction.atomic():
            model_id = _write(_Deed(actor, shelf, at), parts, card)
    finally:
        if is_new and not model_id:
            store.drop(shelf.root, parts.model_id)
    return model_id


def _write(deed: _Deed, parts: Parts, card: dict[str, object]) -> str:
    if LearnedModel.objects.filter(model_id=parts.model_id).exists():
        raise ModelError("This model is in the node already", where=parts.model_id)
    reference = parts.json("reference.json") if "reference.json" in parts.files else {}
    row = LearnedModel.objects.create(
        model_id=parts.model_id,
        administration=deed.shelf.administration,
        variant=str(card.get("variant", ""))[:16],
        first_day=_day(card, "learned_from", "first_day"),
        last_day=_day(card, "learned_from", "last_day"),
        card=card,
        reference=reference,
        state=ModelState.TRAINED.value,
        proposed_by=str(deed.actor),
        proposed_at=deed.at,
        changed_at=deed.at,
    )
    _note(deed, row, None)
    return row.model_id


def _day(card: dict[str, object], window: str, name: str) -> date:
    try:
        return date.fromisoformat(str(card[window][name]))  # type: ignore[index]  # what is no mapping is refused
    except (KeyError, TypeError, ValueError) as error:
        raise ModelStoreError("The card does not say which days were learned from", where=f"{window}.{name}") from error


@transaction.atomic
def approve_model(actor: Actor, *, model_id: str, shelf: Shelf, at: datetime) -> None:
    """Let a trained model tell beside the champion, without effect: a second pair of eyes does it.

    Raises: PermissionRefusedError, ModelError, ModelStoreError, FourEyesError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    row = _locked(model_id)
    if row.proposed_by == str(actor):
        raise FourEyesError("The officer who put a model in may not approve it", where=row.model_id, remedy=_ASK)
    # What the node trained is the node's; a second pair of eyes is another than whoever had it trained.
    if ModelTraining.objects.filter(model_id=row.model_id, asked_by=str(actor)).exists():
        raise FourEyesError("The officer who asked for a model may not approve it", where=row.model_id, remedy=_ASK)
    if not is_live(row.card):
        raise ModelError(
            "The model was trained for tables: it needs a whole week at once, or partners' whole tables",
            where=row.model_id,
            remedy="Train one with `comity risk model train --own`, or with --live on a table.",
        )
    if row.state == ModelState.TRAINED and _challengers() >= MOST_CHALLENGERS:
        raise ModelError(
            f"There are {MOST_CHALLENGERS} challengers already", where=row.model_id, remedy="Retire one of them first."
        )
    row.approved_by, row.approved_at = str(actor), at
    _move(_Deed(actor, shelf, at), row, ModelState.CHALLENGER)


_ASK = "Ask another officer."


def is_live(card: dict[str, object]) -> bool:
    """Whether a model asks for nothing that is not known when a declaration arrives."""
    is_own = card.get("variant") == "local" or isinstance(card.get("as_told"), dict)
    return is_own and card.get("whole_weeks") is False


def _challengers() -> int:
    return LearnedModel.objects.filter(state=ModelState.CHALLENGER.value).count()


@transaction.atomic
def promote_model(actor: Actor, *, model_id: str, reason: str, shelf: Shelf, at: datetime) -> None:
    """Make a challenger, or one that was champion before, the champion; the champion until now retires.

    Raises: PermissionRefusedError, ModelError, ModelStoreError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    why = _reason(reason)
    found = list(LearnedModel.objects.select_for_update().filter(state=ModelState.CHAMPION.value))
    row = _locked(model_id)
    is_back = row.state == ModelState.RETIRED
    if is_back and not row.moves.filter(to_state=ModelState.CHAMPION.value).exists():
        raise ModelError(
            "Only one that was champion before is brought back", where=row.model_id, remedy="Put a new model in."
        )
    giving_way = _Deed(actor, shelf, at, f"gave way to {row.model_id[:16]}")
    for former in found:
        if former.pk != row.pk:
            _move(giving_way, former, ModelState.RETIRED, is_checked=False)
    _move(_Deed(actor, shelf, at, why), row, ModelState.CHAMPION)


@transaction.atomic
def retire_model(actor: Actor, *, model_id: str, reason: str, shelf: Shelf, at: datetime) -> None:
    """Let a model tell no more. Its folder, its life and what it told stay.

    Raises: PermissionRefusedError, ModelError.
    """
    require(actor, Permission.MANAGE_PROFILES)
    _move(_Deed(actor, shelf, at, _reason(reason)), _locked(model_id), ModelState.RETIRED, is_checked=False)


def _move(deed: _Deed, row: LearnedModel, to: ModelState, *, is_checked: bool = True) -> None:
    before = ModelState(row.state)
    if to not in MOVES[before]:
        raise ModelError(f"The model is {before.value}: it cannot become {to.value}", where=row.model_id)
    if is_checked:
        deed.shelf.check(row.model_id)
    row.state, row.changed_at = to.value, deed.at
    row.save(update_fields=["state", "changed_at", "approved_by", "approved_at"])
    _note(deed, row, before)


def _note(deed: _Deed, row: LearnedModel, before: ModelState | None) -> None:
    told = {
        "at": show_instant(deed.at),
        "by": str(deed.actor),
        "from": before.value if before else "",
        "model": row.model_id,
        "reason": deed.reason,
        "to": row.state,
    }
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.sha256(canonical_json(told)).digest()
    entry = commit(ENTRY_KIND, digest, agreement="", message_id=row.model_id, salt=salt)
    appended = append([entry], signer=deed.shelf.keyring.log, at=deed.at)
    ModelMove.objects.create(
        model=row,
        from_state=told["from"],
        to_state=row.state,
        by=told["by"],
        reason=deed.reason,
        at=deed.at,
        log_index=appended.first_index,
        salt=salt.hex(),
    )
    facts = {"state": row.state} | ({"reason": deed.reason[:200]} if deed.reason else {})
    if before is None:
        facts |= {"variant": row.variant}
    record_deed(deed.actor, deed=_DEEDS[row.state], subject=f"model:{row.model_id[:16]}", facts=facts, at=deed.at)


_DEEDS = {
    ModelState.TRAINED.value: "enter_model",
    ModelState.CHALLENGER.value: "approve_model",
    ModelState.CHAMPION.value: "promote_model",
    ModelState.RETIRED.value: "retire_model",
}


def _require(actor: Actor, permission: Permission) -> None:
    """The node itself may leave a candidate; it can approve none."""
    if actor.kind is not ActorKind.NODE:
        require(actor, permission)


def _reason(text: str) -> str:
    if not text.strip():
        raise ModelError("Say why, in one sentence", where="reason")
    if len(text) > MOST_REASON:
        raise ModelError(f"The reason has at most {MOST_REASON} characters", where="reason")
    return text.strip()


def _locked(model_id: str) -> LearnedModel:
    rows = list(LearnedModel.objects.select_for_update().filter(model_id__startswith=model_id or "-")[:2])
    if len(rows) != 1:
        what = "There is no such model" if not rows else "Several models begin so"
        raise ModelNotFoundError(what, where=model_id[:64], remedy="Look at `comity risk model list`.")
    return rows[0]
