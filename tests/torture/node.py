"""What a node under torture can do; imported once Django is set up."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

from django.db import connection

from comity.agreements.services import adopt, permit
from comity.common import utc_now
from comity.exchange.bell import arrived
from comity.exchange.delivery import DeliveryWorker
from comity.exchange.directory import load_peer
from comity.exchange.envelope import read_header
from comity.exchange.inbox import Opened, Receiver, Reply, process_due
from comity.exchange.message import ReceivedMessage
from comity.exchange.models import InboxEnvelope, InboxMessage, OutboxMessage, Partner
from comity.exchange.services import Posting, introduce_partner, post_all
from comity.ledger.services import open_log
from comity.node.jobs import Job, JobWorker
from comity.trade import Handling
from comity.trade.encoding import alert_to_body
from tests.exchange.cast import alert
from tests.exchange.child import decode
from tests.exchange.child_node import VALIDATORS, ChildNode
from tests.torture.names import DUPLICATES_FILE, EFFECTS

_AT_ONCE = 500
_INSERT = f"INSERT INTO {EFFECTS} (sender, message_id) VALUES (%s, %s)"


def make_tables() -> None:
    """The table of effects: no key on purpose, so that the same effect may stand in it twice."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {EFFECTS} (sender varchar(16) NOT NULL, message_id varchar(36) NOT NULL)")
    connection.close()


def leave_effect(received: ReceivedMessage) -> None:
    """The journey of an alert under torture."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [received.message.sender, received.message.id])


class CountingReceiver(Receiver):
    """The real receiver; notes in a file how many envelopes came that were answered before."""

    home: Path

    def take(self, opened: Opened) -> list[Reply]:
        """As its base."""
        names = [read_header(each).envelope for each in opened.envelopes]
        known = InboxEnvelope.objects.filter(envelope_id__in=names).count() + len(names) - len(set(names))
        replies = super().take(opened)
        if known:
            with (self.home / DUPLICATES_FILE).open("a") as file:
                file.write(f"{known}\n")
        return replies


class TortureNode(ChildNode):
    """One node; see child.py."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        receiver = CountingReceiver(self.keyring, VALIDATORS)
        receiver.home = home
        self.receiver = receiver
        self._jobs: JobWorker | None = None

    def meet_all(self, partners: list[list[str]], agreement: str) -> None:
        """Introduce partners, each behind its own link, and adopt the agreement that all have signed."""
        at = utc_now()
        open_log(signer=self.keyring.log, at=at)
        keys = {self.keyring.administration: (self.keyring.signing.verify_key,)}
        for invitation, endpoint in partners:
            name = introduce_partner(self.actor, key_statement=decode(invitation), endpoint=endpoint, at=at)
            keys[name] = load_peer(name).signing_keys(at)
        adopt(self.actor, signed=decode(agreement), verify_keys=keys, at=at)

    def run(self, port: int) -> None:
        """Everything that a node which serves does: take, act, deliver."""
        self.serve(port)
        self._jobs = JobWorker((Job("inbox", 0.25, self._act, is_urgent=True),), utc_now)
        arrived.subscribe(self._jobs.wake)
        self._jobs.start()
        self._worker = DeliveryWorker(self.keyring, clock=utc_now)
        self._worker.start()

    def stop(self) -> None:
        """End in order."""
        self.rest()
        if self._jobs is not None:
            self._jobs.stop()

    def post_some(self, count: int, recipients: list[str], seed: int) -> dict[str, object]:
        """Post so many alerts to partners drawn by lot, in one transaction."""
        at, chance = utc_now(), random.Random(seed)
        drawn = [chance.choice(recipients) for _ in range(count)]
        body = alert_to_body(alert(ref=f"T-{seed}", issuer=self.keyring.administration))
        permitted = {
            recipient: permit(
                self.actor,
                kind="alert/1",
                recipient=recipient,
                purpose="control",
                handling=Handling.OFFICIAL,
                body=body,
                at=at,
            )
            for recipient in sorted(set(drawn))
        }
        ids = post_all(self.actor, [Posting(permitted[each]) for each in drawn], signer=self.keyring.log, at=at)
        return {"ids": ids, **self.standing()}

    def standing(self) -> dict[str, int]:
        """What is still under way: posted and not answered, accepted and not acted on."""
        partners = list(Partner.objects.values_list("id", flat=True))  # named, so that the index by state serves
        return {
            "open": OutboxMessage.objects.filter(partner_id__in=partners, state__in=["waiting", "sent"]).count(),
            "due": InboxMessage.objects.filter(is_accepted=True, processed_at=None).count(),
        }

    def _act(self, at: datetime) -> None:
        while process_due({"alert/1": leave_effect}, at, _AT_ONCE) == _AT_ONCE:
            pass
