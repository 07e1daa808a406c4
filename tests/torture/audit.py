"""What the database of one node says once the node has ended. Runs in a process of its own; Django is set up.

The first look writes what the other nodes' looks need into files; the second compares with what they wrote.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from comity.common import ComityError
from comity.exchange.checking import CheckedReceipt, Parcel, check_receipt
from comity.exchange.directory import Peer, load_peers
from comity.exchange.envelope import read_contents
from comity.exchange.models import InboxMessage, OutboxEnvelope, OutboxMessage, Partner
from comity.ledger import commit
from comity.ledger.models import Batch, PartnerHead, SplitView
from comity.ledger.verifying import verify_log
from comity.trust import (
    Checkpoint,
    SignedStatement,
    keyring_from_files,
    leaf_hash,
    sha256_hex,
    split_note,
    unpack_entries,
)
from comity.trust.tlogproof import parse_tlog_proof
from tests.torture.names import DUPLICATES_FILE, EFFECTS

_MOST_SAID = 20


@dataclass
class Findings:
    """Of one node. problems: sentences, of which the first are kept; counts: everything that can be counted."""

    code: str
    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def say(self, count: str, problem: str) -> None:
        """Count it, and keep the sentence where there are not too many."""
        self.counts[count] += 1
        if len(self.problems) < _MOST_SAID:
            self.problems.append(f"{self.code}: {problem}")


def first_look(root: Path, code: str) -> Findings:
    """The outbox, the inbox, the effects, the receipts and the log of this node alone."""
    findings = Findings(code)
    peers = load_peers()
    _sent(root, findings)
    _sequences(findings)
    _received(root, findings)
    _receipts(root, findings, peers)
    _log(root, findings)
    return findings


def second_look(root: Path, code: str) -> Findings:
    """This node's log against the receipts that others hold, and against the heads that others followed."""
    findings = Findings(code)
    roots = {row[0]: row[1] for row in _checkpoints()}
    claims = [line for path in root.glob(f"claims-*-{code}.txt") for line in _lines(path)]
    wanted = {int(index) for index, *_ in claims}
    leaves = dict(_leaves(wanted))
    for index, leaf, size, tree in claims:
        findings.counts["receipts compared"] += 1
        if leaves.get(int(index)) != leaf:
            findings.say("receipts not in the log", f"entry {index} is not the receipt that a partner holds")
        if roots.get(int(size)) != tree:
            findings.say("split views", f"a receipt carries a checkpoint of size {size} that this log never signed")
    for path in root.glob(f"heads-*-{code}.txt"):
        for size, tree in _lines(path):
            findings.counts["heads followed"] += 1
            if int(size) and roots.get(int(size)) != tree:
                findings.say("split views", f"{path.name}: a head of size {size} that this log never signed")
    return findings


def _sent(root: Path, findings: Findings) -> None:
    files = _Files(root, f"sent-{findings.code}")
    ids = set()
    rows = OutboxMessage.objects.values_list("message_id", "partner__administration", "state", "sha256", "answer")
    for message_id, recipient, state, sha256, answer in rows.iterator(chunk_size=5000):
        ids.add(message_id)
        findings.counts["posted"] += 1
        findings.counts[state] += 1
        if state == "refused":
            findings.refusals[str((answer or {}).get("code", "none"))] += 1
        if state in {"waiting", "sent"}:
            findings.say("lost", f"message {message_id} to {recipient} is {state} after the drain")
        files.write(recipient, message_id, sha256, state)
    files.close()
    heard = root / f"heard-{findings.code}.txt"
    for (message_id,) in _lines(heard) if heard.exists() else ():
        if message_id not in ids:
            findings.say("lost", f"message {message_id} was posted and is not in the outbox")


def _sequences(findings: Findings) -> None:
    for partner in Partner.objects.all():
        sequences = OutboxMessage.objects.filter(partner=partner).order_by("sequence")
        holes = sum(a != b for a, b in enumerate(sequences.values_list("sequence", flat=True).iterator(), start=1))
        if holes or sequences.count() != partner.next_sequence - 1:
            findings.say("lost", f"the sequence to {partner.administration} has holes")


def _received(root: Path, findings: Findings) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sender, message_id, count(*) FROM {EFFECTS} GROUP BY sender, message_id")
        effects = {(sender, message_id): int(count) for sender, message_id, count in cursor.fetchall()}
    files = _Files(root, f"received-{findings.code}")
    rows = InboxMessage.objects.values_list("sender", "message_id", "sha256", "is_accepted", "processed_at")
    for sender, message_id, sha256, is_accepted, processed_at in rows.iterator(chunk_size=5000):
        ran = effects.pop((sender, message_id), 0)
        findings.counts["effects"] += ran
        files.write(sender, message_id, sha256, "delivered" if is_accepted else "refused")
        if is_accepted and (not ran or processed_at is None):
            findings.say("lost", f"message {message_id} of {sender} was accepted and not acted on")
        if ran > 1 or (ran and not is_accepted):
            findings.say("doubled", f"message {message_id} of {sender} was acted on {ran} times")
    for sender, message_id in effects:
        findings.say("doubled", f"message {message_id} of {sender} was acted on and is not stored")
    files.close()
    duplicates = root / findings.code / DUPLICATES_FILE
    if duplicates.exists():
        findings.counts["duplicates"] = sum(int(count) for (count,) in _lines(duplicates))


def _receipts(root: Path, findings: Findings, peers: dict[str, Peer]) -> None:
    """Every receipt again from its bytes, and every message against the receipt that speaks of it."""
    files = _Files(root, f"claims-{findings.code}")
    spoken: dict[int, dict[int, str]] = defaultdict(dict)
    at = datetime.now(UTC)
    rows = OutboxEnvelope.objects.select_related("partner").exclude(answer=None).order_by("id")
    for row in rows.iterator(chunk_size=200):
        findings.counts["receipts"] += 1
        findings.counts["sent again"] += row.attempts - 1
        if row.state != OutboxEnvelope.State.ANSWERED:
            findings.say("lost at the partner", f"envelope {row.envelope_id} was answered and lost at the partner")
            continue
        checked = _checked(row, peers[row.partner.administration], findings, at)
        if checked is None:
            continue
        for place, answer in enumerate(checked.receipt.answers):
            sequence = row.first_sequence + place
            if sequence in spoken[row.partner_id]:
                findings.say("doubled", f"sequence {sequence} stands in two answered envelopes")
            spoken[row.partner_id][sequence] = "delivered" if answer.accepted else "refused"
        _claim(files, row.partner.administration, checked)
    files.close()
    decided = OutboxMessage.objects.filter(state__in=["delivered", "refused"])
    for partner_id, sequence, state in decided.values_list("partner_id", "sequence", "state").iterator():
        if spoken[partner_id].get(sequence) != state:
            findings.say("lost", f"sequence {sequence} is {state} and no signed receipt says so")


def _checked(row: OutboxEnvelope, peer: Peer, findings: Findings, at: datetime) -> CheckedReceipt | None:
    statement = SignedStatement.from_bytes(bytes(row.statement))
    digests = OutboxMessage.objects.filter(
        partner_id=row.partner_id,
        sequence__gte=row.first_sequence,
        sequence__lt=row.first_sequence + row.count,
    ).order_by("sequence")
    parcel = Parcel(
        id=row.pk,
        peer=peer,
        contents=read_contents(statement.payload),
        statement_sha256=sha256_hex(statement.payload),
        digests=tuple(digests.values_list("sha256", flat=True)),
        data=b"",
    )
    try:
        checked = check_receipt(parcel, bytes(row.answer or b""), at=at)
    except ComityError as error:
        findings.say("bad receipts", f"the receipt of envelope {row.envelope_id}: {error}")
        return None
    if checked.proved.index != row.answer_index:
        findings.say("bad receipts", f"the receipt of envelope {row.envelope_id} stands at another index")
    return checked


def _claim(files: _Files, partner: str, checked: CheckedReceipt) -> None:
    """What the partner's log must hold if this receipt is true: the entry, and the tree it was proved against."""
    proof = parse_tlog_proof(checked.sealed.proof)
    checkpoint = checked.proved.checkpoint
    files.write(partner, str(proof.index), _leaf_of(checked), str(checkpoint.size), checkpoint.root.hex())


def _leaf_of(checked: CheckedReceipt) -> str:
    payload = sha256_hex(checked.sealed.statement.payload)
    entry = commit(
        "receipt",
        bytes.fromhex(payload),
        agreement="",
        message_id=checked.receipt.envelope,
        salt=checked.sealed.salt,
    )
    return leaf_hash(entry).hex()


def _log(root: Path, findings: Findings) -> None:
    home = root / findings.code / "keys"
    keyring = keyring_from_files({path.name: path.read_bytes() for path in home.iterdir()})
    report = verify_log(keyring.log.verifier)
    findings.counts["entries"] = report.size
    findings.counts["cosignatures"] = report.cosignatures
    for problem in report.problems:
        findings.say("log problems", problem)
    for view in SplitView.objects.all():
        findings.say("split views", f"the log {view.origin} showed two histories: {view.reason}")
    files = _Files(root, f"heads-{findings.code}")
    names = {peer.keys.log_origin: name for name, peer in load_peers().items()}
    for head in PartnerHead.objects.all():
        if head.origin in names:
            files.write(names[head.origin], str(head.size), bytes(head.root).hex())
    files.close()


def _checkpoints() -> Iterator[tuple[int, str]]:
    for size, note in Batch.objects.order_by("first_index").values_list("size", "note").iterator(chunk_size=2000):
        yield size, Checkpoint.parse(split_note(note)[0]).root.hex()


def _leaves(wanted: set[int]) -> Iterator[tuple[int, str]]:
    rows = Batch.objects.order_by("first_index").values_list("first_index", "size", "entries")
    for first, size, packed in rows.iterator(chunk_size=500):
        here = [index for index in range(first, size) if index in wanted]
        if here:
            entries = unpack_entries(bytes(packed))
            for index in here:
                yield index, leaf_hash(entries[index - first]).hex()


class _Files:
    """One file for each partner, of lines of words."""

    def __init__(self, root: Path, beginning: str) -> None:
        self._root, self._beginning = root, beginning
        self._files: dict[str, list[str]] = defaultdict(list)

    def write(self, partner: str, *words: str) -> None:
        self._files[partner].append(" ".join(words))

    def close(self) -> None:
        for partner, lines in self._files.items():
            (self._root / f"{self._beginning}-{partner}.txt").write_text("".join(f"{each}\n" for each in lines))


def _lines(path: Path) -> Iterable[list[str]]:
    with path.open() as file:
        yield from (line.split() for line in file)
