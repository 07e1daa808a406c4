"""The monitor's round in one process: partners are functions that answer as their ports would."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from django.conf import settings
from django.db import transaction

from comity.common import Actor, ActorKind
from comity.exchange import ReceivedMessage, TransportError
from comity.exchange.directory import Peer
from comity.exchange.invitation import write_invitation
from comity.exchange.models import Delivery, OutboxMessage, Partner
from comity.exchange.services import introduce_partner
from comity.journeys.gossip import (
    JOURNEYS,
    SPLIT_VIEW_KIND,
    VALIDATORS,
    MonitorReport,
    monitor_logs,
    release_held,
    watch_logs,
)
from comity.ledger import LookState
from comity.ledger import selectors as ledger
from comity.ledger.services import append, hold_appends, note_claim, open_log
from comity.staff import PermissionRefusedError, Role
from comity.trust import Checkpoint, ForkProof, Keyring, NoForkError, make_keyring, sign_note
from comity.trust.merkle import consistency_path, leaf_hashes, tree_root
from comity.trust.tiles import TILE_WIDTH, parse_tile_path
from tests.exchange.cast import message

pytestmark = pytest.mark.django_db
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "split_view-1.json").read_text())
ONE = leaf_hashes(b"one %d" % each for each in range(700))
TWO = [*ONE[:300], *leaf_hashes(b"two %d" % each for each in range(300, 700))]
ANA = Actor(ActorKind.OFFICER, "ana", "XA", frozenset(role.value for role in Role))


@dataclass
class Partners:
    """XB and XC: how many entries each shows of which history, and the heads that it says it has seen."""

    at: datetime
    shown: dict[str, tuple[list[bytes], int]] = field(default_factory=dict)
    heads: dict[str, list[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    hides_tiles: bool = False

    def ask(self, peer: Peer, path: str) -> bytes | None:
        """What the partner's port would answer."""
        if peer.administration in self.gone:
            raise TransportError("The line is dead", where=peer.administration)
        leaves, size = self.shown.get(peer.administration, (ONE, 0))
        if path == "/exchange/v1/heads":
            notes = self.heads.get(peer.administration, [])
            return json.dumps({"heads": [{"origin": "", "note": each} for each in notes]}).encode()
        if path == "/log/checkpoint":
            return self.head(peer.administration, leaves, size).encode()
        if self.hides_tiles:
            return None
        return tile(leaves[:size], path.removeprefix("/log/"))

    def head(self, owner: str, leaves: list[bytes], size: int, *cosigners: str) -> str:
        """A checkpoint of this owner's log."""
        log = ring(owner).log
        signers = [ring(each).cosigner for each in cosigners]
        return sign_note(Checkpoint(log.name, size, tree_root(leaves[:size])).text, log, *signers, at=self.at)

    def round(self) -> dict[str, str]:
        """The states after one round."""
        return states(monitor_logs(self.at, ask=self.ask))


def tile(leaves: list[bytes], path: str) -> bytes | None:
    wanted = parse_tile_path(path)
    width = TILE_WIDTH**wanted.level
    hashes = [tree_root(leaves[start : start + width]) for start in range(0, len(leaves) // width * width, width)]
    found = hashes[wanted.n * TILE_WIDTH :][: wanted.width]
    return b"".join(found) if len(found) == wanted.width else None


def states(report: MonitorReport) -> dict[str, str]:
    return {each.administration: each.state for each in report.sightings}


RINGS: dict[str, Keyring] = {}


def ring(code: str) -> Keyring:
    """The keys of a partner; ours are those of the settings."""
    if code == "XA":
        ours: Keyring = settings.COMITY_KEYRING
        return ours
    if code not in RINGS:
        born = datetime(2026, 1, 1, tzinfo=UTC)
        RINGS[code] = make_keyring(code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], born)
    return RINGS[code]


@pytest.fixture
def partners(at: datetime) -> Partners:
    for code in ("XB", "XC"):
        introduce_partner(ANA, key_statement=write_invitation(ring(code)), at=at)
    return Partners(at)


def evidence(owner: str, at: datetime, small: int = 400, large: int = 650) -> ForkProof:
    log = ring(owner).log
    notes = [
        sign_note(Checkpoint(log.name, size, tree_root(leaves[:size])).text, log, at=at)
        for leaves, size in ((ONE, small), (TWO, large))
    ]
    path = tuple(consistency_path(TWO[:large], small))
    return ForkProof(log.vkey, notes[0], notes[1], "told", tree_root(TWO[:small]), path)


def fits_the_schema(body: Mapping[str, object]) -> None:
    assert jsonschema_rs.is_valid(SCHEMA, dict(body))
    assert set(body) == set(SCHEMA["properties"])


def receive(body: Mapping[str, object], at: datetime) -> None:
    sent = replace(message(), kind=SPLIT_VIEW_KIND, sender="XC", body=dict(body))
    VALIDATORS[SPLIT_VIEW_KIND](sent.body)
    JOURNEYS[SPLIT_VIEW_KIND](ReceivedMessage(sent, at, 1, 1))


def test_honest_partners_are_cosigned_and_the_next_envelope_says_so(partners: Partners) -> None:
    partners.shown = {"XB": (ONE, 5), "XC": (TWO, 310)}
    partners.heads = {"XC": [partners.head("XB", ONE, 5, "XC")], "XB": [partners.head("XC", TWO, 301, "XB")]}
    assert partners.round() == {"XB": "cosigned", "XC": "cosigned"}
    partners.shown = {"XB": (ONE, 605), "XC": (TWO, 310)}
    partners.heads = {"XC": [partners.head("XB", ONE, 500, "XC")]}
    assert partners.round() == {"XB": "cosigned", "XC": "cosigned"}
    assert {head.origin: head.size for head in ledger.partner_heads()} == {
        ring("XB").log.name: 605,
        ring("XC").log.name: 310,
    }
    assert set(Delivery.objects.values_list("partner__administration", "followed_size")) == {("XB", 605), ("XC", 310)}
    assert [each.state for each in ledger.looks()] == [LookState.COSIGNED] * 2
    assert OutboxMessage.objects.count() == 0


@pytest.mark.parametrize(("shown", "told"), [(400, 400), (400, 350), (350, 400)])
def test_what_others_saw_proves_a_fork_and_everybody_is_told(partners: Partners, shown: int, told: int) -> None:
    """The larger of the two must be served here, else it can only be suspected."""
    partners.shown = {"XB": (ONE, shown)}
    partners.heads = {"XC": [partners.head("XB", TWO, told, "XC")]}
    state = partners.round()["XB"]
    if told > shown:
        assert state == "suspect"
        return
    assert state == "split"
    (kept,) = ledger.split_views()
    assert (kept.reported_by, kept.told_at) == ("", partners.at)
    sent = OutboxMessage.objects.filter(kind=SPLIT_VIEW_KIND)
    assert sorted(sent.values_list("partner__administration", flat=True)) == ["XB", "XC"]
    fits_the_schema(json.loads(bytes(sent[0].data))["body"])
    assert partners.round()["XB"] == "split"
    assert (ledger.split_views(), sent.count()) == ([kept], 2)


def test_a_log_that_does_not_go_on_is_caught_by_its_own_tiles(partners: Partners) -> None:
    partners.shown = {"XB": (ONE, 350)}
    partners.round()
    partners.shown = {"XB": (TWO, 400)}
    assert partners.round()["XB"] == "split"
    partners.shown = {"XC": (ONE, 350)}
    partners.round()
    partners.shown = {"XC": (TWO, 350)}
    assert partners.round()["XC"] == "split"


def test_what_a_log_does_not_show_is_said_and_not_cosigned(partners: Partners) -> None:
    partners.shown = {"XB": (ONE, 350)}
    partners.round()
    partners.shown = {"XB": (ONE, 300)}
    assert partners.round()["XB"] == "suspect"
    partners.shown, partners.hides_tiles = {"XB": (ONE, 400)}, True
    report = monitor_logs(partners.at, ask=partners.ask)
    assert states(report)["XB"] == "suspect"
    assert "does not serve a tile" in report.alarms[0].text
    assert [head.size for head in ledger.partner_heads() if head.origin == ring("XB").log.name] == [350]
    assert ledger.split_views() == []


def test_who_cannot_be_asked_is_said(partners: Partners) -> None:
    Partner.objects.filter(administration="XC").update(way=Partner.Way.COLLECT)
    partners.gone = {"XB"}
    report = monitor_logs(partners.at, ask=partners.ask)
    assert states(report) == {"XB": "unreachable", "XC": "apart"}
    assert report.alarms == ()
    Partner.objects.filter(administration="XB").update(state=Partner.State.SUSPENDED)
    assert partners.round() == {"XC": "apart"}


@pytest.mark.parametrize("answer", [None, b"", b"[]", b'{"heads":[{}]}', b'{"heads":7}'])
def test_heads_that_cannot_be_read_are_no_answer(partners: Partners, answer: bytes | None) -> None:
    def ask(peer: Peer, path: str) -> bytes | None:
        return answer if path.endswith("heads") else partners.ask(peer, path)

    assert states(monitor_logs(partners.at, ask=ask)) == {"XB": "unreachable", "XC": "unreachable"}


def test_a_hundred_heads_of_one_log_are_not_a_hundred_trees_to_read(partners: Partners) -> None:
    """XB and XC hang together: XB signs head after head and shows a small one; each would be a tree of its own."""
    tiles: list[str] = []

    def ask(peer: Peer, path: str) -> bytes | None:
        if "/tile/" not in path:
            return partners.ask(peer, path)
        tiles.append(path)
        return tile(ONE, path.removeprefix("/log/"))

    partners.shown = {"XB": (ONE, 300)}
    partners.heads = {"XC": [partners.head("XB", ONE, size) for size in range(301, 401)]}
    assert states(monitor_logs(partners.at, ask=ask))["XB"] == "cosigned"
    assert 0 < len(tiles) < 20


def test_a_partner_that_goes_away_meanwhile_is_unreachable(partners: Partners) -> None:
    def ask(peer: Peer, path: str) -> bytes | None:
        if path.endswith("checkpoint") and peer.administration == "XB":
            raise TransportError("gone")
        return partners.ask(peer, path)

    assert states(monitor_logs(partners.at, ask=ask))["XB"] == "unreachable"

    def later(peer: Peer, path: str) -> bytes | None:
        if "tile" in path:
            raise TransportError("gone")
        return partners.ask(peer, path)

    partners.shown = {"XB": (ONE, 3)}
    partners.round()
    partners.shown = {"XB": (ONE, 5)}
    assert states(monitor_logs(partners.at, ask=later))["XB"] == "unreachable"


def test_a_checkpoint_that_nobody_signed_is_suspect(partners: Partners) -> None:
    def ask(peer: Peer, path: str) -> bytes | None:
        return b"\xff no note" if path.endswith("checkpoint") else partners.ask(peer, path)

    assert states(monitor_logs(partners.at, ask=ask)) == {"XB": "suspect", "XC": "suspect"}


def test_heads_with_a_strangers_signature_count_for_nothing(partners: Partners) -> None:
    partners.shown = {"XB": (ONE, 5)}
    name = ring("XB").log.name
    forged = sign_note(Checkpoint(name, 5, b"\7" * 32).text, replace(ring("XC").log, name=name), at=partners.at)
    partners.heads = {"XC": [forged]}
    assert partners.round()["XB"] == "cosigned"
    assert ledger.split_views() == []


def ours(count: int, at: datetime) -> None:
    with transaction.atomic():
        append([b"one %d" % each for each in range(count)], signer=ring("XA").log, at=at)


def test_partners_cosignatures_of_our_log_are_kept(partners: Partners, at: datetime) -> None:
    ours(4, at)
    note_claim(9, witness="XC")
    partners.heads = {"XB": [partners.head("XA", ONE, 4, "XB")], "XC": [partners.head("XA", ONE, 4)]}
    report = monitor_logs(at, ask=partners.ask)
    assert report.alarms == ()
    assert ring("XB").cosigner.name in ledger.cosigned_checkpoint()
    assert ring("XC").cosigner.name not in ledger.cosigned_checkpoint()


def test_our_log_that_is_behind_is_an_alarm(
    partners: Partners, at: datetime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours(4, at)
    partners.heads = {"XB": [partners.head("XA", ONE, 9, "XB")]}
    assert partners.round()["XA"] == "behind"
    partners.shown = {"XC": (ONE, 350)}
    partners.round()
    partners.shown = {"XC": (TWO, 350)}
    report = monitor_logs(at, ask=partners.ask)
    assert (states(report)["XC"], report.told) == ("split", 0), "a log that is behind posts nothing"
    assert OutboxMessage.objects.count() == 0
    monkeypatch.setattr("comity.journeys.gossip.PartnerLines.ask", lambda _lines, peer, path: partners.ask(peer, path))
    with caplog.at_level(logging.ERROR, logger="comity.journeys"):
        watch_logs(at)
    assert "XB holds a checkpoint of 9 entries" in caplog.text


def test_our_log_that_forked_is_told_to_the_partners(partners: Partners, at: datetime) -> None:
    ours(4, at)
    partners.heads = {"XB": [partners.head("XA", TWO[310:], 4, "XB")]}
    report = monitor_logs(at, ask=partners.ask)
    assert (states(report)["XA"], report.told) == ("forked", 2)


def test_what_a_partner_holds_under_a_strangers_key_says_nothing_of_ours(partners: Partners, at: datetime) -> None:
    ours(4, at)
    name = ring("XA").log.name
    partners.heads = {
        "XB": [sign_note(Checkpoint(name, 9, b"\7" * 32).text, replace(ring("XB").log, name=name), at=at), f"{name}\n?"]
    }
    assert "XA" not in partners.round()


def test_what_was_held_goes_on_once_all_have_answered(partners: Partners, at: datetime) -> None:
    open_log(signer=ring("XA").log, at=at)
    hold_appends("restored", at=at)
    partners.gone = {"XC"}
    assert partners.round()["XA"] == "held"
    partners.gone = set()
    assert "XA" not in partners.round()
    assert not ledger.is_held()


def test_an_officer_may_let_it_go_on_without_those_that_cannot_be_asked(partners: Partners, at: datetime) -> None:
    open_log(signer=ring("XA").log, at=at)
    hold_appends("restored", at=at)
    with pytest.raises(PermissionRefusedError):
        release_held(replace(ANA, roles=frozenset()), reason="no line", at=at)
    assert release_held(ANA, reason="XC was asked by telephone", at=at)
    assert not release_held(ANA, reason="again", at=at)
    assert not ledger.is_held()


def test_an_accusation_is_believed_where_it_is_proved(
    partners: Partners, at: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    body = evidence("XB", at).to_body()
    fits_the_schema(body)
    receive(body, at)
    receive(body, at + timedelta(minutes=1))
    (kept,) = ledger.split_views()
    assert (kept.reported_by, kept.told_at, kept.found_at) == ("XC", None, at)
    assert partners.round()["XB"] == "split"
    assert OutboxMessage.objects.count() == 0, "who was told does not tell again"
    assert caplog.text.count("proves that") == 1


def test_who_stands_accused_knows_it(partners: Partners, at: datetime) -> None:
    ours(4, at)
    receive(evidence("XA", at).to_body(), at)
    (warning,) = ledger.own_fork_warnings()
    assert (warning.code, warning.witness) == ("forked", "XC")
    assert "XC showed us two notes of our own log" in warning.text
    assert partners.round()["XA"] == "forked"


@pytest.mark.parametrize("change", ["path", "stranger", "same"])
def test_an_accusation_without_proof_is_not_believed(partners: Partners, at: datetime, change: str) -> None:
    proof = evidence("XB", at)
    wrong: dict[str, Callable[[], ForkProof]] = {
        "path": lambda: replace(proof, path=proof.path[1:]),
        "stranger": lambda: evidence("XD", at),
        "same": lambda: replace(proof, shown_note=proof.seen_note),
    }
    receive(wrong[change]().to_body(), at)
    assert ledger.split_views() == []


def test_what_has_not_the_form_is_refused(at: datetime) -> None:
    with pytest.raises(NoForkError):
        VALIDATORS[SPLIT_VIEW_KIND]({"path": 7})
