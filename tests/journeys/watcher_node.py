"""What a watching node can do; imported once Django is set up."""

from __future__ import annotations

import asyncio
import threading
from itertools import cycle
from pathlib import Path

from django.db import connections, transaction

from comity.agreements.services import adopt
from comity.common import utc_now
from comity.exchange.bundles import bundle_of
from comity.exchange.directory import load_peer
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.log_routes import log_routes
from comity.exchange.models import Partner
from comity.exchange.services import introduce_partner
from comity.exchange.transports.https.server import PartnerPort, make_server
from comity.exchange.witnesses import quorum_standings
from comity.journeys.gossip import ask_before_serving, monitor_logs
from comity.ledger import selectors
from comity.ledger.services import append, hold_appends, open_log
from comity.node.wiring import JOURNEYS, VALIDATORS
from tests.exchange.child import decode, encode
from tests.exchange.child_node import ChildNode


class WatcherNode(ChildNode):
    """One node; see watcher.py."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.receiver = Receiver(self.keyring, VALIDATORS)

    def move(self, partner: str, endpoint: str) -> None:
        """Reach a partner at another address from now on."""
        Partner.objects.filter(administration=partner).update(endpoint=endpoint)

    def meet(self, invitations: list[str], agreement: str) -> None:
        """Introduce partners and adopt an agreement."""
        open_log(signer=self.keyring.log, at=utc_now())
        for each in invitations:
            introduce_partner(self.actor, key_statement=decode(each), at=utc_now())
        self.adopt(agreement)

    def adopt(self, agreement: str) -> str:
        """Adopt an agreement that the whole cast has signed."""
        at = utc_now()
        keys = {code: load_peer(code).signing_keys(at) for code in {"XA", "XB", "XC"} - {self.keyring.administration}}
        keys[self.keyring.administration] = (self.keyring.signing.verify_key,)
        return adopt(self.actor, signed=decode(agreement), verify_keys=keys, at=at).id

    def serve(self, port: int) -> None:  # type: ignore[override]  # as a node does, with the routes of its log
        """Open the partner port."""
        routes, ready = log_routes(self.keyring), threading.Event()
        server = self._server = make_server(
            PartnerPort("127.0.0.1", port, self.receiver, utc_now, refresh_seconds=0.1, routes=routes)
        )

        async def run() -> None:
            serving = asyncio.ensure_future(server.serve())
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            ready.set()
            await serving

        def work() -> None:
            with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
                runner.run(run())

        self._thread = threading.Thread(target=work, name="comity-port", daemon=True)
        self._thread.start()
        ready.wait()

    def append(self, count: int, word: str) -> int:
        """Append entries of this word; the size of the log then."""
        size = selectors.log_size()
        with transaction.atomic():
            entries = [f"{word} {number}".encode() for number in range(size, size + count)]
            return append(entries, signer=self.keyring.log, at=utc_now()).size

    def monitor(self) -> dict[str, object]:
        """One round: the state of each log and what was said of it."""
        report = monitor_logs(utc_now())
        return {
            "states": {each.administration: each.state for each in report.sightings},
            "texts": {each.administration: each.text for each in report.sightings},
            "alarms": [each.administration for each in report.alarms],
            "told": report.told,
        }

    def first_look(self) -> None:
        """What a node does before it serves."""
        ask_before_serving(utc_now())

    def log(self) -> dict[str, object]:
        """Our log, and what is known of it and of others."""
        return {
            "size": selectors.log_size(),
            "warnings": {each.code: each.text for each in selectors.own_fork_warnings()},
            "splits": [
                {"origin": each.origin, "by": each.reported_by, "file": encode(each.proof.to_bytes())}
                for each in selectors.split_views()
                if each.is_proven
            ],
            "heads": {each.origin: each.size for each in selectors.partner_heads()},
            "looks": {each.administration: each.state.value for each in selectors.looks()},
        }

    def process(self, limit: int = 1000) -> int:
        """Run the node's journeys for what arrived."""
        return process_due(JOURNEYS, utc_now(), limit)

    def quorums(self) -> list[dict[str, object]]:
        """How our log stands to what agreements ask."""
        return [
            {
                "words": each.words,
                "size": each.standing.size,
                "beyond": each.standing.entries_beyond,
                "seen_by": each.standing.seen_by,
                "missing": each.standing.missing,
                "text": each.text,
            }
            for each in quorum_standings(self.keyring, at=utc_now())
        ]

    def begin_traffic(self, recipients: list[str]) -> None:
        """Post to each in turn, one message after the other, until `end_traffic`: each partner gets other heads."""
        self._ending = threading.Event()

        def work() -> None:
            for recipient in cycle(recipients):
                self.post(1, recipient)
                if self._ending.wait(0.02):
                    break
            connections.close_all()

        self._traffic = threading.Thread(target=work, name="traffic", daemon=True)
        self._traffic.start()

    def end_traffic(self) -> None:
        """Post no more."""
        self._ending.set()
        self._traffic.join()

    def bundle(self, message_id: str) -> str:
        """A bundle, as its file."""
        return encode(bundle_of(message_id, keyring=self.keyring, at=utc_now()).to_bytes())

    def hold(self) -> None:
        """As a restore does."""
        hold_appends("restored from a backup", at=utc_now())
