"""Sharing at XC: permitted and cut, put before a second officer, or refused with the condition that failed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

import pytest
from pytest_django import Settings

from comity.agreements import SharingRefusedError
from comity.agreements.selectors import decision_receipts
from comity.common import Actor, ActorKind
from comity.exchange import selectors as exchange
from comity.journeys.record import log_decisions
from comity.journeys.share import NoRecipientError, Wish, approve_sharing, preview_sharing, share_alert
from comity.ledger import opens
from comity.ledger.selectors import entry
from comity.staff import PermissionRefusedError, ProposalRefusedError, Role
from comity.staff.selectors import open_proposals
from comity.trade import AlertCategory, Handling
from tests.exchange.cast import CODES, adopt_demo, alert, introduce
from tests.journeys.conftest import ROLES

pytestmark = pytest.mark.django_db(transaction=True)

CHIPO = Actor(ActorKind.OFFICER, "chipo", "XC", ROLES)
CLARA = Actor(ActorKind.OFFICER, "clara", "XC", frozenset({Role.SUPERVISOR.value}))


@pytest.fixture(autouse=True)
def _at_xc(settings: Settings) -> None:
    settings.COMITY_ADMINISTRATION = "XC"
    introduce(*(code for code in CODES if code != "XC"))
    adopt_demo()


def test_a_permitted_alert_is_cut_and_posted_to_each(at: datetime) -> None:
    result = share_alert(CHIPO, alert=alert(case_ref="C-1"), recipients=["XA", "XB"], purpose="control", at=at)
    assert [recipient for recipient, _ in result.posted] == ["XA", "XB"]
    for _, message_id in result.posted:
        view = exchange.message(message_id)
        assert view.message is not None
        assert "case_ref" not in view.message.body
        assert view.message.body["modus_operandi"]


def test_a_preview_stores_and_sends_nothing(at: datetime) -> None:
    (preview,) = preview_sharing(CHIPO, alert=alert(case_ref="C-1"), wish=Wish(("XA",), "control"), at=at)
    assert preview.decision.is_permitted
    assert "case_ref" in preview.decision.fields_withheld
    assert exchange.outbox_status().waiting == 0
    assert decision_receipts() == ()


def test_a_restricted_alert_waits_for_a_second_officer(at: datetime) -> None:
    restricted = alert(handling=Handling.RESTRICTED)
    result = share_alert(CHIPO, alert=restricted, recipients=["XA"], purpose="control", at=at)
    assert result.posted == ()
    assert result.proposal_id is not None
    assert exchange.outbox_status().waiting == 0
    own = replace(CHIPO, roles=CHIPO.roles | {Role.SUPERVISOR.value})
    with pytest.raises(ProposalRefusedError):
        approve_sharing(own, proposal_id=result.proposal_id, at=at)
    with pytest.raises(PermissionRefusedError):
        approve_sharing(CHIPO, proposal_id=result.proposal_id, at=at)
    assert len(open_proposals()) == 1
    approved = approve_sharing(CLARA, proposal_id=result.proposal_id, at=at)
    assert len(approved.posted) == 1
    assert open_proposals() == []
    with pytest.raises(ProposalRefusedError):
        approve_sharing(CLARA, proposal_id=result.proposal_id, at=at)
    assert exchange.outbox_status().waiting == 1


@pytest.mark.parametrize(
    "changes", [{"handling": Handling.CONFIDENTIAL}, {"category": AlertCategory.PERSONS}], ids=["level", "category"]
)
def test_what_no_article_permits_is_refused_with_the_condition_and_kept(
    at: datetime, changes: dict[str, object]
) -> None:
    with pytest.raises(SharingRefusedError) as caught:
        share_alert(CHIPO, alert=alert(**changes), recipients=["XA", "XB"], purpose="control", at=at)
    assert caught.value.decision.article_id or caught.value.decision.near_misses
    (receipt,) = decision_receipts(is_permitted=False)
    assert receipt.facts["receiver"] == "XA"
    assert exchange.outbox_status().waiting == 0
    assert open_proposals() == []


def test_every_decision_stands_in_the_log_once(at: datetime) -> None:
    share_alert(CHIPO, alert=alert(), recipients=["XA"], purpose="control", at=at)
    with pytest.raises(SharingRefusedError):
        share_alert(CHIPO, alert=alert(), recipients=["XA"], purpose="statistics", at=at)
    assert log_decisions(at) == 2
    assert log_decisions(at) == 0
    for receipt in decision_receipts():
        assert receipt.log_index is not None
        proved = opens(
            entry(receipt.log_index),
            bytes.fromhex(receipt.digest),
            agreement=receipt.agreement_id,
            message_id=str(receipt.receipt_id),
            salt=receipt.salt,
        )
        assert proved == "decision"
        assert hashlib.sha256(receipt.document).hexdigest() == receipt.digest


def test_all_recipients_or_none(at: datetime) -> None:
    medicines = alert(hs_codes=("300490",))
    with pytest.raises(SharingRefusedError):
        share_alert(CHIPO, alert=medicines, recipients=["XA", "XB"], purpose="investigation", at=at)
    assert exchange.outbox_status().waiting == 0


@pytest.mark.parametrize("recipients", [[], ["XC"], ["XA", "XC"]])
def test_an_alert_is_for_partners(at: datetime, recipients: list[str]) -> None:
    with pytest.raises(NoRecipientError):
        share_alert(CHIPO, alert=alert(), recipients=recipients, purpose="control", at=at)


def test_only_who_may_share_shares(at: datetime) -> None:
    officer = replace(CHIPO, roles=frozenset({Role.OFFICER.value}))
    with pytest.raises(PermissionRefusedError):
        share_alert(officer, alert=alert(), recipients=["XA"], purpose="control", at=at)
