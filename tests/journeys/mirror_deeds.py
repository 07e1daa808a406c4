"""What a driven node does in the mirror check; imported once Django is set up."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from django.apps import apps

from comity.agreements.models import DecisionReceiptRow
from comity.exchange.models import OutboxMessage
from comity.journeys.actors import this_node
from comity.journeys.arrive import arrive
from comity.journeys.mirror import mirror_turn
from comity.risk import QueueFilter
from comity.risk import selectors as risk
from comity.risk.models import MirrorExport, MirrorMatch
from tests.operations.node_deeds import AssistingNode

_TABLES = ("mirroroffering", "mirrortag", "mirrormatch", "assessmentreason", "assessment")


class MirrorNode(AssistingNode):
    """One node; each deed has its time."""

    def lodge(self, data: str, at: datetime, name: str = "one.xml") -> int:
        """A declaration arrives."""
        content = base64.b64decode(data)
        return len(arrive(this_node(), source="api", name=name, data=content, mapping=None, at=at).imported)

    def process(self, at: datetime) -> int:
        """The journeys that are due, and the job of the mirror check."""
        return super().process(at) + mirror_turn(at)

    def posted(self, at: datetime) -> list[dict[str, Any]]:
        """The messages that were posted: kind, body, article, what was withheld."""
        rows = OutboxMessage.objects.order_by("id")
        return [
            {"id": row.message_id, "kind": row.kind, "article": row.article, "withheld": row.withheld}
            | {"body": json.loads(bytes(row.data))["body"] if row.data else None}
            for row in rows
        ]

    def reasons(self, at: datetime) -> list[dict[str, Any]]:
        """The reasons of every record in the queue."""
        rows = risk.queue(QueueFilter()).rows
        return [
            {
                "reference": row.reference,
                "score": row.score,
                "mandatory": row.is_mandatory,
                "reasons": [
                    [reason.source_kind.value, reason.text, reason.weight, reason.administration, dict(reason.facts)]
                    for reason in risk.explanation(row.record_id).reasons
                ],
            }
            for row in rows
        ]

    def matches(self, at: datetime) -> list[list[Any]]:
        """What was matched: by what, its state, the fields."""
        rows = MirrorMatch.objects.order_by("id")
        return [[row.joint, row.state, row.agreed, row.differing, row.unknown] for row in rows]

    def exports(self, at: datetime) -> list[list[str]]:
        """What was told."""
        return [[row.state, row.answer_state] for row in MirrorExport.objects.order_by("id")]

    def refusals(self, at: datetime) -> int:
        """How many decisions on sharing were refusals."""
        return DecisionReceiptRow.objects.filter(is_permitted=False).count()

    def kept(self, at: datetime) -> str:
        """Every row of the tables in which something of a partner's offer is kept, as text."""
        models = [apps.get_model("risk", name) for name in _TABLES]
        return json.dumps([row for model in models for row in model._default_manager.values()], default=str)
