"""Rows of a table as the declarations that a model is asked about: columns by the benchmark's names or those of facts.

Each row is asked about as a declaration by itself. What a table of facts does not tell is filled in as
`comity.risk.modelling.rows` does for a record: rates and taxes from the tariff, quantities from packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.risk.bulk.columns import Array
from comity.risk.errors import FactError
from comity.risk.prediction.states import State
from comity.risk.signals import normal_id

# What a model asks -> the columns that may say it; the first that a table has.
WORDS = {
    "office": ("office",),
    "importer": ("importer", "importer_id"),
    "declarant": ("declarant", "declarant_id"),
    "exporter": ("exporter", "exporter_id"),
    "forwarder": ("forwarder", "carrier_id"),
    "hs6": ("hs6", "hs_code"),
    "origin": ("origin",),
    "departure": ("departure", "country_dispatch"),
    "transport": ("transport", "mode_border"),
}
NUMBERS = {
    "net_mass": ("net_mass", "net_mass_kg"),
    "quantity": ("quantity", "packages"),
    "cif_value": ("cif_value", "item_price"),
}
# Where no column says it: not claimed, no authorisation, and what the tariff says.
MAY_LACK = {
    "preference": ("preference",),
    "aeo": ("aeo", "has_aeo_authorisation"),
    "duty_rate": ("duty_rate",),
    "taxes_paid": ("taxes_paid",),
    "dest": ("dest",),
}
_PARTIES = ("importer", "declarant", "exporter", "forwarder")
_SUBHEADING = 6
Columns = Mapping[str, str]


def columns_for(schema: Any) -> Columns:
    """What a model asks -> the column of this table that says it.

    Raises: FactError naming everything that is missing or of another type.
    """
    found: dict[str, str] = {}
    absent: list[str] = []
    for what, names in (WORDS | NUMBERS | MAY_LACK).items():
        there = next((name for name in names if name in schema.names), None)
        if there:
            found[what] = there
        elif what not in MAY_LACK:
            absent.append(" or ".join(names))
    if absent:
        raise FactError(
            "The table lacks columns that the model asks for",
            where=", ".join(absent),
            remedy="Add them (empty where nothing is known), or assess without --model.",
        )
    wrong = [
        f"{column} is {schema.field(column).type}, not {'text' if _is_word(what) else 'a number'}"
        for what, column in found.items()
        if not _fits(schema.field(column).type, is_word=_is_word(what))
    ]
    if wrong:
        raise FactError(
            "A column has another type than the model expects",
            where="; ".join(sorted(wrong)),
            remedy="Write the table with the types that docs/rules.md lists.",
        )
    return found


def _is_word(what: str) -> bool:
    return what in WORDS or what == "dest"


def _fits(kind: Any, *, is_word: bool) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_null(kind):
        return True
    if is_word:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(is_number or pa.types.is_boolean(kind))


def rows_of(batch: Any, columns: Columns, state: State) -> tuple[list[dict[str, object]], Array]:
    """The rows that a model can be asked about, and their places: of its administration, with mass, quantity, value."""
    numbers = {what: _numbers(batch.column(columns[what])) for what in NUMBERS}
    usable = np.logical_and.reduce([np.isfinite(values) for values in numbers.values()])
    if "dest" in columns:
        is_ours = pc.equal(_text(batch.column(columns["dest"])), state.administration)
        usable &= np.asarray(is_ours.to_numpy(zero_copy_only=False), dtype=bool)
    places = np.flatnonzero(usable)
    kept = batch.take(pa.array(places))
    told: dict[str, list[object]] = {what: _words(kept.column(columns[what]), what, state) for what in WORDS}
    told |= {what: values[places].tolist() for what, values in numbers.items()}
    for what in ("preference", "aeo"):
        found = np.nan_to_num(_numbers(kept.column(columns[what]))) if what in columns else np.zeros(len(places))
        told[what] = found.tolist()
    told["duty_rate"] = _or_tariff(kept, columns, "duty_rate", _rates(told, state))
    due = [round(value * rate / 100.0, 2) for value, rate in zip(told["cif_value"], told["duty_rate"], strict=True)]  # type: ignore[operator]
    told["taxes_paid"] = _or_tariff(kept, columns, "taxes_paid", due)
    told |= {"dest": [state.administration] * len(places), "ucr": [""] * len(places)}
    names = list(told)
    return [dict(zip(names, row, strict=True)) for row in zip(*told.values(), strict=True)], places


def _rates(told: Mapping[str, list[object]], state: State) -> list[object]:
    pairs = zip(told["hs6"], told["preference"], strict=True)
    return [0.0 if preference else state.rates.get(str(code), 0.0) for code, preference in pairs]


def _or_tariff(batch: Any, columns: Columns, what: str, otherwise: list[object]) -> list[object]:
    """What the table says, and where it says nothing what the tariff does."""
    if what not in columns:
        return otherwise
    said = _numbers(batch.column(columns[what])).tolist()
    return [known if known == known else other for known, other in zip(said, otherwise, strict=True)]  # noqa: PLR0124


def _words(column: Any, what: str, state: State) -> list[object]:
    """Words as the histories write them: as they stand, and numbers of parties also by letters and digits alone."""
    encoded = _text(column).dictionary_encode()
    words = encoded.dictionary.to_pylist()
    if what == "hs6":
        words = [word[:_SUBHEADING] for word in words]
    elif what in _PARTIES:
        known = set(state.words[what])
        words = [word if word in known or (plain := normal_id(word)) not in known else plain for word in words]
    return [words[place] for place in encoded.indices.to_pylist()]


def _text(column: Any) -> Any:
    return pc.fill_null(column.cast(pa.string()), "")


def _numbers(column: Any) -> Array:
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    return np.asarray(plain.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
