"""What every notice is read and judged with: its fields by its type, then what the type cannot say."""

from __future__ import annotations

from collections.abc import Mapping

from comity.trade.codec import codec_of
from comity.trade.errors import FieldError, NoticeError


def read_notice(kind: type, body: Mapping[str, object]) -> object:
    """The notice of a message body.

    Raises: NoticeError, with the field.
    """
    try:
        return codec_of(kind).read(body)
    except FieldError as error:
        raise NoticeError(error.what, where=error.where or kind.__name__, remedy=error.remedy) from error


def check(is_met: bool, field: str, what: str) -> None:
    """What must hold of a field.

    Raises: NoticeError where it does not.
    """
    if not is_met:
        raise NoticeError(what, where=field)
