"""Road 3: a day's inspections are spent on what waits, after those who wait were written into the log."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.common import Actor
from comity.journeys.chance import chance_of
from comity.ledger import commit
from comity.ledger.services import append
from comity.risk.proving import SELECTION_KIND, candidates_bytes
from comity.risk.services import lock_candidates, select_for_day
from comity.risk.today import local_day
from comity.risk.values import Candidates, SelectionRun

_SALT_BYTES = 16


@transaction.atomic
def select_today(actor: Actor, *, at: datetime) -> SelectionRun:
    """Spend what is left of today's inspections: mandatory first, then by the day's parts, then at random.

    1. Who waits is locked. 2. The list is committed to in the log. 3. The seed is the checkpoint that this gives: it
    did not exist while the list could still be changed. 4. Chance answers. Today is the administration's own day.
    Raises: PermissionRefusedError.
    """
    today = local_day(at)
    waiting = lock_candidates(actor)
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.sha256(candidates_bytes(today, [record_id.hex for record_id in waiting])).digest()
    entry = commit(SELECTION_KIND, digest, agreement="", message_id=str(today), salt=salt)
    appended = append([entry], signer=settings.COMITY_KEYRING.log, at=at)
    chance = chance_of(appended.checkpoint)
    among = Candidates(waiting, appended.first_index, appended.size, salt.hex())
    return select_for_day(actor, day=today, at=at, seed=chance.seed, among=among)
