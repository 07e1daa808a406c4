"""What else than envelopes partners may ask on their port: a table of routes, one line each.

To add one:
1. Write a handler beside what it is about, in `exchange/evidence/` say: `def serve_chunk(asked: Asked) -> Page`. It
   runs in one of a few threads beside the writer, with a database connection of its own and no transaction around
   it. Who asks has been proved by the certificate, is a partner and is not suspended: `asked.peer`. A ComityError
   that it raises is answered with its code; use `problem(404, ...)` for what is not there. `partial` gives it
   the keyring.
2. Make a Route of it. `{name}` in the pattern is one part of the path, `{name:path}` is the rest with its slashes;
   both come in `asked.parts`, percent-decoded. `body_bytes` is the most that a request may carry; 0 takes none.
3. Put it into the tuple that `node/wiring.py` returns from `routes_of`, and a line into docs/protocol.md §6.

A long poll: set `wait_seconds`. The handler then returns None for "nothing yet". It is asked again, with an empty body
and `is_again`, when something was posted in this process and about every second, until it returns a page, the time is
up (204), or the partner has gone. Whatever the body brings must be done with at the first asking.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote

from comity.exchange.directory import Peer
from comity.exchange.transports.https.paths import PROBLEM_MEDIA_TYPE
from comity.trust import canonical_json


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered over HTTP. is_last: the connection then ends, since the rest of the request is not wanted."""

    status: int
    media_type: str
    body: bytes
    retry_after: str = ""
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a partner. peer: whose certificate it is. parts: of the path, by their names in the pattern.

    query: the first value of each name. is_again: a later look of a long poll; its body is empty.
    """

    peer: Peer
    at: datetime
    parts: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""
    is_again: bool = False


Handler = Callable[[Asked], Page | None]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a pattern of paths, and who answers. body_bytes: at most. wait_seconds: of a long poll, else 0."""

    method: str
    pattern: str
    handler: Handler
    body_bytes: int = 0
    wait_seconds: float = 0.0


NOTHING_YET = Page(204, "application/octet-stream", b"")


def find_route(routes: Sequence[Route], method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The first route for this request, with the named parts of its path. path: as it was sent, undecoded."""
    for route in routes:
        if route.method == method and (match := _compiled(route.pattern).fullmatch(path)):
            return route, {name: unquote(part) for name, part in match.groupdict().items()}
    return None


def json_page(value: object) -> Page:
    """200 with canonical JSON."""
    return Page(200, "application/json", canonical_json(value))


def problem(status: int, code: str, title: str, *, remedy: str = "", is_last: bool = False) -> Page:
    """Why not, as problem details (RFC 9457)."""
    values = {"type": f"urn:comity:refusal:{code}", "title": title, "status": status, "code": code}
    body = json.dumps({**values, "remedy": remedy} if remedy else values)
    return Page(status, PROBLEM_MEDIA_TYPE, body.encode(), is_last=is_last)


def busy(*, is_last: bool = False) -> Page:
    """503: nothing was taken; the partner is asked to come back in a second."""
    page = problem(503, "busy", "Too many requests are waiting; nothing was taken", is_last=is_last)
    return replace(page, retry_after="1")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    source = ""
    for literal, name, rest in re.findall(r"([^{]*)(?:\{(\w+)(:path)?\})?", pattern):
        source += re.escape(literal) + (f"(?P<{name}>{'.+' if rest else '[^/]+'})" if name else "")
    return re.compile(source)
