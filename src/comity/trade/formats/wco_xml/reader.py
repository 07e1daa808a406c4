"""WCO Data Model XML into records: one pass over the tree, each element looked up in the table of its class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from lxml import etree

from comity.trade.codes import HSList, check_currency, check_hs
from comity.trade.formats.assembly import Flat, build_declaration, build_manifest, plain_hs
from comity.trade.formats.checks import check_declaration, check_reference
from comity.trade.formats.leaves import (
    MAX_TEXT,
    LeafError,
    count_of,
    mass_kg_of,
    moment_of,
    money_of,
    quantity_of,
    text_of,
)
from comity.trade.formats.reading import DEFAULT_LIMIT_BYTES, Reading, error_of, refused, warning_of
from comity.trade.formats.wco_xml.table import DECLARATION, MANIFEST, Op, Step, Table
from comity.trade.formats.xml_document import MAX_DEPTH, XMLRefusedError, parse_xml
from comity.trade.records import Declaration, Manifest
from comity.trade.values import Problem, Severity, Unread

MAX_UNREAD = 10_000
MAX_ENTRIES = 10_000
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

# A compiled table: the step and the inner compiled table of each full tag, and of each local name.
_Compiled = tuple[dict[str, Any], dict[str, Any]]


def read_wco_xml(data: bytes, *, limit_bytes: int = DEFAULT_LIMIT_BYTES, hs_list: HSList | None = None) -> Reading:
    """A WCO Data Model declaration or cargo report, whatever its prefixes, namespace version and wrapper.

    Never raises for what the bytes hold: what is wrong comes as problems, and an error refuses the record.
    """
    try:
        declaration = _declaration_in(parse_xml(data, limit_bytes=limit_bytes))
        reader = _Reader(hs_list)
        record = reader.read(declaration)
    except XMLRefusedError as error:
        return refused(error_of(error.code, error.what, line=error.line), data, max(error.line, 1))
    return Reading(record, tuple(reader.problems), data, _line_of(declaration))


def _declaration_in(root: etree._Element) -> etree._Element:
    """The one declaration of a document, under MetaData or another envelope, or bare.

    Raises: XMLRefusedError where there is none, or more than one.
    """
    found = [entry for entry in root.iter("{*}Declaration") if not _is_inside_response(entry)]
    if len(found) == 1:
        return found[0]
    if found:
        raise XMLRefusedError(
            "several_declarations", "A second declaration in one document; send each alone", _line_of(found[1])
        )
    kind = _local(root[-1]) if _local(root) == "MetaData" and len(root) else _local(root)
    raise XMLRefusedError("not_a_declaration", f"This is a {kind[:60]}, not a declaration", _line_of(root))


def _is_inside_response(declaration: etree._Element) -> bool:
    parent = declaration.getparent()
    return parent is not None and _local(parent) == "Response"


@lru_cache(maxsize=4096)
def _name_of(tag: Any) -> str:
    """The local name; the parser leaves out everything but elements, so every tag is a text."""
    return str(tag).rpartition("}")[2]


def _local(element: etree._Element) -> str:
    tag: Any = element.tag
    return _name_of(tag)


def _line_of(element: etree._Element) -> int:
    return element.sourceline or 1


@lru_cache(maxsize=32)
def _compiled(is_manifest: bool, namespace: str) -> _Compiled:  # part of a cache key
    return _compile(MANIFEST if is_manifest else DECLARATION, namespace)


def _compile(table: Table, namespace: str) -> _Compiled:
    by_local = {name: (step, _compile(step.table, namespace)) for name, step in table.items()}
    return {namespace + name: entry for name, entry in by_local.items()}, by_local


def _is_manifest(declaration: etree._Element) -> bool:
    """A cargo report has consignments and no goods shipment (WCO DM, cargo report information package)."""
    names = {_local(child) for child in declaration}
    return "Consignment" in names and "GoodsShipment" not in names


class _Reader:
    """Reads one document; problems and unread grow while it walks. prefix: the field that it is inside of."""

    __slots__ = ("_hs_list", "prefix", "problems", "unread")

    def __init__(self, hs_list: HSList | None) -> None:
        self.problems: list[Problem] = []
        self.unread: list[Unread] = []
        self.prefix = ""
        self._hs_list = hs_list

    def read(self, declaration: etree._Element) -> Declaration | Manifest | None:
        """The record, or nothing where an error stands among the problems."""
        is_manifest = _is_manifest(declaration)
        self._keep_wrapper(declaration)
        flat: Flat = {}
        namespace = str(declaration.tag).removesuffix("Declaration")
        self._walk(declaration, _compiled(is_manifest, namespace), flat, "Declaration")
        reference = "report_ref" if is_manifest else "lrn"
        problem = check_reference(flat.get(reference, ""), reference)
        if problem is not None:
            self._note(problem, reference, declaration)
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return None
        flat["unread"] = self.unread
        if is_manifest:
            return build_manifest(flat)
        record = build_declaration(flat)
        self.problems += check_declaration(record, flat.get("@lines", ()))
        return record

    def _walk(self, element: etree._Element, tables: _Compiled, flat: Flat, path: str) -> None:
        by_tag, by_local = tables
        if element.keys():
            self._keep_attributes(element, path)
        text = element.text
        if text and not text.isspace():
            self._keep_text(element, path, text.strip())
        counts: dict[Any, int] = {}
        for child in element:
            tag: Any = child.tag
            number = counts[tag] = counts.get(tag, 0) + 1
            entry = by_tag.get(tag) or by_local.get(_name_of(tag))
            if entry is None:
                self._keep(child, path, number)
                continue
            step = entry[0]
            key = step.key
            if key in flat and step.op is not Op.LIST and not self._gives_way(step, flat):
                self._keep(child, path, number)
                continue
            _HANDLERS[step.op](self, child, entry, flat, (path, number))
            if step.is_alternate and key in flat:
                flat["@" + key] = (child, path, number)

    def _gives_way(self, step: Step, flat: Flat) -> bool:
        """Whether the field was filled from its second place, which now gives way to the first."""
        alternate = None if step.is_alternate else flat.pop("@" + step.key, None)
        if alternate is None:
            return False
        del flat[step.key]
        self._keep(*alternate)
        return True

    # What stands in an element. Each takes the element, its entry of the table, the flat fields to fill,
    # and the place: the path of the parent and the number among the parent's children of that name.

    def _text(self, child: etree._Element, entry: Any, flat: Flat, place: tuple[str, int]) -> None:
        step = entry[0]
        if len(child):
            self._keep(child, *place)
            return
        text = child.text
        text = text.strip() if text else ""
        if child.keys():
            self._keep_attributes(child, _path_of(child, *place))
        if not text:
            return
        if len(text) > MAX_TEXT:
            self._converted(child, step.key, text_of, text)
            return
        flat[step.key] = text
        if step.check is not None:
            problem = step.check(text)
            if problem is not None:
                self._note(problem, step.key, child)

    def _numbered(self, child: etree._Element, _entry: Any, _flat: Flat, place: tuple[str, int]) -> None:
        # The position says the same; another number is kept, and so comes back.
        number = place[0].rpartition("[")[2].rstrip("]") if place[0].endswith("]") else "1"
        if len(child) or child.keys() or (child.text or "").strip() != number or place[1] > 1:
            self._keep(child, *place)

    def _number(self, child: etree._Element, entry: Any, flat: Flat, place: tuple[str, int]) -> None:
        step = entry[0]
        if len(child):
            self._keep(child, *place)
            return
        known = _UNIT_OF.get(step.op, "")
        if child.keys():
            self._keep_attributes(child, _path_of(child, *place), known)
        text = (child.text or "").strip()
        if not text:
            return
        if not known:
            value = self._converted(child, step.key, count_of, text)
        else:
            unit = (child.get(known) or "").strip()
            value = self._converted(child, step.key, _CONVERSIONS[step.op], text, unit)
            if step.op is Op.MONEY and value is not None:
                self._check_currency(child, step.key, unit)
        if value is not None:
            flat[step.key] = value

    def _moment(self, child: etree._Element, entry: Any, flat: Flat, place: tuple[str, int]) -> None:
        leaf = child[0] if len(child) == 1 and _local(child[0]) == "DateTimeString" else child
        if len(leaf):
            self._keep(child, *place)
            return
        here = _path_of(child, *place)
        if leaf is not child:
            self._keep_attributes(child, here)
            here = _path_of(leaf, here, 1)
        self._keep_attributes(leaf, here, "formatCode")
        text = (leaf.text or "").strip()
        moment = self._converted(leaf, entry[0].key, moment_of, text) if text else None
        if moment is not None:
            flat[entry[0].key] = moment

    def _group(self, child: etree._Element, entry: Any, flat: Flat, place: tuple[str, int]) -> None:
        if place[1] > 1:
            self._keep(child, *place)
        else:
            self._walk(child, entry[1], flat, _path_of(child, *place))

    def _noun(self, child: etree._Element, entry: Any, flat: Flat, place: tuple[str, int]) -> None:
        step = entry[0]
        outer, self.prefix = self.prefix, f"{self.prefix}{step.key}."
        inner: Flat = {}
        self._walk(child, entry[1], inner, _path_of(child, *place))
        self.prefix = outer
        value = step.build(inner)
        if value is not None:
            flat[step.key] = value

    def _list(self, child: etree._Element, entry: Any, flat: Flat, place: tuple[str, int]) -> None:
        step, number = entry[0], place[1]
        entries = flat.setdefault(step.key, [])
        if number > MAX_ENTRIES:
            raise XMLRefusedError("too_many", f"More than {MAX_ENTRIES} entries of {step.key}", _line_of(child))
        outer, self.prefix = self.prefix, f"{self.prefix}{step.key}[{number}]."
        inner: Flat = {}
        self._walk(child, entry[1], inner, _path_of(child, *place))
        if step.key == "items":
            flat.setdefault("@lines", []).append(_line_of(child))
            if inner.setdefault("item_no", number) == 0:
                self._note(error_of("item_no", "Items are numbered from 1"), "item_no", child)
        self.prefix = outer
        entries.append(step.build(inner))

    def _choice(self, child: etree._Element, entry: Any, flat: Flat, place: tuple[str, int]) -> None:
        step = entry[0]
        found = _plain_leaves(child, entry[1][1])
        key = step.kinds.get(found.get("kind", "")) if found.get("value") else None
        if key is None or key in flat or not self._choose(key, found["value"], flat, child):
            self._keep(child, *place)

    def _choose(self, key: str, value: str, flat: Flat, child: etree._Element) -> bool:
        if key == "hs_more":
            # Two more digits behind the eight of the combined nomenclature; alone they mean nothing.
            if len(flat.get("hs_code", "")) != 8 or len(value) != 2 or not value.isdigit():
                return False
        elif key == "hs_code":
            value = plain_hs(value)
            problem = check_hs(value, self._hs_list)
            if problem is not None:
                self._note(problem, key, child)
        text = self._converted(child, key, text_of, value)
        if text is not None:
            flat[key] = text
        return True

    def _converted(self, child: etree._Element, key: str, convert: Any, *text: str) -> Any:
        """The value of a text, or nothing and a problem that refuses the record."""
        try:
            return convert(*text)
        except LeafError as error:
            self._note(error_of(error.code, error.what), key, child)
            return None

    def _check_currency(self, child: etree._Element, key: str, currency: str) -> None:
        problem = check_currency(currency) if currency else warning_of("no_currency", "The amount has no currency")
        if problem is not None:
            self._note(problem, key, child)

    def _note(self, problem: Problem, key: str, element: etree._Element) -> None:
        self.problems.append(replace(problem, field=self.prefix + key, line=_line_of(element)))

    # What no field names is kept with its place.

    def _keep(self, element: etree._Element, path: str, number: int) -> None:
        here = _path_of(element, path, number)
        if here.count("/") > MAX_DEPTH:
            raise XMLRefusedError("too_deep", f"More than {MAX_DEPTH} levels of elements", _line_of(element))
        before = len(self.unread)
        if element.keys():
            self._keep_attributes(element, here)
        if len(element):
            counts: dict[Any, int] = {}
            for child in element:
                number = counts[child.tag] = counts.get(child.tag, 0) + 1
                self._keep(child, here, number)
        text = (element.text or "").strip()
        if text or len(self.unread) == before:
            self._keep_text(element, here, text)

    def _keep_attributes(self, element: etree._Element, here: str, known: str = "") -> None:
        for name, value in element.items():
            if name != known and not str(name).startswith(_XSI):
                self._keep_text(element, f"{here}/@{str(name).rpartition('}')[2]}", str(value).strip())

    def _keep_text(self, element: etree._Element, here: str, text: str) -> None:
        if len(self.unread) >= MAX_UNREAD:
            raise XMLRefusedError("too_much_unread", f"More than {MAX_UNREAD} unknown fields", _line_of(element))
        if len(text) > MAX_TEXT:
            self._converted(element, here, text_of, text)
        self.unread.append(Unread(here, text, element.sourceline or 1))

    def _keep_wrapper(self, declaration: etree._Element) -> None:
        """What MetaData says beside the declaration. Other envelopes are a transport's and stay in the raw bytes."""
        wrapper = declaration.getparent()
        if wrapper is None or _local(wrapper) != "MetaData":
            return
        self._keep_attributes(wrapper, "MetaData")
        counts: dict[Any, int] = {}
        for child in wrapper:
            number = counts[child.tag] = counts.get(child.tag, 0) + 1
            if child is not declaration:
                self._keep(child, "MetaData", number)


def _path_of(element: etree._Element, parent: str, number: int) -> str:
    name = _local(element)
    return f"{parent}/{name}[{number}]" if number > 1 else f"{parent}/{name}"


def _plain_leaves(element: etree._Element, by_local: dict[str, Any]) -> Flat:
    """The text of each child under its key; nothing where anything else stands in the element."""
    found: Flat = {}
    if element.keys() or (element.text or "").strip():
        return {}
    for child in element:
        entry = by_local.get(_local(child))
        if entry is None or len(child) or child.keys() or entry[0].key in found:
            return {}
        found[entry[0].key] = (child.text or "").strip()
    return found


_UNIT_OF = {Op.MASS: "unitCode", Op.MONEY: "currencyID", Op.QUANTITY: "unitCode"}
_CONVERSIONS = {Op.MASS: mass_kg_of, Op.MONEY: money_of, Op.QUANTITY: quantity_of}
_HANDLERS: Sequence[Any] = (
    _Reader._text,
    _Reader._numbered,
    _Reader._number,
    _Reader._number,
    _Reader._number,
    _Reader._number,
    _Reader._moment,
    _Reader._group,
    _Reader._noun,
    _Reader._list,
    _Reader._choice,
)
