"""Purging a partner's files: with the message goes what it brought, unless another message needs the same content."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.db.models import Q

from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.storing import coming_name
from comity.exchange.models import EvidenceIn, EvidenceOut


@transaction.atomic
def purge(folder: Folder, *, message_id: str, sender: str = "") -> int:
    """Delete the files that this message offered or that belong to it, and their keys. Returns how many were purged.

    sender: whose message it is; empty: any partner's. The rows stay, and say that the files are purged. A file stays
    where another message needs its content or where it is offered on; an exhibit of our own is never touched.
    """
    whose = Q(partner__administration=sender) if sender else Q()
    wanted = whose & (Q(message_id=message_id) | Q(about=message_id))
    keys = list(EvidenceIn.objects.filter(wanted).values_list("id", flat=True))
    rows = EvidenceIn.objects.select_for_update().filter(pk__in=keys).exclude(state=EvidenceIn.State.PURGED)
    found = list(rows.order_by("id"))
    EvidenceIn.objects.filter(pk__in=[row.pk for row in found]).update(
        state=EvidenceIn.State.PURGED, key=b"", next_attempt_at=None
    )
    # After the commit: a purge that is rolled back must not have deleted anything.
    transaction.on_commit(partial(_delete, folder, found))
    return len(found)


def sweep(folder: Folder) -> int:
    """Delete what a kill -9 between the commit of a purge and its deletions left behind. Returns how many files."""
    rows = EvidenceIn.objects.filter(state=EvidenceIn.State.PURGED).order_by("id")
    return _delete(
        folder, [row for row in rows if folder.has_received(row.sha256) or folder.is_coming(coming_name(row))]
    )


def _delete(folder: Folder, rows: Iterable[EvidenceIn]) -> int:
    gone = 0
    for row in rows:
        folder.drop_coming(coming_name(row))
        with transaction.atomic():
            if not _is_needed(row.sha256):
                folder.drop_received(row.sha256)
                gone += 1
    return gone


def _is_needed(sha256: str) -> bool:
    # The rows are locked, so that none of them comes to need it while it is deleted.
    needing = EvidenceIn.objects.select_for_update().filter(sha256=sha256, state=EvidenceIn.State.COMPLETE)
    return needing.exists() or EvidenceOut.objects.filter(sha256=sha256, withdrawn_at=None).exists()
