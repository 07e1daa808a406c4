"""What a child node can do; imported once Django is set up."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import uvicorn

from comity.agreements.services import adopt, permit
from comity.common import Actor, ActorKind, utc_now
from comity.exchange.delivery import DeliveryWorker
from comity.exchange.directory import load_peer
from comity.exchange.envelope import Contents, messages_root, seal_envelope, sign_contents
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.limits import LoadLimits, Priority, SendingRules
from comity.exchange.models import InboxMessage, OutboxEnvelope, OutboxMessage
from comity.exchange.receipt import read_receipt, read_sealed_receipt
from comity.exchange.services import Posting, introduce_partner, post_all
from comity.exchange.transports.https.routes import Route
from comity.exchange.transports.https.server import PartnerPort, make_server
from comity.ledger.services import open_log
from comity.staff import Role
from comity.trade import Handling
from comity.trade.encoding import alert_from_body, alert_to_body, finding_from_body
from comity.trust import Keyring, keyring_from_files
from tests.exchange.cast import alert
from tests.exchange.child import decode, encode

_ANSWERED = ("delivered", "refused")
VALIDATORS = {"alert/1": alert_from_body, "finding/1": finding_from_body}


class _Answered:
    """How many messages are answered. Counting costs time that the nodes need, so while the newest one is not, twice a
    second is enough."""

    def __init__(self) -> None:
        self._known, self._counted_at = 0, 0.0

    def count(self) -> int:
        """Delivered or refused."""
        newest = OutboxMessage.objects.order_by("-id").values_list("state", flat=True).first()
        if newest in _ANSWERED or time.monotonic() > self._counted_at + 0.5:
            self._known = OutboxMessage.objects.filter(state__in=_ANSWERED).count()
            self._counted_at = time.monotonic()
        return self._known


class ChildNode:
    """One node; see child.py."""

    def __init__(self, home: Path) -> None:
        files = {path.name: path.read_bytes() for path in (home / "keys").iterdir()}
        self.keyring: Keyring = keyring_from_files(files)
        self.actor = Actor(ActorKind.NODE, "child", self.keyring.administration, frozenset(role.value for role in Role))
        self.receiver = Receiver(self.keyring, VALIDATORS)
        self.routes: tuple[Route, ...] = ()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._worker: DeliveryWorker | None = None

    def meet(self, invitations: list[str], agreement: str) -> None:
        """Introduce partners and adopt an agreement that all have signed."""
        at = utc_now()
        open_log(signer=self.keyring.log, at=at)
        names = [introduce_partner(self.actor, key_statement=decode(each), at=at) for each in invitations]
        keys = {name: load_peer(name).signing_keys(at) for name in names}
        keys[self.keyring.administration] = (self.keyring.signing.verify_key,)
        adopt(self.actor, signed=decode(agreement), verify_keys=keys, at=at)

    def serve(self, port: int, waiting: int = 512, group: int = 64, load: dict[str, int] | None = None) -> None:
        """Open the partner port. load: our load limits."""
        self.receiver.load = LoadLimits(**load or {})
        ready = threading.Event()
        rules = PartnerPort(
            "127.0.0.1",
            port,
            self.receiver,
            utc_now,
            waiting=waiting,
            group=group,
            refresh_seconds=0.1,
            routes=self.routes,
        )
        server = self._server = make_server(rules)

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

    def deliver(self, messages: int = 128, envelopes: int = 64, lease_seconds: int = 60) -> None:
        """Start delivering."""
        rules = SendingRules(
            messages=messages,
            envelopes=envelopes,
            lease_seconds=lease_seconds,
            first_retry_seconds=0.05,
            longest_retry_seconds=0.5,
        )
        self._worker = DeliveryWorker(self.keyring, clock=utc_now, rules=rules, poll_seconds=0.1)
        self._worker.start()

    def stop_delivering(self) -> None:
        """Stop the worker."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def rest(self) -> None:
        """Stop delivering and close the port."""
        self.stop_delivering()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = None

    def post(
        self, count: int, recipient: str, group: int = 256, pad: int = 0, priority: int | None = None
    ) -> dict[str, object]:
        """Post alerts; group: in one transaction. pad: bytes more in each body."""
        at = utc_now()
        body = alert_to_body(alert(modus_operandi="x" * pad)) if pad else alert_to_body(alert())
        permitted = permit(
            self.actor,
            kind="alert/1",
            recipient=recipient,
            purpose="control",
            handling=Handling.OFFICIAL,
            body=body,
            at=at,
        )
        ids: list[str] = []
        begun = time.perf_counter()
        while len(ids) < count:
            posting = Posting(permitted, priority=None if priority is None else Priority(priority))
            part = [posting] * min(group, count - len(ids))
            ids += post_all(self.actor, part, signer=self.keyring.log, at=utc_now())
        return {"ids": ids, "seconds": time.perf_counter() - begun}

    def make(self, count: int, recipient: str, each: int = 1) -> dict[str, object]:
        """Envelopes as they go over the wire, without sending them."""
        ids = self.post(count * each, recipient)["ids"]
        rows = list(OutboxMessage.objects.filter(message_id__in=ids).order_by("sequence"))
        at, key = utc_now(), load_peer(recipient).sealing_key(utc_now())
        made = []
        for start in range(0, len(rows), each):
            part = [bytes(row.data) for row in rows[start : start + each]]
            contents = Contents(
                sender=self.keyring.administration,
                recipient=recipient,
                envelope=rows[start].message_id,
                first_sequence=rows[start].sequence,
                count=len(part),
                root=messages_root(part),
                created=at,
            )
            statement = sign_contents(contents, self.keyring.signing).to_bytes()
            made.append(encode(seal_envelope(contents, statement, part, key)))
        return {"ids": ids, "envelopes": made}

    def accept(self, envelopes: list[str], group: int = 16) -> list[list[bool]]:
        """Accept envelopes without any transport; what each receipt says of its messages."""
        said = []
        for start in range(0, len(envelopes), group):
            for body in self.receiver.accept([decode(each) for each in envelopes[start : start + group]], utc_now()):
                receipt = read_receipt(read_sealed_receipt(body).statement.payload)
                said.append([answer.accepted for answer in receipt.answers])
        return said

    def await_answers(self, count: int, seconds: float = 60.0) -> dict[str, float]:
        """Until so many messages are delivered or refused."""
        return self._await(_Answered().count, count, seconds)

    def await_arrivals(self, count: int, seconds: float = 60.0) -> dict[str, float]:
        """Until so many messages have arrived."""
        return self._await(InboxMessage.objects.count, count, seconds)

    def counts(self) -> dict[str, object]:
        """How many messages are in which state, and every id that arrived."""
        states = list(OutboxMessage.objects.values_list("state", flat=True))
        return {
            **{state: states.count(state) for state in ("waiting", "sent", "delivered", "refused")},
            "arrived": list(InboxMessage.objects.order_by("id").values_list("message_id", flat=True)),
            "accepted": InboxMessage.objects.filter(is_accepted=True).count(),
        }

    def latencies(self, newest: int) -> list[float]:
        """Seconds from forming to having recorded the receipt, of the newest envelopes; sorted."""
        rows = OutboxEnvelope.objects.exclude(answered_at=None).order_by("-id")[:newest]
        moments = rows.values_list("created_at", "answered_at")
        return sorted((answered - made).total_seconds() for made, answered in moments)

    def waits(self, priority: int) -> list[float]:
        """Seconds from posting to having recorded the receipt, of the messages of this priority; sorted."""
        rows = OutboxMessage.objects.filter(priority=priority).exclude(answered_at=None)
        return sorted((done - begun).total_seconds() for begun, done in rows.values_list("posted_at", "answered_at"))

    def delivered(self, priority: int) -> int:
        """How many messages of this priority are delivered."""
        return OutboxMessage.objects.filter(priority=priority, state=OutboxMessage.State.DELIVERED).count()

    def pause(self, seconds: float) -> None:
        """Let time pass between two posts of a benchmark."""
        time.sleep(seconds)

    def claims(self) -> list[list[object]]:
        """[first sequence, count, state, formed, answered] of every envelope; the last two in seconds."""
        rows = OutboxEnvelope.objects.order_by("first_sequence", "id")
        return [
            [row.first_sequence, row.count, row.state]
            + [moment and moment.timestamp() for moment in (row.created_at, row.answered_at)]
            for row in rows
        ]

    def process(self, limit: int = 1000) -> int:
        """Run an empty journey for what arrived."""
        return process_due({"alert/1": lambda _received: None}, utc_now(), limit)

    @staticmethod
    def _await(count: object, wanted: int, seconds: float) -> dict[str, float]:
        deadline, begun = time.monotonic() + seconds, time.monotonic()
        while (have := count()) < wanted:  # type: ignore[operator]  # a function of no arguments
            if time.monotonic() > deadline:
                raise TimeoutError(f"{have} of {wanted}")
            threading.Event().wait(0.02)
        return {"seconds": time.monotonic() - begun}
