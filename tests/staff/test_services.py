"""Officers, tokens, four eyes and the audit."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from comity.common import Actor, ActorKind
from comity.staff import (
    OfficerRefusedError,
    PermissionRefusedError,
    ProposalRefusedError,
    ProposalState,
    TokenRefusedError,
)
from comity.staff import selectors as staff_reads
from comity.staff import services as staff
from comity.staff.models import AuditEntry, Officer, ProposalRow, SystemToken
from comity.staff.selectors import AuditFilter

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet river"


@pytest.fixture
def chief() -> Actor:
    return Actor(ActorKind.OFFICER, "chief", "XA", frozenset({"administrator"}))


@pytest.fixture
def liaison() -> Actor:
    return Actor(ActorKind.OFFICER, "boris", "XA", frozenset({"liaison", "supervisor"}))


@pytest.fixture
def supervisor() -> Actor:
    return Actor(ActorKind.OFFICER, "chipo", "XA", frozenset({"supervisor"}))


def make(chief: Actor, at: datetime, username: str = "ana", *roles: str) -> Officer:
    return staff.create_officer(
        chief, username=username, full_name="Ana Alvarez", roles=roles or ("officer",), password=PASSWORD, at=at
    )


class TestOfficers:
    def test_a_new_officer_may_sign_in_and_the_audit_says_who_made_her(self, chief: Actor, at: datetime):
        officer = make(chief, at, "Ana", "supervisor", "officer")
        assert officer.username == "ana"
        assert officer.check_password(PASSWORD)
        assert staff.actor_of(officer) == Actor(ActorKind.OFFICER, "ana", "XA", frozenset({"officer", "supervisor"}))
        entry = AuditEntry.objects.get()
        assert (entry.actor_id, entry.deed, entry.subject, entry.at) == ("chief", "create_officer", "officer:ana", at)
        assert entry.facts == {"roles": "officer, supervisor"}
        assert PASSWORD not in str(entry.facts)
        assert "create_officer" in str(entry)
        assert str(officer) == "ana"

    def test_only_an_administrator_makes_officers(self, supervisor: Actor, at: datetime):
        with pytest.raises(PermissionRefusedError):
            make(supervisor, at)
        assert not Officer.objects.exists()
        assert not AuditEntry.objects.exists()

    @pytest.mark.parametrize("username", ["", "a", "-ana", "ana maria", "ána", "a" * 64, "ana\n"[:0] + "a/b"])
    def test_a_strange_user_name_is_refused(self, chief: Actor, at: datetime, username: str):
        with pytest.raises(OfficerRefusedError, match="cannot be used"):
            make(chief, at, username)

    def test_a_taken_user_name_is_refused_in_any_case(self, chief: Actor, at: datetime):
        make(chief, at)
        with pytest.raises(OfficerRefusedError, match="taken"):
            make(chief, at, "ANA")

    @pytest.mark.parametrize("password", ["short", "password1234", "ana.alvarez1"])
    def test_a_weak_password_is_refused_with_the_reason(self, chief: Actor, at: datetime, password: str):
        with pytest.raises(OfficerRefusedError) as caught:
            staff.create_officer(
                chief, username="ana.alvarez", full_name="Ana", roles=["officer"], password=password, at=at
            )
        assert caught.value.remedy

    def test_roles_change_and_the_audit_keeps_both(self, chief: Actor, at: datetime):
        make(chief, at)
        assert staff.set_roles(chief, username="ana", roles=["auditor"], at=at).roles == ["auditor"]
        assert AuditEntry.objects.get(deed="set_roles").facts == {"before": "officer", "after": "auditor"}

    def test_nobody_changes_his_own_rights(self, chief: Actor, at: datetime):
        make(chief, at, "chief", "administrator")
        with pytest.raises(OfficerRefusedError, match="own rights"):
            staff.set_roles(chief, username="chief", roles=["auditor"], at=at)
        with pytest.raises(OfficerRefusedError, match="own rights"):
            staff.disable_officer(chief, username="chief", at=at)

    def test_a_password_is_changed_by_oneself_or_an_administrator(self, chief: Actor, supervisor: Actor, at: datetime):
        officer = make(chief, at)
        staff.set_password(staff.actor_of(officer), username="ana", password="another quiet river", at=at)
        staff.set_password(chief, username="ana", password="yet another quiet river", at=at)
        with pytest.raises(PermissionRefusedError):
            staff.set_password(supervisor, username="ana", password="a stolen quiet river", at=at)
        officer.refresh_from_db()
        assert officer.check_password("yet another quiet river")

    def test_disabling_an_officer_revokes_the_tokens_that_speak_for_him(self, chief: Actor, at: datetime):
        make(chief, at)
        text = staff.issue_token(chief, name="ana-laptop", roles=["officer"], officer="ana", at=at)
        staff.issue_token(chief, name="ana-lost", roles=["officer"], officer="ana", at=at)
        staff.revoke_token(chief, name="ana-lost", at=at - timedelta(hours=1))
        staff.disable_officer(chief, username="ana", at=at)
        assert not staff_reads.officer("ana").is_active
        with pytest.raises(TokenRefusedError):
            staff.actor_of_token(text, at)
        assert AuditEntry.objects.get(deed="disable_officer").facts == {"tokens_revoked": "1"}
        assert SystemToken.objects.get(name="ana-lost").revoked_at == at - timedelta(hours=1)

    def test_the_second_factor_can_be_required(self, chief: Actor, at: datetime):
        make(chief, at)
        staff.require_second_factor(chief, username="ana", is_required=True, at=at)
        assert staff_reads.officer("ana").needs_second_factor

    def test_language_is_remembered(self, chief: Actor, at: datetime):
        officer = make(chief, at)
        staff.set_language(staff.actor_of(officer), language="fr")
        officer.refresh_from_db()
        assert officer.language == "fr"

    def test_an_unknown_officer_is_named(self, chief: Actor, at: datetime):
        with pytest.raises(OfficerRefusedError, match="nobody"):
            staff.disable_officer(chief, username="nobody", at=at)

    def test_lists(self, chief: Actor, at: datetime):
        make(chief, at, "boris")
        make(chief, at, "ana")
        assert [row.username for row in staff_reads.officers()] == ["ana", "boris"]
        assert Officer.objects.get_by_natural_key(" ANA ").username == "ana"


class TestTokens:
    def test_a_system_speaks_by_a_token_of_which_only_the_hash_is_kept(self, chief: Actor, at: datetime):
        text = staff.issue_token(chief, name="asycuda", roles=["system"], officer=None, at=at)
        assert staff.actor_of_token(text, at) == Actor(ActorKind.SYSTEM, "asycuda", "XA", frozenset({"system"}))
        row = SystemToken.objects.get()
        assert str(row) == "asycuda"
        secret = text.split("_", 2)[2]
        assert secret not in str(row.__dict__)
        assert secret not in str([entry.facts for entry in AuditEntry.objects.all()])

    def test_a_token_of_an_officer_never_has_more_than_the_officer(self, chief: Actor, at: datetime):
        make(chief, at)
        text = staff.issue_token(chief, name="tool", roles=["officer", "liaison"], officer="ana", at=at)
        assert staff.actor_of_token(text, at) == Actor(ActorKind.OFFICER, "ana", "XA", frozenset({"officer"}))

    def test_last_use_is_noted_once_a_day(self, chief: Actor, at: datetime):
        text = staff.issue_token(chief, name="tool", roles=["system"], officer=None, at=at)
        for hours, noted in ((0, 0), (1, 0), (23, 0), (24, 24), (25, 24)):
            staff.actor_of_token(text, at + timedelta(hours=hours))
            assert SystemToken.objects.get().last_used_at == at + timedelta(hours=noted)

    @pytest.mark.parametrize(
        "mend", [lambda t: t[:-1], lambda t: t + "x", lambda t: "x" + t, lambda t: "", lambda t: "_"]
    )
    def test_a_wrong_token_is_refused(self, chief: Actor, at: datetime, mend):
        text = staff.issue_token(chief, name="tool", roles=["system"], officer=None, at=at)
        with pytest.raises(TokenRefusedError, match="not known"):
            staff.actor_of_token(mend(text), at)

    def test_revoked_and_expired_tokens_are_refused(self, chief: Actor, at: datetime):
        old = staff.issue_token(chief, name="old", roles=["system"], officer=None, at=at, days=1)
        staff.actor_of_token(old, at + timedelta(hours=23, minutes=59))
        with pytest.raises(TokenRefusedError, match="no longer valid"):
            staff.actor_of_token(old, at + timedelta(days=1))
        staff.revoke_token(chief, name=" Old", at=at)
        with pytest.raises(TokenRefusedError, match="no longer valid"):
            staff.actor_of_token(old, at)
        with pytest.raises(TokenRefusedError, match="no such token"):
            staff.revoke_token(chief, name="old", at=at)

    def test_a_name_serves_once_and_a_life_has_bounds(self, chief: Actor, supervisor: Actor, at: datetime):
        staff.issue_token(chief, name="tool", roles=["system"], officer=None, at=at)
        with pytest.raises(TokenRefusedError, match="issued already"):
            staff.issue_token(chief, name="tool", roles=["system"], officer=None, at=at)
        for days in (0, 3 * 365 + 1):
            with pytest.raises(TokenRefusedError, match="lives from"):
                staff.issue_token(chief, name="tool2", roles=["system"], officer=None, at=at, days=days)
        with pytest.raises(PermissionRefusedError):
            staff.issue_token(supervisor, name="tool3", roles=["system"], officer=None, at=at)
        staff.issue_token(chief, name="tool4", roles=["system"], officer=None, at=at, days=3 * 365)
        assert [row.name for row in staff_reads.tokens()] == ["tool", "tool4"]


class TestFourEyes:
    def propose(self, actor: Actor, at: datetime) -> staff_reads.Proposal:
        return staff.propose(actor, deed="share_alert", payload={"to": ["XB"], "n": 1}, handling=2, at=at)

    def test_another_officer_approves_what_was_proposed(self, liaison: Actor, supervisor: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        assert proposal.state is ProposalState.OPEN
        assert staff_reads.open_proposals() == [proposal]
        approved = staff.approve(supervisor, proposal_id=proposal.proposal_id, at=at)
        assert approved.state is ProposalState.APPROVED
        assert approved.payload == {"to": ["XB"], "n": 1}
        assert approved.decided_by == "officer:chipo"
        assert staff_reads.open_proposals() == []
        assert staff_reads.decided_proposals() == [approved]
        assert staff_reads.proposal(proposal.proposal_id) == approved
        assert staff_reads.deeds() == ["approved_share_alert", "propose_share_alert"]

    def test_nobody_approves_his_own(self, liaison: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        with pytest.raises(ProposalRefusedError, match="his own"):
            staff.approve(liaison, proposal_id=proposal.proposal_id, at=at)
        assert staff_reads.proposal(proposal.proposal_id).state is ProposalState.OPEN

    def test_a_program_does_not_approve(self, liaison: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        robot = Actor(ActorKind.SYSTEM, "robot", "XA", frozenset({"supervisor"}))
        with pytest.raises(ProposalRefusedError, match="only a person"):
            staff.approve(robot, proposal_id=proposal.proposal_id, at=at)

    def test_approving_needs_the_permission(self, liaison: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        other = Actor(ActorKind.OFFICER, "dana", "XA", frozenset({"liaison", "officer"}))
        with pytest.raises(PermissionRefusedError):
            staff.approve(other, proposal_id=proposal.proposal_id, at=at)

    def test_a_decision_stands(self, liaison: Actor, supervisor: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        staff.reject(supervisor, proposal_id=proposal.proposal_id, reason=" not enough grounds ", at=at)
        assert staff_reads.proposal(proposal.proposal_id).reason == "not enough grounds"
        with pytest.raises(ProposalRefusedError, match="rejected already"):
            staff.approve(supervisor, proposal_id=proposal.proposal_id, at=at)

    def test_a_refusal_says_why(self, liaison: Actor, supervisor: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        with pytest.raises(ProposalRefusedError, match="needs its reason"):
            staff.reject(supervisor, proposal_id=proposal.proposal_id, reason=" ", at=at)

    def test_who_proposed_takes_back(self, liaison: Actor, supervisor: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        with pytest.raises(ProposalRefusedError, match="take it back"):
            staff.withdraw(supervisor, proposal_id=proposal.proposal_id, at=at)
        assert staff.withdraw(liaison, proposal_id=proposal.proposal_id, at=at).state is ProposalState.WITHDRAWN

    def test_a_payload_changed_in_the_database_is_noticed(self, liaison: Actor, supervisor: Actor, at: datetime):
        proposal = self.propose(liaison, at)
        ProposalRow.objects.update(payload={"to": ["XC"], "n": 1})
        with pytest.raises(ProposalRefusedError, match="digest"):
            staff.approve(supervisor, proposal_id=proposal.proposal_id, at=at)

    def test_an_unknown_proposal(self, supervisor: Actor, at: datetime):
        with pytest.raises(ProposalRefusedError, match="no such"):
            staff.approve(supervisor, proposal_id=uuid4(), at=at)
        with pytest.raises(ProposalRefusedError, match="no such"):
            staff_reads.proposal(uuid4())


def test_the_audit_is_searched(chief: Actor, liaison: Actor, at: datetime):
    first = staff.record_deed(chief, deed="look", subject="record:1", facts={"purpose": "control"}, at=at)
    second = staff.record_deed(liaison, deed="share", subject="record:2", at=at + timedelta(hours=1))
    assert staff_reads.audit_entries() == [second, first]
    assert staff_reads.audit_entries(AuditFilter(actor="chief")) == [first]
    assert staff_reads.audit_entries(AuditFilter(deed="share")) == [second]
    assert staff_reads.audit_entries(AuditFilter(subject="record:1")) == [first]
    assert staff_reads.audit_entries(AuditFilter(since=at + timedelta(minutes=1))) == [second]
    assert staff_reads.audit_entries(AuditFilter(until=at + timedelta(hours=1))) == [first]
    assert staff_reads.audit_entries(AuditFilter(since=at + timedelta(hours=1))) == [second]
    assert staff_reads.audit_entries(AuditFilter(before=second.pk)) == [first]
    assert staff_reads.audit_entries(limit=1) == [second]
