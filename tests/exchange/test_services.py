"""Posting, and the life of a partner."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from comity.common import Actor, ActorKind
from comity.exchange import (
    FingerprintMismatchError,
    InvitationError,
    MessageFormError,
    MessageUnknownError,
    PartnerStateError,
    PartnerUnknownError,
    read_message,
    write_invitation,
)
from comity.exchange import invitation as invitations
from comity.exchange.directory import load_peer, statements_of
from comity.exchange.models import OutboxMessage, PartnerKeys
from comity.exchange.selectors import (
    Direction,
    inbox_status,
    message,
    messages,
    outbox_status,
    partner,
    partners,
    reception_of,
    refusals,
)
from comity.exchange.services import Posting, introduce_partner, post, post_all, suspend_partner
from comity.ledger import opens
from comity.ledger.selectors import entry, log_size
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trust import TrustError, sign_key_document, sign_statement
from tests.exchange.cast import (
    ANA,
    AT,
    CHIPO,
    LOG,
    NODE_XC,
    Wrapping,
    adopt_demo,
    finding_message,
    introduce,
    keyring,
    receiver,
    release,
    wrap,
)
from tests.exchange.cast import message as incoming

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def agreement() -> None:
    adopt_demo()


def test_a_post_is_a_row_a_leaf_and_an_audit_entry() -> None:
    introduce("XA")
    reply_to = incoming(7).id
    message_id = post(CHIPO, release(), signer=LOG, at=AT, in_reply_to=reply_to)
    row = OutboxMessage.objects.get()
    sent = read_message(bytes(row.data))
    assert (row.message_id, sent.id, sent.sender, sent.recipient) == (message_id, message_id, "XC", "XA")
    assert (sent.article, sent.purpose, sent.in_reply_to) == ("1", "control", reply_to)
    assert "case_ref" not in sent.body
    kind = opens(
        entry(row.log_index),
        bytes.fromhex(row.sha256),
        agreement=row.agreement,
        message_id=message_id,
        salt=bytes(row.salt),
    )
    assert kind == "message"
    assert AuditEntry.objects.get(deed="post_message").subject == f"message:{message_id}"


def test_what_the_node_posts_by_a_standing_rule_is_no_deed_of_a_person() -> None:
    introduce("XA")
    post(NODE_XC, release(), signer=LOG, at=AT)
    assert not AuditEntry.objects.filter(deed="post_message").exists()


def test_posting_to_a_stranger_or_a_suspended_partner_posts_nothing() -> None:
    permitted, elsewhere = release("XA"), release("XB")
    introduce("XB")
    with pytest.raises(PartnerUnknownError):
        post_all(CHIPO, [Posting(elsewhere), Posting(permitted)], signer=LOG, at=AT)
    suspend_partner(CHIPO, administration="XB", reason="Key theft", at=AT)
    with pytest.raises(PartnerStateError):
        post(CHIPO, elsewhere, signer=LOG, at=AT)
    assert not OutboxMessage.objects.exists()
    assert log_size() == 0


def test_a_message_that_no_partner_would_take_is_refused_at_once() -> None:
    introduce("XA")
    big = release(modus_operandi="x" * 300_000)
    with pytest.raises(MessageFormError, match="too large"):
        post(CHIPO, big, signer=LOG, at=AT)


def test_introducing_needs_the_permission() -> None:
    clerk = Actor(ActorKind.OFFICER, "boris", "XB", frozenset({"officer"}))
    with pytest.raises(PermissionRefusedError):
        introduce_partner(clerk, key_statement=write_invitation(keyring("XC")), at=AT)


def test_our_own_invitation_is_refused() -> None:
    with pytest.raises(PartnerStateError):
        introduce_partner(CHIPO, key_statement=write_invitation(keyring("XC")), at=AT)


def test_a_bare_key_document_introduces_too() -> None:
    introduce_partner(ANA, key_statement=keyring("XC").key_statement.to_bytes(), at=AT)
    assert partner("XC").fingerprint == keyring("XC").key_document.fingerprint


def test_introducing_again_changes_nothing() -> None:
    introduce("XC")
    introduce("XC")
    assert PartnerKeys.objects.count() == 1
    assert AuditEntry.objects.filter(deed="introduce_partner").count() == 1


def test_a_newer_key_document_follows_when_the_older_key_signed_it() -> None:
    introduce("XC")
    older, later = keyring("XC"), keyring("XC", generation=2).key_document
    newer = replace(later, name="Customs of XC, new", cosigner_vkey=older.key_document.cosigner_vkey)
    unsigned = sign_key_document(newer, keyring("XC", generation=2).signing).to_bytes()
    with pytest.raises(TrustError):
        introduce_partner(ANA, key_statement=unsigned, at=AT)
    assert partner("XC").name == "Customs of XC"
    chained = sign_key_document(newer, keyring("XC", generation=2).signing, older.signing).to_bytes()
    introduce_partner(ANA, key_statement=chained, at=AT)
    assert partner("XC").name == "Customs of XC, new"
    assert partner("XC").key_versions == len(statements_of("XC")) == 2
    assert load_peer("XC").keys == newer


def test_a_fingerprint_that_was_compared_replaces_the_chain() -> None:
    introduce("XC")
    newer = keyring("XC", generation=3)
    invitation = write_invitation(newer)
    with pytest.raises(FingerprintMismatchError):
        introduce_partner(ANA, key_statement=invitation, fingerprint="00", at=AT)
    introduce_partner(ANA, key_statement=invitation, fingerprint=newer.key_document.fingerprint, at=AT)
    assert load_peer("XC").keys == newer.key_document


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"{}",
        write_invitation(keyring("XC"))[:-20],
        sign_statement(invitations.INVITATION_TYPE, b"[]", keyring("XC").signing).to_bytes(),
        sign_statement(invitations.INVITATION_TYPE, b"\xff", keyring("XC").signing).to_bytes(),
        write_invitation(keyring("XC")).replace(b'"sig":"', b'"sig":"AA'),
        write_invitation(replace(keyring("XC"), signing=keyring("XC").signing)) + b"x",
    ],
)
def test_what_is_no_invitation_is_refused(data: bytes) -> None:
    with pytest.raises(InvitationError):
        introduce_partner(ANA, key_statement=data, at=AT)


def test_an_invitation_signed_by_someone_else_is_refused() -> None:
    payload = sign_statement(
        invitations.INVITATION_TYPE,
        json.dumps({"administration": "XC", "keys": keyring("XC").key_statement.to_bytes().decode()}).encode(),
        keyring("XB").signing,
    )
    with pytest.raises(InvitationError):
        introduce_partner(ANA, key_statement=payload.to_bytes(), at=AT)


def test_an_invitation_for_another_administration_is_refused() -> None:
    payload = sign_statement(
        invitations.INVITATION_TYPE,
        json.dumps({"administration": "XB", "keys": keyring("XC").key_statement.to_bytes().decode()}).encode(),
        keyring("XC").signing,
    )
    with pytest.raises(InvitationError, match="two administrations"):
        introduce_partner(ANA, key_statement=payload.to_bytes(), at=AT)


def test_lists_and_counts() -> None:
    introduce("XA", "XB", "XC")
    first = post(CHIPO, release("XA"), signer=LOG, at=AT)
    second = post(CHIPO, release("XB"), signer=LOG, at=AT + timedelta(minutes=1))
    receiver().accept([wrap(incoming(1), finding_message(2), incoming(3, article="4"))], AT + timedelta(minutes=2))
    receiver().accept([b"x"], AT)

    assert [each.administration for each in partners()] == ["XA", "XB", "XC"]
    assert [line.id for line in messages(direction=Direction.SENT)] == [second, first]
    assert {line.state for line in messages(direction="received")} == {"accepted", "refused"}
    assert len(messages()) == 5
    assert len(messages(limit=2)) == 2
    assert [line.id for line in messages(partner="XB")] == [second]
    assert [line.kind for line in messages(kind="finding/1")] == ["finding/1"]
    assert [line.id for line in messages(before=AT + timedelta(seconds=1))] == [first]
    assert messages(state="done") == ()
    assert messages(state="no such state") == ()
    assert len(messages(state="refused")) == 1
    assert (outbox_status().waiting, outbox_status("XA").waiting, outbox_status().oldest_at) == (2, 1, AT)
    assert (inbox_status().accepted, inbox_status("XC").refused, inbox_status("XB").due) == (2, 1, 0)
    assert refusals()[0].code == "bad_form"
    assert reception_of("XC").contiguous == 3
    assert reception_of("XQ").contiguous == 0

    view = message(incoming(1).id)
    assert view.line.direction is Direction.RECEIVED
    assert view.answer is not None
    assert view.answer.accepted
    assert view.message == incoming(1)
    assert view.envelope
    assert view.receipt
    with pytest.raises(MessageUnknownError):
        message("nothing")


def test_a_message_that_could_not_be_read_is_shown_all_the_same() -> None:
    introduce("XC")
    receiver().accept([wrap(b"not JSON", how=Wrapping())], AT)
    (line,) = messages()
    view = message(line.id)
    assert (view.message, view.data) == (None, b"not JSON")


def test_an_unknown_partner() -> None:
    with pytest.raises(PartnerUnknownError):
        partner("XQ")
    with pytest.raises(PartnerUnknownError):
        load_peer("XQ")
