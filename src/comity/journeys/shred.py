"""Taking a message's content out of every room that has some of it, and asking whether any room must keep it."""

from __future__ import annotations

from datetime import datetime

from comity.custody import selectors as custody
from comity.custody.selectors import HolderView
from comity.custody.services import mark_wiped
from comity.enforcement import selectors as enforcement
from comity.exchange import purging
from comity.exchange.evidence import purge as purge_files
from comity.journeys.actors import this_node
from comity.journeys.files import evidence_folder
from comity.risk.services import forget_signal, records_told, tighten_signal


def rests_seizure(held: HolderView) -> bool:
    """Whether goods were seized after a control for which this message spoke: then it is evidence in that case."""
    ref, records = records_told(held.origin, held.message_id)
    source = f"alert:{ref}"
    for record_id in records:
        file = enforcement.record_file(record_id)
        asked = {each.inspection_id for each in file.inspections if source in each.sources}
        if any(each.inspection_id in asked for each in file.seizures):
            return True
    return False


def shred(held: HolderView, at: datetime) -> None:
    """Empty every copy of a message, what risk kept of it, its files, and our outbox copies of what was handed on."""
    copies = custody.copies_of(held.origin, held.message_id)
    reason = f"{held.ground}, by {held.origin}"
    for copy in copies:
        purge_files(evidence_folder(), message_id=copy.copy_id, sender=copy.sender)
    forget_signal(this_node(), issuer=held.origin, message_id=held.message_id, reason=reason, at=at)
    purging.purge([(copy.sender, copy.copy_id) for copy in copies], ground=held.ground, at=at)
    wipe([each.copy_id for each in custody.hand_ons(held.origin, held.message_id)], at)


def wipe(copy_ids: list[str], at: datetime) -> int:
    """Empty our outbox copies of what was handed on, as far as the recipients have answered. Returns how many."""
    wiped = purging.wipe_sent(copy_ids)
    mark_wiped(wiped, at=at)
    return len(wiped)


def tighten(held: HolderView) -> None:
    """Apply the limits of a holding to every copy of it, and to what risk makes of it."""
    for copy in custody.copies_of(held.origin, held.message_id):
        key = (copy.sender, copy.copy_id)
        purging.raise_handling(key, handling=held.handling)
        if held.keep_until is not None:
            purging.keep_at_most(key, until=held.keep_until)
    if held.keep_until is not None:
        tighten_signal(issuer=held.origin, message_id=held.message_id, until=held.keep_until)
