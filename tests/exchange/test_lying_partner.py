"""A partner that lies: what it may say in another's name, and what it can break. Nothing, is the answer wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction

from comity.exchange import inbox
from comity.exchange.checking import CheckedReceipt, Parcel
from comity.exchange.delivery import deliver_due
from comity.exchange.directory import Peer
from comity.exchange.envelope import Contents, read_contents, sign_contents
from comity.exchange.errors import EnvelopeRefusedError, PartnerStateError
from comity.exchange.invitation import read_invitation, write_invitation
from comity.exchange.limits import LIMITS, SendingRules
from comity.exchange.models import Delivery, InboxMessage, OutboxMessage, Partner, Reception
from comity.exchange.outcomes import Outcome, Recorder
from comity.exchange.receipt import Answer, read_receipt, read_sealed_receipt, sign_receipt
from comity.exchange.selectors import Direction, messages
from comity.exchange.services import Posting, introduce_partner, post_all, suspend_partner
from comity.exchange.underway import open_runs, word_of
from comity.ledger import commit
from comity.ledger.selectors import log_size
from comity.ledger.services import append
from comity.trust import LogSigner, SigningKey, make_keyring, sha256_hex, sign_key_document
from tests.exchange.cast import (
    ANA,
    AT,
    LOG,
    NODE_XC,
    Loop,
    Wrapping,
    adopt_demo,
    introduce,
    keyring,
    message,
    receiver,
    release,
    wrap,
)

CONTENTS = Contents("XC", "XA", "0195", 1, 1, "0" * 64, AT)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


def answers_to(*envelopes: bytes) -> list[Answer]:
    bodies = receiver().accept(envelopes, AT)
    return [each for body in bodies for each in read_receipt(read_sealed_receipt(body).statement.payload).answers]


def test_nobody_speaks_as_the_origin_of_anothers_information() -> None:
    (answer,) = answers_to(wrap(message(origin="XB")))
    assert (answer.accepted, answer.code, answer.field) == (False, "bad_message", "origin")
    assert not InboxMessage.objects.get().is_accepted


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "p" * 200},
        {"handling": "h" * 200},
        {"article": "a" * 201},
        {"agreement": "nul\x00"},
        {"article": "nul\x00"},
        {"purpose": "line\nbreak"},
        {"handling": "\u202e"},
    ],
)
def test_words_that_no_table_takes_are_refused_and_the_next_message_passes(changes: dict[str, object]) -> None:
    bad, good = answers_to(wrap(message(1, **changes), message(2)))
    assert (bad.accepted, bad.code) == (False, "bad_message")
    assert bad.field in {*changes, "message"}
    assert good.accepted


def test_no_text_of_a_body_holds_nul() -> None:
    bad, good = answers_to(
        wrap(
            message(1, body={**message().body, "title": "nul\x00"}),
            message(2, body={**message().body, "title": r"\u0000"}),
        )
    )
    assert (bad.accepted, bad.code) == (False, "bad_message")
    assert good.accepted


def test_a_time_out_of_the_calendar_is_refused() -> None:
    bad = message().to_bytes().replace(b"2026-03-02T09:30:00Z", b"0001-01-01T00:00:00+01:00")
    first, second = answers_to(wrap(bad, message(2)))
    assert (first.accepted, first.code, first.field) == (False, "bad_message", "created")
    assert second.accepted


def test_a_statement_with_nul_or_a_time_out_of_the_calendar_is_a_refusal_that_is_stored() -> None:
    (body,) = receiver().accept([wrap(message(), how=Wrapping(changes={"root": "nul\x00"}))], AT)
    assert b"wrong_root" in body
    payload = sign_contents(CONTENTS, keyring("XC").signing).payload.replace(
        b"2026-03-02T09:30:00Z", b"0001-01-01T00:00:00+01:00"
    )
    with pytest.raises(EnvelopeRefusedError):
        read_contents(payload)


def deliver(loop: Loop) -> None:
    deliver_due(keyring("XC"), AT, transport=loop, rules=SendingRules())


def post_alerts(*recipients: str) -> None:
    post_all(NODE_XC, [Posting(release(each)) for each in recipients], signer=LOG, at=AT)


def states() -> dict[str, str]:
    runs = open_runs()
    rows = OutboxMessage.objects.select_related("partner")
    return {row.partner.administration: word_of(row, runs) for row in rows}


def lying(partner: str, **changes: object) -> Callable[[Parcel, Outcome], Outcome]:
    """This partner signs, and puts into its log, a receipt with these changes."""

    def bend(parcel: Parcel, outcome: Outcome) -> Outcome:
        if parcel.peer.administration != partner:
            return outcome
        sealed = read_sealed_receipt(outcome.body)
        receipt = replace(read_receipt(sealed.statement.payload), **changes)  # type: ignore[arg-type]
        statement = sign_receipt(receipt, keyring(partner).signing)
        digest = bytes.fromhex(sha256_hex(statement.payload))
        leaf = commit("receipt", digest, agreement="", message_id=receipt.envelope, salt=sealed.salt)
        with transaction.atomic():
            appended = append([leaf], signer=LOG, at=AT)
        proof = appended.tlog_proof(appended.first_index)
        return Outcome(replace(sealed, statement=statement, proof=proof).to_bytes(), is_receipt=True)

    return bend


GAPS = tuple((number, number) for number in range(2, 6000, 2))


@pytest.mark.parametrize("changes", [{"missing": GAPS}, {"contiguous": 2**80, "missing": ((2**80, 2**81),)}])
def test_a_receipt_that_cannot_be_recorded_holds_up_nobody_else(changes: dict[str, object]) -> None:
    post_alerts("XA", "XB")
    deliver(Loop(bend=lying("XA", **changes)))
    assert states() == {"XA": "sent", "XB": "delivered"}
    assert Delivery.objects.get(partner__administration="XA").last_error


def test_what_only_the_database_refuses_is_that_partners_failure_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    post_alerts("XA", "XB")
    real = Recorder._mark_answered

    def failing(self: Recorder, partner_id: int, answered: Sequence[tuple[Parcel, CheckedReceipt]]) -> None:
        real(self, partner_id, answered)
        if answered[0][0].peer.administration == "XA":
            raise DatabaseError("out of range")

    monkeypatch.setattr(Recorder, "_mark_answered", failing)
    deliver(Loop())
    assert states() == {"XA": "sent", "XB": "delivered"}
    delivery = Delivery.objects.get(partner__administration="XA")
    assert delivery.failures == 1
    assert "recorded" in delivery.last_error


def test_the_words_of_a_refusal_cannot_forge_a_line_of_our_log_or_harm_a_table(
    caplog: pytest.LogCaptureFixture,
) -> None:
    post_alerts("XA")
    answer = Answer("", "", accepted=False, code="no\x00", text="no\n2026 CRITICAL all is lost\x1b[2J\x00")

    def bend(parcel: Parcel, outcome: Outcome) -> Outcome:
        told = replace(answer, sha256=parcel.digests[0])
        return lying("XA", answers=(told,))(parcel, outcome)

    deliver(Loop(bend=bend))
    row = OutboxMessage.objects.get()
    assert row.state == "refused"
    assert row.answer["text"].isprintable()
    assert all(character.isprintable() for record in caplog.records for character in record.getMessage())


def test_a_partner_cannot_fill_our_memory_with_gaps() -> None:
    few = replace(receiver(), limits=replace(LIMITS, islands=3))
    envelopes = [wrap(message(n), how=Wrapping(number=n, first_sequence=n * 10)) for n in range(1, 6)]
    replies = few.answer(envelopes, AT)
    assert [reply.code for reply in replies] == ["", "", "", "too_many_gaps", "too_many_gaps"]
    assert len(Reception.objects.get(partner__administration="XC").islands) == 3
    filling = wrap(message(9), how=Wrapping(number=9, first_sequence=9))
    assert [reply.is_receipt for reply in few.answer([filling], AT)] == [True]


def test_a_partner_cannot_take_the_name_of_anothers_log() -> None:
    made = make_keyring("XD", "Customs of Delta", "https://127.0.0.1:1", ["127.0.0.1"], AT)
    impostor = LogSigner(LOG.name, SigningKey.generate())
    document = replace(made.key_document, log_origin=LOG.name, log_vkey=impostor.vkey)
    statement = sign_key_document(document, made.signing).to_bytes()
    with pytest.raises(PartnerStateError, match="has this name already"):
        introduce_partner(ANA, key_statement=statement, at=AT)
    assert not Partner.objects.filter(administration="XD").exists()


def test_who_is_suspended_while_its_envelope_is_opened_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = inbox.load_peers

    def slowly(codes: set[str]) -> dict[str, Peer]:
        peers = real(codes)
        suspend_partner(ANA, administration="XC", reason="Stolen keys", at=AT)
        return peers

    monkeypatch.setattr(inbox, "load_peers", slowly)
    (reply,) = receiver().answer([wrap(message())], AT)
    assert (reply.is_receipt, reply.code) == (False, "suspended_sender")
    assert not InboxMessage.objects.exists()


def test_a_receipt_of_one_envelope_answers_no_other() -> None:
    post_alerts("XA")
    kept: list[Outcome] = []

    def replaying(_parcel: Parcel, outcome: Outcome) -> Outcome:
        kept.append(outcome)
        return kept[0]

    loop = Loop(bend=replaying)
    deliver(loop)
    post_alerts("XA")
    deliver(loop)
    assert sorted(line.state for line in messages(direction=Direction.SENT)) == ["delivered", "sent"]


def test_two_partners_may_use_one_message_id() -> None:
    ours = wrap(message(1))
    theirs = wrap(
        message(1, sender="XB", origin="XB", body={**message().body, "issuer": "XB"}),
        how=Wrapping(sender="XB", signer="XB", number=2),
    )
    first, second = answers_to(ours, theirs)
    assert (first.accepted, second.code) == (True, "no_article")  # judged for itself, and not as a repetition
    assert InboxMessage.objects.count() == 2


@pytest.mark.parametrize(("more", "is_told"), [(0, False), (1, True)])
def test_a_partner_that_saw_more_of_our_log_than_there_is_is_heard(
    caplog: pytest.LogCaptureFixture, more: int, *, is_told: bool
) -> None:
    """So a database restored from an old backup is noticed before its second history has grown."""

    def bend(_parcel: Parcel, outcome: Outcome) -> Outcome:
        sealed = read_sealed_receipt(outcome.body)
        seen = replace(sealed, cosignature=None, witnessed=log_size() + more)
        return Outcome(seen.to_bytes(), is_receipt=True)

    post_alerts("XA")
    deliver(Loop(bend=bend))
    assert states() == {"XA": "delivered"}
    assert ("old backup" in caplog.text) == is_told


def test_the_note_of_an_invitation_moves_no_cursor_over_the_fingerprint() -> None:
    data = write_invitation(keyring("XB"), note="hello\x1b[1A\rfingerprint  0000\n")
    assert read_invitation(data, at=AT).note.isprintable()
