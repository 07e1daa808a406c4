"""Records into WCO Data Model XML, by the table of the reader; what was kept unread goes back to its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lxml import etree

from comity.trade.errors import TradeError
from comity.trade.formats.assembly import Flat, split_declaration, split_manifest
from comity.trade.formats.leaves import show_moment
from comity.trade.formats.wco_xml.table import DECLARATION, MANIFEST, Op, Step, Table
from comity.trade.numbers import show_decimal
from comity.trade.records import Declaration, Manifest
from comity.trade.values import Unread

NAMESPACE = "urn:wco:datamodel:WCO:DEC-DMS:2"
WRAPPER_NAMESPACE = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
_NUMBERED = "SequenceNumeric"
_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)(?:\[([1-9]\d{0,4})\])?", re.ASCII)


class WriteError(TradeError):
    """A record holds characters that XML cannot carry."""

    code = "not_writable"


def write_wco_xml(record: Declaration | Manifest) -> bytes:
    """The WCO Data Model document of a record, which reads back to the same record.

    Fields that another format left unread have no place here and are not written.
    Raises: WriteError where a text holds characters that XML cannot carry.
    """
    try:
        return _Writer(record.unread).write(record)
    except ValueError as error:
        raise WriteError("A text holds characters that XML cannot carry", where=str(error)) from error


class _Writer:
    """Writes one document."""

    def __init__(self, unread: Iterable[Unread]) -> None:
        self._unread = list(unread)
        self._taken = {entry.path for entry in self._unread}

    def write(self, record: Declaration | Manifest) -> bytes:
        """The whole document."""
        declaration = etree.Element(f"{{{NAMESPACE}}}Declaration", nsmap={None: NAMESPACE})
        if isinstance(record, Declaration):
            self._emit(declaration, DECLARATION, split_declaration(record), "Declaration")
        else:
            self._emit(declaration, MANIFEST, split_manifest(record), "Declaration")
        root = self._wrapped(declaration)
        etree.indent(root)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def _wrapped(self, declaration: etree._Element) -> etree._Element:
        wrapper = etree.Element(f"{{{WRAPPER_NAMESPACE}}}MetaData", nsmap={"md": WRAPPER_NAMESPACE, None: NAMESPACE})
        for entry in self._unread:
            first, _, rest = entry.path.partition("/")
            steps = rest.split("/") if rest else []
            if first == "Declaration":
                _put(declaration, NAMESPACE, steps, entry.value)
            elif first == "MetaData":
                _put(wrapper, WRAPPER_NAMESPACE, steps, entry.value)
        if not len(wrapper) and not wrapper.keys() and not wrapper.text:
            return declaration
        wrapper.append(declaration)
        return wrapper

    def _emit(self, parent: etree._Element, table: Table, flat: Flat, path: str) -> None:
        for name, step in table.items():
            if step.is_alternate:
                continue
            here = f"{path}/{name}"
            if step.op is Op.GROUP:
                child = etree.Element(f"{{{NAMESPACE}}}{name}")
                self._emit(child, step.table, flat, here)
                if len(child):
                    parent.append(child)
            elif step.op is Op.CHOICE:
                self._emit_choices(parent, name, step, flat, here)
            elif step.key in flat:
                self._emit_field(parent, name, step, flat[step.key], here)

    def _emit_field(self, parent: etree._Element, name: str, step: Step, value: Any, here: str) -> None:
        if step.op is Op.NOUN and step.split is not None:
            self._emit(_add(parent, name), step.table, step.split(value), here)
        elif step.op is Op.LIST and step.split is not None:
            for number, entry in enumerate(value, start=1):
                child = _add(parent, name)
                if _NUMBERED in step.table and step.table[_NUMBERED].op is Op.NUMBERED:
                    _add(child, _NUMBERED).text = str(number)
                self._emit(child, step.table, step.split(entry), f"{here}[{number}]" if number > 1 else here)
        else:
            _fill(_add(parent, name), step.op, value)

    def _emit_choices(self, parent: etree._Element, name: str, step: Step, flat: Flat, here: str) -> None:
        """The kinds that are fields, at the numbers that unread ones of the same class leave free."""
        written: set[str] = set()
        number = 1
        for kind, key in step.kinds.items():
            if key in written or key not in flat:
                continue
            written.add(key)
            while self._is_taken(step, here, number):
                _add(parent, name)
                number += 1
            child = _add(parent, name)
            number += 1
            for leaf, inner in step.table.items():
                _add(child, leaf).text = flat[key] if inner.key == "value" else kind

    def _is_taken(self, step: Step, here: str, number: int) -> bool:
        place = f"{here}[{number}]" if number > 1 else here
        return any(f"{place}/{leaf}" in self._taken for leaf in step.table)


def _add(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _fill(element: etree._Element, op: Op, value: Any) -> None:
    if op is Op.MASS:
        element.text = show_decimal(value)
    elif op is Op.MONEY:
        element.text = show_decimal(value.amount)
        if value.currency:
            element.set("currencyID", value.currency)
    elif op is Op.QUANTITY:
        element.text = show_decimal(value.value)
        if value.unit:
            element.set("unitCode", value.unit)
    elif op is Op.MOMENT:
        leaf = _add(element, "DateTimeString")
        leaf.text, code = show_moment(value)
        if code:
            leaf.set("formatCode", code)
    else:
        element.text = str(value)


def _put(element: etree._Element, namespace: str, steps: list[str], value: str) -> None:
    """Put an unread value where its path says, making what is missing on the way; an odd path is passed over."""
    for position, step in enumerate(steps):
        if step.startswith("@"):
            if _STEP.fullmatch(step[1:]) is not None:
                element.set(step[1:], value)
            return
        match = _STEP.fullmatch(step)
        if match is None:
            return
        tag = f"{{{namespace}}}{match[1]}"
        same = element.findall(tag)
        number = int(match[2] or 1)
        found = same[number - 1] if len(same) >= number else None
        is_last = position == len(steps) - 1
        if found is None or (is_last and found.text and match[1] != _NUMBERED):
            found = etree.SubElement(element, tag)
        element = found
    if steps:
        element.text = value
