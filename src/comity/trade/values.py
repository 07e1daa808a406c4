"""The small values that customs records are made of. Names follow the WCO Data Model in snake_case."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and its ISO 4217 alphabetic code."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of units; unit is a UN/ECE Recommendation 20 code, or empty where none was declared."""

    value: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True)
class HSCode:
    """A Harmonized System subheading and the national digits behind it.

    subheading: two, four or six digits (chapter, heading, subheading). edition: year of the HS edition.
    """

    subheading: str
    national: str = ""
    edition: int = 2022

    @property
    def chapter(self) -> str:
        """The first two digits."""
        return self.subheading[:2]

    @property
    def heading(self) -> str:
        """The first four digits."""
        return self.subheading[:4]

    def __str__(self) -> str:
        return self.subheading + self.national


@dataclass(frozen=True, slots=True)
class Address:
    """Where a party is; country is an ISO 3166-1 alpha-2 code, XI, XK, EU or a user-assigned code."""

    line: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A trader or another person with a part in a consignment. id: EORI, TIN or national number."""

    id: str = ""
    name: str = ""
    address: Address = Address()


@dataclass(frozen=True, slots=True)
class Place:
    """A location: a UN/LOCODE or national code, a name, or both."""

    code: str = ""
    name: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal on a transport equipment."""

    id: str


@dataclass(frozen=True, slots=True)
class TransportEquipment:
    """A container or another transport equipment. id: ISO 6346 for containers."""

    id: str
    seals: tuple[Seal, ...] = ()


@dataclass(frozen=True, slots=True)
class Packaging:
    """Packages of a goods item; type is a UN/ECE Recommendation 21 code."""

    quantity: int | None = None
    type: str = ""
    marks: str = ""


@dataclass(frozen=True, slots=True)
class DocumentReference:
    """A document produced, a previous document, an authorisation or a guarantee that is referred to."""

    id: str
    category: str = ""
    type: str = ""
    status: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class AdditionalInformation:
    """A coded statement and its text."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A field that arrived and that no noun here names: kept, so that it survives a round trip.

    path: where it stood (an XPath without prefixes, or a column name). line: in the source, from 1.
    """

    path: str
    value: str
    line: int = 0


class Severity(StrEnum):
    """How bad a problem of an arriving record is."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an arriving record: what, where, what to do.

    line: in the source, from 1; 0 where the source has no lines. field: the vocabulary name.
    """

    severity: Severity
    code: str
    message: str
    field: str = ""
    line: int = 0
