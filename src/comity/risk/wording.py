"""A rule that fired, in sentences for officers, each with the figures that were compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from comity.common import show_instant
from comity.risk.expression_reading import read_condition, read_value
from comity.risk.expression_tree import (
    And,
    Between,
    Call,
    Column,
    Compare,
    Condition,
    IsNull,
    IsTrue,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    TextTest,
    Value,
    ValueType,
    columns_of,
)

Facts = Mapping[str, object]

# Column -> (label, unit); a unit in braces is itself a fact. Other columns are named by their own words.
_LABELS = {
    "lrn": ("LRN", ""),
    "mrn": ("MRN", ""),
    "ucr": ("UCR", ""),
    "hs_code": ("HS code", ""),
    "hs_heading": ("HS heading", ""),
    "hs_chapter": ("HS chapter", ""),
    "item_no": ("Item number", ""),
    "gross_mass_kg": ("Gross mass", "kg"),
    "net_mass_kg": ("Net mass", "kg"),
    "item_price": ("Item price", "{item_currency}"),
    "unit_price_per_kg": ("Unit price", "{item_currency}/kg"),
    "packages": ("Packages", ""),
    "containers": ("Number of containers", ""),
    "seals": ("Number of seals", ""),
    "has_aeo_authorisation": ("AEO authorisation", ""),
    "country_dispatch": ("Country of dispatch", ""),
    "country_destination": ("Country of destination", ""),
    "origin": ("Origin", ""),
    "place_loading": ("Place of loading", ""),
    "place_unloading": ("Place of unloading", ""),
    "mode_border": ("Mode of transport at the border", ""),
    "means_id": ("Means of transport", ""),
    "exporter_id": ("Exporter number", ""),
    "importer_id": ("Importer number", ""),
    "declarant_id": ("Declarant number", ""),
    "carrier_id": ("Carrier number", ""),
    "exporter_name": ("Exporter", ""),
    "importer_name": ("Importer", ""),
    "description": ("Description", ""),
}
_NUMBER_WORDS = {"=": "is", "<>": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}
_MOMENT_WORDS = _NUMBER_WORDS | {"<": "is before", ">": "is after"}
_CONTRARY = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was compared: the sentence, the fact, the comparison, the bound, and the goods item."""

    text: str
    column: str = ""
    value: str = ""
    comparison: str = ""
    bound: str = ""
    item_no: int = 0

    def to_json(self) -> dict[str, object]:
        """The form in which it is stored; what is empty is left out."""
        return {name: value for name, value in asdict(self).items() if value}


def label_of(column: str) -> str:
    """The words that officers know a column by."""
    return _LABELS[column][0] if column in _LABELS else column.replace("_", " ").capitalize()


def evidence_of(rule: Rule, facts: Facts) -> tuple[Evidence, ...]:
    """Why a rule is true for these facts: a sentence for each condition that made it true."""
    return tuple(_Wording(rule, facts).true(rule.condition))


class _Wording:
    """Walks a rule that is true for the facts, and words the conditions that carry it."""

    def __init__(self, rule: Rule, facts: Facts) -> None:
        self._rule = rule
        self._facts = facts

    def true(self, node: Condition) -> Iterator[Evidence]:
        match node:
            case And(parts=parts):
                for part in parts:
                    yield from self.true(part)
            case Or(parts=parts):
                # One reason is enough for an OR; the first that holds is told.
                yield from self.true(next(part for part in parts if read_condition(part, self._facts)))
            case Not(part=part):
                yield from self.false(part)
            case _:
                yield self._leaf(node, is_true=True)

    def false(self, node: Condition) -> Iterator[Evidence]:
        match node:
            case And(parts=parts):
                yield from self.false(next(part for part in parts if read_condition(part, self._facts) is False))
            case Or(parts=parts):
                for part in parts:
                    yield from self.false(part)
            case Not(part=part):
                yield from self.true(part)
            case _:
                yield self._leaf(node, is_true=False)

    def _leaf(self, node: Condition, *, is_true: bool) -> Evidence:
        match node:
            case Compare(operator=sign, left=Literal() as left, right=right):
                turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
                return self._compare(right, turned if is_true else _CONTRARY[turned], left)
            case Compare(operator=sign, left=left, right=right):
                return self._compare(left, sign if is_true else _CONTRARY[sign], right)
            case Between(value=value, low=low, high=high):
                words = "is between" if is_true else "is not between"
                return self._sentence(value, words, f"{self._show(low)} and {self._show(high)}")
            case Member(value=value, choices=choices):
                listed = ", ".join(self._show(choice) for choice in choices[:8]) + (", …" if len(choices) > 8 else "")
                single = "is" if is_true else "is not"
                return self._sentence(value, single if len(choices) == 1 else f"{single} one of", listed)
            case IsNull(value=value):
                return self._missing(value, is_missing=is_true)
            case TextTest(name="starts_with", text=text, part=part):
                return self._sentence(text, "begins with" if is_true else "does not begin with", self._show(part))
            case TextTest(text=text, part=part):
                return self._sentence(text, "contains" if is_true else "does not contain", self._quoted(part))
            case IsTrue(value=value):
                return self._yes_or_no(value, is_yes=is_true)
        raise AssertionError(node)  # pragma: no cover - And, Or and Not are no leaves

    def _compare(self, value: Value, sign: str, bound: Value) -> Evidence:
        if value.type is ValueType.BOOLEAN and isinstance(bound, Literal):
            return self._yes_or_no(value, is_yes=(bound.value is True) == (sign == "="))
        words = (_MOMENT_WORDS if value.type is ValueType.MOMENT else _NUMBER_WORDS)[sign]
        shown = self._show(bound)
        if not isinstance(bound, Literal):
            shown = f"{self._name(bound)[0].lower()}{self._name(bound)[1:]} {shown}"
        return self._sentence(value, words, shown)

    def _sentence(self, value: Value, words: str, bound: str) -> Evidence:
        text = f"{self._name(value)} {self._show_with_unit(value)} {words} {bound}"
        if words in {"is", "is one of"} and isinstance(value, Column):
            text = f"{self._name(value)} is {self._show_with_unit(value)}"
            text += f", one of {bound}" if words == "is one of" else ""
        return Evidence(text, self._column(value), self._show(value), words, bound, self._item())

    def _missing(self, value: Value, *, is_missing: bool) -> Evidence:
        words = "is not stated" if is_missing else "is stated"
        return Evidence(f"{self._name(value)} {words}", self._column(value), "", words, "", self._item())

    def _yes_or_no(self, value: Value, *, is_yes: bool) -> Evidence:
        words = "yes" if is_yes else "no"
        return Evidence(f"{self._name(value)}: {words}", self._column(value), words, "is", words, self._item())

    def _name(self, value: Value) -> str:
        match value:
            case Column(name=name):
                return label_of(name)
            case Call(name="coalesce" | "lower" | "upper", arguments=(Column(name=name), *_)):
                return label_of(name)
            case _:
                return self._rule.source_of(value)

    def _column(self, value: Value) -> str:
        columns = columns_of(value)
        return next(iter(columns)) if len(columns) == 1 else ""

    def _item(self) -> int:
        number = self._facts.get("item_no")
        return int(number) if isinstance(number, int | float) else 0

    def _quoted(self, value: Value) -> str:
        return f"‘{self._show(value)}’"

    def _show(self, value: Value) -> str:
        if isinstance(value, Literal) and value.type is ValueType.NUMBER:
            return self._rule.source_of(value)  # as the officer wrote it: 5.00 stays 5.00
        return _show(read_value(value, self._facts))

    def _show_with_unit(self, value: Value) -> str:
        shown = self._show(value)
        unit = _LABELS.get(value.name, ("", ""))[1] if isinstance(value, Column) else ""
        if "{item_currency}" in unit:
            unit = unit.replace("{item_currency}", str(self._facts.get("item_currency") or ""))
        return f"{shown} {unit}" if unit else shown


def _show(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return show_instant(value)
        case int() | float():
            return _show_number(value)
        case _:
            text = str(value)
            return text if len(text) <= 80 else f"{text[:79]}…"


def _show_number(number: float) -> str:
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    # Two decimals as prices have them, more only where two would hide the difference.
    return f"{number:.2f}" if abs(number) >= 0.1 else f"{number:.4g}"
