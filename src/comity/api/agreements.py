"""Agreements: what they say, and what they would answer."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

import json
from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import JsonValue

from comity.agreements import Decision, NearMiss, Purpose, SharingRequest, selectors
from comity.agreements.selectors import StoredAgreement
from comity.api.fields import Code, Country, Given, Handlings, HSDigits, Instant, Word
from comity.api.guard import needs
from comity.common import Reason, utc_now
from comity.trade import AlertCategory, Handling, RiskType

router = Router(tags=["agreements"])


class AgreementSummary(Schema):
    """An agreement as lists show it. id: the SHA-256 of its canonical form."""

    id: str
    title: str
    version: str
    parties: list[str]
    state: str
    signed_by: list[str]
    imported_at: Instant
    adopted_at: Instant | None = None


class AgreementOut(AgreementSummary):
    """An agreement whole. document: its canonical form, articles and all."""

    document: dict[str, JsonValue]


class Agreements(Schema):
    """Every agreement that this node knows, the latest first."""

    items: list[AgreementSummary]


class ExplainIn(Given):
    """What would be shared. fields: the paths that the notice would hold, such as subjects.name or hs_codes.

    issuer: whose information it is, where it is not this administration's own. size_bytes: of the file that is offered.
    """

    recipient: Code
    kind: Literal["alert/1", "finding/1", "evidence/1"]
    purpose: Purpose
    handling: Handlings = "official"
    agreement_id: Word = ""
    article_id: Word = ""
    hs_codes: list[HSDigits] = Field(default=[], max_length=50)
    origin: Country = ""
    category: AlertCategory | None = None
    risk_type: RiskType | None = None
    issuer: Country = ""
    size_bytes: int | None = Field(default=None, ge=1, le=2**40)
    fields: list[Word] = Field(default=[], max_length=200)


class ReasonOut(Schema):
    """One reason: a stable word, a sentence, and the clause that it rests on."""

    code: str
    text: str
    clause: str


class NearMissOut(Schema):
    """An article that would permit, but for the conditions that failed."""

    agreement_id: str
    article_id: str
    failed: list[ReasonOut]


class ExplainOut(Schema):
    """The verdict, what it releases and withholds, and what would be needed."""

    is_permitted: bool
    agreement_id: str
    article_id: str
    fields_released: list[str]
    fields_withheld: list[str]
    reasons: list[ReasonOut]
    near_misses: list[NearMissOut]
    onward: str
    retention_days: int | None = None
    use_limits: list[str]


@router.get("/agreements", response=Agreements, summary="Agreements, the latest first", **needs(None))
def list_agreements(request: HttpRequest) -> Agreements:
    """Every agreement with its parties, its state and who signed it."""
    stored = selectors.agreements(at=utc_now())
    return Agreements(items=[AgreementSummary.model_validate(_facts_of(each)) for each in stored])


@router.post("/agreements/explain", response=ExplainOut, summary="Whether this might be shared, and why", **needs(None))
def explain(request: HttpRequest, body: ExplainIn) -> ExplainOut:
    """Ask without sharing: nothing is posted and no decision receipt is kept."""
    now = utc_now()
    attributes = {"category": body.category, "risk_type": body.risk_type}
    wanted = SharingRequest(
        sender=settings.COMITY_ADMINISTRATION,
        receiver=body.recipient,
        kind=body.kind,
        purpose=body.purpose.value,
        handling=Handling.from_word(body.handling),
        at=now,
        hs_codes=tuple(body.hs_codes),
        origin=body.origin,
        fields=frozenset(body.fields),
        onward_from=body.issuer or None,
        size_bytes=body.size_bytes,
        attributes={name: value.value for name, value in attributes.items() if value is not None},
    )
    named = selectors.agreement(body.agreement_id, at=now).id if body.agreement_id else ""
    explanation = selectors.engine(now).explain(wanted, agreement_id=named, article_id=body.article_id)
    return _explanation_of(explanation.decision, explanation.near_misses)


@router.get(
    "/agreements/{agreement_id}", response=AgreementOut, summary="One agreement with its articles", **needs(None)
)
def show_agreement(request: HttpRequest, agreement_id: Word) -> AgreementOut:
    """The agreement of an id; the first twelve digits or more are enough."""
    stored = selectors.agreement(agreement_id, at=utc_now())
    return AgreementOut.model_validate(_facts_of(stored) | {"document": json.loads(stored.agreement.to_bytes())})


def _facts_of(stored: StoredAgreement) -> dict[str, object]:
    agreement = stored.agreement
    return {
        "id": agreement.id,
        "title": agreement.title.in_("en"),
        "version": agreement.version,
        "parties": list(agreement.parties),
        "state": stored.state.value,
        "signed_by": list(stored.signed_by),
        "imported_at": stored.imported_at,
        "adopted_at": stored.adopted_at,
    }


def _explanation_of(decision: Decision, near_misses: tuple[NearMiss, ...]) -> ExplainOut:
    return ExplainOut(
        is_permitted=decision.is_permitted,
        agreement_id=decision.agreement_id,
        article_id=decision.article_id,
        fields_released=list(decision.fields_released),
        fields_withheld=list(decision.fields_withheld),
        reasons=[_reason_of(reason) for reason in decision.reasons],
        near_misses=[
            NearMissOut(
                agreement_id=miss.agreement_id,
                article_id=miss.article_id,
                failed=[_reason_of(reason) for reason in miss.failed],
            )
            for miss in near_misses
        ],
        onward=decision.onward.value,
        retention_days=decision.retention_days,
        use_limits=list(decision.use_limits),
    )


def _reason_of(reason: Reason) -> ReasonOut:
    return ReasonOut(code=reason.code, text=reason.text, clause=reason.clause)
