"""What a child node can do with files; see tests/exchange/child.py."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from comity.agreements.services import adopt, permit
from comity.common import utc_now
from comity.exchange.directory import load_peer
from comity.exchange.evidence import (
    EvidenceWorker,
    FetchRules,
    Folder,
    evidence_routes,
    expect,
    keep_file,
    offer,
    prepare,
)
from comity.exchange.inbox import process_due
from comity.exchange.models import EvidenceIn, EvidenceOut, Partner
from comity.exchange.services import post
from comity.trade import EvidenceNotice, Handling
from comity.trade.encoding import evidence_from_body, evidence_to_body
from tests.exchange.child import decode
from tests.exchange.child_node import ChildNode


class ChildFiles:
    """The files of one child node."""

    def __init__(self, node: ChildNode, home: Path) -> None:
        self.node, self.folder = node, Folder(home / "evidence")
        self._worker: EvidenceWorker | None = None
        node.routes = (*node.routes, *evidence_routes(self.folder))
        node.receiver.validators = {**node.receiver.validators, "evidence/1": evidence_from_body}

    def commands(self) -> dict[str, Callable[..., object]]:
        """What may be asked of it."""
        return {
            "adopt_files": self.adopt_files,
            "set_way": self.set_way,
            "share_file": self.share_file,
            "await_offer": self.await_offer,
            "carry_files": self.carry_files,
            "stop_files": self.stop_files,
            "await_file": self.await_file,
            "file_state": self.file_state,
        }

    def adopt_files(self, agreement: str) -> None:
        """Adopt the agreement for files."""
        at, us = utc_now(), self.node.keyring
        keys = {name: load_peer(name).signing_keys(at) for name in ("XA", "XC") if name != us.administration}
        keys[us.administration] = (us.signing.verify_key,)
        adopt(self.node.actor, signed=decode(agreement), verify_keys=keys, at=at)

    def set_way(self, partner: str, way: str = "push", *, is_collected: bool = False) -> None:
        """How a partner is reached, and whether it can reach us."""
        Partner.objects.filter(administration=partner).update(way=way, is_collected=is_collected)

    def share_file(self, path: str, recipient: str) -> dict[str, object]:
        """Steps E1 to E3."""
        at, begun = utc_now(), time.perf_counter()
        shape = keep_file(self.folder, Path(path))
        kept = time.perf_counter()
        notice = EvidenceNotice(
            administration=self.node.keyring.administration,
            sha256=shape.sha256,
            name=Path(path).name,
            media_type="application/dicom",
            size_bytes=shape.size_bytes,
            chunk_bytes=shape.chunk_bytes,
            chunks=shape.chunks,
            root="",
            key="",
        )
        made = prepare(self.folder, notice, recipient=recipient)
        sealed = time.perf_counter()
        release = permit(
            self.node.actor,
            kind="evidence/1",
            recipient=recipient,
            purpose="control",
            handling=Handling.OFFICIAL,
            body=evidence_to_body(made.notice),
            at=at,
        )
        with transaction.atomic():
            name = post(self.node.actor, release, signer=self.node.keyring.log, at=at)
            offer(made, message_id=name, at=at)
        return {
            "id": name,
            "sha256": shape.sha256,
            "chunks": shape.chunks,
            "keep_seconds": kept - begun,
            "seal_seconds": sealed - kept,
        }

    def await_offer(self, seconds: float = 60) -> None:
        """Until an offer has arrived and its journey has run: step E4."""
        self._await(lambda: process_due({"evidence/1": expect}, utc_now()), 1, seconds)

    def carry_files(self, in_flight: int = 4, lease_seconds: float = 1.0, save_chunks: int = 8) -> None:
        """Start the worker."""
        rules = FetchRules(
            in_flight=in_flight,
            save_chunks=save_chunks,
            lease_seconds=lease_seconds,
            first_retry_seconds=0.05,
            longest_retry_seconds=0.5,
        )
        self._worker = EvidenceWorker(self.node.keyring, self.folder, utc_now, rules, poll_seconds=0.05)
        self._worker.start()

    def stop_files(self) -> None:
        """Stop the worker."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def await_file(self, have: int, seconds: float = 120) -> dict[str, object]:
        """Until so many chunks are here, or the file is complete or refused."""
        begun = time.perf_counter()

        def count() -> int:
            row = EvidenceIn.objects.get()
            return row.have_chunks if row.state == "coming" else have

        self._await(count, have, seconds)
        return {**self.file_state(), "seconds": time.perf_counter() - begun}

    def file_state(self) -> dict[str, object]:
        """How far the file is, here or at the partner, and the most memory that this process ever held."""
        # Not ru_maxrss, which a process inherits from the one that started it.
        peak = int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) // 1024  # type: ignore[index]
        row = EvidenceIn.objects.first()
        if row is None:
            sent = EvidenceOut.objects.get()
            return {"have": sent.sent_chunks, "state": "offered", "peak_mb": peak}
        facts: dict[str, object] = {"have": row.have_chunks, "state": row.state, "error": row.last_error}
        if row.state == "complete":
            facts["proved_bytes"] = sum(map(len, self.folder.read_proved(row.sha256)))
            facts["seconds_to_complete"] = (
                (row.completed_at - row.offered_at).total_seconds() if row.completed_at else 0
            )
        return {**facts, "peak_mb": peak}

    @staticmethod
    def _await(count: Callable[[], int], wanted: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (have := count()) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{have} of {wanted}")
            threading.Event().wait(0.01)
