"""Releases, receipts, what a body says of itself, and the receiving side; all pure."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest

from comity.agreements import Asking, Decision, Engine, Release, ReleaseForgedError, SharingRefusedError, request_for
from comity.agreements.incoming import Incoming, judge_incoming
from comity.agreements.receipts import receipt_bytes
from comity.agreements.release import release_under
from comity.trade import AlertCategory, Handling
from comity.trade.encoding import alert_from_body, finding_from_body
from comity.trust import CanonicalFormError
from tests.agreements.cast import AT, agreement_of, alert_body, asking, demo, finding_body, permit_article

ENGINE = Engine([demo()])


def released(**changes: object) -> Release:
    answer = release_under(ENGINE, asking(), alert_body(**changes), in_reply_to="some-id")
    assert answer.release is not None
    return answer.release


def test_a_release_holds_what_the_article_lets_through() -> None:
    release = released()
    alert = alert_from_body(release.body)
    assert [(subject.role.value, subject.name) for subject in alert.subjects] == [
        ("consignor", "Blue Heron Trading"),
        ("consignee", ""),
        ("container", ""),
    ]
    assert alert.subjects[1].id == ""
    assert alert.subjects[2].id == "CSQU3054383"
    assert alert.case_ref == ""
    assert alert.exhibits[0].sha256 == "ab" * 32
    assert alert.modus_operandi
    assert release.withheld == ("case_ref", "subjects[consignee].id", "subjects[consignee].name")
    assert release.valid_until == AT + timedelta(days=1095)
    assert (release.article_id, release.made_at, release.in_reply_to) == ("1", AT, "some-id")
    assert b"Grey Otter" not in release.body_bytes + release.decision


def test_a_finding_is_released_without_the_consignee() -> None:
    answer = release_under(ENGINE, Asking("XA", "XC", "finding/1", "control", Handling.OPEN, AT), finding_body())
    assert answer.release is not None
    finding = finding_from_body(answer.release.body)
    assert finding.consignor is not None
    assert finding.consignor.name == "Blue Heron Trading"
    assert finding.consignee is not None
    assert (finding.consignee.name, finding.consignee.country) == ("", "XC")
    assert answer.release.handling is Handling.OFFICIAL


def test_nobody_else_makes_a_release() -> None:
    release = released()
    values = {field.name: getattr(release, field.name) for field in dataclasses.fields(release)}
    with pytest.raises(ReleaseForgedError, match="made by agreements alone"):
        Release(**values)
    with pytest.raises(ReleaseForgedError):
        Release(**values, seal=object())
    with pytest.raises((ReleaseForgedError, ValueError)):
        dataclasses.replace(release, recipient="XD")
    with pytest.raises(dataclasses.FrozenInstanceError):
        release.recipient = "XD"  # type: ignore[misc]


def test_nothing_can_be_added_to_what_was_released() -> None:
    body = alert_body()
    answer = release_under(ENGINE, asking(), body)
    assert answer.release is not None
    answer.release.body["case_ref"] = "CASE-55"
    body["title"] = "Another"
    assert "case_ref" not in answer.release.body
    assert answer.release.body["title"] == "Counterfeit sports shoes"


def test_a_refusal_makes_no_release_but_a_receipt() -> None:
    answer = release_under(ENGINE, asking(purpose="statistics"), alert_body())
    assert answer.release is None
    document = json.loads(answer.receipt)
    assert document["permitted"] is False
    assert document["near_misses"][0]["failed"][0]["code"] == "purpose"
    error = SharingRefusedError(answer.decision)
    assert error.decision is answer.decision
    assert "The purpose is statistics" in str(error)
    nothing = SharingRefusedError(ENGINE.decide(request_for(asking(receiver="XD"), {})), where="somewhere")
    assert str(nothing) == "No article permits alert/1 from XC to XD, whatever the conditions. (somewhere)"


def test_both_nodes_write_the_same_receipt() -> None:
    request = request_for(asking(), alert_body())
    theirs = Engine([demo()])
    assert receipt_bytes(request, ENGINE.decide(request)) == receipt_bytes(request, theirs.decide(request))


def test_a_body_without_canonical_form_is_refused() -> None:
    with pytest.raises(CanonicalFormError):
        release_under(ENGINE, asking(), {**alert_body(), "priority": 1.5})


def test_what_a_body_says_of_itself() -> None:
    request = request_for(asking(handling=Handling.OPEN), alert_body(category=AlertCategory.BUSINESSES))
    assert request.handling is Handling.RESTRICTED
    assert request.hs_codes == ("640411", "640299")
    assert request.origin == "XA"
    assert request.attributes == {"category": "businesses", "risk_type": "counterfeit"}
    assert request.onward_from is None
    finding = request_for(Asking("XC", "XB", "finding/1", "control", Handling.OPEN, AT), finding_body())
    assert finding.onward_from == "XA"
    assert finding.hs_codes == ("640411",)
    assert finding.origin == ""
    assert finding.attributes == {"risk_type": "counterfeit"}


@pytest.mark.parametrize(
    ("body", "handling", "codes", "origin"),
    [
        ({"handling": "secret", "hs_codes": [1, "64"], "route": "XA"}, Handling.CONFIDENTIAL, (), ""),
        ({"handling": 3, "hs_codes": ["64", ""], "route": {"origin": 5}}, Handling.CONFIDENTIAL, (), ""),
        ({"hs_codes": "640411", "route": {}}, Handling.RESTRICTED, ("640411",), ""),
        ({"handling": "open", "hs_codes": []}, Handling.RESTRICTED, (), ""),
        ({"hs_codes": None}, Handling.RESTRICTED, (), ""),
    ],
)
def test_a_body_of_the_wrong_shape_says_nothing(
    body: dict[str, object], handling: Handling, codes: tuple[str, ...], origin: str
) -> None:
    request = request_for(asking(), body)
    assert (request.handling, request.hs_codes, request.origin) == (handling, codes, origin)
    assert request.onward_from == ""


def test_a_kind_that_nobody_knows_says_nothing() -> None:
    request = request_for(asking(kind="rumour/1"), {"ref": "1"})
    assert not ENGINE.decide(request).is_permitted
    assert ENGINE.decide(request).reasons[0].code == "no_article"


def arrive(
    body: dict[str, object], *, article: str = "1", engine: Engine | None = ENGINE, **changes: object
) -> Decision:
    incoming = Incoming(asking(**changes), demo().id, article, body)
    return judge_incoming(engine, incoming)[1]


def test_the_receiver_takes_what_the_article_releases() -> None:
    assert arrive(released().body).is_permitted


def test_the_receiver_refuses_a_field_beyond_the_article_and_names_it() -> None:
    decision = arrive({**released().body, "case_ref": "CASE-55", "gossip": {"a": 1}})
    assert not decision.is_permitted
    assert decision.reasons[0].code == "field_not_released"
    assert decision.reasons[0].text == "Article 1 does not release case_ref, gossip.a."
    assert decision.fields_withheld == ("case_ref", "gossip.a")
    assert decision.fields_released == ()
    many = arrive({**released().body, **{f"extra_{number}": 1 for number in range(10)}})
    assert many.reasons[0].text.endswith("extra_7 and 2 more.")
    consignee = arrive(alert_body(case_ref=""))
    assert "subjects[consignee].name" in consignee.reasons[0].text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"engine": None}, "unknown_agreement"),
        ({"article": "99"}, "no_article"),
        ({"article": "7"}, "no_article"),
        ({"purpose": "statistics"}, "not_permitted"),
        ({"handling": Handling.CONFIDENTIAL}, "prohibited"),
        ({"at": AT.replace(year=2050)}, "not_in_force"),
        ({"at": AT.replace(year=2020)}, "not_in_force"),
        ({"sender": "XA", "receiver": "XC"}, "no_article"),
    ],
)
def test_the_receiver_refuses_with_a_code(changes: dict[str, object], code: str) -> None:
    decision = arrive(released().body, **changes)  # type: ignore[arg-type]
    assert not decision.is_permitted
    assert decision.reasons[0].code == code


def test_an_article_that_has_expired() -> None:
    body = {**released().body, "handling": "open"}
    for name in (
        "subjects",
        "route",
        "exhibits",
        "concealment",
        "reliability",
        "credibility",
        "priority",
        "suggested_action",
        "feedback_due",
    ):
        body.pop(name, None)
    changes: dict[str, object] = {"article": "5", "purpose": "training", "handling": Handling.OPEN}
    assert arrive(body, **changes, at=AT).is_permitted
    late = arrive(body, **changes, at=AT.replace(month=4))
    assert late.reasons[0].code == "not_in_force"
    assert "in force from 2026-03-01 until 2026-03-31" in late.reasons[0].text


def test_two_engines_of_other_agreements_do_not_mix() -> None:
    other = Engine([agreement_of(permit_article())])
    assert judge_incoming(other, Incoming(asking(), demo().id, "1", released().body))[1].reasons[0].code == "no_article"
