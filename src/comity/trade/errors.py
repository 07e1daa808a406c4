"""What trade refuses, by name."""

from __future__ import annotations

from comity.common import ComityError


class TradeError(ComityError):
    """A text, file or body is not what it says it is."""

    code = "bad_trade_data"


class FieldError(TradeError):
    """A field of a JSON form is missing or has the wrong form; `where` names it."""

    code = "bad_field"


class NoticeError(FieldError):
    """The body of a notice (alert/1, finding/1, evidence/1) is not valid."""

    code = "bad_notice"


class RecordError(FieldError):
    """The stored form of a declaration or manifest cannot be read back."""

    code = "bad_record"
