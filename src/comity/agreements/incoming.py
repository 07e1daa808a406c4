"""The receiving side: the same engine, and no field beyond what the article releases. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from comity.agreements.bodies import Asking, request_for
from comity.agreements.engine import Engine
from comity.agreements.values import Decision, SharingRequest
from comity.common import Reason

MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that arrived, and the article under which its sender says that it travels."""

    asking: Asking
    agreement_id: str
    article_id: str
    body: Mapping[str, object]


def judge_incoming(engine: Engine | None, incoming: Incoming) -> tuple[SharingRequest, Decision]:
    """The request that the message amounts to and the verdict. engine: over the agreement named; None: it is unknown.

    Refusals begin with the code unknown_agreement, no_article, not_in_force, prohibited, not_permitted or
    field_not_released; for the last the fields in question are those withheld.
    """
    request = request_for(incoming.asking, incoming.body)
    if engine is None:
        return request, _unknown(incoming, request)
    decision = engine.decide(request, agreement_id=incoming.agreement_id, article_id=incoming.article_id)
    if decision.is_permitted and decision.fields_withheld:
        return request, _beyond(decision)
    return request, decision


def _unknown(incoming: Incoming, request: SharingRequest) -> Decision:
    text = f"No agreement {incoming.agreement_id[:12]} was adopted here."
    return Decision(
        is_permitted=False,
        agreement_id=incoming.agreement_id,
        article_id=incoming.article_id,
        fields_released=(),
        fields_withheld=tuple(sorted(request.fields)),
        reasons=(Reason("unknown_agreement", text),),
    )


def _beyond(decision: Decision) -> Decision:
    named = ", ".join(decision.fields_withheld[:MOST_NAMED])
    more = len(decision.fields_withheld) - MOST_NAMED
    text = f"Article {decision.article_id} does not release {named}" + (f" and {more} more." if more > 0 else ".")
    return replace(
        decision,
        is_permitted=False,
        fields_released=(),
        reasons=(Reason("field_not_released", text, decision.reasons[0].clause),),
    )
