"""Witnesses are asked for one and the same checkpoint; here they are written a second time, from the specification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from django.conf import settings
from django.db import connections, transaction

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt
from comity.exchange import TransportError
from comity.exchange.directory import Peer, load_peer
from comity.exchange.heads import one_head_for_all, present_head
from comity.exchange.invitation import write_invitation
from comity.exchange.log_routes import log_routes
from comity.exchange.models import Delivery
from comity.exchange.services import introduce_partner
from comity.exchange.transports.https.routes import Asked, Page, find_route
from comity.exchange.witnesses import quorum_standings
from comity.journeys.cosigning import gather_cosignatures
from comity.ledger import selectors as ledger
from comity.ledger.services import append, open_log
from comity.trust import Checkpoint, open_checkpoint, sign_note, sign_statement, split_note, verify_consistency
from comity.trust.addcheckpoint import AddCheckpoint, read_add_checkpoint
from comity.trust.merkle import EMPTY_ROOT, consistency_path, leaf_hashes, tree_root
from tests.exchange.cast import DEMO
from tests.journeys.test_split_view import ANA, ring

pytestmark = pytest.mark.django_db
BOTH = "\nwitnesses: |\n  group partners 2 XB XC\n  quorum partners\n"


@dataclass
class Witnesses:
    """XB and XC as the specification has them. known: size and root of what each has cosigned."""

    at: datetime
    known: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    before: Callable[[str], None] = lambda _name: None

    def hand(self, peer: Peer, path: str, body: bytes) -> tuple[int, bytes]:
        """What the witness answers."""
        name = peer.administration
        assert path == "/log/cosign"
        self.before(name)
        if name in self.answers:
            if not self.answers[name][0]:
                raise TransportError("The line is dead")
            return self.answers[name]
        wanted = read_add_checkpoint(body)
        checkpoint, opened = open_checkpoint(wanted.note, ring("XA").log.verifier)
        size, root = self.known.get(name, (0, EMPTY_ROOT))
        self.asked.append((name, wanted.old_size, checkpoint.size))
        if wanted.old_size != size:
            return 409, f"{size}\n".encode()
        verify_consistency(size, checkpoint.size, wanted.path, root, checkpoint.root)
        self.known[name] = (checkpoint.size, checkpoint.root)
        return 200, ring(name).cosigner.sign(opened.text, self.at).encode()

    def gather(self) -> tuple[str, ...]:
        """Ask both."""
        peers = [load_peer(name) for name in ("XB", "XC")]
        return gather_cosignatures(settings.COMITY_KEYRING, peers, self.hand, self.at)


@pytest.fixture
def witnesses(at: datetime) -> Witnesses:
    for code in ("XB", "XC"):
        introduce_partner(ANA, key_statement=write_invitation(ring(code)), at=at)
    open_log(signer=ring("XA").log, at=at)
    return Witnesses(at)


@pytest.fixture
def bound(witnesses: Witnesses) -> None:
    """An agreement that wants both."""
    agreement = parse_agreement((DEMO.read_text() + BOTH).encode())
    codes = ("XA", "XB", "XC")
    signed = sign_statement(PAYLOAD_TYPE, agreement.to_bytes(), *(ring(code).signing for code in codes))
    keys = {code: [ring(code).signing.verify_key] for code in codes}
    adopt(ANA, signed=signed.to_bytes(), verify_keys=keys, at=witnesses.at)


def grow(count: int, at: datetime) -> int:
    with transaction.atomic():
        return append([b"%d" % each for each in range(count)], signer=ring("XA").log, at=at).size


def standing(at: datetime) -> tuple[int | None, int]:
    (found,) = quorum_standings(settings.COMITY_KEYRING, at=at)
    return found.standing.size, found.standing.entries_beyond


def test_where_no_agreement_wants_it_nobody_is_asked(witnesses: Witnesses) -> None:
    grow(3, witnesses.at)
    assert (witnesses.gather(), witnesses.asked) == ((), [])


@pytest.mark.usefixtures("bound")
def test_both_cosign_the_same_and_are_asked_again_only_for_more(witnesses: Witnesses) -> None:
    at, size = witnesses.at, grow(3, witnesses.at)
    assert witnesses.gather() == ("XB", "XC")
    assert standing(at) == (size, 0)
    assert Delivery.objects.filter(cosigned_size=size).count() == 2
    assert witnesses.gather() == ()
    larger = grow(300, at)
    assert witnesses.gather() == ("XB", "XC")
    assert standing(at) == (larger, 0)
    assert sorted(witnesses.asked[-2:]) == [("XB", size, larger), ("XC", size, larger)]


@pytest.mark.usefixtures("bound")
def test_a_witness_that_stands_elsewhere_says_where(witnesses: Witnesses) -> None:
    at, size = witnesses.at, grow(3, witnesses.at)
    witnesses.known["XC"] = (size, Checkpoint.parse(split_note(ledger.latest_checkpoint())[0]).root)
    larger = grow(5, at)
    assert witnesses.gather() == ("XB", "XC")
    assert standing(at) == (larger, 0)
    assert ("XC", 0, larger) in witnesses.asked
    assert ("XC", size, larger) in witnesses.asked


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("bound")
def test_where_an_envelope_was_quicker_all_are_asked_for_the_newest(witnesses: Witnesses) -> None:
    at, size = witnesses.at, grow(3, witnesses.at)

    def overtake(name: str) -> None:
        """While XB is asked, the log goes on, and another process gets its newer head cosigned there."""
        if name == "XB" and not witnesses.known.get("XB"):
            grow(5, at)
            witnesses.known["XB"] = (size + 5, Checkpoint.parse(split_note(ledger.latest_checkpoint())[0]).root)
            connections.close_all()

    witnesses.before = overtake
    assert witnesses.gather() == ("XB", "XC")
    assert standing(at) == (size + 5, 0)
    assert ("XC", size, size + 5) in witnesses.asked, "XC too, although it had cosigned the first one"


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize(
    "answer", [(0, b""), (422, b"{}"), (503, b""), (200, b"nonsense"), (200, b"\xff"), (409, b"many\n"), (409, b"99\n")]
)
def test_one_that_does_not_give_it_holds_up_no_other(witnesses: Witnesses, answer: tuple[int, bytes]) -> None:
    size = grow(3, witnesses.at)
    witnesses.answers["XB"] = answer
    assert witnesses.gather() == ("XC",)
    assert standing(witnesses.at) == (None, size)


@pytest.mark.usefixtures("bound")
def test_the_cosignature_of_another_is_not_kept(witnesses: Witnesses, at: datetime) -> None:
    grow(3, at)
    text = split_note(ledger.latest_checkpoint())[0]
    witnesses.answers["XB"] = (200, ring("XC").cosigner.sign(text, at).encode())
    assert witnesses.gather() == ("XC",)


def test_envelopes_carry_the_same_head_while_it_is_asked_for(witnesses: Witnesses, at: datetime) -> None:
    size, delivery = grow(3, at), Delivery.objects.select_related("partner").first()
    assert delivery is not None
    with one_head_for_all() as note:
        grow(4, at)
        assert present_head(delivery)[0].note == note
    assert Checkpoint.parse(split_note(present_head(delivery)[0].note)[0]).size == size + 4


ONE = leaf_hashes(b"one %d" % each for each in range(40))
TWO = leaf_hashes(b"two %d" % each for each in range(40))


@dataclass
class Port:
    """Our port, as XB asks it to cosign checkpoints of the log of XB."""

    at: datetime

    def ask(self, old: int, size: int, leaves: list[bytes] = ONE, *, path: tuple[bytes, ...] | None = None) -> Page:
        """Ask for a checkpoint of this size."""
        log = ring("XB").log
        note = sign_note(Checkpoint(log.name, size, tree_root(leaves[:size])).text, log, at=self.at)
        proof = path if path is not None else tuple(consistency_path(leaves[:size], old)) if 0 < old < size else ()
        return self.send(AddCheckpoint(old, proof, note).to_bytes())

    def send(self, body: bytes) -> Page:
        """Post it."""
        found = find_route(log_routes(settings.COMITY_KEYRING), "POST", "/log/cosign")
        assert found is not None
        page = found[0].handler(Asked(load_peer("XB"), self.at, {}, {}, body))
        assert page is not None
        return page


@pytest.fixture
def port(witnesses: Witnesses) -> Port:
    return Port(witnesses.at)


def test_what_continues_is_cosigned_and_remembered(port: Port) -> None:
    for old, size in ((0, 5), (5, 5), (5, 33)):
        page = port.ask(old, size)
        assert (page.status, page.media_type) == (200, "text/plain; charset=utf-8"), page.body
        log = ring("XB").log
        note = sign_note(Checkpoint(log.name, size, tree_root(ONE[:size])).text, log, at=port.at) + page.body.decode()
        _, opened = open_checkpoint(note, log.verifier, [settings.COMITY_KEYRING.cosigner.verifier])
        assert settings.COMITY_KEYRING.cosigner.verifier.vkey in opened.signed_by
    assert [head.size for head in ledger.partner_heads()] == [33]
    assert Delivery.objects.get(partner__administration="XB").followed_size == 33


def test_a_proof_that_starts_elsewhere_is_told_where_to_start(port: Port) -> None:
    port.ask(0, 20)
    for old, size in ((0, 30), (5, 30), (5, 10), (0, 19)):
        page = port.ask(old, size)
        assert (page.status, page.media_type, page.body) == (409, "text/x.tlog.size", b"20\n")


def test_another_history_is_not_cosigned_and_is_kept_as_evidence(port: Port) -> None:
    port.ask(0, 20)
    assert port.ask(20, 30, path=(b"x" * 32,)).status == 422
    assert ledger.split_views()[0].is_proven is False
    assert port.ask(20, 20, TWO).status == 422
    assert ledger.has_split(ring("XB").log.vkey)
    assert port.ask(20, 25).status == 422, "nothing of that log is cosigned any more"
    assert ledger.partner_heads()[0].size == 20


def test_what_is_no_request_is_refused(port: Port, at: datetime) -> None:
    ours = ring("XC").log
    theirs = sign_note(Checkpoint(ours.name, 5, tree_root(ONE[:5])).text, ours, at=at)
    for body in (b"", b"old 1\n\nx", AddCheckpoint(0, (), theirs).to_bytes()):
        assert port.send(body).status == 400
    assert port.ask(9, 5, path=()).status == 400
    assert port.ask(0, 5, path=(b"x" * 32,)).status in (200, 422)
