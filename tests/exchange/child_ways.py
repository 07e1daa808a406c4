"""What a child node can do with the other ways: fetching and being fetched from, files, and findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from comity.agreements.services import permit
from comity.common import utc_now
from comity.exchange.carrying import export_file, import_file
from comity.exchange.collector import CollectRules, CollectWorker
from comity.exchange.limits import SendingRules
from comity.exchange.models import InboxEnvelope, InboxMessage, OutboxEnvelope, Reception
from comity.exchange.services import Posting, post_all, set_partner_way
from comity.exchange.transports.https.handing import collect_route
from comity.trade import Handling
from comity.trade.encoding import finding_to_body
from tests.exchange.cast import finding
from tests.exchange.child_node import ChildNode


class ChildWays:
    """One node's other ways; see child.py."""

    def __init__(self, node: ChildNode) -> None:
        self._node = node
        self._worker: CollectWorker | None = None

    def commands(self) -> dict[str, Callable[..., object]]:
        """By the words that a parent says."""
        return {
            "set_way": self.set_way,
            "hand_out": self.hand_out,
            "collect": self.collect,
            "stop_collecting": self.stop_collecting,
            "export_file": self.export_file,
            "import_file": self.import_file,
            "post_findings": self.post_findings,
            "lose_arrivals": self.lose_arrivals,
            "receipts": self.receipts,
        }

    def set_way(self, partner: str, way: str, *, is_collected: bool = False) -> None:
        """How envelopes reach a partner, and whether it is asked for ours."""
        set_partner_way(self._node.actor, administration=partner, way=way, is_collected=is_collected, at=utc_now())

    def hand_out(self, messages: int = 128, lease_seconds: int = 60, envelopes: int = 64) -> None:
        """Let partners fetch from the port that is opened next."""
        rules = SendingRules(messages=messages, lease_seconds=lease_seconds, envelopes=envelopes)
        self._node.routes = (collect_route(self._node.keyring, rules=rules),)

    def collect(self) -> None:
        """Start to fetch."""
        rules = CollectRules(partners_seconds=0.1, first_retry_seconds=0.05, longest_retry_seconds=0.3)
        self._worker = CollectWorker(replace(self._node.receiver), clock=utc_now, rules=rules)
        self._worker.start()

    def stop_collecting(self) -> None:
        """Stop fetching."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def export_file(self, partner: str, file: str) -> dict[str, Any]:
        """Write a file for a partner."""
        target, keyring = Path(file), self._node.keyring
        written = export_file(self._node.actor, keyring=keyring, administration=partner, target=target, at=utc_now())
        return {"envelopes": written.envelopes, "answers": written.answers, "waiting": written.waiting}

    def import_file(self, file: str) -> dict[str, Any]:
        """Take a partner's file."""
        taken = import_file(self._node.actor, receiver=self._node.receiver, source=Path(file), at=utc_now())
        return {
            "envelopes": taken.envelopes,
            "refused": list(taken.refused),
            "recorded": taken.answers.recorded,
            "known": taken.answers.known,
            "sent_again": taken.sent_again,
        }

    def post_findings(self, count: int, recipient: str, answers: list[str]) -> dict[str, object]:
        """Post findings about alerts that arrived."""
        body = finding_to_body(replace(finding(), administration=self._node.keyring.administration))
        permitted = permit(
            self._node.actor,
            kind="finding/1",
            recipient=recipient,
            purpose="control",
            handling=Handling.OFFICIAL,
            body=body,
            at=utc_now(),
        )
        postings = [Posting(permitted, answers[number % len(answers)]) for number in range(count)]
        return {"ids": list(post_all(self._node.actor, postings, signer=self._node.keyring.log, at=utc_now()))}

    def lose_arrivals(self, sender: str, after: int) -> None:
        """As if the disk had forgotten what came from a partner after this sequence."""
        InboxMessage.objects.filter(sender=sender, sequence__gt=after).delete()
        InboxEnvelope.objects.filter(sender=sender, first_sequence__gt=after).delete()
        Reception.objects.filter(partner__administration=sender).update(contiguous=after, islands=[])

    def receipts(self) -> dict[str, object]:
        """Every receipt given, and every one kept, by the envelope's id."""
        given = InboxEnvelope.objects.values_list("envelope_id", "receipt")
        kept = OutboxEnvelope.objects.exclude(answer=None).values_list("envelope_id", "answer")
        return {
            "given": {name: bytes(receipt).hex() for name, receipt in given},
            "kept": {name: bytes(answer).hex() for name, answer in kept},
        }
