"""Road 1 and 2: a file arrives, is kept, and every record in it is assessed and considered for a control."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from comity.common import Actor
from comity.intake import Receipt
from comity.intake import selectors as intake
from comity.intake.services import receive
from comity.journeys.actors import this_node
from comity.journeys.chance import chance_now
from comity.journeys.lanes import let_low_risk_go
from comity.journeys.mirror import note_arrivals
from comity.risk import selectors as risk
from comity.risk.services import assess_all, consider_all

_BATCH = 200


def arrive(actor: Actor, *, source: str, name: str, data: bytes, mapping: str | None, at: datetime) -> Receipt:
    """Take in a file and assess what it holds. mapping: name of a column mapping of this node, for CSV.

    What is imported is durable before it is assessed; should the node die in between, `assess_waiting` goes on.
    Raises: PermissionRefusedError, IntakeError; then nothing was taken in, and the error says why.
    """
    receipt = receive(actor, source=source, name=name, data=data, mapping=mapping, at=at)
    assess_records((ref.record_id for ref in receipt.imported), at=at)
    return receipt


def assess_records(record_ids: Iterable[UUID], *, at: datetime) -> int:
    """Assess the current versions of these records and consider each for a control. Returns how many."""
    wanted = list(dict.fromkeys(record_ids))
    chance = chance_now()
    for first in range(0, len(wanted), _BATCH):
        with transaction.atomic():
            batch = wanted[first : first + _BATCH]
            known = intake.records_by_id(batch)
            # In the order of the file: who comes first finds more of the day's inspections left.
            records = [known[record_id] for record_id in batch if record_id in known]
            note_arrivals(records, at=at)
            assess_all(this_node(), records=records, at=at)
            consider_all(this_node(), records=records, at=at, seed=chance.seed, log_size=chance.log_size)
        let_low_risk_go(at, batch)
    return len(wanted)


def assess_waiting(at: datetime) -> int:
    """Assess what was imported lately and not assessed: a node that died between the two goes on here."""
    return assess_records(risk.unassessed(intake.latest_ids()), at=at)
