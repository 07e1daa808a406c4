"""What this room tells others: records as they are stored, and the receipt of an arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from comity.trade import Declaration, Manifest, Problem


class RecordKind(StrEnum):
    """What a record is."""

    DECLARATION = "declaration"
    MANIFEST = "manifest"


class KeyKind(StrEnum):
    """By what records can be matched. Names are matched in their normal form (`normal_key`)."""

    UCR = "ucr"
    EXPORTER_ID = "exporter_id"
    EXPORTER_NAME = "exporter_name"
    IMPORTER_ID = "importer_id"
    IMPORTER_NAME = "importer_name"
    CONTAINER = "container"
    BILL = "bill"
    MEANS_ID = "means_id"
    DECLARANT_ID = "declarant_id"
    DECLARANT_NAME = "declarant_name"
    CARRIER_ID = "carrier_id"
    CARRIER_NAME = "carrier_name"

    @property
    def is_name(self) -> bool:
        """Whether words stay apart in its normal form."""
        return self.value.endswith("_name")


def kind_of(content: Declaration | Manifest) -> RecordKind:
    """Declaration or manifest."""
    return RecordKind.DECLARATION if isinstance(content, Declaration) else RecordKind.MANIFEST


def ucr_of(content: Declaration | Manifest) -> str:
    """The unique consignment reference of a declaration, or empty: a manifest has one for each consignment."""
    return (content.ucr or content.consignment.ucr) if isinstance(content, Declaration) else ""


@dataclass(frozen=True, slots=True)
class RecordRef:
    """A stored version of a record. record_id is the same for all its versions."""

    record_id: UUID
    version: int
    kind: RecordKind
    reference: str


@dataclass(frozen=True, slots=True)
class RefusalNote:
    """Why one record did not come in. name: the file, and behind `!` the member of a zip file. line: from 1."""

    name: str
    line: int
    field: str
    code: str
    message: str

    def __str__(self) -> str:
        field = f" [{self.field}]" if self.field else ""
        return f"{self.name}:{self.line}:{field} {self.message}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an arrival came to. warned: how many of the imported have warnings; duplicates: how many were known."""

    arrival_id: UUID
    imported: tuple[RecordRef, ...] = ()
    warned: int = 0
    refused: tuple[RefusalNote, ...] = ()
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class ArrivalInfo:
    """When, from where and under what name the bytes arrived. member: the file inside a zip file; line: from 1."""

    arrival_id: UUID
    sha256: str
    source: str
    name: str
    received_at: datetime
    member: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One version of a record, decoded."""

    record_id: UUID
    version: int
    is_current: bool
    reference: str
    lodged_by: str
    content: Declaration | Manifest
    problems: tuple[Problem, ...]
    received_at: datetime
    arrival: ArrivalInfo

    @property
    def kind(self) -> RecordKind:
        """Declaration or manifest."""
        return kind_of(self.content)

    @property
    def declaration(self) -> Declaration | None:
        """The declaration, where it is one."""
        return self.content if isinstance(self.content, Declaration) else None

    @property
    def manifest(self) -> Manifest | None:
        """The manifest, where it is one."""
        return self.content if isinstance(self.content, Manifest) else None

    @property
    def ucr(self) -> str:
        """The unique consignment reference of a declaration, or empty."""
        return ucr_of(self.content)
