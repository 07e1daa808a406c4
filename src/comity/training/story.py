"""The story of the day: one consignor, two consignments, an alert that helps and an alert that may not be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from comity.trade import (
    Alert,
    AlertCategory,
    Exhibit,
    Handling,
    Party,
    RiskType,
    Route,
    Subject,
    SubjectRole,
    SuggestedAction,
)
from comity.training.cast import EXPORTER, IMPORTER, SPORTS_SHOES, TRANSIT

_DAYS_VALID = 90


@dataclass(frozen=True, slots=True)
class AlertText:
    """The words and grades of an alert, before anyone issues it."""

    ref: str
    category: AlertCategory
    title: str
    risk_type: RiskType
    handling: Handling
    subjects: tuple[Subject, ...]
    hs_codes: tuple[str, ...]
    route: Route
    modus_operandi: str
    concealment: str
    case_ref: str
    suggested_action: SuggestedAction = SuggestedAction.SELECT_FOR_CONTROL

    def issue(self, *, issuer: str, at: datetime, exhibits: tuple[Exhibit, ...] = ()) -> Alert:
        """The alert as `issuer` issues it at `at`, valid for 90 days."""
        return Alert(
            ref=self.ref,
            issuer=issuer,
            category=self.category,
            title=self.title,
            risk_type=self.risk_type,
            issued_at=at,
            valid_from=at,
            valid_until=at + timedelta(days=_DAYS_VALID),
            handling=self.handling,
            subjects=self.subjects,
            hs_codes=self.hs_codes,
            route=self.route,
            modus_operandi=self.modus_operandi,
            concealment=self.concealment,
            reliability="A",
            credibility="1",
            suggested_action=self.suggested_action,
            feedback_due=at + timedelta(days=30),
            case_ref=self.case_ref,
            exhibits=exhibits,
        )


@dataclass(frozen=True, slots=True)
class Story:
    """What happens on the day.

    first: imported at XC in the morning, counterfeit, its price a quarter of the usual.
    second: declared for export at XA in the afternoon, at a usual price, so that only the alert speaks against it.
    """

    consignor: Party
    consignee: Party
    first_ucr: str
    first_import_lrn: str
    second_ucr: str
    second_export_lrn: str
    goods_hs: str
    finding_text: str
    second_finding_text: str
    alert: AlertText
    refused_alert: AlertText
    photo_name: str = "carton-label.png"


def story_of(consignor: Party, consignee: Party, numbers: tuple[str, str, str, str]) -> Story:
    """The story for two consignments; numbers: first UCR, first import LRN, second UCR, second export LRN."""
    first_ucr, first_lrn, second_ucr, second_lrn = numbers
    consignor_subject = Subject(SubjectRole.CONSIGNOR, consignor.id, consignor.name, consignor.address.country)
    return Story(
        consignor=consignor,
        consignee=consignee,
        first_ucr=first_ucr,
        first_import_lrn=first_lrn,
        second_ucr=second_ucr,
        second_export_lrn=second_lrn,
        goods_hs=SPORTS_SHOES.hs,
        finding_text="Sports shoes bearing a registered mark without right; soles, labels and boxes are imitations.",
        second_finding_text="Sports shoes of the same imitation, with the same box labels, found before departure.",
        alert=AlertText(
            ref=f"ALERT-{first_ucr}",
            category=AlertCategory.COMMODITIES,
            title="Counterfeit sports shoes from one consignor in Alfa",
            risk_type=RiskType.COUNTERFEIT,
            handling=Handling.OFFICIAL,
            subjects=(
                consignor_subject,
                Subject(SubjectRole.CONSIGNEE, consignee.id, consignee.name, consignee.address.country),
            ),
            hs_codes=(SPORTS_SHOES.hs,),
            route=Route(EXPORTER.code, EXPORTER.code, (TRANSIT.code,), IMPORTER.code, EXPORTER.port.code),
            modus_operandi="Declared as unbranded sports shoes at about a quarter of the usual price for their mass.",
            concealment="Branded uppers lie under two layers of plain cartons at the doors of the container.",
            case_ref=f"CASE-{first_ucr}",
        ),
        refused_alert=AlertText(
            ref=f"PERSON-{first_ucr}",
            category=AlertCategory.PERSONS,
            title="Director of the consignee, to be watched without notice",
            risk_type=RiskType.SMUGGLING,
            handling=Handling.CONFIDENTIAL,
            subjects=(Subject(SubjectRole.DECLARANT, "", "A. Quay, director", IMPORTER.code),),
            hs_codes=(),
            route=Route(),
            modus_operandi="Meets the drivers of unsealed containers.",
            concealment="",
            case_ref=f"CASE-{first_ucr}",
            suggested_action=SuggestedAction.DISCREET_CHECK,
        ),
    )
