"""The JSON forms of declarations, manifests and notices, and the checks that a notice's body must pass."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import cast

from comity.trade.codec import codec_of
from comity.trade.errors import FieldError, NoticeError, RecordError
from comity.trade.notice_reading import check, read_notice
from comity.trade.notices import Alert, EvidenceNotice, Exhibit, Finding
from comity.trade.records import Declaration, Manifest

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_HS = re.compile(r"\d{2,10}", re.ASCII)
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.ASCII)
_FOLDERS_AND_CONTROLS = re.compile(r"[\x00-\x1f\x7f/\\]")
NAME_LENGTH = 200
MEDIA_TYPE_LENGTH = 100
CHUNK_BYTES = (4 * 1024, 4 * 1024 * 1024)
MOST_CHUNKS = 1024 * 1024
_KEY_BYTES = 32
_RELIABILITIES = tuple("ABCDEF")
_CREDIBILITIES = tuple("123456")
_COUNTRIES_OF_ROUTE = ("origin", "dispatch", "destination")
_NO_COUNTRY = "Must be two capital letters"


def declaration_to_json(declaration: Declaration) -> dict[str, object]:
    """The JSON form of a declaration; what is empty is left out."""
    return cast(dict[str, object], codec_of(Declaration).show(declaration))


def declaration_from_json(mapping: Mapping[str, object]) -> Declaration:
    """The declaration of a JSON form; keys it does not know are ignored.

    Raises: RecordError naming the field.
    """
    return cast(Declaration, _read_record(Declaration, mapping))


def manifest_to_json(manifest: Manifest) -> dict[str, object]:
    """The JSON form of a manifest; what is empty is left out."""
    return cast(dict[str, object], codec_of(Manifest).show(manifest))


def manifest_from_json(mapping: Mapping[str, object]) -> Manifest:
    """The manifest of a JSON form; keys it does not know are ignored.

    Raises: RecordError naming the field.
    """
    return cast(Manifest, _read_record(Manifest, mapping))


def alert_to_body(alert: Alert) -> dict[str, object]:
    """The body of an alert/1 message."""
    return cast(dict[str, object], codec_of(Alert).show(alert))


def alert_from_body(body: Mapping[str, object]) -> Alert:
    """The alert of an alert/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    alert = cast(Alert, read_notice(Alert, body))
    check(alert.reliability in _RELIABILITIES, "reliability", "Must be a letter from A to F")
    check(alert.credibility in _CREDIBILITIES, "credibility", "Must be a digit from 1 to 6")
    check(1 <= alert.priority <= 5, "priority", "Must be from 1 to 5")
    check(alert.valid_from <= alert.valid_until, "valid_until", "Ends before valid_from")
    for index, code in enumerate(alert.hs_codes):
        if not _HS.fullmatch(code):
            raise NoticeError("Must be 2 to 10 digits", where=f"hs_codes[{index}]")
    for name in _COUNTRIES_OF_ROUTE:
        if not _is_country(getattr(alert.route, name)):
            raise NoticeError(_NO_COUNTRY, where=f"route.{name}")
    for index, subject in enumerate(alert.subjects):
        if not _is_country(subject.country):
            raise NoticeError(_NO_COUNTRY, where=f"subjects[{index}].country")
    _check_notice(alert.ref, alert.issuer, "issuer", alert.exhibits)
    return alert


def finding_to_body(finding: Finding) -> dict[str, object]:
    """The body of a finding/1 message."""
    return cast(dict[str, object], codec_of(Finding).show(finding))


def finding_from_body(body: Mapping[str, object]) -> Finding:
    """The finding of a finding/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    finding = cast(Finding, read_notice(Finding, body))
    check(not finding.hs_code or _HS.fullmatch(finding.hs_code) is not None, "hs_code", "Must be 2 to 10 digits")
    if finding.quantity is not None:
        check(finding.quantity.value >= 0, "quantity.value", "Must not be negative")
    _check_notice(finding.ref, finding.administration, "administration", finding.exhibits)
    return finding


def exhibits_from_body(body: Mapping[str, object]) -> tuple[Exhibit, ...]:
    """The exhibits that an alert or a finding names; none where the body has none that can be read."""
    given = body.get("exhibits", ())
    found = []
    for entry in given if isinstance(given, list | tuple) else ():
        try:
            exhibit = cast(Exhibit, codec_of(Exhibit).read(entry))
        except FieldError:
            continue
        if _SHA256.fullmatch(exhibit.sha256):
            found.append(exhibit)
    return tuple(found)


def evidence_to_body(notice: EvidenceNotice) -> dict[str, object]:
    """The body of an evidence/1 message."""
    return cast(dict[str, object], codec_of(EvidenceNotice).show(notice))


def evidence_from_body(body: Mapping[str, object]) -> EvidenceNotice:
    """The offer of a file in an evidence/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    notice = cast(EvidenceNotice, read_notice(EvidenceNotice, body))
    least, most = CHUNK_BYTES
    check(bool(notice.administration.strip()), "administration", "Must not be empty")
    for field in ("sha256", "root"):
        check(_SHA256.fullmatch(getattr(notice, field)) is not None, field, "Must be 64 hex digits")
    _check_name(notice.name)
    is_type = len(notice.media_type) <= MEDIA_TYPE_LENGTH and _MEDIA_TYPE.fullmatch(notice.media_type) is not None
    check(is_type, "media_type", "Must be a media type such as image/jpeg")
    check(notice.size_bytes >= 1, "size_bytes", "Must be at least 1")
    check(least <= notice.chunk_bytes <= most, "chunk_bytes", f"Must be from {least} to {most}")
    check(1 <= notice.chunks <= MOST_CHUNKS, "chunks", f"Must be from 1 to {MOST_CHUNKS}")
    is_cut = notice.chunks == -(-notice.size_bytes // notice.chunk_bytes)
    check(is_cut, "chunks", "Must be as many as size_bytes and chunk_bytes make")
    _check_key(notice.key)
    is_id = not notice.about or _MESSAGE_ID.fullmatch(notice.about) is not None
    check(is_id, "about", "Must be the id of a message, in small letters")
    return notice


def _read_record(kind: type, mapping: Mapping[str, object]) -> object:
    try:
        return codec_of(kind).read(mapping)
    except FieldError as error:
        raise RecordError(error.what, where=error.where or kind.__name__, remedy=error.remedy) from error


def _check_name(name: str) -> None:
    """A name is shown and offered for saving: it must not lead into another folder."""
    is_name = bool(name.strip(" .")) and len(name) <= NAME_LENGTH and not _FOLDERS_AND_CONTROLS.search(name)
    check(is_name, "name", f"Must be a file name of at most {NAME_LENGTH} characters, without a folder")


def _check_key(text: str) -> None:
    try:
        is_key = len(b64decode(text, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        is_key = False
    check(is_key, "key", f"Must be {_KEY_BYTES} bytes in base64")


def _is_country(code: str) -> bool:
    return not code or _COUNTRY.fullmatch(code) is not None


def _check_notice(ref: str, issuer: str, issuer_field: str, exhibits: tuple[Exhibit, ...]) -> None:
    check(bool(ref.strip()), "ref", "Must not be empty")
    check(bool(issuer.strip()), issuer_field, "Must not be empty")
    for index, exhibit in enumerate(exhibits):
        check(_SHA256.fullmatch(exhibit.sha256) is not None, f"exhibits[{index}].sha256", "Must be 64 hex digits")
        check(exhibit.size_bytes >= 0, f"exhibits[{index}].size_bytes", "Must not be negative")
