"""The Release: the only thing that exchange posts, and made here alone, from a decision of the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import cast

from comity.agreements.bodies import Asking, request_for
from comity.agreements.duties import DutyAsked, judge_duty
from comity.agreements.engine import Engine
from comity.agreements.errors import ReleaseForgedError
from comity.agreements.receipts import receipt_bytes
from comity.agreements.values import Decision, SharingRequest
from comity.trade import Handling
from comity.trust import canonical_json

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Release:
    """Leave to share one body with one recipient. Raises: ReleaseForgedError when made outside of this module.

    body_bytes: the cut body in canonical JSON. decision: the canonical receipt of the decision.
    valid_until: until when the recipient may keep it. withheld: the paths that were cut away.
    """

    agreement_id: str
    article_id: str
    kind: str
    purpose: str
    handling: Handling
    sender: str
    recipient: str
    valid_until: datetime | None
    body_bytes: bytes
    withheld: tuple[str, ...]
    decision: bytes
    made_at: datetime
    in_reply_to: str = ""
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise ReleaseForgedError(
                "A Release is made by agreements alone",
                remedy="Ask comity.agreements.services.permit; it gives one where an article permits.",
            )

    @property
    def body(self) -> dict[str, object]:
        """The cut body; each call gives a new one, so that nothing can be added to what was released."""
        return cast(dict[str, object], json.loads(self.body_bytes))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to who asks to share: the request that the body amounts to, the decision, the Release if any."""

    request: SharingRequest
    decision: Decision
    release: Release | None

    @property
    def receipt(self) -> bytes:
        """The canonical receipt of the decision."""
        return self.release.decision if self.release else receipt_bytes(self.request, self.decision)


def release_under(
    engine: Engine, asking: Asking, body: Mapping[str, object], *, agreement_id: str = "", in_reply_to: str = ""
) -> Answer:
    """Ask the engine for leave to share this body; with it comes the Release.

    Raises: CanonicalFormError where the body is no plain JSON.
    """
    request = request_for(asking, body)
    decision = engine.decide(request, agreement_id=agreement_id)
    if not decision.is_permitted:
        return Answer(request, decision, None)
    cut = engine.field_set(decision, request).cut(body)
    return Answer(request, decision, _release(request, decision, cut, in_reply_to))


def release_duty(asked: DutyAsked, *, in_reply_to: str = "") -> Answer:
    """Leave to tell a partner what is owed to it: a duty is never cut and has no end.

    Raises: CanonicalFormError where the body is no plain JSON.
    """
    request, decision = judge_duty(asked)
    if not decision.is_permitted:
        return Answer(request, decision, None)
    return Answer(request, decision, _release(request, decision, asked.body, in_reply_to))


def _release(request: SharingRequest, decision: Decision, body: Mapping[str, object], in_reply_to: str) -> Release:
    return Release(
        agreement_id=decision.agreement_id,
        article_id=decision.article_id,
        kind=request.kind,
        purpose=request.purpose,
        handling=request.handling,
        sender=request.sender,
        recipient=request.receiver,
        valid_until=decision.valid_until(request.at),
        body_bytes=canonical_json(body),
        withheld=decision.fields_withheld,
        decision=receipt_bytes(request, decision),
        made_at=request.at,
        in_reply_to=in_reply_to,
        seal=_SEAL,
    )
