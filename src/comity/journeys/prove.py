"""A day's random controls, with everything that somebody else needs to compute them again."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from django.conf import settings

from comity.common import Actor
from comity.ledger import selectors as ledger
from comity.risk.models import ChanceRow
from comity.risk.proving import Asked, Statement
from comity.risk.selectors import asked_on, selected_on
from comity.staff import Permission, require
from comity.staff.services import record_deed


def prove_selection(actor: Actor, *, day: date, at: datetime) -> Statement:
    """The statement of a day: what chance was asked, from which seeds, and what it answered.

    Raises: PermissionRefusedError, NoCheckpointError where the log does not hold what it should.
    """
    require(actor, Permission.VIEW_CONSIGNMENTS)
    rows = asked_on(day)
    sizes = sorted({row.log_size for row in rows if row.log_size is not None})
    notes = {size: _note(size) for size in sizes}
    record_deed(actor, deed="prove_selection", subject=f"day:{day}", facts={"asked": str(len(rows))}, at=at)
    return Statement(
        administration=settings.COMITY_ADMINISTRATION,
        day=day,
        vkey=settings.COMITY_KEYRING.log.vkey,
        checkpoints=notes,
        asked=tuple(_asked(row, notes) for row in rows),
        otherwise=Counter({cause.value: count for cause, count in selected_on(day).items() if cause.value != "random"}),
    )


def _note(size: int) -> str:
    """The checkpoint of that size; of nothing, the one with which the log began."""
    return ledger.checkpoint_at(size) if size else ledger.first_checkpoint()


def _asked(row: ChanceRow, notes: dict[int, str]) -> Asked:
    proof = ""
    if row.log_index is not None and row.log_size is not None:
        (proof,) = ledger.tlog_proofs([row.log_index], note=notes[row.log_size])
    return Asked(
        at=row.at,
        way=row.way,
        seed=row.seed,
        log_size=row.log_size,
        bound=row.bound,
        slots=row.slots,
        order=tuple((record, is_open) for record, is_open in row.asked),
        chosen=tuple(row.chosen),
        candidates=tuple(row.candidates),
        salt=row.salt,
        proof=proof,
    )
