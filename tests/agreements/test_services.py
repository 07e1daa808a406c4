"""Agreements imported, signed and adopted; sharing permitted, refused and authorised, with its receipts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from comity.agreements import (
    AdoptionRefusedError,
    AgreementFormError,
    SharingRefusedError,
    UnknownAgreementError,
    selectors,
    services,
)
from comity.agreements.incoming import Incoming, judge_incoming
from comity.agreements.models import AgreementRow, AgreementSignatureRow, DecisionReceiptRow
from comity.agreements.selectors import PAYLOAD_TYPE, AgreementState
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import AlertCategory, Handling
from comity.trade.encoding import alert_from_body, finding_from_body
from comity.trust import SignedStatement, SigningKey, StatementError, sha256_hex, sign_statement
from tests.agreements.cast import (
    ANA,
    AT,
    BORIS,
    CHIEF_OF_XC,
    CHIPO,
    alert_body,
    asking,
    demo,
    demo_bytes,
    finding_body,
)

pytestmark = pytest.mark.django_db

KEYS = {party: SigningKey.from_seed(party.encode() * 16) for party in ("XA", "XB", "XC")}
VERIFY_KEYS = {party: [key.verify_key] for party, key in KEYS.items()}
LATER = AT + timedelta(minutes=1)


def signed_by(*parties: str, payload: bytes | None = None) -> bytes:
    return sign_statement(PAYLOAD_TYPE, payload or demo().to_bytes(), *(KEYS[party] for party in parties)).to_bytes()


@pytest.fixture
def in_force() -> str:
    return services.adopt(CHIEF_OF_XC, signed=signed_by("XA", "XB", "XC"), verify_keys=VERIFY_KEYS, at=AT).id


def share(**changes: object) -> services.Release:
    wanted: dict[str, object] = {
        "kind": "alert/1",
        "recipient": "XA",
        "purpose": "control",
        "handling": Handling.RESTRICTED,
        "body": alert_body(),
        "at": AT,
    }
    return services.permit(CHIPO, **{**wanted, **changes})  # type: ignore[arg-type]  # one test changes one thing


def test_an_agreement_from_draft_to_force() -> None:
    draft = services.import_agreement(CHIEF_OF_XC, data=demo_bytes(), at=AT)
    assert (draft.state, draft.signed_by, draft.statement) == (AgreementState.DRAFT, (), b"")
    assert services.import_agreement(CHIEF_OF_XC, data=demo_bytes() + b"# a comment", at=LATER).imported_at == AT
    signed = services.sign_agreement(CHIEF_OF_XC, agreement_id=draft.id, key=KEYS["XC"], at=AT)
    assert (signed.state, signed.signed_by, signed.signature_count) == (AgreementState.SIGNED, ("XC",), 1)
    assert SignedStatement.from_bytes(signed.statement).payload == demo().to_bytes()
    adopted = services.adopt(CHIEF_OF_XC, signed=[signed_by("XA"), signed_by("XB")], verify_keys=VERIFY_KEYS, at=LATER)
    assert (adopted.state, adopted.signed_by, adopted.adopted_at) == (
        AgreementState.IN_FORCE,
        ("XA", "XB", "XC"),
        LATER,
    )
    again = services.adopt(CHIEF_OF_XC, signed=signed_by("XA"), verify_keys=VERIFY_KEYS, at=LATER + timedelta(1))
    assert again.adopted_at == LATER
    deeds = list(AuditEntry.objects.order_by("id").values_list("deed", flat=True))
    assert deeds.count("adopt_agreement") == 1
    assert deeds[:2] == ["import_agreement", "import_agreement"]
    ends = demo().in_force.closes_at
    assert selectors.agreement(draft.id[:12], at=ends).state is AgreementState.EXPIRED
    assert selectors.agreement(draft.id[:12], at=ends - timedelta(seconds=1)).state is AgreementState.IN_FORCE
    assert [each.id for each in selectors.agreements(at=AT)] == [draft.id]


def test_what_is_missing_is_named_and_what_verified_stays() -> None:
    with pytest.raises(AdoptionRefusedError, match="signature of XB and of XC is missing") as caught:
        services.adopt(ANA, signed=signed_by("XA"), verify_keys=VERIFY_KEYS, at=AT)
    assert "Ask XB and XC to sign" in caught.value.remedy
    assert selectors.agreement(demo().id, at=AT).signed_by == ("XA",)
    assert selectors.engine_of(demo().id) is None
    assert services.adopt(ANA, signed=signed_by("XB", "XC"), verify_keys=VERIFY_KEYS, at=AT).adopted_at == AT


def test_a_party_without_a_known_key_cannot_be_verified() -> None:
    known = {party: keys for party, keys in VERIFY_KEYS.items() if party != "XB"}
    with pytest.raises(AdoptionRefusedError, match="No key of XB is known here"):
        services.adopt(ANA, signed=signed_by("XA", "XB", "XC"), verify_keys=known, at=AT)


def test_a_signature_of_another_key_does_not_count() -> None:
    forged = sign_statement(PAYLOAD_TYPE, demo().to_bytes(), SigningKey.generate()).to_bytes()
    with pytest.raises(AdoptionRefusedError, match="signed by nobody known"):
        services.adopt(ANA, signed=forged, verify_keys=VERIFY_KEYS, at=AT)
    for_xb = signed_by("XA", "XC")
    with pytest.raises(AdoptionRefusedError, match="signature of XB is missing"):
        services.adopt(ANA, signed=for_xb, verify_keys=VERIFY_KEYS, at=AT)


def test_a_signature_without_a_hint_counts_where_it_verifies() -> None:
    statement = SignedStatement.from_bytes(signed_by("XA", "XB", "XC"))
    bare = replace(statement, signatures=tuple(replace(each, keyid="") for each in statement.signatures))
    assert services.adopt(ANA, signed=bare.to_bytes(), verify_keys=VERIFY_KEYS, at=AT).signature_count == 3


def test_files_of_different_agreements_are_not_mixed() -> None:
    other = replace(demo(), version="2").to_bytes()
    with pytest.raises(AdoptionRefusedError, match="not signatures of one agreement"):
        services.adopt(ANA, signed=[signed_by("XA"), signed_by("XB", payload=other)], verify_keys=VERIFY_KEYS, at=AT)
    with pytest.raises(AdoptionRefusedError, match="No signed agreement was given"):
        services.adopt(ANA, signed=[], verify_keys=VERIFY_KEYS, at=AT)
    with pytest.raises(StatementError):
        services.adopt(ANA, signed=b"{}", verify_keys=VERIFY_KEYS, at=AT)
    with pytest.raises(AgreementFormError):
        services.adopt(ANA, signed=signed_by("XA", payload=b"no agreement"), verify_keys=VERIFY_KEYS, at=AT)


def test_a_statement_of_another_type_does_not_count() -> None:
    signed = sign_statement("application/vnd.other+json", demo().to_bytes(), *KEYS.values()).to_bytes()
    with pytest.raises(AdoptionRefusedError, match="XA and of XB and of XC"):
        services.adopt(ANA, signed=signed, verify_keys=VERIFY_KEYS, at=AT)


def test_an_agreement_that_cannot_work_is_not_imported() -> None:
    broken = demo_bytes().replace(b"receivers: [XA, XB]", b"receivers: [XC]")
    with pytest.raises(AgreementFormError, match="Its only sender, XC, is its only receiver"):
        services.import_agreement(ANA, data=broken, at=AT)
    assert selectors.agreements(at=AT) == ()


def test_only_parties_sign_and_only_what_is_known() -> None:
    with pytest.raises(UnknownAgreementError, match="comity agreement adopt"):
        services.sign_agreement(ANA, agreement_id=demo().id, key=KEYS["XA"], at=AT)
    services.import_agreement(ANA, data=demo_bytes(), at=AT)
    stranger = replace(ANA, administration="XD")
    with pytest.raises(AdoptionRefusedError, match="XD is no party"):
        services.sign_agreement(stranger, agreement_id=demo().id, key=KEYS["XA"], at=AT)


def test_agreements_need_the_permission() -> None:
    for deed in (
        lambda: services.import_agreement(BORIS, data=demo_bytes(), at=AT),
        lambda: services.sign_agreement(BORIS, agreement_id=demo().id, key=KEYS["XB"], at=AT),
        lambda: services.adopt(BORIS, signed=signed_by("XB"), verify_keys=VERIFY_KEYS, at=AT),
    ):
        with pytest.raises(PermissionRefusedError):
            deed()


def test_an_id_too_short_or_of_two_agreements_is_unknown(in_force: str) -> None:
    for wrong in (in_force[:11], "", "0" * 64, "0" * 12):
        with pytest.raises(UnknownAgreementError):
            selectors.agreement(wrong, at=AT)


def test_a_sharing_that_is_permitted(in_force: str) -> None:
    release = share(agreement_id=in_force[:12], in_reply_to="earlier")
    assert (release.agreement_id, release.article_id, release.in_reply_to) == (in_force, "1", "earlier")
    assert alert_from_body(release.body).case_ref == ""
    (receipt,) = selectors.decision_receipts()
    assert receipt.document == release.decision
    assert receipt.digest == sha256_hex(release.decision)
    assert (receipt.direction, receipt.is_permitted, receipt.actor) == ("sent", True, "officer:chipo")
    assert (receipt.agreement_id, receipt.article_id, receipt.decided_at) == (in_force, "1", AT)
    assert receipt.facts["withheld"] == ["case_ref", "subjects[consignee].id", "subjects[consignee].name"]
    entry = AuditEntry.objects.get(deed="permit_sharing")
    assert entry.facts["receipt"] == str(receipt.receipt_id)


@pytest.mark.parametrize(
    ("changes", "article", "condition"),
    [
        ({"purpose": "statistics"}, "", "purpose"),
        ({"handling": Handling.CONFIDENTIAL}, "7", "handling"),
        ({"body": alert_body(handling=Handling.CONFIDENTIAL)}, "7", "handling"),
        ({"body": alert_body(category=AlertCategory.PERSONS)}, "6", "category"),
        ({"body": {}}, "6", "category"),
        ({"body": alert_body(issuer="XA")}, "", "onward"),
        ({"at": datetime(2050, 1, 1, tzinfo=UTC)}, "", "in_force"),
    ],
)
def test_a_sharing_that_is_refused(in_force: str, changes: dict[str, object], article: str, condition: str) -> None:
    with pytest.raises(SharingRefusedError) as caught:
        share(**changes)
    decision = caught.value.decision
    assert decision.article_id == article
    reasons = decision.near_misses[0].failed if decision.near_misses else decision.reasons
    assert condition in {reason.code for reason in reasons}
    (receipt,) = selectors.decision_receipts(is_permitted=False)
    assert receipt.facts["article"] == article
    assert AuditEntry.objects.filter(deed="refuse_sharing").count() == 1
    assert selectors.decision_receipts(is_permitted=True) == ()


def test_the_receipt_of_a_refusal_outlives_the_refusal_inside_a_transaction(in_force: str) -> None:
    with transaction.atomic(), pytest.raises(SharingRefusedError):
        share(purpose="statistics")
    assert len(selectors.decision_receipts()) == 1


def test_sharing_needs_the_permission_and_an_agreement() -> None:
    with pytest.raises(PermissionRefusedError):
        services.permit(
            BORIS, kind="alert/1", recipient="XA", purpose="control", handling=Handling.OPEN, body={}, at=AT
        )
    with pytest.raises(UnknownAgreementError):
        share(agreement_id="0" * 64)
    with pytest.raises(SharingRefusedError, match="No article permits"):
        share()


def test_an_agreement_counts_from_its_adoption(in_force: str) -> None:
    assert selectors.engine(AT).agreements == (demo(),)
    assert selectors.engine(AT) is selectors.engine(LATER)
    assert selectors.engine(AT - timedelta(seconds=1)).agreements == ()


def authorise(body: dict[str, object], **changes: object):
    wanted: dict[str, object] = {
        "sender": "XC",
        "recipient": "XA",
        "agreement_id": demo().id,
        "article_id": "1",
        "kind": "alert/1",
        "purpose": "control",
        "handling": Handling.RESTRICTED,
        "at": AT,
    }
    return services.authorise(body=body, **{**wanted, **changes})  # type: ignore[arg-type]  # one test changes one thing


def test_the_receiver_authorises_what_the_sender_was_permitted(in_force: str) -> None:
    body = share().body
    assert authorise(body).is_permitted
    assert authorise({**body, "case_ref": "C"}).reasons[0].code == "field_not_released"
    assert authorise(body, agreement_id="f" * 64).reasons[0].code == "unknown_agreement"
    assert authorise(body, at=datetime(2050, 1, 1, tzinfo=UTC)).reasons[0].code == "not_in_force"
    answer = share(kind="finding/1", body=finding_body(administration="XC"))
    assert finding_from_body(answer.body).ref == "XA-F-1"


def test_decisions_on_what_arrived_are_kept_together(in_force: str) -> None:
    engine = selectors.engine_of(in_force)
    body = share().body
    decided = [
        judge_incoming(engine, Incoming(asking(purpose=purpose), in_force, "1", body))
        for purpose in ("control", "statistics")
    ]
    assert services.record_decisions(decided, at=AT) == 2
    received = [each for each in selectors.decision_receipts(agreement_id=in_force) if each.direction == "received"]
    assert {each.is_permitted for each in received} == {True, False}
    assert {each.actor for each in received} == {""}
    assert services.record_decisions([], at=AT) == 0


def test_decisions_are_logged_once_in_the_order_in_which_they_were_taken(in_force: str) -> None:
    for minute in (2, 0, 1):
        share(at=AT + timedelta(minutes=minute))
    first, second = services.take_unlogged(limit=2)
    assert (first.decided_at, second.decided_at) == (AT, AT + timedelta(minutes=1))
    assert len({first.salt, second.salt}) == 2
    services.mark_logged(receipts=[first, second], first_index=7)
    (last,) = services.take_unlogged(limit=2)
    assert last.decided_at == AT + timedelta(minutes=2)
    assert [each.log_index for each in selectors.decision_receipts()] == [None, 8, 7]


def test_rows_say_what_they_are(in_force: str) -> None:
    share()
    assert str(AgreementRow.objects.get()).endswith("findings 1.0")
    assert str(AgreementSignatureRow.objects.order_by("party").first()).startswith("XA ")
    assert str(DecisionReceiptRow.objects.get()) == "alert/1 XC to XA: yes"
    DecisionReceiptRow.objects.update(is_permitted=False)
    assert str(DecisionReceiptRow.objects.get()).endswith("no")
