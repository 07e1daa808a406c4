"""Who holds what was shared, and what becomes of it when it is recalled. Writes in `services` and `consents`, reads in
`selectors`."""

from comity.custody.errors import (
    CannotBeCutError,
    ConsentError,
    ConsentMissingError,
    CustodyError,
    DutyFormError,
    ForwardError,
    NotHeldError,
    NotOursError,
    RecallError,
    RetainError,
)
from comity.custody.notices import (
    ConsentAsked,
    ConsentNotice,
    HoldingNotice,
    RecallOrder,
    Signed,
    consent_from_body,
    holding_from_body,
    recall_from_body,
)
from comity.custody.rules import (
    ANSWER_WITHIN,
    RECALL_GROUNDS,
    RETAIN_GROUNDS,
    ConsentState,
    Limits,
    Mode,
    Status,
    SuccessorState,
)

__all__ = [
    "ANSWER_WITHIN",
    "RECALL_GROUNDS",
    "RETAIN_GROUNDS",
    "CannotBeCutError",
    "ConsentAsked",
    "ConsentError",
    "ConsentMissingError",
    "ConsentNotice",
    "ConsentState",
    "CustodyError",
    "DutyFormError",
    "ForwardError",
    "HoldingNotice",
    "Limits",
    "Mode",
    "NotHeldError",
    "NotOursError",
    "RecallError",
    "RecallOrder",
    "RetainError",
    "Signed",
    "Status",
    "SuccessorState",
    "consent_from_body",
    "holding_from_body",
    "recall_from_body",
]
