"""Reasons of the source MIRROR: where a partner's export declaration and our import declaration differ.

They are a partner's unverified data: they may select for control, they may not be the deciding factor (TFA 12.5.1), so
none of them selects by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from comity.intake import StoredRecord
from comity.risk.mirror_differences import LABELS, Difference, differences
from comity.risk.mirror_locks import Joint, figures_of
from comity.risk.mirroring import ANSWERED, ASK, ASKED, REFUSED
from comity.risk.models import MirrorMatch
from comity.risk.rules import UNVERIFIED, UNVERIFIED_CLAUSE, Lane, SourceKind
from comity.risk.values import Batch, FoundReason
from comity.risk.wording import Evidence
from comity.trade.codec import codec_of
from comity.trade.mirror import MirrorFigures

COMMITMENTS = "commitments"
_WEIGHT_OF_ONE, _MOST_WEIGHT = 10.0, 25.0
_JOINTS = {
    Joint.UCR: "the same UCR",
    Joint.DECLARED: "the number of the export declaration",
    Joint.BILL: "the same transport document",
    Joint.CONTAINER: "the same container",
}
_STANDING = {
    ASK: "its figures are being asked for",
    ASKED: "its figures have been asked for",
    ANSWERED: "the article does not release its figures",
    REFUSED: "no article lets them be asked for",
}
_AT_ONCE = 5_000


def mirror_reasons(batch: Batch) -> list[list[FoundReason]]:
    """For each record the differences to what partners told of the same consignment."""
    found: dict[UUID, list[MirrorMatch]] = {}
    wanted = [record.record_id for record in batch.records if record.declaration is not None]
    for start in range(0, len(wanted), _AT_ONCE):
        rows = MirrorMatch.objects.filter(record_id__in=wanted[start : start + _AT_ONCE], state__in=list(_STANDING))
        for row in rows.select_related("offer").order_by("id"):
            found.setdefault(row.record_id, []).append(row)
    return [
        [
            reason
            for match in found.get(record.record_id, ())
            if match.version == record.version
            for reason in reasons_of(match, record)
        ]
        for record in batch.records
    ]


def reasons_of(match: MirrorMatch, record: StoredRecord) -> list[FoundReason]:
    """A reason for each difference whose figures are known, and one for all others."""
    compared = differences_of(match, record)
    reasons = [_with_figures(match, each) for each in compared if each.weight > 0 and each.field in match.differing]
    known = {each.field for each in compared}
    hidden = [name for name in match.differing if name not in known]
    return [*reasons, *_without_figures(match, hidden)]


def differences_of(match: MirrorMatch, record: StoredRecord) -> tuple[Difference, ...]:
    """Both sides' figures, as far as the partner's are known."""
    told: MirrorFigures = codec_of(MirrorFigures).read(match.values.get("figures", {}))
    return differences(figures_of(record.declaration), told) if record.declaration is not None else ()


def _with_figures(match: MirrorMatch, found: Difference) -> FoundReason:
    partner = match.offer.issuer
    is_kept = match.values.get("kept", {}).get(found.field, False)
    doubt = "" if is_kept else f" {partner} committed to another figure before it was asked."
    comparison = "is not" if found.ratio is None else f"is {found.ratio:.0%} of"
    return FoundReason(
        source_kind=SourceKind.MIRROR,
        source_ref=f"{match.offer.message_id}:{found.field}",
        title=f"{found.label} differs from {partner}'s export declaration",
        text=f"{found.text}.{doubt} {UNVERIFIED}.",
        weight=found.weight,
        lane=Lane.GREEN,
        administration=partner,
        risk_type=found.risk_type,
        clause=UNVERIFIED_CLAUSE,
        evidence=(Evidence(found.text, "", found.ours, comparison, found.theirs),),
        facts=(
            *_facts(match),
            ("Here", found.ours),
            ("In the export declaration", found.theirs),
            ("Export declaration", str(match.values.get("declaration_ref", ""))),
            ("Article", match.values_article),
            ("Committed to before it was asked", "yes" if is_kept else "no"),
        ),
    )


def _without_figures(match: MirrorMatch, hidden: list[str]) -> Iterator[FoundReason]:
    if not hidden:
        return
    partner = match.offer.issuer
    named = ", ".join(LABELS[name].lower() if name != "hs_codes" else LABELS[name] for name in hidden)
    text = f"{named} {'differ' if len(hidden) > 1 else 'differs'} from {partner}'s export declaration"
    text = f"{text[0].upper()}{text[1:]}; {_STANDING[match.state]}"
    yield FoundReason(
        source_kind=SourceKind.MIRROR,
        source_ref=f"{match.offer.message_id}:{COMMITMENTS}",
        title=f"{partner}'s export declaration differs",
        text=f"{text}. {UNVERIFIED}.",
        weight=min(_MOST_WEIGHT, _WEIGHT_OF_ONE * len(hidden)),
        lane=Lane.GREEN,
        administration=partner,
        clause=UNVERIFIED_CLAUSE,
        evidence=(Evidence(text),),
        facts=(*_facts(match), ("Article", match.offer.article)),
    )


def _facts(match: MirrorMatch) -> tuple[tuple[str, str], ...]:
    return (("Issuer", match.offer.issuer), ("Joined by", _JOINTS[Joint(match.joint)]))


def joint_words() -> Mapping[Joint, str]:
    """The words for what joins two declarations."""
    return _JOINTS
