"""How a line of the node's own log is written: a partner's or a program's words cannot begin another line.

COMITY_LOG_FORMAT=json gives one JSON object a line, for a collector. Nobody's name and no body belongs into a log: what
is logged are codes of administrations, ids, kinds and counts. What an exception says may quote a value, so a JSON line
tells its type and where it arose, not its words.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime

_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_MOST_FRAMES = 30


class OneLineFormatter(logging.Formatter):
    """Control characters of a message are escaped; the lines of a traceback are indented behind a bar."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name in logging
        """As its base, on one line."""
        return "".join(each if each.isprintable() else _escaped(each) for each in super().formatMessage(record))

    def formatException(self, ei: logging._SysExcInfoType) -> str:  # noqa: N802  # the name in logging
        """As its base, each line marked."""
        return "\n".join(f"  | {line}" for line in super().formatException(ei).splitlines())


class JSONFormatter(logging.Formatter):
    """One object a line: ts, level, logger, event, text, and where there are any ids and trace.

    event: the sentence before its values are put in, the same for every event of its kind. ids: the UUIDs in the text.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        text = record.getMessage()
        said: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg),
            "text": text,
        }
        ids = list(dict.fromkeys(_ID.findall(text)))
        if ids:
            said["ids"] = ids
        if record.exc_info and record.exc_info[1] is not None:
            said["trace"] = _trace(record.exc_info[1])
        return json.dumps(said, ensure_ascii=True)


def formatter_named(name: str) -> dict[str, str]:
    """The formatter of the settings for a value of COMITY_LOG_FORMAT; lines for people unless it is `json`."""
    if name.lower() == "json":
        return {"()": "comity.node.logs.JSONFormatter"}
    return {"()": "comity.node.logs.OneLineFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}


def _trace(error: BaseException) -> list[str]:
    """Where it arose, the innermost last, and which errors led to it; without their words."""
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < _MOST_FRAMES:
        frames = traceback.extract_tb(cause.__traceback__)[-_MOST_FRAMES:]
        chain = [*(f"{each.filename}:{each.lineno} {each.name}" for each in frames), type(cause).__name__, *chain]
        cause = cause.__cause__ or cause.__context__
    return chain


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
