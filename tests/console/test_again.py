"""After a correction: what waits to be handed on again, its one button, and putting it aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from comity.common import Actor, ActorKind, new_id
from comity.custody import ConsentNotice, SuccessorState
from comity.custody import selectors as custody
from comity.custody import successors as succeeding
from comity.custody.models import Consent, Holding
from comity.custody.notices import sign_consent
from comity.exchange import selectors as exchange
from comity.node.standing import standing_of_node
from comity.staff.models import AuditEntry
from tests.console import custody_world
from tests.console import world as made
from tests.console.custody_world import Custody, correct
from tests.console.visiting import enter, text_of

# What the database does is tried in tests/custody on both.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
ANA = Actor(ActorKind.OFFICER, "ana", "XC", frozenset({"liaison"}))


@pytest.fixture(scope="module")
def held(xc: datetime) -> Custody:
    return custody_world.extend(made.build(xc, size=4))


@pytest.fixture(autouse=True)
def put_back(held: Custody, taken_back: None) -> Iterator[None]:
    """XA's next envelope has the same number for every test."""
    number = held.number
    yield
    held.number = number


@pytest.fixture
def new(held: Custody) -> str:
    """XA corrected its alert, which we had handed on to XB with its consent."""
    return correct(held, held.received)


def let_on(held: Custody, message_id: str) -> None:
    """XA lets the new one on to XB without being asked."""
    until = held.at + timedelta(days=9)
    notice = ConsentNotice(str(new_id(held.at)), message_id, "XA", "XC", ("XB",), held.at, True, until)  # noqa: FBT003
    held.receive("consent/1", sign_consent(notice, custody_world._ring("XA").signing).to_body())


def test_nothing_waits_and_the_page_says_so(held: Custody) -> None:
    assert "Nothing waits to be handed on again." in text_of(enter("ana").get("/recalls?show=again"))


def test_the_one_button_asks_its_origin_where_the_article_needs_it(held: Custody, new: str) -> None:
    client = enter("ana")
    answer = client.get("/recalls")
    page = text_of(answer)
    assert "XA corrected what we handed on to XB. Hand on the new one?" in page
    assert "What it says is wrong" in page
    assert "with the consent of XA" in page
    assert f'href="/messages/{new}/ask-consent?to=XB"' in answer.content.decode()
    assert 'data-count="recalls">3<' in answer.content.decode().replace(" hidden", ""), "with what XB and XA wait for"
    assert "1 corrected message is to be handed on again" in text_of(client.get("/"))
    assert ("to hand on again", "waiting") in {(each.title, each.state) for each in standing_of_node(at=held.at)}
    assert "Hand on the new one?" in text_of(client.get(f"/messages/{new}"))
    assert "The corrected message It is here" in text_of(client.get(f"/messages/{held.received}"))
    client.post(f"/messages/{new}/ask-consent", {"recipients": ["XB"], "reason": "They had the old one"})
    assert "XA was asked for its consent." in text_of(client.get("/recalls?show=again"))
    Consent.objects.filter(message_id=new).update(state="refused")
    refused = text_of(client.get("/recalls?show=again&partner=XB"))
    assert "consent refused" in refused
    assert "Ask XA for consent" in refused
    assert "Hand on the new one?" not in text_of(client.get("/recalls?show=overdue"))


def test_once_its_origin_has_let_it_on_it_is_handed_on_and_nobody_is_reminded(held: Custody, new: str) -> None:
    let_on(held, new)
    client = enter("ana")
    listed = client.get("/recalls?show=again")
    assert "XA has given its consent." in text_of(listed)
    address = f"/messages/{new}/hand-on?to=XB"
    assert f'href="{address}"' in listed.content.decode()
    assert client.get(address).content.decode().count("checked") == 1
    data = {"recipients": ["XB"], "purpose": "control", "step": "preview"}
    assert "given by XA, signed" in text_of(client.post(f"/messages/{new}/hand-on", data))
    client.post(f"/messages/{new}/hand-on", {**data, "step": "send"})
    assert "Nothing waits to be handed on again." in text_of(client.get("/recalls?show=again"))
    assert [each.state for each in succeeding.successors()] == [SuccessorState.HANDED_ON]


def test_it_is_put_aside_with_a_reason(held: Custody, new: str) -> None:
    client = enter("ana")
    address = f"/messages/{new}/put-aside/XB"
    assert "XB then has neither the old message nor the new one from us" in text_of(client.get(address))
    empty = client.post(address, {"reason": ""})
    assert (empty.status_code, "Say why, in one sentence" in text_of(empty)) == (422, True)
    done = client.post(address, {"reason": "XB has it from XA itself"}, follow=True)
    assert "Put aside. Nobody is reminded of it again." in text_of(done)
    assert "Nothing waits to be handed on again." in text_of(done)
    assert "Not handed on to XB: XB has it from XA itself" in text_of(client.get(f"/messages/{new}"))
    assert AuditEntry.objects.filter(deed="put_successor_aside").count() == 1
    assert client.get(address).status_code == 409


def test_who_had_it_from_another_knows_from_whom_the_new_one_is_expected(held: Custody, new: str) -> None:
    Holding.objects.filter(message_id=held.received, holder="XC").update(via="XB")
    Holding.objects.filter(message_id=new).update(message_id=str(new_id(held.at)))
    page = text_of(enter("ana").get(f"/messages/{held.received}"))
    assert "It has not come yet. XA sent it to XB, from whom we had the old one" in page
    assert "We have an agreement with XA, too" in page


def test_an_officer_who_corrects_lets_those_have_the_new_one_who_had_the_old_one(held: Custody) -> None:
    """XC's own alert: XA has it from us, and handed it on to XB."""
    client = enter("ana")
    form = client.get(f"/share?corrects={held.sent_xa}").context["form"]
    data = {**form.initial, "days": 30, "agreement": held.agreement_id, "title": "Counterfeit boots", "step": "send"}
    address = client.post("/share", data).url
    replacement = address.rpartition("=")[2]
    assert "for 30 days, without asking: XB (from XA)" in text_of(client.get(address))
    chosen = {"messages": [held.sent_xa], "ground": "information_wrong", "mode": "correct", "replacement": replacement}
    take_back = f"/messages/{held.sent_xa}/take-back"
    sure = client.post(take_back, {**chosen, "let_on": "on", "step": "preview"})
    assert "XA may hand the corrected one on to it without asking." in text_of(sure)
    client.post(take_back, {**chosen, "let_on": "on", "step": "send"})
    given = custody.consent_covering("XC", replacement, "XB", held.at)
    assert given is not None
    assert (given.asker, given.recipients) == ("XA", ("XB",))
    assert [line.partner for line in exchange.messages(kind="consent/1", direction="sent")] == ["XA"]


def test_a_file_is_not_handed_on_and_every_page_says_so(held: Custody) -> None:
    client = enter("ana")
    page = text_of(client.get(f"/messages/{held.offer}"))
    assert "A file is not handed on: it is sealed to whom XA shared it with." in page
    assert f"/messages/{held.offer}/hand-on" not in page
    for step in ("preview", "send"):
        data = {"recipients": ["XB"], "purpose": "evidence", "step": step}
        refused = client.post(f"/messages/{held.offer}/hand-on", data)
        assert refused.status_code == 422
        assert "A file is not handed on: it is sealed to whom its origin shared it with" in text_of(refused)


def test_in_french(held: Custody, new: str) -> None:
    client = enter("ana")
    client.post("/language", {"language": "fr", "next": "/"})
    page = text_of(client.get("/recalls?show=again"))
    assert "XA a corrigé ce que nous avions transmis à XB. Transmettre le nouveau ?" in page
    assert "Demander le consentement de XA" in page
