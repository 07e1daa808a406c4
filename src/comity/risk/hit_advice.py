"""Decisions on hits that partners tell each other: who is meant without a name, what is told, and what is shown beside.

A party is recognised by a keyed hash of a number of it, or of its name and country, under a key that is made for one
message alone. A partner's decision is advice: it is shown, and changes neither an assessment nor a decision of ours.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from comity.common import Actor, show_instant
from comity.registers.matching import plain_name
from comity.risk.errors import ScreeningError
from comity.risk.hits import HitView, hit, sides_of
from comity.risk.models import HitAdvice, HitAsked, HitQuestionTaken, HitTold, ScreeningDecision
from comity.risk.values import AlertSource, Source
from comity.trade import Handling
from comity.trade.knowledge import (
    MOST_TAGS,
    HitDecision,
    HitGround,
    HitQuestion,
    HitTag,
    HitVerdict,
    TagBy,
)

# A question that nobody could answer for so long is answered no more.
ANSWERED_WITHIN = timedelta(days=30)
_KEY_BYTES = 32
_DOMAIN = b"comity/hit/1/"
_LEAST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Advice:
    """A partner's decision on a hit of ours. by: by what the party was recognised."""

    issuer: str
    message_id: str
    article: str
    verdict: HitVerdict
    ground: HitGround
    reason: str
    list_of: str
    by: TagBy
    decided_at: datetime
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A partner that was asked about a hit."""

    partner: str
    message_id: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class AnswerDue:
    """A partner's question that a decision of ours answers. row: of the question."""

    row: int
    partner: str
    message_id: str
    agreement: str
    decision_id: int


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a list as its publisher names it."""

    list_code: str
    publisher: str
    entry: str


def new_key() -> str:
    """A key for the tags of one message, in hex."""
    return secrets.token_bytes(_KEY_BYTES).hex()


def tags_of(key: str, listed: Listed, party: Mapping[str, str]) -> tuple[HitTag, ...]:
    """The keyed hashes by which a party is recognised beside an entry. party: name, country, numbers as a hit has them.

    The surest first. The list's own name is not in them: administrations name one list differently.
    """
    found = (HitTag(by, _mac(key, by.value, listed.entry, text)) for by, text in _words(party))
    return tuple(dict.fromkeys(found))[:MOST_TAGS]


def _words(party: Mapping[str, str]) -> Iterator[tuple[TagBy, str]]:
    for number in party.get("numbers", "").split(";"):
        plain = "".join(sign for sign in number.upper() if sign.isalnum())
        if len(plain) >= _LEAST_DIGITS:
            yield TagBy.NUMBER, plain
    tokens = sorted(plain_name(party.get("name", "")).tokens)
    if tokens:
        yield TagBy.NAME, f"{' '.join(tokens)}|{party.get('country', '')}"


def _mac(key: str, *words: str) -> str:
    told = _DOMAIN + b"\0".join(word.encode() for word in words)
    return hmac.digest(bytes.fromhex(key), told, "sha256").hex()


def recognised(key: str, told: Iterable[tuple[str, str]], listed: Listed, party: Mapping[str, str]) -> TagBy | None:
    """By what a party of ours is the one that a partner's tags are of; None where it is another."""
    theirs = {tag for _, tag in told}
    return next((each.by for each in tags_of(key, listed, party) if each.tag in theirs), None)


def question_about(ref: str, *, administration: str, handling: Handling) -> HitQuestion:
    """What is asked of a hit of ours.

    Raises: ScreeningError where there is no such hit, or nothing by which the party could be recognised.
    """
    view = hit(ref)
    listed, key = _listed_of(view.theirs), new_key()
    tags = _some_tags(ref, tags_of(key, listed, view.ours))
    return HitQuestion(administration, listed.list_code, listed.publisher, listed.entry, key, tags, handling)


def decision_to_tell(ref: str, *, administration: str, handling: Handling) -> HitDecision:
    """What is told of the decision in force on a hit.

    Raises: ScreeningError where none was made.
    """
    row = ScreeningDecision.objects.filter(ref=ref, is_current=True).first()
    if row is None:
        raise ScreeningError("Nothing was decided of this hit", where=ref, remedy="Decide it first.")
    return _decision_of(row, administration, handling)


def _decision_of(row: ScreeningDecision, administration: str, handling: Handling) -> HitDecision:
    listed, key = _listed_of(row.theirs), new_key()
    return HitDecision(
        administration=administration,
        list_code=listed.list_code,
        publisher=listed.publisher,
        entry=listed.entry,
        key=key,
        tags=_some_tags(row.ref, tags_of(key, listed, row.ours)),
        verdict=HitVerdict(row.verdict),
        ground=HitGround(row.ground),
        decided_at=row.decided_at,
        list_of=str(row.theirs.get("list_of", "")),
        reason=row.reason,
        handling=handling,
    )


def _some_tags(ref: str, tags: tuple[HitTag, ...]) -> tuple[HitTag, ...]:
    if not tags:
        raise ScreeningError("Neither a name nor a number is known by which a partner could recognise it", where=ref)
    return tags


def _listed_of(theirs: Mapping[str, str]) -> Listed:
    code = theirs.get("list", "")
    return Listed(code, theirs.get("publisher", "") or code, theirs.get("entry", ""))


@transaction.atomic
def note_asked(actor: Actor, ref: str, posted: Iterable[tuple[str, str]], *, at: datetime) -> None:
    """Remember who was asked about a hit. posted: partner and message id each."""
    HitAsked.objects.bulk_create(
        HitAsked(ref=ref, partner=partner, message_id=message_id, asked_by=str(actor)[:100], asked_at=at)
        for partner, message_id in posted
    )


def asked_of(ref: str) -> tuple[Asked, ...]:
    """Who was asked about a hit, the latest first."""
    rows = HitAsked.objects.filter(ref=ref).order_by("-asked_at", "-id")
    return tuple(Asked(row.partner, row.message_id, row.asked_at) for row in rows)


@transaction.atomic
def take_question(question: HitQuestion, *, source: Source, at: datetime) -> None:
    """Keep a partner's question; it is answered as soon as a decision of ours answers it.

    Raises: ScreeningError where it is asked for somebody else.
    """
    if question.administration != source.issuer:
        raise ScreeningError("A question is asked for oneself", where=question.administration)
    HitQuestionTaken.objects.get_or_create(
        issuer=source.issuer,
        message_id=source.message_id,
        defaults={
            "agreement": source.agreement,
            "list_code": question.list_code,
            "publisher": question.publisher,
            "entry_ref": question.entry,
            "key": question.key,
            "tags": [[each.by.value, each.tag] for each in question.tags],
            "taken_at": at,
        },
    )


def answers_due(at: datetime, *, limit: int) -> list[AnswerDue]:
    """Partners' questions that a decision in force answers, the oldest first."""
    waiting = HitQuestionTaken.objects.filter(answer_id="", taken_at__gt=at - ANSWERED_WITHIN).order_by("id")
    due = []
    for row in waiting[:limit]:
        decision = _decision_for(row)
        if decision is not None:
            due.append(AnswerDue(row.pk, row.issuer, row.message_id, row.agreement, decision.pk))
    return due


def _decision_for(question: HitQuestionTaken) -> ScreeningDecision | None:
    """The decision on the party that is meant; one that was recognised by a number before one by name."""
    listed = Listed(question.list_code, question.publisher, question.entry_ref)
    rows = ScreeningDecision.objects.filter(entry_ref=question.entry_ref, is_current=True).order_by("-decided_at")
    found: dict[TagBy, ScreeningDecision] = {}
    for row in rows:
        if _is_same_list(listed, _listed_of(row.theirs)):
            by = recognised(question.key, question.tags, listed, row.ours)
            if by is not None:
                found.setdefault(by, row)
    return found.get(TagBy.NUMBER) or found.get(TagBy.NAME)


def _is_same_list(one: Listed, other: Listed) -> bool:
    """Administrations give a list codes of their own; its publisher is the same for all."""
    codes = one.list_code.casefold() == other.list_code.casefold()
    return codes or one.publisher.casefold() == other.publisher.casefold()


def compose_answer(due: AnswerDue, *, administration: str, handling: Handling) -> HitDecision:
    """What is answered to a partner's question."""
    return _decision_of(ScreeningDecision.objects.get(pk=due.decision_id), administration, handling)


@transaction.atomic
def mark_answered(due: AnswerDue, *, message_id: str, at: datetime) -> None:
    """The answer is in the outbox, or (with no id) the agreement refused it."""
    HitQuestionTaken.objects.filter(pk=due.row).update(answer_id=message_id or "refused")
    if message_id:
        HitTold.objects.create(decision_id=due.decision_id, recipient=due.partner, message_id=message_id, told_at=at)


def note_told(ref: str, posted: Iterable[tuple[str, str]], *, decided_at: str, at: datetime) -> None:
    """Remember to whom the decision in force on a hit was told. posted: recipient and message id each.

    Raises: ScreeningError where another decision was made since this one.
    """
    row = ScreeningDecision.objects.filter(ref=ref, is_current=True).first()
    if row is None or show_instant(row.decided_at) != decided_at:
        raise ScreeningError("Another decision was made since", where=ref, remedy="Tell that one.")
    HitTold.objects.bulk_create(
        HitTold(decision=row, recipient=recipient, message_id=message_id, told_at=at)
        for recipient, message_id in posted
    )


def outdated() -> list[str]:
    """Messages that told a decision in whose place another one stands, and that were not taken back yet."""
    rows = HitTold.objects.filter(ended_at=None, decision__is_current=False).order_by("id")
    return list(rows.values_list("message_id", flat=True))


def mark_outdated(message_ids: Collection[str], *, at: datetime) -> None:
    """These were taken back; who had asked is answered anew."""
    HitTold.objects.filter(message_id__in=message_ids, ended_at=None).update(ended_at=at)
    HitQuestionTaken.objects.filter(answer_id__in=message_ids).update(answer_id="")


def told_of(ref: str) -> tuple[Asked, ...]:
    """To whom the decision in force on a hit was told."""
    rows = HitTold.objects.filter(decision__ref=ref, decision__is_current=True, ended_at=None).order_by("told_at", "id")
    return tuple(Asked(row.recipient, row.message_id, row.told_at) for row in rows)


@transaction.atomic
def take_advice(decision: HitDecision, *, source: Source, at: datetime) -> None:
    """Keep a partner's decision, to be shown beside our own hits.

    Raises: ScreeningError where it is somebody else's.
    """
    if decision.administration != source.issuer:
        raise ScreeningError("A decision is told by who made it", where=decision.administration)
    HitAdvice.objects.get_or_create(
        issuer=source.issuer,
        message_id=source.message_id,
        defaults={
            "article": source.article[:100],
            "list_code": decision.list_code,
            "publisher": decision.publisher,
            "entry_ref": decision.entry,
            "list_of": decision.list_of,
            "key": decision.key,
            "tags": [[each.by.value, each.tag] for each in decision.tags],
            "verdict": decision.verdict.value,
            "ground": decision.ground.value,
            "reason": decision.reason,
            "handling": decision.handling.word,
            "decided_at": decision.decided_at,
            "taken_at": at,
        },
    )


def advice_on(view: HitView) -> tuple[Advice, ...]:
    """What partners decided of the same party and entry, the latest first."""
    entry = view.theirs.get("entry", "")
    return tuple(_recognised_in(_told_of([entry]), view.ours, view.theirs))


def advice_on_hits(refs: Collection[str]) -> dict[str, tuple[Advice, ...]]:
    """What partners decided of each of these hits, the latest first; hits of which nobody told anything are left out.

    Each pair is recognised as on its own page, with two statements for them all.
    """
    sides = sides_of(refs)
    told: dict[str, list[HitAdvice]] = {}
    for row in _told_of({theirs.get("entry", "") for _, theirs in sides.values()}):
        told.setdefault(row.entry_ref, []).append(row)
    found = {
        ref: tuple(_recognised_in(told.get(theirs.get("entry", ""), ()), ours, theirs))
        for ref, (ours, theirs) in sides.items()
    }
    return {ref: advice for ref, advice in found.items() if advice}


def _told_of(entries: Collection[str]) -> QuerySet[HitAdvice]:
    return HitAdvice.objects.filter(entry_ref__in=list(entries)).order_by("-decided_at", "-id")


def _recognised_in(rows: Iterable[HitAdvice], ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Advice]:
    listed = _listed_of(theirs)
    for row in rows:
        if _is_same_list(listed, Listed(row.list_code, row.publisher, row.entry_ref)):
            by = recognised(row.key, row.tags, listed, ours)
            if by is not None:
                yield _advice(row, by)


def _advice(row: HitAdvice, by: TagBy) -> Advice:
    return Advice(
        issuer=row.issuer,
        message_id=row.message_id,
        article=row.article,
        verdict=HitVerdict(row.verdict),
        ground=HitGround(row.ground),
        reason=row.reason,
        list_of=row.list_of,
        by=by,
        decided_at=row.decided_at,
        taken_at=row.taken_at,
    )


def advice_sources(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], AlertSource]:
    """Partners' decisions by (issuer, message id); unknown ones are left out."""
    pairs = set(wanted)
    rows = HitAdvice.objects.filter(message_id__in={name for _, name in pairs})
    return {
        (row.issuer, row.message_id): AlertSource(row.message_id, row.handling)
        for row in rows
        if (row.issuer, row.message_id) in pairs
    }


def forget_hits(*, issuer: str, message_id: str) -> None:
    """A partner's question or decision is taken back or has run out: nothing of it stays."""
    HitAdvice.objects.filter(issuer=issuer, message_id=message_id).delete()
    HitQuestionTaken.objects.filter(issuer=issuer, message_id=message_id).delete()
