"""What administrations tell each other: alerts, findings, outcomes.

Alert categories are the eight of the Customs Information System (Reg. (EC) 515/97 as amended); reliability and
credibility are the 6x6 evaluation grades A-F and 1-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from comity.trade.values import Money, Quantity


class Handling(IntEnum):
    """Handling level of a notice; a higher number is more sensitive."""

    OPEN = 0
    OFFICIAL = 1
    RESTRICTED = 2
    CONFIDENTIAL = 3

    @property
    def word(self) -> str:
        """The word on the wire and in agreements: open, official, restricted, confidential."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> Handling:
        """The level of a word; KeyError where there is none."""
        return cls[word.upper()]


class AlertCategory(StrEnum):
    """What an alert is about (CIS categories)."""

    COMMODITIES = "commodities"
    MEANS_OF_TRANSPORT = "means_of_transport"
    BUSINESSES = "businesses"
    PERSONS = "persons"
    FRAUD_TRENDS = "fraud_trends"
    EXPERTISE = "expertise"
    GOODS_SEIZED = "goods_seized"
    CASH_SEIZED = "cash_seized"


class RiskType(StrEnum):
    """The irregularity that is suspected or was found."""

    COUNTERFEIT = "counterfeit"
    UNDERVALUATION = "undervaluation"
    MISCLASSIFICATION = "misclassification"
    FALSE_ORIGIN = "false_origin"
    WRONG_QUANTITY = "wrong_quantity"
    PROHIBITED = "prohibited"
    SMUGGLING = "smuggling"
    SAFETY = "safety"
    OTHER = "other"


class SuggestedAction(StrEnum):
    """What the issuer suggests the receiver does."""

    INFORM_ONLY = "inform_only"
    SELECT_FOR_CONTROL = "select_for_control"
    DISCREET_CHECK = "discreet_check"
    STOP = "stop"


class SubjectRole(StrEnum):
    """The part that a subject plays in the trade."""

    CONSIGNOR = "consignor"
    CONSIGNEE = "consignee"
    CARRIER = "carrier"
    DECLARANT = "declarant"
    CONTAINER = "container"
    CONVEYANCE = "conveyance"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom or what an alert names. id: EORI, TIN, container or vessel number, where known."""

    role: SubjectRole
    id: str = ""
    name: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where the goods come from and go to; ISO 3166 alpha-2 codes, places as UN/LOCODE."""

    origin: str = ""
    dispatch: str = ""
    transit: tuple[str, ...] = ()
    destination: str = ""
    place_loading: str = ""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A photo or document: what it is called and the SHA-256 of its bytes (hex)."""

    name: str
    sha256: str
    media_type: str = "application/octet-stream"
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """Risk information: what to look for, why, how sure, until when, and what to do."""

    ref: str
    issuer: str
    category: AlertCategory
    title: str
    risk_type: RiskType
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    handling: Handling = Handling.OFFICIAL
    subjects: tuple[Subject, ...] = ()
    hs_codes: tuple[str, ...] = ()
    route: Route = Route()
    modus_operandi: str = ""
    concealment: str = ""
    reliability: str = "C"
    credibility: str = "3"
    priority: int = 2
    suggested_action: SuggestedAction = SuggestedAction.SELECT_FOR_CONTROL
    feedback_due: datetime | None = None
    case_ref: str = ""
    exhibits: tuple[Exhibit, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceNotice:
    """That a file is offered: what it is, how it is cut and sealed, and the key by which its chunks open.

    administration: whose evidence it is. sha256: of the file (hex). chunk_bytes: of each chunk but the last. root: hex,
    over the sealed chunks. key: base64 of 32 bytes. about: the id of the message that it belongs to.
    """

    administration: str
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    chunk_bytes: int
    chunks: int
    root: str
    key: str
    about: str = ""
    handling: Handling = Handling.OFFICIAL
    description: str = ""


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """One step of a procedure between administrations, as it travels.

    agreement: the id of the agreement that the case is under. by: whose step it is. number: one more than the largest
    that it had seen; after: the digests of the newest of those. parties: the role of each. deadlines: the ends of the
    clocks that it sets. commitments: a salted hash (hex) of each field. signatures: over all but the fields. fields:
    what is shown of them, each with its salt.
    """

    case: str
    agreement: str
    procedure: str
    edition: str
    event: str
    by: str
    number: int
    after: tuple[str, ...]
    at: datetime
    parties: Mapping[str, str]
    deadlines: tuple[Mapping[str, object], ...]
    commitments: Mapping[str, str]
    signatures: tuple[Mapping[str, str], ...]
    fields: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


class FindingResult(StrEnum):
    """What an inspection came to."""

    IRREGULAR = "irregular"
    IN_ORDER = "in_order"


@dataclass(frozen=True, slots=True)
class Finding:
    """What an inspection saw, told to partners as the result notice."""

    ref: str
    administration: str
    found_at: datetime
    result: FindingResult
    risk_type: RiskType | None = None
    office: str = ""
    ucr: str = ""
    declaration_ref: str = ""
    alert_ref: str = ""
    hs_code: str = ""
    description: str = ""
    quantity: Quantity | None = None
    consignor: Subject | None = None
    consignee: Subject | None = None
    detection_method: str = ""
    seizure_ref: str = ""
    handling: Handling = Handling.OFFICIAL
    exhibits: tuple[Exhibit, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A labelled result that risk learns from: this declaration, selected for these sources, was or was not irregular.

    sources: what asked for the control, such as `alert:<ref>`, `profile:<ref>`, `random`. revenue: the duties and taxes
    assessed in addition; None: not assessed. is_after_release: documents were checked when the goods had left.
    """

    declaration_ref: str
    is_irregular: bool
    decided_at: datetime
    risk_type: RiskType | None = None
    sources: tuple[str, ...] = ()
    hs_code: str = ""
    origin: str = ""
    consignor_id: str = ""
    importer_id: str = ""
    revenue: Money | None = None
    is_after_release: bool = False
