"""How the log grew of late: a read for those who look after the node."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from comity.ledger.models import Batch, Cosignature
from comity.ledger.selectors import log_size


def entries_since(at: datetime) -> int:
    """How many entries were appended at this time or later."""
    before = Batch.objects.filter(appended_us__lt=int(at.timestamp() * 1_000_000))
    return log_size() - (before.order_by("-first_index").values_list("size", flat=True).first() or 0)


def newest_cosignature_at() -> datetime | None:
    """When a partner last cosigned one of our checkpoints; None where none did."""
    newest: datetime | None = Cosignature.objects.aggregate(newest=Max("recorded_at"))["newest"]
    return newest
