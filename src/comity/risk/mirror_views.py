"""Reads of the mirror check: what was told and matched with each partner, and one match with both sides' figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet

from comity.intake import StoredRecord
from comity.intake.selectors import records_by_id
from comity.risk.errors import SignalError
from comity.risk.mirror_differences import Difference, show_figure
from comity.risk.mirror_locks import figures_of
from comity.risk.mirror_reasons import differences_of
from comity.risk.mirroring import AGREED, SHARED
from comity.risk.models import MirrorExport, MirrorMatch, MirrorOffering
from comity.risk.values import AlertSource
from comity.trade.mirror import MIRROR_FIELDS

MOST_MATCHES = 500


@dataclass(frozen=True, slots=True)
class MirrorCounts:
    """What came of the mirror check with one partner. told: our exports; refused: by the agreement; asked: by it.

    offered: its exports; matched: with declarations of ours; apart: several share a reference, nothing is compared.
    """

    partner: str
    told: int = 0
    refused: int = 0
    asked: int = 0
    offered: int = 0
    matched: int = 0
    agreed: int = 0
    differing: int = 0
    apart: int = 0


@dataclass(frozen=True, slots=True)
class MirrorLine:
    """One field of a match. verdict: agreed, differing, unknown. theirs: empty where it is not known."""

    field: str
    verdict: str
    ours: str
    theirs: str
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class MirrorView:
    """A match. article: under which the figures came, else the offer. message_ids: of the offer and of the figures."""

    id: int
    partner: str
    record_id: UUID
    reference: str
    joint: str
    state: str
    differing: tuple[str, ...]
    agreement: str
    article: str
    offer_id: str
    values_id: str
    declaration_ref: str
    matched_at: datetime
    lines: tuple[MirrorLine, ...] = ()


def mirror_counts() -> list[MirrorCounts]:
    """For each partner with whom anything was told, by code."""
    told = _by(MirrorExport.objects.filter(state="sent"), "partner")
    refused = _by(MirrorExport.objects.filter(state="refused"), "partner")
    asked = _by(MirrorExport.objects.exclude(request_id=""), "partner")
    offered = _by(MirrorOffering.objects.filter(is_replaced=False), "issuer")
    matches = MirrorMatch.objects.all()
    matched = _by(matches, "offer__issuer")
    agreed = _by(matches.filter(state=AGREED), "offer__issuer")
    apart = _by(matches.filter(state=SHARED), "offer__issuer")
    partners = sorted({*told, *refused, *offered} - {settings.COMITY_ADMINISTRATION})
    return [
        MirrorCounts(
            partner=code,
            told=told.get(code, 0),
            refused=refused.get(code, 0),
            asked=asked.get(code, 0),
            offered=offered.get(code, 0),
            matched=matched.get(code, 0),
            agreed=agreed.get(code, 0),
            differing=matched.get(code, 0) - agreed.get(code, 0) - apart.get(code, 0),
            apart=apart.get(code, 0),
        )
        for code in partners
    ]


def _by(rows: QuerySet[MirrorExport] | QuerySet[MirrorOffering] | QuerySet[MirrorMatch], column: str) -> dict[str, int]:
    return {str(code): count for code, count in rows.values_list(column).annotate(Count("id")).order_by()}


def mirror_matches(*, partner: str = "", only_differing: bool = False, limit: int = 50) -> list[MirrorView]:
    """The latest matches, without their lines."""
    rows = MirrorMatch.objects.select_related("offer").order_by("-changed_at", "-id")
    if partner:
        rows = rows.filter(offer__issuer=partner)
    if only_differing:
        rows = rows.exclude(state__in=[AGREED, SHARED])
    chosen = list(rows[: min(limit, MOST_MATCHES)])
    records = records_by_id({row.record_id for row in chosen})
    return [_view(row, records.get(row.record_id)) for row in chosen]


def mirror_match(match_id: int) -> MirrorView:
    """One match with a line for each field.

    Raises: SignalError where there is none.
    """
    row = MirrorMatch.objects.select_related("offer").filter(pk=match_id).first()
    if row is None:
        raise SignalError("There is no such match", where=str(match_id))
    record = records_by_id([row.record_id]).get(row.record_id)
    return _view(row, record, lines=_lines(row, record) if record else ())


def _view(row: MirrorMatch, record: StoredRecord | None, lines: Iterable[MirrorLine] = ()) -> MirrorView:
    return MirrorView(
        id=row.pk,
        partner=row.offer.issuer,
        record_id=row.record_id,
        reference=record.reference if record else "",
        joint=row.joint,
        state=row.state,
        differing=tuple(row.differing),
        agreement=row.offer.agreement,
        article=row.values_article or row.offer.article,
        offer_id=row.offer.message_id,
        values_id=row.values_id,
        declaration_ref=str(row.values.get("declaration_ref", "")),
        matched_at=row.matched_at,
        lines=tuple(lines),
    )


def _lines(row: MirrorMatch, record: StoredRecord) -> tuple[MirrorLine, ...]:
    if record.declaration is None:
        return ()
    ours = figures_of(record.declaration)
    known = {each.field: each for each in differences_of(row, record)}
    return tuple(
        MirrorLine(
            field=name,
            verdict="agreed" if name in row.agreed else "differing" if name in row.differing else "unknown",
            ours=show_figure(name, getattr(ours, name)),
            theirs=known[name].theirs if name in known else "",
            difference=known.get(name),
        )
        for name in MIRROR_FIELDS
    )


def mirror_sources(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], AlertSource]:
    """Reasons of the mirror check by (issuer, reference): the message on which each rests; unknown ones are left out.

    The reference is the id of the offer, a colon and the field. Figures rest on the message that gave them.
    """
    wanted = {pair: pair[1].partition(":") for pair in pairs if ":" in pair[1]}
    ids = {offer_id for offer_id, _, _ in wanted.values()}
    rows = MirrorOffering.objects.filter(message_id__in=ids).select_related("match")
    found = {(row.issuer, row.message_id): row for row in rows}
    sources = {}
    for (issuer, ref), (offer_id, _, field) in wanted.items():
        row = found.get((issuer, offer_id))
        if row is not None:
            match = getattr(row, "match", None)
            is_told = match is not None and field in match.values.get("figures", {})
            message_id = match.values_id if match is not None and is_told else row.message_id
            sources[issuer, ref] = AlertSource(message_id, str(row.body.get("handling", "")) if row.body else "")
    return sources
