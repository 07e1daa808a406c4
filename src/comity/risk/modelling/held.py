"""What the histories of models hold of traders, and when they are deleted.

One file, made anew each day from what is held, serves every model that speaks. It names traders, so it is told to a
trader who asks, and it goes when no model asks it any more. The names are read without the extra `learning`; the counts
need it.
"""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from comity.risk.errors import MissingLibraryError
from comity.risk.modelling.errors import ModelStoreError
from comity.risk.modelling.rules import OLDEST_STATE, ModelState, name_of
from comity.risk.modelling.shelves import STATE_NAME, learning, models_folder, state_path
from comity.risk.models import LearnedModel, ModelScore

log = logging.getLogger("comity.models")

# The columns that name traders, and what each is called where declarations are spoken of.
ROLES: Mapping[str, str] = {
    "importer": "importer",
    "exporter": "exporter",
    "declarant": "declarant",
    "forwarder": "carrier",
}
SPEAKING = (ModelState.CHAMPION.value, ModelState.CHALLENGER.value)
# What was begun so long ago was killed with its node.
LOST = timedelta(days=1)
_ABOUT = "about.json"
_LEFTOVERS = (".trained-", ".table-", f".{STATE_NAME}.")


@dataclass(frozen=True, slots=True)
class TraderHistory:
    """What is held of one trader in one role. key: the number, or name|country, in normal form.

    declarations, controls, irregular: as they count now, halved every 26 weeks; beside: in how many combinations with
    others, goods and routes; told, differing: of how many declarations partners told something, in how many matters it
    differed. found, found_irregular, alerts: of how many controls partners told, how many of those found something, and
    how many of their alerts. None where it is not kept, or cannot be counted here. since: the first week.
    """

    role: str
    key: str
    since: date | None
    declarations: float | None
    controls: float | None
    irregular: float | None
    beside: int | None
    told: float | None = None
    differing: float | None = None
    found: float | None = None
    found_irregular: float | None = None
    alerts: float | None = None


@dataclass(frozen=True, slots=True)
class HeldHistories:
    """What the file holds of those who were asked about. models: (name, state) of the models that are asked by it."""

    made_at: datetime
    models: tuple[tuple[str, str], ...]
    traders: tuple[TraderHistory, ...]


def held_histories(is_wanted: Callable[[str], bool]) -> HeldHistories | None:
    """The histories of every trader whose key is wanted; None where there is no file.

    Raises: ModelStoreError where the file cannot be read.
    """
    path = state_path()
    try:
        with zipfile.ZipFile(path) as archive:
            words = json.loads(archive.read(_ABOUT))["words"]
        # A trader that only a partner named, and that never declared here, is held too.
        named = {column: dict.fromkeys((*words[column], *words.get(f"found_{column}", ()))) for column in ROLES}
        found = [(column, str(word)) for column in ROLES for word in named[column] if word and is_wanted(str(word))]
        made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise ModelStoreError(
            "The histories of models cannot be read, so nobody can say whom they hold",
            where=str(path),
            remedy="Make them anew: `comity risk model refresh`.",
        ) from error
    rows = LearnedModel.objects.filter(state__in=SPEAKING).order_by("state", "pk")
    models = tuple((name_of(row.model_id), row.state) for row in rows)
    return HeldHistories(made_at, models, tuple(_counted(found)))


def _counted(found: list[tuple[str, str]]) -> list[TraderHistory]:
    if not found:
        return []
    try:
        counting, state = learning("remembered"), learning("states").load_state(state_path())
    except MissingLibraryError:
        return [TraderHistory(ROLES[column], word, None, None, None, None, None) for column, word in found]
    kept = [(column, word, counting.remembered(state, column, word)) for column, word in found]
    # A refresh may have put other histories in place since the names were read.
    return [_history(column, word, each) for column, word, each in kept if each is not None]


def _history(column: str, word: str, kept: Any) -> TraderHistory:
    return TraderHistory(
        role=ROLES[column],
        key=word,
        since=kept.first_day,
        declarations=kept.declarations,
        controls=kept.controls,
        irregular=kept.irregular,
        beside=kept.beside,
        told=kept.told,
        differing=kept.differing,
        found=kept.found,
        found_irregular=kept.found_irregular,
        alerts=kept.alerts,
    )


def scores_of(record_id: UUID) -> tuple[tuple[str, float], ...]:
    """What each model told of a record at last: (name, chance)."""
    rows = ModelScore.objects.filter(record_id=record_id).select_related("model").order_by("pk")
    return tuple({name_of(row.model.model_id): row.chance for row in rows}.items())


def drop_histories(at: datetime) -> bool:
    """Delete histories that no model is asked by any more, or that are too old to be asked. Returns whether it did."""
    path = state_path()
    if not path.is_file():
        return False
    is_asked = LearnedModel.objects.filter(state__in=SPEAKING).exists()
    age = at - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if is_asked and age <= OLDEST_STATE:
        return False
    path.unlink(missing_ok=True)
    log.info("the histories of models were deleted: %s", "too old to be asked" if is_asked else "no model is asked")
    return True


def clear_leftovers(at: datetime) -> None:
    """Delete what a killed training or refresh left behind: tables, models and histories half made."""
    for path in models_folder().glob(".*"):
        is_ours = path.name.startswith(_LEFTOVERS) and not path.is_symlink()
        if not is_ours or at.timestamp() - path.stat().st_mtime <= LOST.total_seconds():
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
