"""A dry run: who would see what of one message, and why not. Pure; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from comity.agreements.bodies import Asking, request_for
from comity.agreements.cutting import FieldSet
from comity.agreements.engine import Engine
from comity.agreements.texts.space import Space
from comity.agreements.texts.standing import Standing
from comity.agreements.values import Agreement, Decision, SharingRequest


class Sight(StrEnum):
    """Whether a party would see a field.

    withheld: an article takes it out. not_named: the permit does not name it. refused: nothing of the message comes.
    """

    RELEASED = "released"
    WITHHELD = "withheld"
    NOT_NAMED = "not_named"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Seen:
    """One field and one party. agreement_id, article_id: because of which; empty where no article is to the point."""

    path: str
    sight: Sight
    agreement_id: str = ""
    article_id: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """What one party would see of the message, field by field in the order of their paths."""

    party: str
    request: SharingRequest
    decision: Decision
    fields: tuple[Seen, ...]


def dry_run(agreements: Iterable[Agreement], asking: Asking, body: Mapping[str, object]) -> tuple[Column, ...]:
    """What each party of the agreements but the sender would see, by code. asking.receiver does not count."""
    engine = Engine(agreements)
    parties = {party for agreement in engine.agreements for party in agreement.parties}
    space = Space(engine.agreements)
    standings = tuple(Standing(agreement, space) for agreement in engine.agreements)
    return tuple(
        _column(engine, standings, request_for(replace(asking, receiver=party), body))
        for party in sorted(parties - {asking.sender})
    )


def _column(engine: Engine, standings: tuple[Standing, ...], request: SharingRequest) -> Column:
    decision = engine.decide(request)
    released = frozenset(decision.fields_released)
    masks = [
        (standing.agreement.id, mask.article.id, FieldSet(mask.article.fields))
        for standing in standings
        for mask in standing.masks
        if any(standing.space.has(box, request) for box in mask.boxes)
    ]
    fields = tuple(_seen(path, decision, masks, is_released=path in released) for path in sorted(request.fields))
    return Column(request.receiver, request, decision, fields)


def _seen(path: str, decision: Decision, masks: list[tuple[str, str, FieldSet]], *, is_released: bool) -> Seen:
    if is_released:
        return Seen(path, Sight.RELEASED, decision.agreement_id, decision.article_id)
    if not decision.is_permitted:
        return Seen(path, Sight.REFUSED, decision.agreement_id, decision.article_id)
    for agreement_id, article_id, withheld in masks:
        if withheld.covers(path):
            return Seen(path, Sight.WITHHELD, agreement_id, article_id)
    return Seen(path, Sight.NOT_NAMED, decision.agreement_id, decision.article_id)
