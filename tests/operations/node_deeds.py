"""What a driven node can do in procedures; imported once Django is set up."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.apps import apps

from comity.journeys import assist
from comity.operations import CaseView, Party, selectors
from comity.operations.models import CaseSending
from comity.operations.services import Opening
from tests.custody.node_deeds import NodeDeeds


class AssistingNode(NodeDeeds):
    """One node; each deed has its time."""

    def open_case(self, procedure: str, parties: dict[str, str], fields: dict[str, Any], at: datetime) -> str:
        """Open a case; its id."""
        roles = tuple(Party(code, role) for code, role in sorted(parties.items()))
        opening = Opening(procedure, self.adopted, roles, fields, "control", "official")
        return assist.open_case(self.officer, opening=opening, at=at).step.case

    def step(self, case: str, event: str, at: datetime, fields: dict[str, Any] | None = None) -> str:
        """Take a step; its digest."""
        taken = assist.take_step(self.officer, case_id=case, event=event, fields=fields or {}, at=at)
        return taken.step.digest

    def preview(self, case: str, event: str, fields: dict[str, Any], at: datetime) -> dict[str, Any]:
        """Who would be denied which fields."""
        shown = assist.preview_step(self.officer, case_id=case, event=event, fields=fields, at=at)
        return {each.recipient: list(each.withheld) for each in shown}

    def overdue(self, at: datetime) -> int:
        """The job of clocks."""
        return assist.overdue_turn(at)

    def tasks(self, at: datetime) -> list[str]:
        """Where it is our turn."""
        return [each.case_id for each in selectors.tasks()]

    def every_case(self, at: datetime) -> list[str]:
        """The cases of this node."""
        return [each.case_id for each in selectors.cases()]

    def late(self, at: datetime) -> list[str]:
        """What is overdue."""
        return [each.case_id for each in selectors.overdue(at=at)]

    def case(self, case: str, at: datetime) -> dict[str, Any]:
        """A case as this node sees it."""
        found = selectors.case_file(case, at=at)
        return {
            **_shared(found.view),
            "fields": dict(found.view.fields),
            "purged": {name: [step.purged.ground, step.article] for name, step in found.view.purged.items()},
            "recalls": [each.recall for each in found.sendings],
            "handling": found.line.handling,
            "withheld": dict(found.view.withheld),
            "sendings": [[each.recipient, each.article, list(each.withheld)] for each in found.sendings],
            "troubles": list(found.troubles),
            "line": [found.line.state, list(found.line.turn), list(found.line.flags)],
            "missing": list(found.view.missing),
        }

    def told(self, case: str, at: datetime) -> list[str]:
        """The ids of the messages in which our steps of a case were told, the oldest first."""
        found = CaseSending.objects.filter(step__case__case_id=case).order_by("step__number", "recipient")
        return list(found.values_list("message_id", flat=True))

    def rows(self, at: datetime) -> str:
        """Every row of the tables of operations, as text."""
        models = apps.get_app_config("operations").get_models()
        rows = [row for model in models for row in model._default_manager.values()]
        return json.dumps(rows, default=lambda each: bytes(each).decode() if not hasattr(each, "year") else str(each))


def _shared(view: CaseView) -> dict[str, Any]:
    """What must be the same at every node that has the same steps."""
    return {
        "state": view.state.name,
        "flags": list(view.flags),
        "turn": list(view.whose_turn),
        "clocks": {each.name: [each.deadline.due_at, each.deadline.digest, each.standing] for each in view.clocks},
        "may": {party: [event.name for event in events] for party, events in view.may.items()},
        "history": [
            [each.event, each.effect, each.why, each.step.digest if each.step else ""] for each in view.history
        ],
    }
