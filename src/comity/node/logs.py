"""How a line of the node's own log is written: a partner's or a program's words cannot begin another line."""

from __future__ import annotations

import logging


class OneLineFormatter(logging.Formatter):
    """Control characters of a message are escaped; the lines of a traceback are indented behind a bar."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name in logging
        """As its base, on one line."""
        return "".join(each if each.isprintable() else _escaped(each) for each in super().formatMessage(record))

    def formatException(self, ei: logging._SysExcInfoType) -> str:  # noqa: N802  # the name in logging
        """As its base, each line marked."""
        return "\n".join(f"  | {line}" for line in super().formatException(ei).splitlines())


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
