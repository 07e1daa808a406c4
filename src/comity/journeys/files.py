"""Files on their way to partners: sealed for each recipient before the transaction that posts their messages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings

from comity.agreements import EVIDENCE_KIND
from comity.exchange.evidence import Folder, Prepared, about_for, offer, prepare
from comity.trade import EvidenceNotice
from comity.trade.encoding import evidence_from_body, evidence_to_body
from comity.trust import KEY_BYTES, FileShape

_NO_ROOT = "0" * 64
_NO_KEY = b64encode(bytes(KEY_BYTES)).decode()


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """What is offered to each recipient; empty for notices that offer nothing."""

    prepared: Mapping[str, Prepared] = field(default_factory=dict)

    def body_for(self, recipient: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """The body for this recipient: with the root and the key of the file that was sealed for it."""
        found = self.prepared.get(recipient)
        return evidence_to_body(found.notice) if found else body

    def offer_with(self, posted: Sequence[tuple[str, str]], at: datetime) -> None:
        """Step E3: offer what the posted messages name. In the same transaction."""
        for recipient, message_id in posted:
            if recipient in self.prepared:
                offer(self.prepared[recipient], message_id=message_id, at=at)


def evidence_folder() -> Folder:
    """The evidence folder of this node."""
    return Folder(settings.COMITY_EVIDENCE)


def unsealed(notice: EvidenceNotice, shape: FileShape) -> EvidenceNotice:
    """The notice as it is judged and proposed: of the right size and form, with no key and no root yet."""
    return replace(
        notice,
        sha256=shape.sha256,
        size_bytes=shape.size_bytes,
        chunk_bytes=shape.chunk_bytes,
        chunks=shape.chunks,
        root=_NO_ROOT,
        key=_NO_KEY,
    )


def seal_files(kind: str, body: Mapping[str, object], recipients: Sequence[str]) -> SealedFiles:
    """Step E1 for each recipient, where the notice offers a file. Call it outside of transactions.

    Raises: EvidenceError, ChunkError, MessageUnknownError where a recipient does not know what the file is about.
    """
    if kind != EVIDENCE_KIND:
        return SealedFiles()
    notice, folder = evidence_from_body(body), evidence_folder()
    prepared = {}
    for recipient in recipients:
        about = about_for(recipient, notice.about) if notice.about else ""
        prepared[recipient] = prepare(folder, replace(notice, about=about), recipient=recipient)
    return SealedFiles(prepared)
