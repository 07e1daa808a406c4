"""A trained model in a run: the chance and the revenue to expect of each row, by what the histories know.

Histories end before the table begins and are the same for every row. So a row's score does not depend on the rows
beside it, on the size of parts, or on who is first; and memory does not grow with the table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from comity.risk.bulk.columns import kept_columns
from comity.risk.bulk.files import Found, opened, table_at
from comity.risk.bulk.model_rows import columns_for, rows_of
from comity.risk.bulk.orders import Order, UsedModel
from comity.risk.bulk.parts import Task, TellRows
from comity.risk.bulk.trees import columnwise
from comity.risk.errors import RunError
from comity.risk.prediction.artefacts import MANIFEST, load_model
from comity.risk.prediction.errors import ModelFileError
from comity.risk.prediction.features import Variant
from comity.risk.prediction.states import State, build_state, live_features, load_state, save_state
from comity.risk.prediction.training import Model
from comity.risk.prediction.worlds import EXPORTS, IMPORT_NUMBERS, IMPORT_WORDS, read_world

STATE = "histories.npz"
CHANCE, REVENUE = "chance", "expected_revenue"
# Rows that are scored together: of each some three hundred features are held.
_AT_ONCE = 32_768
_NOBODY: dict[str, object] = dict.fromkeys(IMPORT_WORDS, "") | dict.fromkeys(IMPORT_NUMBERS, 1.0)


@dataclass(frozen=True, slots=True)
class ModelWork:
    """How parts are scored. folder: of the model; digest: of the model and the histories, which lie in out."""

    out: Path
    keys: tuple[str, ...]
    folder: Path
    digest: str


class Prepared:
    """A model and its histories, checked before anything is written.

    Raises: ModelFileError where one is missing or was changed, RunError where the model needs more than a table tells.
    """

    def __init__(self, order: Order, used: UsedModel) -> None:
        model = load_model(used.folder)
        if model.card.get("variant") != Variant.LOCAL.value or model.card.get("whole_weeks", True):
            raise RunError(
                "The model needs more than a table tells: partners' records, or whole weeks at once",
                where=str(used.folder),
                remedy="Use one of `comity risk model train --live --variant local`, or of a node.",
            )
        self.digest = _digest(used)
        self._folder = used.folder.resolve()
        self._kept = order.out / STATE
        self._state = None if self._kept.exists() else _state(used.history, str(model.card["administration"]))
        if self._state is not None:
            _check(self._state, model, used.history)

    def work(self, order: Order) -> ModelWork:
        """How parts are scored; the histories are put into the folder of the result, for whoever scores."""
        if self._state is not None and not self._kept.exists():
            save_state(self._state, self._kept)
        self._state = None
        return ModelWork(order.out.resolve(), order.keys, self._folder, self.digest)


def check(schema: Any) -> None:
    """Refuse a table that lacks what a model asks.

    Raises: FactError.
    """
    columns_for(schema)


def _digest(used: UsedModel) -> str:
    told = hashlib.sha256((used.folder / MANIFEST).read_bytes())
    if not used.history.exists():
        raise RunError("There are no histories", where=str(used.history), remedy="Name a file or a folder of the past.")
    files = sorted(used.history.iterdir()) if used.history.is_dir() else [used.history]
    for path in files:
        if path.is_file() and path.name != EXPORTS:
            with path.open("rb") as file:
                told.update(hashlib.file_digest(file, "sha256").digest())
    return told.hexdigest()


def _state(history: Path, administration: str) -> State:
    """Histories that a node kept, or those of a folder of the benchmark's form with all its weeks."""
    if not history.is_dir():
        return load_state(history)
    world = read_world(history, with_exports=False)
    return build_state(world, administration, week=int(world.week.max()) + 1)


def _check(state: State, model: Model, history: Path) -> None:
    if state.administration != model.card["administration"]:
        raise RunError(
            f"The histories are those of {state.administration}, the model's of {model.card['administration']}",
            where=str(history),
        )
    _asked(model, state, [_NOBODY])  # whether both are of one release shows before hours of work


@lru_cache(maxsize=1)
def _ready(folder: Path, kept: Path, _digest: str) -> tuple[Model, State]:
    model = load_model(folder)
    revenue = columnwise(model.revenue) if model.revenue else None
    return replace(model, chance=columnwise(model.chance), revenue=revenue), load_state(kept)


def score_rows(work: ModelWork, task: Task, tell: TellRows) -> Found:
    """Score a part and put its table in place; a row that the model cannot be asked about has no score.

    Raises: ModelFileError.
    """
    model, state = _ready(work.folder, work.out / STATE, work.digest)
    scored = rows = 0
    with opened(Path(task.part.path), []) as file:
        schema = file.schema_arrow
        columns = columns_for(schema)
        names = kept_columns([*work.keys, *columns.values()], schema)
        output = _output(schema, work.keys)
        with table_at(work.out / task.name, output) as table:
            for batch in file.iter_batches(_AT_ONCE, row_groups=list(task.part.row_groups), columns=names):
                asked, places = rows_of(batch, columns, state)
                answers = np.full((batch.num_rows, 2), np.nan)
                if asked:
                    answers[places] = _asked(model, state, asked)
                keys = [batch.column(key).cast(output.field(key).type) for key in work.keys]
                told = [pa.array(column, mask=np.isnan(column)) for column in answers.T]
                table.add(pa.RecordBatch.from_arrays([*keys, *told], schema=output))
                scored += len(asked)
                rows += batch.num_rows
                tell(rows, 0)
            return table.close(Found(rows, (scored,)))


def _asked(model: Model, state: State, rows: list[dict[str, object]]) -> Any:
    names, values = live_features(state, rows, week=state.week)
    if names != model.names:
        raise ModelFileError("The model asks for other features than this release makes", remedy="Train anew.")
    chances = model.chances(values)
    revenues = model.revenues(values, chances) if model.revenue else np.full(len(rows), np.nan)
    return np.stack([chances, revenues], axis=1)


def _output(schema: Any, keys: tuple[str, ...]) -> Any:
    kinds = [schema.field(key).type for key in keys]
    plain = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
    named = [pa.field(key, kind) for key, kind in zip(keys, plain, strict=True)]
    return pa.schema([*named, pa.field(CHANCE, pa.float64()), pa.field(REVENUE, pa.float64())])
