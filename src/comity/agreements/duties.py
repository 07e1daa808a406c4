"""Duties: what the holder of shared information owes whoever shared it, whatever an article permits. Pure.

A recall, the answer to it, a consent to hand on, news of keys, a probe, evidence of two histories, a move in the life
of an agreement: they carry no
information that an article could judge, and they must arrive even after an agreement has ended, because what was
shared under it is still held. So a duty needs an agreement between the two and no article. What partners owe each
other from their introduction on needs not even that: its place is the protocol itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from comity.agreements.bodies import Asking
from comity.agreements.cutting import paths_of
from comity.agreements.values import Agreement, Decision, SharingRequest
from comity.common import Reason

PROTOCOL = "comity/protocol/1"
DUTY_ARTICLE = "duty"
DUTY_PURPOSE = "duty"


class Duty(StrEnum):
    """The kinds of message that carry a duty."""

    RECALL = "recall/1"
    HOLDING = "holding/1"
    CONSENT = "consent/1"
    KEYS = "keys/1"
    PROBE = "probe/1"
    SPLIT_VIEW = "split_view/1"
    AGREEMENT = "agreement/1"


DUTY_KINDS: frozenset[str] = frozenset(each.value for each in Duty)
# Owed from the introduction on, under the protocol itself.
FOUNDING_KINDS: frozenset[str] = frozenset(
    {Duty.KEYS.value, Duty.PROBE.value, Duty.SPLIT_VIEW.value, Duty.AGREEMENT.value}
)


@dataclass(frozen=True, slots=True)
class DutyAsked:
    """A duty that is to travel or that arrived. agreement: None where its id is not known here."""

    asking: Asking
    agreement_id: str
    agreement: Agreement | None
    body: Mapping[str, object]


def judge_duty(asked: DutyAsked) -> tuple[SharingRequest, Decision]:
    """The verdict on a duty; both ends come to the same one.

    Refusals: not_a_duty, unknown_agreement, not_a_party.
    """
    asking = asked.asking
    request = SharingRequest(
        sender=asking.sender,
        receiver=asking.receiver,
        kind=asking.kind,
        purpose=asking.purpose,
        handling=asking.handling,
        at=asking.at,
        fields=paths_of(asked.body),
    )
    refusal = _refusal(asked)
    fields = tuple(sorted(request.fields))
    return request, Decision(
        is_permitted=refusal is None,
        agreement_id=asked.agreement_id,
        article_id=DUTY_ARTICLE,
        fields_released=fields if refusal is None else (),
        fields_withheld=() if refusal is None else fields,
        reasons=(refusal or Reason("permitted", f"{asking.kind} is a duty between partners."),),
    )


def _refusal(asked: DutyAsked) -> Reason | None:
    asking = asked.asking
    if asking.kind not in DUTY_KINDS:
        return Reason("not_a_duty", f"{asking.kind} travels under an article.")
    if asked.agreement_id == PROTOCOL:
        if asking.kind in FOUNDING_KINDS:
            return None
        return Reason("unknown_agreement", f"{asking.kind} names the agreement of what it is about.")
    if asked.agreement is None:
        return Reason("unknown_agreement", f"No agreement {asked.agreement_id[:12]} was adopted here.")
    missing = [each for each in (asking.sender, asking.receiver) if each not in asked.agreement.parties]
    if missing:
        return Reason("not_a_party", f"{' and '.join(missing)} is no party to agreement {asked.agreement.short_id}.")
    return None
