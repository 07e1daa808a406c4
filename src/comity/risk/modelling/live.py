"""Reasons of the source MODEL: what the champion tells of a record, and what the challengers tell, without effect.

Models and histories are loaded once in a process and again when one of them changes. Where no model can speak, the
assessment goes on without one: `silence_at` says why, on the page of models and in the doctor.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from comity.common import ComityError
from comity.intake import StoredRecord
from comity.risk.modelling.rows import day_of, is_import, row_of
from comity.risk.modelling.rules import LEAST_CHANCE, OLDEST_STATE, ModelState, Silence, name_of, weight_of
from comity.risk.modelling.shelves import learning, state_path, this_shelf
from comity.risk.modelling.told_by_partners import columns_of, heard_of
from comity.risk.models import AssessmentReason, LearnedModel, ModelScore
from comity.risk.rules import Lane, SourceKind
from comity.risk.values import Batch, FoundReason
from comity.risk.wording import Evidence

log = logging.getLogger("comity.models")

TITLE = "A model expects a find"
_TELLING = (ModelState.CHAMPION.value, ModelState.CHALLENGER.value)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is loaded. rows: the champion first, where there is one; models: those rows' models; state: the histories.

    silence, detail: why nothing is told.
    """

    key: tuple[object, ...]
    rows: tuple[LearnedModel, ...] = ()
    models: tuple[Any, ...] = ()
    state: Any = None
    silence: Silence = Silence.NONE
    detail: str = ""

    @property
    def champion(self) -> LearnedModel | None:
        """The model whose word counts."""
        first = self.rows[0] if self.rows else None
        return first if first is not None and first.state == ModelState.CHAMPION else None

    def silence_at(self, at: datetime) -> tuple[Silence, str]:
        """Why no model speaks at a time, or nothing."""
        if self.silence is not Silence.NONE:
            return self.silence, self.detail
        if age_of(self.state, at) > OLDEST_STATE:
            return Silence.OLD_STATE, f"they end on {self.state.until}"
        return Silence.NONE, ""


@dataclass(slots=True)
class _Held:
    lock: threading.Lock = field(default_factory=threading.Lock)
    telling: Telling | None = None


_held = _Held()


def model_reasons(batch: Batch) -> list[list[FoundReason]]:
    """For each record what the champion tells of it. Also writes what each model told, in the same transaction."""
    found: list[list[FoundReason]] = [[] for _ in batch.records]
    places = [place for place, record in enumerate(batch.records) if _is_asked(record, batch.administration)]
    if not places:
        return found
    telling = telling_now()
    silence, _ = telling.silence_at(batch.at)
    if silence not in (Silence.NONE, Silence.NO_CHAMPION) or not telling.rows:
        return found
    fresh = [place for place in places if _week(telling, batch.records[place]) >= telling.state.week]
    for place, kept in _kept(telling, batch, sorted(set(places) - set(fresh))).items():
        found[place] = kept
    try:
        _tell(telling, batch, fresh, found)
    except ComityError as error:
        # Goods must not wait for a model; the page of models says the same.
        log.error("no model spoke: %s", error)
    return found


def _is_asked(record: StoredRecord, administration: str) -> bool:
    return record.declaration is not None and is_import(record.declaration, administration)


def _week(telling: Telling, record: StoredRecord) -> int:
    return int(telling.state.week_of(day_of(record.received_at)))


def telling_now() -> Telling:
    """What is loaded, loaded anew where models or histories changed."""
    rows = sorted(
        LearnedModel.objects.filter(state__in=_TELLING), key=lambda row: (row.state != ModelState.CHAMPION, row.pk)
    )
    path = state_path()
    mark = path.stat().st_mtime_ns if path.is_file() else 0
    key = (mark, *((row.model_id, row.state) for row in rows))
    with _held.lock:
        if _held.telling is None or _held.telling.key != key:
            _held.telling = _load(key, rows, has_state=bool(mark))
        return _held.telling


def _load(key: tuple[object, ...], rows: Sequence[LearnedModel], *, has_state: bool) -> Telling:
    if not rows:
        return Telling(key, silence=Silence.NO_CHAMPION)
    if not has_state:
        return Telling(key, tuple(rows), silence=Silence.NO_STATE, detail="no histories were made yet")
    silence = Silence.NO_LIBRARY
    try:
        artefacts, states = learning("artefacts"), learning("states")
        silence = Silence.NO_STATE
        state = states.load_state(state_path())
        silence = Silence.BAD_MODEL
        shelf = this_shelf()
        models = tuple(
            artefacts.model_of(shelf.check(row.model_id).files, where=str(shelf.root / row.model_id)) for row in rows
        )
    except ComityError as error:
        log.error("models cannot be used: %s", error)
        return Telling(key, tuple(rows), silence=silence, detail=f"{error.what}: {error.where}"[:300])
    is_used = rows[0].state == ModelState.CHAMPION
    return Telling(key, tuple(rows), models, state, silence=Silence.NONE if is_used else Silence.NO_CHAMPION, detail="")


def age_of(state: Any, at: datetime) -> timedelta:
    """How long ago ended what the histories know."""
    return at - datetime(state.until.year, state.until.month, state.until.day, tzinfo=UTC)


def _tell(telling: Telling, batch: Batch, places: Sequence[int], found: list[list[FoundReason]]) -> None:
    if not places:
        return
    rows = _rows(telling, batch, places)
    week = max(int(telling.state.week_of(day_of(batch.at))), telling.state.week)
    least = LEAST_CHANCE if telling.champion else 2.0  # nobody reads why a challenger says what it says
    told = learning("telling").tell(telling.state, telling.models, rows, week=week, least=least)
    scores = []
    for model, words in zip(telling.rows, told, strict=True):
        is_used = model.state == ModelState.CHAMPION
        for place, word in zip(places, words, strict=True):
            scores.append(_score(model, batch.records[place], word, batch.at))
            if is_used and weight_of(word.chance):
                found[place] = [_reason(model, telling, word, batch.administration)]
    # A record may stand twice in a batch: the last of it counts.
    latest = {(score.model_id, score.record_id): score for score in scores}
    ModelScore.objects.bulk_create(
        [latest[key] for key in sorted(latest)],
        update_conflicts=True,
        unique_fields=["model", "record_id"],
        update_fields=["version", "chance", "revenue", "is_used", "main", "at"],
        batch_size=500,
    )


def _rows(telling: Telling, batch: Batch, places: Sequence[int]) -> list[dict[str, object]]:
    """A row for each record. What partners told is looked up where one of the models sees it; it is here by now."""
    rows = [_row(telling, batch, place) for place in places]
    if any(isinstance(row.card.get("as_told"), dict) for row in telling.rows):
        asked = [batch.records[place] for place in places]
        heard = heard_of({record.record_id: record.declaration for record in asked if record.declaration is not None})
        for row, record in zip(rows, asked, strict=True):
            told = heard.get(record.record_id, [])
            row.update(columns_of(told, week=None, had_arrived=bool(told)))
    return rows


def _row(telling: Telling, batch: Batch, place: int) -> dict[str, object]:
    record = batch.records[place]
    if record.declaration is None:
        raise TypeError(f"{record.record_id} is no declaration")
    return row_of(
        record.declaration,
        administration=batch.administration,
        arrived_at=record.received_at,
        rates=telling.state.rates,
    )


def _score(model: LearnedModel, record: StoredRecord, word: Any, at: datetime) -> ModelScore:
    return ModelScore(
        model=model,
        record_id=record.record_id,
        version=record.version,
        chance=round(word.chance, 6),
        revenue=None if word.revenue is None else round(word.revenue, 2),
        is_used=model.state == ModelState.CHAMPION,
        main=list(word.main),
        at=at,
    )


def _reason(model: LearnedModel, telling: Telling, word: Any, administration: str) -> FoundReason:
    text = (
        f"A control is thought to find something with a chance of {word.chance:.0%}, usually {usual_chance(model):.1%}"
    )
    if word.revenue is not None:
        text += f"; revenue to expect: {word.revenue:,.0f} {currency_of(model.card)}".rstrip()
    return FoundReason(
        source_kind=SourceKind.MODEL,
        source_ref=name_of(model.model_id),
        title=TITLE,
        text=text,
        weight=weight_of(word.chance),
        lane=Lane.GREEN,
        administration=administration,
        evidence=tuple(
            Evidence(
                text=f"{each.text} ({each.share:.0%} of what raises the chance)",
                column=each.feature,
                value=f"{each.value:.4g}",
                comparison="usual",
                bound=f"{each.usual:.4g}",
            )
            for each in word.why
        ),
        facts=(
            ("Model", name_of(model.model_id)),
            ("Learned from", f"{model.first_day} to {model.last_day}"),
            ("Histories until", str(telling.state.until)),
        ),
    )


def currency_of(card: Mapping[str, object]) -> str:
    """In which the amounts were that a model learned; empty where it learned none, or from a table without one."""
    told = card.get("revenue")
    return str(told.get("currency", "")) if isinstance(told, dict) else ""


def usual_chance(model: LearnedModel) -> float:
    """The share of controls that found something in the weeks on which the model was measured."""
    measured = model.card.get("measured_on", {})
    count = float(measured.get("declarations", 0) or 0)
    return float(measured.get("illicit", 0)) / count if count else 0.0


def _kept(telling: Telling, batch: Batch, places: Sequence[int]) -> dict[int, list[FoundReason]]:
    """What was told of records that the histories know by now: they are not asked again about what they were told."""
    champion = telling.champion
    if champion is None or not places:
        return {}
    by_record: dict[UUID, list[FoundReason]] = {}
    rows = AssessmentReason.objects.filter(
        assessment__record_id__in=[batch.records[place].record_id for place in places],
        assessment__is_current=True,
        source_kind=SourceKind.MODEL.value,
        source_ref=name_of(champion.model_id),
    )
    for row in rows.select_related("assessment"):
        by_record.setdefault(row.assessment.record_id, []).append(_reason_of(row))
    return {place: by_record.get(batch.records[place].record_id, []) for place in places}


def _reason_of(row: AssessmentReason) -> FoundReason:
    facts: Mapping[str, str] = row.facts
    return FoundReason(
        source_kind=SourceKind.MODEL,
        source_ref=row.source_ref,
        title=row.title,
        text=row.text,
        weight=row.weight,
        lane=Lane(row.lane),
        administration=row.administration,
        evidence=tuple(Evidence(**entry) for entry in row.evidence),
        facts=tuple(facts.items()),
    )
