"""`POST /exchange/v1/collect`: a partner that we cannot reach fetches what is due for it, and brings its answers.

The step numbers are those of docs/protocol.md §8.
"""

from __future__ import annotations

import logging
from functools import partial

from comity.exchange.collecting import hand_out, is_anything_due, take_answers, take_position
from comity.exchange.limits import RULES, SendingRules
from comity.exchange.parts import PartList, read_parts
from comity.exchange.transports.https.paths import COLLECT_PATH, PARTS_MEDIA_TYPE
from comity.exchange.transports.https.routes import Asked, Page, Route
from comity.trust import Keyring

logger = logging.getLogger(__name__)

WAIT_SECONDS = 25.0
REPLIES_BYTES = 8 * 1024 * 1024


def collect_route(keyring: Keyring, *, wait_seconds: float = WAIT_SECONDS, rules: SendingRules = RULES) -> Route:
    """The route of this node."""
    return Route("POST", COLLECT_PATH, partial(_collect, keyring, rules), REPLIES_BYTES, wait_seconds)


def _collect(keyring: Keyring, rules: SendingRules, asked: Asked) -> Page | None:
    """Steps C2 and C3."""
    code = asked.peer.administration
    if asked.body:
        brought = read_parts(asked.body)
        taken = take_answers(
            keyring,
            code,
            [(each.envelope, each.body, each.is_receipt) for each in brought.answers],
            asked.at,
            rules=rules,
        )
        for reason in taken.refused:
            logger.warning("An answer of %s was not taken: %s", code, reason)
        if brought.position is not None:
            take_position(code, brought.position)
    if not is_anything_due(code, asked.at):
        return None
    envelopes = hand_out(keyring, code, asked.at, rules=rules)
    return Page(200, PARTS_MEDIA_TYPE, PartList(tuple(envelopes)).to_bytes()) if envelopes else None
