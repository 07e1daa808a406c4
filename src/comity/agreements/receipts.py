"""The receipt of a decision: its canonical bytes, the same on both nodes for the same request. Pure."""

from __future__ import annotations

from comity.agreements.values import Decision, SharingRequest
from comity.common import Reason, show_instant
from comity.trust import canonical_json

FORM = "comity-decision/1"


def receipt_bytes(request: SharingRequest, decision: Decision) -> bytes:
    """What was asked and what was decided, without any content of the body: paths and words alone."""
    return canonical_json(
        {
            "form": FORM,
            "sender": request.sender,
            "receiver": request.receiver,
            "kind": request.kind,
            "purpose": request.purpose,
            "handling": request.handling.word,
            "at": show_instant(request.at),
            "permitted": decision.is_permitted,
            "agreement": decision.agreement_id,
            "article": decision.article_id,
            "released": list(decision.fields_released),
            "withheld": list(decision.fields_withheld),
            "reasons": [_shown(reason) for reason in decision.reasons],
            "near_misses": [
                {
                    "agreement": miss.agreement_id,
                    "article": miss.article_id,
                    "failed": [_shown(reason) for reason in miss.failed],
                }
                for miss in decision.near_misses
            ],
        }
    )


def _shown(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "text": reason.text, "clause": reason.clause}
