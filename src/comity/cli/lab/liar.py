"""A partner that lies: it takes envelopes on a real port and answers with receipts whose leaf stands in no log."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from dataclasses import replace

from django.conf import settings

from comity.common import utc_now
from comity.exchange.inbox import Opened, Receiver, Reply
from comity.exchange.transports.https.server import PartnerPort, make_server
from comity.trade.encoding import alert_from_body


class LyingReceiver(Receiver):
    """Takes everything, and says of it what cannot be proved: the salt is not that of the leaf."""

    def take(self, opened: Opened) -> list[Reply]:
        """As its base, with another salt in each receipt."""
        return [replace(each, body=_forged(each.body)) if each.is_receipt else each for each in super().take(opened)]


def _forged(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), "salt": "00" * 32}, separators=(",", ":")).encode()


def serve_lies(port: int) -> None:
    """Until standard input closes."""
    receiver = LyingReceiver(keyring=settings.COMITY_KEYRING, validators={"alert/1": alert_from_body})
    server = make_server(PartnerPort("127.0.0.1", port, receiver, utc_now))

    def wait_for_parent() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=wait_for_parent, name="parent", daemon=True).start()
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve())
