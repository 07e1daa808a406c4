"""One exchange in one file, that anyone can check offline: the form comity/bundle/1 of docs/bundle.md. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from comity.common import ComityError, parse_instant, show_instant
from comity.ledger.errors import BundleError
from comity.ledger.rules import opens
from comity.trust import (
    KeyDocument,
    LogVerifier,
    Policy,
    SignedStatement,
    canonical_json,
    leaf_hash,
    parse_policy,
    read_key_document,
    sha256_hex,
    verify_inclusion,
    verify_statement,
    verify_tlog_proof,
)
from comity.trust.tlogproof import parse_tlog_proof

FORMAT = "comity/bundle/1"
_WITNESSED = "Both logs have the witnesses that the agreement demands"
ENVELOPE_TYPE = "application/vnd.comity.envelope.v1+json"
RECEIPT_TYPE = "application/vnd.comity.receipt.v1+json"
AGREEMENT_TYPE = "application/vnd.comity.agreement.v1+json"
MAX_BUNDLE_BYTES = 64 * 1024 * 1024
MAX_KEY_DOCUMENTS = 64


@dataclass(frozen=True, slots=True)
class Leaf:
    """A commitment in somebody's log. entry: its bytes. salt: opens it. proof: the text of its tlog-proof."""

    entry: bytes
    salt: bytes
    proof: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that proves one exchange.

    key_documents, agreement, envelope, receipt: signed statements (DSSE) as they travelled; the agreement's payload is
    its canonical bytes. index, path: where the message stands among those of its envelope.
    release: the message in the sender's log. receipted: the receipt in the receiver's log.
    """

    made_at: datetime
    key_documents: tuple[bytes, ...]
    agreement: bytes
    message: bytes
    envelope: bytes
    index: int
    path: tuple[bytes, ...]
    receipt: bytes
    receipted: Leaf
    release: Leaf

    def to_bytes(self) -> bytes:
        """The file, in canonical JSON."""
        return canonical_json(
            {
                "format": FORMAT,
                "made_at": show_instant(self.made_at),
                "key_documents": [_to_base64(each) for each in self.key_documents],
                "agreement": _to_base64(self.agreement),
                "message": _to_base64(self.message),
                "envelope": {
                    "statement": _to_base64(self.envelope),
                    "index": self.index,
                    "path": [each.hex() for each in self.path],
                },
                "receipt": {"statement": _to_base64(self.receipt), **_leaf_to_json(self.receipted)},
                "release": _leaf_to_json(self.release),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Bundle:
        """Read the file; members that no name here knows are ignored.

        Raises: BundleError.
        """
        if len(data) > MAX_BUNDLE_BYTES:
            raise BundleError("The file is larger than any bundle", where=f"{len(data)} bytes")
        try:
            top = json.loads(data)
            if not isinstance(top, dict) or top.get("format") != FORMAT:
                raise BundleError("Not a bundle", remedy=f"Its format must be {FORMAT}.")
            envelope, receipt, documents = top["envelope"], top["receipt"], top["key_documents"]
            if len(documents) > MAX_KEY_DOCUMENTS or type(envelope["index"]) is not int:
                raise ValueError("key_documents or index")
            return cls(
                made_at=parse_instant(top["made_at"]),
                key_documents=tuple(_from_base64(each) for each in documents),
                agreement=_from_base64(top["agreement"]),
                message=_from_base64(top["message"]),
                envelope=_from_base64(envelope["statement"]),
                index=envelope["index"],
                path=tuple(bytes.fromhex(each) for each in envelope["path"]),
                receipt=_from_base64(receipt["statement"]),
                receipted=_leaf_of(receipt),
                release=_leaf_of(top["release"]),
            )
        except BundleError:
            raise
        except (ComityError, KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
            raise BundleError(
                "The bundle cannot be read", where=f"{type(error).__name__}: {error}"[:120], remedy="Ask for it again."
            ) from error


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked, in plain words."""

    title: str
    is_ok: bool
    detail: str = ""


def verify_bundle(data: bytes, *, fingerprints: Iterable[str] = ()) -> list[Step]:
    """Check a bundle without database, network or clock; every step is named, whether it holds or not.

    fingerprints: of key documents, as they were read out by their owners; where given, each document must have one.
    """
    try:
        bundle = Bundle.from_bytes(data)
    except BundleError as error:
        return [Step("The file is a bundle of one exchange", is_ok=False, detail=str(error))]
    check = _Check(bundle, frozenset("".join(each.lower().split()) for each in fingerprints))
    for step in (
        check.sender_signed,
        check.documents,
        check.message_in_envelope,
        check.agreement_is_signed,
        check.receiver_signed,
        check.receipt_in_log,
        check.release_in_log,
        check.witnessed,
    ):
        step()
    return check.steps


@dataclass(slots=True)
class _Check:
    """The steps of one verification, and what earlier steps found out for later ones."""

    bundle: Bundle
    fingerprints: frozenset[str]
    steps: list[Step] = field(default_factory=list)
    contents: Mapping[str, object] = field(default_factory=dict)
    letter: Mapping[str, object] = field(default_factory=dict)

    def documents(self) -> None:
        """Each key document is signed by a key in it, and is the one that the reader knows."""
        for data in self.bundle.key_documents:
            self._step("A key document is signed by its owner", partial(self._document, data))

    def _document(self, data: bytes) -> str:
        document = read_key_document(data, trusted=None, at=self._created())
        if self.fingerprints and document.fingerprint.replace(" ", "") not in self.fingerprints:
            raise BundleError(
                "The key document is not one whose fingerprint was given",
                where=f"{document.administration}: {document.fingerprint}",
            )
        known = "as was given" if self.fingerprints else "compare it with the one that the owner reads out"
        return f"{document.administration} ({document.name}), fingerprint {document.fingerprint}: {known}"

    def sender_signed(self) -> None:
        """The envelope's statement carries the sender's signature."""
        self._step("The sender signed the envelope", self._sender_signed)

    def _sender_signed(self) -> str:
        statement = SignedStatement.from_bytes(self.bundle.envelope)
        contents = _object(statement.payload)
        self.contents = contents  # its date chooses the keys; a wrong one fails below
        sender = self._party("sender")
        keyids = verify_statement(statement, sender.active_signing_keys(self._created()), payload_type=ENVELOPE_TYPE)
        return f"{sender.administration}, key {keyids[0]}, on {contents['created']}"

    def message_in_envelope(self) -> None:
        """The Merkle path leads from the message to the signed root."""
        self._step("The message is in the envelope", self._message_in_envelope)

    def _message_in_envelope(self) -> str:
        bundle, count = self.bundle, _integer(self.contents, "count")
        root = bytes.fromhex(_text(self.contents, "root"))
        verify_inclusion(leaf_hash(bundle.message), bundle.index, count, bundle.path, root)
        letter = _object(bundle.message)
        for name in ("sender", "recipient"):
            if _text(letter, name) != _text(self.contents, name):
                raise BundleError(f"The {name} of the message is not that of the envelope", where=name)
        message_id = _text(letter, "id")
        self.letter = letter
        return f"message {message_id}, number {bundle.index + 1} of {count}"

    def agreement_is_signed(self) -> None:
        """The agreement that the message names is the one that both signed."""
        self._step("The agreement named in the message is signed by both", self._agreement_is_signed)

    def _agreement_is_signed(self) -> str:
        statement = SignedStatement.from_bytes(self.bundle.agreement)
        named = _text(self.letter, "agreement")
        if sha256_hex(statement.payload) != named:
            raise BundleError("The message names another agreement", where=named)
        parties = [self._party("sender"), self._party("recipient")]
        for party in parties:
            verify_statement(statement, party.active_signing_keys(self._created()), payload_type=AGREEMENT_TYPE)
        article = self.letter.get("article")
        return (
            f"agreement {named}, article {article}, signed by {' and '.join(each.administration for each in parties)}"
        )

    def receiver_signed(self) -> None:
        """The receipt carries the receiver's signature and names this envelope and this message."""
        self._step("The receiver signed a receipt that names the message", self._receiver_signed)

    def _receiver_signed(self) -> str:
        statement = SignedStatement.from_bytes(self.bundle.receipt)
        receipt = _object(statement.payload)
        receiver = self._party("recipient")
        at = parse_instant(_text(receipt, "at"))
        verify_statement(statement, receiver.active_signing_keys(at), payload_type=RECEIPT_TYPE)
        envelope = SignedStatement.from_bytes(self.bundle.envelope).payload
        if _text(receipt, "statement") != sha256_hex(envelope):
            raise BundleError("The receipt is for another envelope", where=_text(receipt, "envelope"))
        for name in ("sender", "recipient", "envelope"):
            if _text(receipt, name) != _text(self.contents, name):
                raise BundleError(f"The {name} of the receipt is not that of the envelope", where=name)
        answer = _answer_for(receipt, _text(self.letter, "id"), sha256_hex(self.bundle.message))
        verdict = (
            "accepted" if answer.get("accepted") is True else f"refused: {answer.get('code')}, {answer.get('text')}"
        )
        return f"{receiver.administration} on {show_instant(at)}: {verdict}"

    def receipt_in_log(self) -> None:
        """The receipt stands in the receiver's log."""
        self._step("The receipt is in the receiver's log", self._receipt_in_log)

    def _receipt_in_log(self) -> str:
        payload = SignedStatement.from_bytes(self.bundle.receipt).payload
        return self._in_log(
            self.bundle.receipted, self._party("recipient"), payload, "", _text(self.contents, "envelope")
        )

    def release_in_log(self) -> None:
        """The message stands in the sender's log."""
        self._step("The message is in the sender's log", self._release_in_log)

    def _release_in_log(self) -> str:
        agreement, message_id = _text(self.letter, "agreement"), _text(self.letter, "id")
        return self._in_log(self.bundle.release, self._party("sender"), self.bundle.message, agreement, message_id)

    def witnessed(self) -> None:
        """Both logs have the witnesses that the agreement demands; no step where it demands none."""
        try:
            policy, parties = self._policy()
        except ComityError as error:
            self.steps.append(Step(_WITNESSED, is_ok=False, detail=str(error)))
            return
        if policy is not None:
            self._step(_WITNESSED, partial(self._witnessed, policy, parties))

    def _policy(self) -> tuple[Policy | None, tuple[str, ...]]:
        agreement = _object(SignedStatement.from_bytes(self.bundle.agreement).payload)
        text, parties = agreement.get("witnesses", ""), agreement.get("parties", [])
        if not isinstance(text, str) or not isinstance(parties, list):
            raise BundleError("The agreement cannot be read", where="witnesses or parties")
        names = tuple(str(each) for each in parties)
        policy = parse_policy(text, known=names) if text else None
        return (policy if policy and policy.counted else None), names

    def _witnessed(self, policy: Policy, parties: tuple[str, ...]) -> str:
        documents = self._read_documents()
        keys = {
            name: tuple(LogVerifier.from_vkey(each.cosigner_vkey) for each in documents if each.administration == name)
            for name in parties
        }
        said = []
        for role, leaf in (("sender", self.bundle.release), ("recipient", self.bundle.receipted)):
            owner = self._party(role)
            note, log = parse_tlog_proof(leaf.proof).note, LogVerifier.from_vkey(owner.log_vkey)
            weighed = policy.satisfied(note, log=log, keys=keys, owner=owner.administration)
            seen = " and ".join(sorted(weighed.seen_by))
            said.append(f"the log of {owner.administration} was seen by {seen} at size {weighed.checkpoint.size}")
        return f"the quorum {policy.quorum} is there: {'; '.join(said)}"

    def _in_log(self, leaf: Leaf, owner: KeyDocument, logged: bytes, agreement: str, message_id: str) -> str:
        digest = bytes.fromhex(sha256_hex(logged))
        opens(leaf.entry, digest, agreement=agreement, message_id=message_id, salt=leaf.salt)
        witnesses = {each.cosigner_vkey: each.administration for each in self._read_documents() if each != owner}
        verifiers = [LogVerifier.from_vkey(vkey) for vkey in witnesses]
        proved = verify_tlog_proof(leaf.proof, leaf.entry, LogVerifier.from_vkey(owner.log_vkey), verifiers)
        seen = sorted(witnesses[vkey] for vkey in proved.witnessed_by)
        witnessed = f", witnessed by {' and '.join(seen)}" if seen else ""
        return f"{owner.log_origin}: entry {proved.index} of {proved.size}{witnessed}"

    def _party(self, role: str) -> KeyDocument:
        administration = _text(self.contents, role)
        for document in self._read_documents():
            if document.administration == administration:
                return document
        raise BundleError(f"The bundle has no key document of the {role}", where=administration)

    def _read_documents(self) -> list[KeyDocument]:
        at = self._created()
        return [read_key_document(data, trusted=None, at=at) for data in self.bundle.key_documents]

    def _created(self) -> datetime:
        return parse_instant(_text(self.contents, "created"))

    def _step(self, title: str, check: Callable[[], str]) -> None:
        try:
            self.steps.append(Step(title, is_ok=True, detail=check()))
        except (ComityError, ValueError, OverflowError) as error:  # a time beyond the calendar overflows
            self.steps.append(Step(title, is_ok=False, detail=str(error)))


def _answer_for(receipt: Mapping[str, object], message_id: str, digest: str) -> Mapping[str, object]:
    answers = receipt.get("answers")
    for answer in answers if isinstance(answers, list) else []:
        if isinstance(answer, dict) and answer.get("id") == message_id and answer.get("sha256") == digest:
            return answer
    raise BundleError("The receipt does not name the message", where=message_id)


def _leaf_to_json(leaf: Leaf) -> dict[str, str]:
    return {"entry": _to_base64(leaf.entry), "salt": leaf.salt.hex(), "proof": leaf.proof}


def _leaf_of(value: Mapping[str, str]) -> Leaf:
    return Leaf(_from_base64(value["entry"]), bytes.fromhex(value["salt"]), str(value["proof"]))


def _object(payload: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BundleError("A payload is not JSON", where=str(error)[:80]) from error
    if not isinstance(value, dict):
        raise BundleError("A payload is no JSON object")
    return value


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise BundleError("Cannot be checked: an earlier step failed, or a member is missing", where=name)
    return value


def _integer(values: Mapping[str, object], name: str) -> int:
    value = values.get(name)
    if type(value) is not int:
        raise BundleError("Cannot be checked: an earlier step failed, or a member is missing", where=name)
    return value


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
