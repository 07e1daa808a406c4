"""The consolidated list of financial sanctions of the European Union, in XML (schema fsd/export 1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from lxml import etree

from comity.registers.sources.making import Draft, gather
from comity.registers.sources.un import root_of
from comity.registers.sources.words import country_code, date_text
from comity.registers.values import EntryKind, Identifier, Reading

_DOCUMENTS = {
    "passport": "passport",
    "id": "national_id",
    "fiscalcode": "tax",
    "tradelic": "registration",
    "regnumber": "registration",
    "imo": "imo",
}


def read_eu(data: bytes, *, limit_bytes: int) -> Reading:
    """Every person and enterprise.

    Raises: ListFormError where the document is no list of this form.
    """
    root = root_of(data, "export", limit_bytes=limit_bytes)
    entries, broken = gather(_draft(node) for node in root.iter("{*}sanctionEntity"))
    day = date_text(root.get("generationDate", ""))
    return Reading(entries, broken, dated=date.fromisoformat(day) if len(day) == 10 else None)


def _draft(node: etree._Element) -> Draft:
    draft = Draft(node.get("euReferenceNumber", "") or node.get("logicalId", ""), _kind(node), node.sourceline or 0)
    draft.names = [(_name(alias), alias.get("strong") == "false") for alias in node.iter("{*}nameAlias")]
    draft.names.sort(key=lambda name: name[1])  # the main name is one that tells much
    for born in node.iter("{*}birthdate"):
        draft.birth_dates += [date_text(born.get("birthdate", "")), date_text(born.get("year", ""))]
    tags = ("{*}citizenship", "{*}address", "{*}birthdate")
    draft.countries = [_country(each) for tag in tags for each in node.iter(tag)]
    draft.identifiers = list(_identifiers(node))
    regulation = next(iter(node.iter("{*}regulation")), None)
    if regulation is not None:
        draft.program = f"EU {regulation.get('programme', '')} {regulation.get('numberTitle', '')}".strip()
        draft.listed_on = date_text(regulation.get("publicationDate", ""))
    draft.note = node.get("designationDetails", "")
    return draft


def _kind(node: etree._Element) -> EntryKind:
    subject = next(iter(node.iter("{*}subjectType")), None)
    is_person = subject is not None and (subject.get("code") == "person" or subject.get("classificationCode") == "P")
    return EntryKind.PERSON if is_person else EntryKind.COMPANY


def _name(alias: etree._Element) -> str:
    parts = [alias.get(part, "") for part in ("firstName", "middleName", "lastName")]
    return alias.get("wholeName", "") or " ".join(part for part in parts if part)


def _country(node: etree._Element) -> str:
    code = node.get("countryIso2Code", "")
    return "" if code == "00" else country_code(code)


def _identifiers(node: etree._Element) -> Iterator[Identifier]:
    for document in node.iter("{*}identification"):
        kind = _DOCUMENTS.get(document.get("identificationTypeCode", "").lower(), "document")
        yield Identifier(kind, document.get("number", "") or document.get("latinNumber", ""), _country(document))
