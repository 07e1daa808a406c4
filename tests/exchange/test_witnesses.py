"""What agreements ask of the witnesses of our log, with the partners' keys as they are and were."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import transaction

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt
from comity.exchange.directory import load_peer
from comity.exchange.invitation import write_invitation
from comity.exchange.log_routes import log_routes
from comity.exchange.models import Delivery, Partner
from comity.exchange.services import introduce_partner
from comity.exchange.transports.https.routes import Asked, Page, find_route
from comity.exchange.witnesses import (
    cosigner_documents,
    cosigner_keys,
    log_owner,
    partners_to_ask,
    quorum_for,
    quorum_of,
    quorum_standings,
    remember_followed,
)
from comity.ledger.selectors import latest_checkpoint
from comity.ledger.services import append, record_cosignature, witness
from comity.trust import Checkpoint, LogSigner, NoteKind, SigningKey, add_signatures, sign_note, sign_statement
from comity.trust.merkle import EMPTY_ROOT
from comity.trust.notes import cosign
from tests.exchange.cast import ANA, AT, CODES, DEMO, LOG, adopt_demo, introduce, keyring

pytestmark = pytest.mark.django_db
TWO = "group g 2 XA XB XC\nquorum g\n"


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XB", "XC")


def adopt_with(policy: str) -> str:
    """The demo's agreement with a policy, in force; its id."""
    lines = "".join(f"  {line}\n" for line in policy.splitlines())
    agreement = parse_agreement((DEMO.read_text() + f"\nwitnesses: |\n{lines}").encode())
    signed = sign_statement(PAYLOAD_TYPE, agreement.to_bytes(), *(keyring(code).signing for code in CODES))
    keys = {code: [keyring(code).signing.verify_key] for code in CODES}
    return adopt(ANA, signed=signed.to_bytes(), verify_keys=keys, at=AT).id


def grow(count: int, *cosigners: LogSigner) -> str:
    with transaction.atomic():
        note = append([b"%d" % each for each in range(count)], signer=LOG, at=AT).checkpoint
    for each in cosigners:
        line = cosign(note, log=LOG.verifier, cosigner=each, at=AT)
        record_cosignature(add_signatures(note, [line]), log=LOG.verifier, cosigner=each.verifier, at=AT)
    return note


def cosigner(code: str) -> LogSigner:
    return keyring(code).cosigner


def test_an_agreement_that_asks_nothing_has_no_quorum() -> None:
    plain = adopt_demo()
    assert quorum_for(plain, keyring("XA")) is None
    assert quorum_for("f" * 64, keyring("XA")) is None
    assert quorum_standings(keyring("XA"), at=AT) == ()


def test_how_our_log_stands_to_what_an_agreement_asks() -> None:
    agreement_id = adopt_with(TWO)
    grow(3)
    (none,) = quorum_standings(keyring("XA"), at=AT)
    assert (none.agreement_id, none.words, none.is_old) == (agreement_id, "2 of (XA, XB, XC)", True)
    assert "No checkpoint of our log has the quorum yet; XB and XC cosigned none" in none.text
    assert "XB and XC can be reached" in none.remedy
    grow(2, cosigner("XB"), cosigner("XC"))
    (whole,) = quorum_standings(keyring("XA"), at=AT + timedelta(days=1))
    assert (whole.age, whole.is_old, whole.remedy) == (timedelta(days=1), False, "")
    assert whole.text == "Every entry of our log, 5 in all, is seen by XB and XC."
    grow(4, cosigner("XB"))
    (soon,) = quorum_standings(keyring("XA"), at=AT + timedelta(minutes=5))
    assert (soon.is_old, soon.standing.missing) == (False, ())
    (later,) = quorum_standings(keyring("XA"), at=AT + timedelta(hours=2))
    assert later.is_old
    assert "has 5 entries; 4 came since" in later.text


def test_expired_agreements_ask_nothing_any_more() -> None:
    adopt_with(TWO)
    assert quorum_standings(keyring("XA"), at=AT + timedelta(days=36_500)) == ()


def test_what_an_older_key_cosigned_stays_cosigned() -> None:
    """XB renews every key; the document is compared by its fingerprint."""
    agreement_id = adopt_with("quorum XB\n")
    grow(3, cosigner("XB"))
    renewed = keyring("XB", generation=2)
    introduce_partner(ANA, key_statement=write_invitation(renewed), at=AT, fingerprint=renewed.key_document.fingerprint)
    keys = cosigner_keys(keyring("XA"))
    assert [each.vkey for each in keys["XB"]] == [renewed.cosigner.vkey, cosigner("XB").vkey]
    assert [each.vkey for each in keys["XA"]] == [cosigner("XA").vkey]
    quorum = quorum_for(agreement_id, keyring("XA"))
    assert quorum is not None
    assert quorum.weigh(latest_checkpoint(), LOG.verifier).is_met
    documents = cosigner_documents([latest_checkpoint()])
    assert documents == (keyring("XB").key_statement.to_bytes(),)


def test_the_log_of_another_party_has_another_owner() -> None:
    adopt_with(TWO)
    agreement = parse_agreement((DEMO.read_text() + "\nwitnesses: |\n  quorum XA\n").encode())
    quorum = quorum_of(agreement, keyring("XA"), owner="XB")
    assert quorum is not None
    assert (quorum.owner, set(quorum.names.values())) == ("XB", {"XA", "XC"})


def test_whose_log_it_is_and_who_can_be_asked() -> None:
    assert log_owner(keyring("XB").key_document.log_vkey) in ("XB", "XC")  # the cast shares one log
    assert log_owner("nobody") == ""
    Partner.objects.filter(administration="XC").update(way=Partner.Way.FILE)
    can, cannot = partners_to_ask()
    assert ([each.administration for each in can], [each.administration for each in cannot]) == (["XB"], ["XC"])
    Partner.objects.filter(administration="XB").update(state=Partner.State.SUSPENDED)
    assert partners_to_ask()[0] == ()


def test_what_was_followed_goes_into_the_next_envelope_and_never_back() -> None:
    peer = load_peer("XB")
    remember_followed(peer, size=9, note="nine")
    remember_followed(peer, size=7, note="seven")
    delivery = Delivery.objects.get(partner__administration="XB")
    assert (delivery.followed_size, delivery.followed_note) == (9, "nine")


def get(path: str) -> Page:
    """What the partner port would answer to XB."""
    found = find_route(log_routes(keyring("XA")), "GET", path)
    assert found is not None, path
    route, parts = found
    page = route.handler(Asked(load_peer("XB"), AT, parts, {}))
    assert page is not None
    return page


def test_the_log_is_served_to_partners() -> None:
    assert get("/log/checkpoint").status == 404
    agreement_id = adopt_with("quorum XB\n")
    assert get(f"/log/quorum/{agreement_id}").status == 404
    note = grow(300, cosigner("XB"))
    assert get("/log/checkpoint").body.decode() == latest_checkpoint() != note
    assert get(f"/log/quorum/{agreement_id}").body == get("/log/checkpoint").body
    assert get("/log/quorum/unknown").status == 404
    assert len(get("/log/tile/0/000").body) == 256 * 32
    assert len(get("/log/tile/0/001.p/44").body) == 44 * 32
    assert len(get("/log/tile/entries/001.p/2").body) == 2 * (2 + 3)
    for path in ("0/002", "0/1", "entries/x", "0/../0"):
        assert get(f"/log/tile/{path}").status == 404


def test_the_heads_that_we_cosigned_are_served() -> None:
    assert get("/exchange/v1/heads").body == b'{"heads":[]}'
    partner = LogSigner("partner.example/log", SigningKey.from_seed(b"p" * 32))
    note = sign_note(Checkpoint(partner.name, 0, EMPTY_ROOT).text, partner, at=AT)
    line = witness(note, 0, [], known=partner.verifier, cosigner=cosigner("XA"), at=AT)
    (head,) = json.loads(get("/exchange/v1/heads").body)["heads"]
    assert head == {"origin": partner.name, "note": add_signatures(note, [line])}
    assert cosigner("XA").kind is NoteKind.COSIGNATURE
