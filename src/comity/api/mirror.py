"""Mirror checks: what was told and matched with each partner."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from comity.api.fields import Instant
from comity.api.guard import needs
from comity.risk.mirror_views import MirrorCounts, MirrorView, mirror_counts, mirror_matches
from comity.staff import Permission

router = Router(tags=["risk"])


class MirrorQuery(Schema):
    """Which matches. differing: only those in which something differs."""

    partner: str = Field(default="", max_length=2)
    differing: bool = False
    limit: int = Field(default=50, ge=1, le=500)


class MirrorCountsOut(Schema):
    """What the mirror check came to with one partner."""

    partner: str
    told: int
    refused: int
    asked: int
    offered: int
    matched: int
    agreed: int
    differing: int
    apart: int


class MirrorMatchOut(Schema):
    """A partner's export and an import declaration here, without figures: those are reasons of the assessment."""

    partner: str
    record_id: UUID
    reference: str
    joint: str
    state: str
    differing: list[str]
    agreement: str
    article: str
    offer_id: str
    values_id: str
    matched_at: Instant


class MirrorOut(Schema):
    """Counts by partner, and the latest matches."""

    partners: list[MirrorCountsOut]
    items: list[MirrorMatchOut]


@router.get("/mirror", response=MirrorOut, summary="Mirror checks", **needs(Permission.VIEW_CONSIGNMENTS))
def list_mirror(request: HttpRequest, query: Query[MirrorQuery]) -> MirrorOut:
    """Partners' exports as matched with import declarations here. The figures stand in the assessment of the record."""
    matches = mirror_matches(partner=query.partner, only_differing=query.differing, limit=query.limit)
    return MirrorOut(
        partners=[_counts(each) for each in mirror_counts() if query.partner in ("", each.partner)],
        items=[_match(each) for each in matches],
    )


def _counts(found: MirrorCounts) -> MirrorCountsOut:
    return MirrorCountsOut.model_validate(found, from_attributes=True)


def _match(found: MirrorView) -> MirrorMatchOut:
    return MirrorMatchOut.model_validate(found, from_attributes=True)
