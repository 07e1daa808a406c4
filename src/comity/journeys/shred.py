"""Taking a message's content out of every room that has some of it, and asking whether any room must keep it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from comity.custody import selectors as custody
from comity.custody.selectors import CopyView, HolderView
from comity.custody.services import mark_wiped
from comity.enforcement import selectors as enforcement
from comity.exchange import purging
from comity.exchange.evidence import purge as purge_files
from comity.journeys.actors import this_node
from comity.journeys.assist import take_in
from comity.journeys.files import evidence_folder
from comity.operations import STEP_KIND
from comity.operations.services import forget_steps, tighten_cases
from comity.risk.hit_advice import forget_hits
from comity.risk.mirror_forgetting import forget_mirror, mirror_told
from comity.risk.partner_findings import forget_partner_finding, raise_told
from comity.risk.profile_sharing import forget_profile, profile_told, tighten_profile
from comity.risk.reporting import forget_report
from comity.risk.services import forget_signal, records_told, tighten_signal
from comity.trade import Handling


def rests_seizure(held: HolderView) -> bool:
    """Whether goods were seized after a control for which this message spoke: then it is evidence in that case."""
    ref, records = records_told(held.origin, held.message_id)
    mirrored, compared = mirror_told(held.origin, held.message_id)
    profile, spoken = profile_told(held.origin, held.message_id)
    sources = {f"alert:{ref}", f"profile:{profile}", *mirrored}
    for record_id in (*records, *compared, *spoken):
        file = enforcement.record_file(record_id)
        asked = {each.inspection_id for each in file.inspections if not sources.isdisjoint(each.sources)}
        if any(each.inspection_id in asked for each in file.seizures):
            return True
    return False


def shred(held: HolderView, at: datetime) -> None:
    """Empty every copy of a message, what risk and cases kept of it, its files, and outbox copies of what we handed on.

    A step that was taken back before its case heard of it is kept there without what it says: that it was taken is part
    of the case at everybody.
    """
    copies = custody.copies_of(held.origin, held.message_id)
    reason = f"{held.ground}, by {held.origin}"
    for copy in copies:
        purge_files(evidence_folder(), message_id=copy.copy_id, sender=copy.sender)
    if held.kind == STEP_KIND:
        _keep_bare(copies, at)
        forget_steps([copy.copy_id for copy in copies], by=held.origin, ground=held.ground, at=at)
    forget_signal(this_node(), issuer=held.origin, message_id=held.message_id, reason=reason, at=at)
    forget_mirror(this_node(), issuer=held.origin, message_id=held.message_id, at=at)
    forget_hits(issuer=held.origin, message_id=held.message_id)
    forget_report(issuer=held.origin, message_id=held.message_id)
    forget_partner_finding(issuer=held.origin, message_id=held.message_id)
    forget_profile(this_node(), issuer=held.origin, message_id=held.message_id, reason=reason, at=at)
    purging.purge([(copy.sender, copy.copy_id) for copy in copies], ground=held.ground, at=at)
    wipe([each.copy_id for each in custody.hand_ons(held.origin, held.message_id)], at)


def _keep_bare(copies: Iterable[CopyView], at: datetime) -> None:
    for copy in copies:
        received = purging.received_copy(copy.sender, copy.copy_id)
        if received is not None and received.is_accepted and received.message is not None:
            take_in(received.message, at)


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
    tighten_cases([copy.copy_id for copy in custody.copies_of(held.origin, held.message_id)], handling=held.handling)
    if held.handling:
        raise_told(issuer=held.origin, message_id=held.message_id, handling=Handling.from_word(held.handling))
    if held.keep_until is not None:
        tighten_signal(issuer=held.origin, message_id=held.message_id, until=held.keep_until)
        tighten_profile(issuer=held.origin, message_id=held.message_id, until=held.keep_until)
