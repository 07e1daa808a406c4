"""What is held about somebody, gathered from every room: declarations, controls, messages both ways, steps, files.

How it searches. Declarations and manifests: by the keys that intake files them under, an index of normal forms; only
what matches is read. Messages, steps and decisions on hits: by the index of mentions. Findings, seizures, inspections,
assessments and hits: by the declarations that were found. Histories of models and past trade: by the traders' numbers,
else names; what partners asked or decided of hits: by trying the tags of each with these names and numbers.
Free text (what an alert tells, what an officer wrote) is not searched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from comity.agreements.procedures import procedure
from comity.agreements.selectors import adopted_agreement
from comity.agreements.vocabulary import UseLimit
from comity.custody import selectors as custody
from comity.custody.selectors import HolderView
from comity.enforcement import selectors as enforcement
from comity.enforcement.values import Assessed, RecordFile
from comity.exchange import MessageUnknownError
from comity.exchange.models import EvidenceIn, EvidenceOut, InboxMessage, OutboxMessage
from comity.exchange.selectors import Direction, MessageView, message
from comity.insight.listed import listed_of
from comity.insight.mentions import HIT, RECEIVED, SENT, STEP, left_to_read, mentioned, named_in_message, named_in_row
from comity.insight.mirrored import as_comparison, shared_by_mirror
from comity.insight.naming import Asked, Named, is_named, named_in_record, variants_of
from comity.insight.remembered import remembered_of, told_by_models
from comity.insight.screened import as_word, screened_of, words_meant
from comity.insight.subjects import Item, Shared
from comity.intake import KeyKind, StoredRecord
from comity.intake import selectors as intake
from comity.intake.models import Record, RecordKey
from comity.operations.models import CaseStep
from comity.operations.steps import step_from_body
from comity.risk import selectors as risk
from comity.risk.hit_files import PartnersWord
from comity.risk.mirror_files import compared_with_records
from comity.risk.overriding import overrides_of
from comity.trade import Handling

MOST_RECORDS, MOST_ROWS = 2_000, 2_000
NATIONAL = "national"
_NAMES = tuple(kind.value for kind in KeyKind if kind.is_name)
_IDS = ("exporter_id", "importer_id", "declarant_id", "carrier_id")


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was found. is_cut: there is more than was read. unread: messages and steps that are not in the index yet."""

    items: tuple[Item, ...]
    is_cut: bool = False
    unread: int = 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    names: frozenset[str]
    ids: frozenset[str]

    def among(self, named: Iterable[Named]) -> tuple[Named, ...]:
        """Those who may be the one who asks."""
        return tuple(each for each in named if is_named(each, self.names, self.ids))


def holdings_of(asked: Asked) -> Holdings:
    """Everything that names somebody by one of these names or numbers. To be confirmed: names are not persons."""
    wanted = _Wanted(*variants_of(asked))
    if not wanted.names and not wanted.ids:
        return Holdings(())
    records, is_cut = _records(wanted)
    rows = mentioned(wanted.names, wanted.ids)
    told = shared_by_mirror({record.record_id for record in records})
    items = [each for record in records for each in _of_record(record, wanted, told.get(record.record_id, ()))]
    items += _of_mirror(records, wanted)
    items += _of_received(rows[RECEIVED][:MOST_ROWS], wanted)
    items += _of_sent(rows[SENT][:MOST_ROWS], wanted)
    items += _of_steps(rows[STEP][:MOST_ROWS], wanted)
    found = screened_of({record.record_id for record in records}, rows[HIT][:MOST_ROWS], wanted.among, _us())
    items += found.items
    items += listed_of(wanted.names, wanted.ids, _us())
    items += remembered_of(items, wanted.names, wanted.ids, _us())
    items += [as_word(_of_word(word, named), word, found.guarded) for word, named in words_meant(items, wanted.ids)]
    is_cut = is_cut or any(len(each) > MOST_ROWS for each in rows.values())
    return Holdings(tuple(items), is_cut, left_to_read())


def _records(wanted: _Wanted) -> tuple[list[StoredRecord], bool]:
    """Of each record that matches in any version: the current one, or the latest that does."""
    keys = RecordKey.objects.filter(kind__in=_NAMES, value__in=wanted.names)
    keys = keys.union(RecordKey.objects.filter(kind__in=_IDS, value__in=wanted.ids))
    found = {row.record_id for row in keys}
    versions = Record.objects.filter(pk__in=list(found)[: 4 * MOST_RECORDS]).values_list("record_id", "version")
    latest: dict[UUID, int] = {}
    for record_id, version in versions:
        latest[record_id] = max(version, latest.get(record_id, 0))
    current = intake.records_by_id(list(latest)[:MOST_RECORDS])
    stored = []
    for record_id, record in current.items():
        is_still = bool(wanted.among(named_in_record(record.content)))
        stored.append(record if is_still else intake.record(record_id, version=latest[record_id]))
    return stored, len(latest) > MOST_RECORDS


def _of_record(record: StoredRecord, wanted: _Wanted, shared: tuple[Shared, ...]) -> Iterator[Item]:
    named = wanted.among(named_in_record(record.content))
    if not named:
        return
    us, ref, file = _us(), f"record:{record.record_id}", enforcement.record_file(record.record_id)
    title = f"{record.reference} v{record.version}"
    yield Item(
        ref,
        record.kind.value,
        title,
        named,
        us,
        record.received_at,
        "control",
        NATIONAL,
        shared=shared,
        figures=_goods(file),
    )
    yield from _of_controls(file, named)
    assessments = risk.assessments(record.record_id)
    if assessments:
        last, many = assessments[0], len(assessments)
        of = f"assessment:{record.record_id}"
        yield Item(
            of,
            "assessment",
            title,
            named,
            us,
            last.at,
            "risk_assessment",
            NATIONAL,
            Handling.RESTRICTED,
            count=many,
            figures=(*told_by_models(record.record_id), *_changed(record.record_id)),
        )


def _of_mirror(records: Iterable[StoredRecord], wanted: _Wanted) -> Iterator[Item]:
    """What partners declared of the same consignments."""
    known = {record.record_id: record for record in records}
    for each in compared_with_records(known):
        record = known[each.record_id]
        named = wanted.among(named_in_record(record.content))
        if named:
            item = _of_message_of(each.message_id, (each.issuer, each.matched_at), named)
            yield as_comparison(item, each, record.reference)


def _goods(file: RecordFile) -> tuple[tuple[str, str], ...]:
    """When the goods were held, and released."""
    days: dict[str, list[str]] = {}
    for each in file.decisions:
        days.setdefault(f"{each.kind.value}_on", []).append(str(each.decided_at.date()))
    return tuple((name, ", ".join(told)) for name, told in days.items())


def _changed(record_id: UUID) -> tuple[tuple[str, str], ...]:
    """How often officers judged otherwise than the assessment."""
    changed = len(overrides_of(record_id))
    return (("lanes_changed", str(changed)),) if changed else ()


def _of_controls(file: RecordFile, named: tuple[Named, ...]) -> Iterator[Item]:
    """What was done about a record: an open inspection is a control to come, and so is restricted."""
    us = _us()
    for finding in file.findings:
        yield Item(
            f"finding:{finding.ref}",
            "finding",
            finding.ref,
            named,
            us,
            finding.found_at,
            "control",
            NATIONAL,
            finding.handling,
            figures=_revenue(file.assessed.get(finding.ref)),
        )
    for seizure in file.seizures:
        legal = seizure.facts.legal_basis
        yield Item(
            f"seizure:{seizure.reference}", "seizure", seizure.reference, named, us, seizure.seized_at, "control", legal
        )
    for each in file.inspections:
        is_open = each.is_open
        level = Handling.RESTRICTED if is_open else Handling.OFFICIAL
        yield Item(
            f"inspection:{each.reference}",
            "inspection",
            each.reference,
            named,
            us,
            each.ordered_at,
            "control",
            NATIONAL,
            level,
        )


def _revenue(assessed: Assessed | None) -> tuple[tuple[str, str], ...]:
    return (("assessed", f"{assessed.revenue.amount} {assessed.revenue.currency}"),) if assessed else ()


def _of_received(rows: list[int], wanted: _Wanted) -> Iterator[Item]:
    for row in InboxMessage.objects.filter(pk__in=rows).defer("data"):
        yield from _of_message(_received_view(row), wanted)


def _received_view(row: InboxMessage) -> MessageView:
    return message(row.message_id)


def _of_sent(rows: list[int], wanted: _Wanted) -> Iterator[Item]:
    for row in OutboxMessage.objects.filter(pk__in=rows).defer("data"):
        yield from _of_message(message(row.message_id), wanted)


def _of_message(view: MessageView, wanted: _Wanted) -> Iterator[Item]:
    """A message that was purged names nobody any more, and so is no longer found: its hash alone is left."""
    named = wanted.among(named_in_message(view.line.kind, view.message.body)) if view.message else ()
    if view.message is None or not named:
        return
    item = _as_item(view, view.message.origin, named)
    yield item
    yield from _files(item, view.line.id, named)


def _of_word(word: PartnersWord, named: tuple[Named, ...]) -> Item:
    """The message in which a partner asked or decided something of a hit."""
    return _of_message_of(word.message_id, (word.issuer, word.taken_at), named)


def _of_message_of(message_id: str, issued: tuple[str, datetime], named: tuple[Named, ...]) -> Item:
    """A partner's message that names nobody itself. issued: by whom, and when it was kept."""
    try:
        return _as_item(message(message_id), issued[0], named)
    except MessageUnknownError:
        ref = f"message:{message_id}"
        return Item(ref, "file", "", named, *issued, "risk_assessment", "", is_asked_of_origin=True)


def _as_item(view: MessageView, origin: str, named: tuple[Named, ...]) -> Item:
    line, is_sent = view.line, view.line.direction is Direction.SENT
    held = custody.held_as(line.id, holder=_us()) if not is_sent else None
    name = held.message_id if held else line.id
    return Item(
        ref=f"message:{line.id}",
        what=line.kind.split("/")[0],
        title=str(view.message.body.get("ref", "")) if view.message else "",
        named=named,
        origin=origin,
        since=line.at,
        purpose=line.purpose,
        legal=legal_source(line.agreement, line.article),
        handling=_level(held.handling if held else line.handling),
        keep_until=_keep_until(view, held),
        shared=_shared(view, name, origin),
        notes=_notes(origin, name),
        is_asked_of_origin=origin != _us() and _is_bound(line.agreement, line.article),
    )


def _keep_until(view: MessageView, held: HolderView | None) -> datetime | None:
    if view.line.direction is Direction.SENT:
        return view.message.valid_until if view.message else None
    return held.keep_until if held else view.keep_until


def _files(of: Item, message_id: str, named: tuple[Named, ...]) -> Iterator[Item]:
    """Files that belong to a message: what is told of them, never their bytes."""
    out = EvidenceOut.objects.filter(about=message_id, withdrawn_at=None).order_by("pk")
    came = EvidenceIn.objects.filter(about=message_id).exclude(state=EvidenceIn.State.PURGED).order_by("pk")
    every: list[EvidenceOut | EvidenceIn] = [*out, *came]
    for each in every:
        title = f"{each.name}, {each.media_type}"
        yield Item(
            f"file:{each.message_id}",
            "file",
            title,
            named,
            of.origin,
            each.offered_at,
            of.purpose,
            of.legal,
            of.handling,
            of.keep_until,
            of.shared,
            is_asked_of_origin=of.is_asked_of_origin,
        )


def _of_steps(rows: list[int], wanted: _Wanted) -> Iterator[Item]:
    for row in CaseStep.objects.filter(pk__in=rows).select_related("case").prefetch_related("sendings"):
        named = wanted.among(named_in_row(row))
        step = step_from_body(json.loads(bytes(row.body)), row.article)
        if not named:
            continue
        case = row.case
        article = row.article or next((each.article for each in row.sendings.all()), "")
        yield Item(
            ref=f"step:{row.digest}",
            what="step",
            title=f"{procedure(step.procedure).title.in_('en')}, {row.event}",
            named=named,
            origin=row.by,
            since=row.kept_at,
            purpose=case.purpose,
            legal=legal_source(case.agreement, article),
            handling=_level(case.handling),
            shared=tuple(
                Shared(each.recipient, case.agreement, each.article, row.made_at) for each in row.sendings.all()
            ),
            is_asked_of_origin=row.by != _us() and _is_bound(case.agreement, article),
        )


def legal_source(agreement_id: str, article_id: str) -> str:
    """On what it rests, in words: the agreement, the article, and the clause that this rests on."""
    agreement = adopted_agreement(agreement_id)
    article = agreement.article(article_id) if agreement else None
    title = agreement.title.in_("en") if agreement else agreement_id[:12]
    clause = f" ({article.source})" if article and article.source else ""
    return f"{title}, article {article_id}{clause}" if article_id else title


def _is_bound(agreement_id: str, article_id: str) -> bool:
    """Whether whoever shared it must permit in writing that it is disclosed."""
    agreement = adopted_agreement(agreement_id)
    article = agreement.article(article_id) if agreement else None
    return article is None or UseLimit.NO_DISCLOSURE_WITHOUT_WRITTEN_PERMISSION in article.use_limits


def _shared(view: MessageView, name: str, origin: str) -> tuple[Shared, ...]:
    line = view.line
    if line.direction is Direction.SENT:
        return (Shared(line.partner, line.agreement, line.article, line.at),)
    handed = custody.hand_ons(origin, name)
    return tuple(Shared(each.recipient, each.agreement, each.article, each.handed_at) for each in handed)


def _notes(origin: str, name: str) -> tuple[str, ...]:
    """Recalls, corrections and tightenings of a message: mode and ground, in the words of their closed lists."""
    recalls = (custody.recall(str(getattr(each.notice, "id", ""))) for each in custody.orders_naming(origin, name))
    return tuple(f"{each.mode.value}:{each.ground}" for each in recalls if each is not None)


def _level(word: str) -> Handling:
    try:
        return Handling.from_word(word)
    except KeyError:
        return Handling.CONFIDENTIAL


def _us() -> str:
    return str(settings.COMITY_ADMINISTRATION)
