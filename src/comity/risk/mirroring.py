"""The importing side of the mirror check: partners' offers are matched with our own import declarations and compared.

The step numbers are those of docs/protocol.md, section Mirror check. What differs becomes a reason of the assessment
(`mirror_reasons`); what is then asked for and given travels by journeys.mirror, as the agreement says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.intake import RecordKind, StoredRecord
from comity.intake.selectors import RecordFilter, records_by_id
from comity.intake.selectors import records as recent_records
from comity.risk.errors import SignalError
from comity.risk.mirror_exports import REACH
from comity.risk.mirror_locks import (
    Compared,
    Joint,
    Reference,
    compare,
    figures_of,
    import_references,
    is_kept,
    is_other_consignment,
    key_name,
    open_lock,
    proof_of,
    tag_of,
)
from comity.risk.models import MirrorImportTag, MirrorKey, MirrorMatch, MirrorOffering, MirrorTag
from comity.risk.values import Source
from comity.trade import Declaration
from comity.trade.mirror import (
    MIRROR_FIELDS,
    MirrorOffer,
    MirrorRequest,
    MirrorValues,
    mirror_to_body,
    offer_from_body,
)

AGREED, ASK, ASKED, ANSWERED, REFUSED, SHARED = "agreed", "ask", "asked", "answered", "refused", "shared"
# A container travels on: what named it longer ago is another journey of it.
CONTAINER_REACH = timedelta(days=60)
MOST_KEYS = 8
MOST_SCANNED = 5_000
_PAGE = 1_000
# SQLite takes at most 32,766 variables in a statement.
_TAGS_AT_ONCE = 5_000
_RANK = {joint: place for place, joint in enumerate(Joint)}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskDue:
    """A match whose figures are to be asked for. agreement: under which the offer came."""

    row: int
    partner: str
    offer_id: str
    agreement: str
    content_key: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Join:
    """An offer and a record that name the same reference."""

    offer: MirrorOffering
    record: StoredRecord
    reference: Reference
    wrapped: str


def is_import(declaration: Declaration) -> bool:
    """Whether goods come in by it: by its type, else by where they go."""
    if declaration.declaration_type:
        return declaration.declaration_type.upper().startswith("IM")
    return declaration.country_destination == settings.COMITY_ADMINISTRATION


@transaction.atomic
def take_offer(offer: MirrorOffer, *, source: Source, at: datetime) -> list[UUID]:
    """Step M3: keep an offer, match it with what has arrived. Returns the records of which something changed.

    Raises: SignalError where it is not the issuer's own, or its issuer uses ever more keys.
    """
    if offer.administration != source.issuer:
        raise SignalError("An offer tells of the issuer's own declarations", where=offer.administration)
    if MirrorOffering.objects.filter(issuer=source.issuer, message_id=source.message_id).exists():
        return []
    key, is_new = _partner_key(offer, source.issuer, at)
    row = MirrorOffering.objects.create(
        issuer=source.issuer,
        message_id=source.message_id,
        agreement=source.agreement,
        article=source.article,
        key=key,
        body=mirror_to_body(offer),
        taken_at=at,
    )
    MirrorTag.objects.bulk_create(MirrorTag(offer=row, tag=each.tag, wrapped=each.wrapped) for each in offer.locks)
    touched = _replace(source.issuer, offer.replaces)
    if is_new:
        _index_recent(key, at)
    return [*touched, *_match_offer(row, {each.tag: each.wrapped for each in offer.locks}, at)]


def _partner_key(offer: MirrorOffer, issuer: str, at: datetime) -> tuple[MirrorKey, bool]:
    us, name = settings.COMITY_ADMINISTRATION, key_name(offer.key)
    known = MirrorKey.objects.filter(owner=issuer, partner=us, is_ours=False)
    found = known.filter(name=name).first()
    if found is not None:
        return found, False
    if known.filter(period=offer.period).count() >= MOST_KEYS:
        raise SignalError(
            f"{issuer} uses more than {MOST_KEYS} keys in one quarter", where=offer.period, remedy="One is enough."
        )
    return MirrorKey.objects.create(
        owner=issuer,
        partner=us,
        period=offer.period,
        name=name,
        secret=offer.key,
        is_ours=False,
        made_at=at,
    ), True


def _replace(issuer: str, message_id: str) -> list[UUID]:
    """An earlier version of the same declaration says nothing any more."""
    earlier = MirrorOffering.objects.filter(issuer=issuer, message_id=message_id).first() if message_id else None
    if earlier is None:
        return []
    MirrorOffering.objects.filter(pk=earlier.pk).update(is_replaced=True)
    matches = MirrorMatch.objects.filter(offer=earlier)
    touched = list(matches.values_list("record_id", flat=True))
    matches.delete()
    MirrorTag.objects.filter(offer=earlier).delete()
    return touched


def _index_recent(key: MirrorKey, at: datetime) -> None:
    """A key that is new: the import declarations of the last weeks, the latest first, are filed under it."""
    chosen = RecordFilter(kind=RecordKind.DECLARATION, received_from=at - CONTAINER_REACH)
    for offset in range(0, MOST_SCANNED, _PAGE):
        page = recent_records(chosen, limit=_PAGE, offset=offset)
        rows = [row for record in page for row in _tag_rows(record, (key,))]
        MirrorImportTag.objects.bulk_create(rows, batch_size=_TAGS_AT_ONCE)
        if len(page) < _PAGE:
            return


def _tag_rows(record: StoredRecord, keys: Iterable[MirrorKey]) -> Iterator[MirrorImportTag]:
    declaration = record.declaration
    if declaration is None or not is_import(declaration):
        return
    told = {declaration.country_dispatch, *(item.origin for item in declaration.items)}
    references = import_references(declaration)
    for key in keys:
        for reference in references if key.owner in told else ():
            yield MirrorImportTag(
                record_id=record.record_id,
                key=key,
                tag=tag_of(key.secret, reference),
                joint=reference.joint.value,
                received_at=record.received_at,
            )


def _match_offer(offer: MirrorOffering, wrapped: Mapping[str, str], at: datetime) -> list[UUID]:
    """The surest join of an offer with each record that has one."""
    rows = MirrorImportTag.objects.filter(key=offer.key, tag__in=list(wrapped)).order_by("id")
    found = list(rows.values_list("record_id", "tag"))
    records = records_by_id({record_id for record_id, _ in found})
    joins = []
    for record_id, tag in found:
        record = records.get(record_id)
        reference = _reference_behind(record, offer.key, tag) if record else None
        if record is not None and reference is not None and _is_in_reach(reference, record, offer):
            joins.append(_Join(offer, record, reference, wrapped[tag]))
    return [record_id for join in _surest(joins) for record_id in _judge(join, at)]


def _reference_behind(record: StoredRecord, key: MirrorKey, tag: str) -> Reference | None:
    references = import_references(record.declaration) if record.declaration else ()
    return next((each for each in references if tag_of(key.secret, each) == tag), None)


def _is_in_reach(reference: Reference, record: StoredRecord, offer: MirrorOffering) -> bool:
    apart = abs(record.received_at - offer.taken_at)
    return apart <= (CONTAINER_REACH if reference.joint is Joint.CONTAINER else REACH)


def _surest(joins: Iterable[_Join]) -> list[_Join]:
    """Of each offer and record the surest join."""
    best: dict[tuple[int, UUID], _Join] = {}
    for join in sorted(joins, key=lambda each: _RANK[each.reference.joint]):
        best.setdefault((join.offer.pk, join.record.record_id), join)
    return list(best.values())


@transaction.atomic
def note_imports(records: Sequence[StoredRecord], *, at: datetime) -> list[UUID]:
    """Step M4: file import declarations under the partners' keys, match them with what was offered.

    Called before they are assessed, in the same transaction, so that what differs is among their first reasons.
    Returns the other records of which something changed.
    """
    imports = [record for record in records if record.declaration is not None and is_import(record.declaration)]
    since = at - REACH - timedelta(days=92)
    keys = list(MirrorKey.objects.filter(is_ours=False, made_at__gte=since)) if imports else []
    if not keys:
        return []
    MirrorImportTag.objects.filter(record_id__in=[record.record_id for record in imports]).delete()
    filed = [row for record in imports for row in _tag_rows(record, keys)]
    MirrorImportTag.objects.bulk_create(filed, batch_size=_TAGS_AT_ONCE)
    joins = _joins_of(imports, keys)
    changed = {record_id for join in _surest(joins) for record_id in _judge(join, at)}
    return sorted(changed - {record.record_id for record in imports})


def _joins_of(imports: Sequence[StoredRecord], keys: Sequence[MirrorKey]) -> list[_Join]:
    wanted: dict[str, list[tuple[StoredRecord, Reference]]] = {}
    for record in imports:
        for reference in import_references(record.declaration) if record.declaration else ():
            for key in keys:
                wanted.setdefault(tag_of(key.secret, reference), []).append((record, reference))
    joins = []
    for part in _parts(list(wanted)):
        for row in MirrorTag.objects.filter(tag__in=part).select_related("offer__key").order_by("id"):
            for record, reference in wanted[row.tag]:
                if _is_in_reach(reference, record, row.offer):
                    joins.append(_Join(row.offer, record, reference, row.wrapped))
    return joins


def _judge(join: _Join, at: datetime) -> list[UUID]:
    """Compare, and keep what came of it. Returns the records of which something changed."""
    before = MirrorMatch.objects.select_for_update().filter(offer=join.offer).first()
    declaration = join.record.declaration
    if declaration is None or _is_surer_joined(join, before):
        return []
    content_key = open_lock(join.offer.key.secret, join.reference, join.wrapped)
    told = offer_from_body(join.offer.body).commitments
    if is_other_consignment(content_key, told, import_references(declaration)):
        return []
    touched = [join.record.record_id]
    if before is not None and before.record_id != join.record.record_id:
        if before.joint == join.reference.joint.value:
            return [before.record_id] if _share(before, at) else []
        touched.append(before.record_id)
        before = None
    compared = compare(content_key, told, figures_of(declaration))
    state = _state(compared, before)
    if _is_shared(join):
        compared, state = Compared((), (), MIRROR_FIELDS), SHARED
        touched += _share_others(join, at)
    _keep(join, content_key, (compared, state), before, at)
    return touched


def _keep(join: _Join, content_key: str, came: tuple[Compared, str], before: MirrorMatch | None, at: datetime) -> None:
    """came: of the comparison, with the state that follows. before: the match of the same two, where there is one."""
    compared, state = came
    fresh = {} if before else {"values": {}, "values_id": "", "values_article": "", "request_id": "", "matched_at": at}
    MirrorMatch.objects.update_or_create(
        offer=join.offer,
        defaults={
            **fresh,
            "record_id": join.record.record_id,
            "version": join.record.version,
            "joint": join.reference.joint.value,
            "content_key": content_key,
            "state": state,
            "agreed": list(compared.agreed),
            "differing": list(compared.differing),
            "unknown": list(compared.open),
            "changed_at": at,
        },
    )


def _is_surer_joined(join: _Join, before: MirrorMatch | None) -> bool:
    """Whether the offer, or the record with another offer, is joined by something surer already."""
    rank = _RANK[join.reference.joint]
    if before is not None and before.record_id != join.record.record_id and _RANK[Joint(before.joint)] < rank:
        return True
    others = MirrorMatch.objects.filter(record_id=join.record.record_id).exclude(offer=join.offer)
    return any(_RANK[Joint(joint)] < rank for joint in others.values_list("joint", flat=True))


def _state(compared: Compared, before: MirrorMatch | None) -> str:
    """What was asked for already is not asked for again, whatever came of it."""
    if not compared.differing:
        return AGREED
    if before is None or not set(compared.differing) <= set(before.values.get("asked", [])):
        return ASK
    return ANSWERED if before.values_id else before.state if before.state in (ASKED, REFUSED) else ASKED


def _is_shared(join: _Join) -> bool:
    """Whether other offers or other declarations carry the same reference and nothing surer tells them apart.

    Then figures of the one cannot be put beside those of the other.
    """
    tag, joint = tag_of(join.offer.key.secret, join.reference), join.reference.joint.value
    tags = MirrorTag.objects.filter(tag=tag, offer__taken_at__gte=join.offer.taken_at - CONTAINER_REACH)
    offers = set(tags.exclude(offer=join.offer).values_list("offer_id", flat=True))
    offers -= set(
        MirrorMatch.objects.filter(offer_id__in=offers).exclude(joint=joint).values_list("offer_id", flat=True)
    )
    if offers:
        return True
    filed = MirrorImportTag.objects.filter(tag=tag, received_at__gte=join.record.received_at - CONTAINER_REACH)
    records = set(filed.exclude(record_id=join.record.record_id).values_list("record_id", flat=True))
    told_apart = MirrorMatch.objects.filter(record_id__in=records).exclude(joint=joint)
    return bool(records - set(told_apart.values_list("record_id", flat=True)))


def _share_others(join: _Join, at: datetime) -> list[UUID]:
    others = MirrorMatch.objects.filter(record_id=join.record.record_id, joint=join.reference.joint.value)
    return [match.record_id for match in others.exclude(offer=join.offer) if _share(match, at)]


def _share(match: MirrorMatch, at: datetime) -> bool:
    """What was compared one with one turns out to be one of several."""
    if match.state == SHARED:
        return False
    match.state, match.agreed, match.differing, match.unknown = SHARED, [], [], list(MIRROR_FIELDS)
    match.changed_at = at
    match.save(update_fields=["state", "agreed", "differing", "unknown", "changed_at"])
    return True


def asks_due(*, limit: int) -> list[AskDue]:
    """The matches that differ and of which the figures have not been asked for, the oldest first."""
    rows = MirrorMatch.objects.filter(state=ASK).select_related("offer").order_by("id")[:limit]
    return [
        AskDue(
            row.pk,
            row.offer.issuer,
            row.offer.message_id,
            row.offer.agreement,
            row.content_key,
            tuple(row.differing),
        )
        for row in rows
    ]


def compose_request(due: AskDue) -> MirrorRequest:
    """Step M5: the request for what differs, with the proof that the offer was opened."""
    us = settings.COMITY_ADMINISTRATION
    proof = proof_of(due.content_key, asking=us, fields_asked=due.fields)
    return MirrorRequest(administration=us, offer=due.offer_id, fields=due.fields, proof=proof)


@transaction.atomic
def mark_asked(due: AskDue, *, request_id: str, at: datetime) -> None:
    """The request is in the outbox, or (with no id) the agreement refused it."""
    row = MirrorMatch.objects.select_for_update().filter(pk=due.row, state=ASK).first()
    if row is None:
        return
    row.state, row.request_id, row.changed_at = (ASKED if request_id else REFUSED), request_id, at
    row.values = {**row.values, "asked": list(due.fields)}
    row.save(update_fields=["state", "request_id", "values", "changed_at"])


@transaction.atomic
def take_values(values: MirrorValues, *, source: Source, in_reply_to: str, at: datetime) -> list[UUID]:
    """Step M8: the figures that were asked for. Returns the records of which something changed.

    Figures of fields that were not asked for are dropped. Raises: SignalError where nothing was asked.
    """
    row = (
        MirrorMatch.objects.select_for_update()
        .filter(offer__issuer=source.issuer, offer__message_id=values.offer, request_id=in_reply_to)
        .exclude(request_id="")
        .select_related("offer")
        .first()
    )
    if row is None:
        raise SignalError("These figures were not asked for", where=values.offer)
    told = mirror_to_body(values).get("figures", {})
    asked = row.values.get("asked", [])
    figures = {name: figure for name, figure in told.items() if name in asked} if isinstance(told, dict) else {}
    kept = is_kept(row.content_key, offer_from_body(row.offer.body).commitments, values.figures)
    row.values = {
        "asked": asked,
        "figures": figures,
        "kept": {name: kept[name] for name in figures if name in kept},
        "declaration_ref": values.declaration_ref[:100],
    }
    row.values_id, row.values_article, row.changed_at = source.message_id, source.article, at
    row.state = ANSWERED if row.state in (ASKED, ANSWERED, REFUSED) else row.state
    row.save(update_fields=["values", "values_id", "values_article", "changed_at", "state"])
    return [row.record_id]


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _TAGS_AT_ONCE):
        yield items[start : start + _TAGS_AT_ONCE]
