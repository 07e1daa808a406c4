"""The consolidated list of the United Nations Security Council, in XML."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from lxml import etree

from comity.registers.errors import ListFormError
from comity.registers.sources.making import Draft, gather
from comity.registers.sources.words import country_code, date_text
from comity.registers.values import EntryKind, Identifier, Reading
from comity.trade.formats.xml_document import XMLRefusedError, parse_xml

_KINDS = {"INDIVIDUAL": EntryKind.PERSON, "ENTITY": EntryKind.COMPANY}
_NAME_PARTS = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_DOCUMENTS = {"passport": "passport", "national": "national_id"}


def root_of(data: bytes, tag: str, *, limit_bytes: int) -> etree._Element:
    """The root of a list in XML.

    Raises: ListFormError where it cannot be read, declares a document type, or is another document.
    """
    try:
        root = parse_xml(data, limit_bytes=limit_bytes)
    except XMLRefusedError as error:
        raise ListFormError(error.what, where=error.where, remedy="Fetch the list again from its publisher.") from error
    if etree.QName(root).localname != tag:
        raise ListFormError(f"The document is a {etree.QName(root).localname[:60]}, not a {tag}", where="line 1")
    return root


def read_un(data: bytes, *, limit_bytes: int) -> Reading:
    """Every individual and entity.

    Raises: ListFormError where the document is no list of this form.
    """
    root = root_of(data, "CONSOLIDATED_LIST", limit_bytes=limit_bytes)
    found = [node for tag in _KINDS for node in root.iter(tag)]
    entries, broken = gather(_draft(node) for node in found)
    day = date_text(root.get("dateGenerated", ""))
    return Reading(entries, broken, dated=date.fromisoformat(day) if len(day) == 10 else None)


def _draft(node: etree._Element) -> Draft:
    tag = str(node.tag)
    draft = Draft(_text(node, "REFERENCE_NUMBER"), _KINDS[tag], node.sourceline or 0)
    main = " ".join(part for part in (_text(node, name) for name in _NAME_PARTS) if part)
    draft.names = [(part, False) for part in main.split(" ; ")]
    draft.names.append((_text(node, "NAME_ORIGINAL_SCRIPT"), False))
    for alias in node.iter(f"{tag}_ALIAS"):
        is_weak = _text(alias, "QUALITY").lower() == "low"
        draft.names += [(part, is_weak) for part in _text(alias, "ALIAS_NAME").split(";")]
        draft.birth_dates.append(date_text(_text(alias, "DATE_OF_BIRTH")))
    for born in node.iter("INDIVIDUAL_DATE_OF_BIRTH"):
        draft.birth_dates += _births(born)
    draft.countries = [country_code(text) for text in _countries(node)]
    draft.identifiers = list(_identifiers(node))
    draft.program = f"UN {_text(node, 'UN_LIST_TYPE')}".strip()
    draft.listed_on = date_text(_text(node, "LISTED_ON"))
    draft.note = _text(node, "COMMENTS1")
    return draft


def _births(born: etree._Element) -> list[str]:
    said = [date_text(_text(born, "DATE")[:10]), date_text(_text(born, "YEAR"))]
    first, last = _text(born, "FROM_YEAR"), _text(born, "TO_YEAR")
    if first.isdigit() and last.isdigit() and 0 <= int(last) - int(first) <= 20:
        said += [str(year) for year in range(int(first), int(last) + 1)]
    return [text for text in said if text]


def _countries(node: etree._Element) -> Iterator[str]:
    for nationality in node.iter("NATIONALITY"):
        yield from (value.text or "" for value in nationality.iter("VALUE"))
    for path in ("INDIVIDUAL_ADDRESS", "ENTITY_ADDRESS", "INDIVIDUAL_PLACE_OF_BIRTH"):
        yield from (_text(place, "COUNTRY") for place in node.iter(path))


def _identifiers(node: etree._Element) -> Iterator[Identifier]:
    for document in node.iter("INDIVIDUAL_DOCUMENT"):
        said = _text(document, "TYPE_OF_DOCUMENT").lower()
        kind = next((word for mark, word in _DOCUMENTS.items() if mark in said), "document")
        country = country_code(_text(document, "ISSUING_COUNTRY") or _text(document, "COUNTRY_OF_ISSUE"))
        yield Identifier(kind, _text(document, "NUMBER"), country)


def _text(node: etree._Element, tag: str) -> str:
    return " ".join((node.findtext(tag) or "").split())
