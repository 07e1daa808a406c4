"""Consents to hand a message on: asked of the owner, answered once, for no more than was asked, until their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comity.common import Actor, ActorKind
from comity.custody import ConsentAsked, ConsentError, ConsentNotice, Limits, Signed, Status
from comity.custody import consents as asking
from comity.custody import selectors as custody
from comity.custody.models import Consent
from comity.custody.notices import HoldingNotice, sign_consent, sign_holding
from comity.custody.rules import ConsentState
from comity.custody.services import Arrived, note_arrival
from comity.staff import PermissionRefusedError, Role
from comity.staff.selectors import AuditFilter, audit_entries
from comity.trust import SigningKey
from tests.custody.test_keeping import DAY, NOBODY, M, name

pytestmark = pytest.mark.django_db
KEY = SigningKey.from_seed(b"k" * 32)
ID = name(30)
ASKED = ConsentAsked(ID, M, "XA", ("XC", "XD"), "They load it")
LIAISON = frozenset({Role.LIAISON.value})
ANA = Actor(ActorKind.OFFICER, "ana", "XA", LIAISON)
BORIS = Actor(ActorKind.OFFICER, "boris", "XB", LIAISON)


def answer(at: datetime, *, until: datetime | None, **changes: object) -> Signed:
    made = ConsentNotice(ID, M, "XA", "XB", ("XC",), at, until is not None, until)
    return sign_consent(replace(made, **changes), KEY)  # type: ignore[arg-type]  # fields of the notice


def not_a_consent(at: datetime) -> Signed:
    return sign_holding(HoldingNotice(M, "XA", "XB", "XB", Status.HELD, "", at), KEY)


@pytest.fixture
def at_asker(at: datetime) -> None:
    """This node is XB, which holds the message and has asked."""
    came = Arrived("XA", M, "XA", M, "alert/1", "a" * 64, "1", Limits(None, "official"))
    asking.note_question(BORIS, ASKED, note_arrival("XB", came, at=at), at=at)
    asking.note_asked_in(ID, name(31))


@pytest.fixture
def at_owner(at: datetime) -> None:
    """This node is XA, of which it is asked, twice."""
    for _ in range(2):
        asking.take_question(ASKED, asker="XB", agreement="a" * 64, handling="official", asked_in=name(31), at=at)


@pytest.mark.usefixtures("at_asker")
def test_a_question_is_remembered_with_who_asked(at: datetime) -> None:
    view = custody.consent(ID)
    assert view is not None
    assert (view.state, view.asked_by, view.asked_in, view.recipients) == (
        ConsentState.ASKED,
        str(BORIS),
        name(31),
        ("XC", "XD"),
    )
    assert custody.consents(M) == custody.consents() == (view,)
    assert custody.consents(name(99)) == ()
    assert [each.deed for each in audit_entries(AuditFilter(deed="ask_consent"))] == ["ask_consent"]
    assert custody.consent_covering("XA", M, "XC", at) is None
    assert str(Consent.objects.get()) == f"{M} to ['XC', 'XD']: asked"


def test_only_who_may_share_asks(at: datetime) -> None:
    came = Arrived("XA", M, "XA", M, "alert/1", "a" * 64, "1", Limits(None, "official"))
    held = note_arrival("XB", came, at=at)
    with pytest.raises(PermissionRefusedError):
        asking.note_question(NOBODY, ASKED, held, at=at)
    assert custody.consent(ID) is None


@pytest.mark.usefixtures("at_asker")
def test_the_answer_covers_whom_it_names_until_its_end(at: datetime) -> None:
    for wrong in (answer(at, until=at + DAY, message=name(98)), answer(at, until=at + DAY, owner="XC")):
        assert not asking.take_answer(wrong, at=at)
    assert asking.take_answer(answer(at, until=at + DAY), at=at)
    assert not asking.take_answer(answer(at, until=None), at=at), "answered once"
    covering = custody.consent_covering("XA", M, "XC", at + DAY)
    assert covering is not None
    assert covering.consent_id == ID
    assert custody.consent_covering("XA", M, "XC", at + DAY + timedelta(seconds=1)) is None
    assert custody.consent_covering("XA", M, "XD", at) is None
    with pytest.raises(TypeError):
        asking.take_answer(not_a_consent(at), at=at)


@pytest.mark.usefixtures("at_asker")
def test_a_refusal_covers_nobody(at: datetime) -> None:
    assert asking.take_answer(answer(at, until=None), at=at)
    view = custody.consent(ID)
    assert view is not None
    assert view.state is ConsentState.REFUSED
    assert custody.consent_covering("XA", M, "XC", at) is None


@pytest.mark.usefixtures("at_owner")
@pytest.mark.parametrize(("given", "deed"), [(True, "give_consent"), (False, "refuse_consent")])
def test_the_owner_answers_once(at: datetime, given: bool, deed: str) -> None:
    (waiting,) = custody.consents_waiting("XA")
    assert (waiting.consent_id, waiting.asker) == (ID, "XB")
    signed = answer(at, until=at + DAY if given else None)
    view = asking.answer_question(ANA, signed, recipients=("XC",), at=at)
    assert view.state is (ConsentState.GIVEN if given else ConsentState.REFUSED)
    assert custody.consents_waiting("XA") == ()
    assert len(audit_entries(AuditFilter(deed=deed))) == 1
    with pytest.raises(ConsentError, match="Nobody waits"):
        asking.answer_question(ANA, signed, recipients=("XC",), at=at)


@pytest.mark.usefixtures("at_owner")
def test_no_more_than_was_asked_and_only_by_the_owner(at: datetime) -> None:
    signed = answer(at, until=at + DAY)
    with pytest.raises(ConsentError, match="More recipients"):
        asking.answer_question(ANA, signed, recipients=("XC", "XB"), at=at)
    with pytest.raises(ConsentError, match="Nobody waits"):
        asking.answer_question(BORIS, signed, recipients=("XC",), at=at)
    with pytest.raises(PermissionRefusedError):
        asking.answer_question(replace(NOBODY, administration="XA"), signed, recipients=("XC",), at=at)
    with pytest.raises(TypeError):
        asking.answer_question(ANA, not_a_consent(at), recipients=("XC",), at=at)
    assert len(custody.consents_waiting("XA")) == 1


@pytest.mark.parametrize("handling", ["restricted", "unheard of"])
def test_what_is_sensitive_takes_who_may_approve_sharing(at: datetime, handling: str) -> None:
    asking.take_question(ASKED, asker="XB", agreement="a" * 64, handling=handling, asked_in=name(31), at=at)
    signed = answer(at, until=at + DAY)
    with pytest.raises(PermissionRefusedError):
        asking.answer_question(ANA, signed, recipients=("XC",), at=at)
    supervisor = replace(ANA, roles=frozenset({Role.SUPERVISOR.value}))
    assert asking.answer_question(supervisor, signed, recipients=("XC",), at=at).state is ConsentState.GIVEN
