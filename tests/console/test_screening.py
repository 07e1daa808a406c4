"""The pages of the screening and of registers: empty states, a hit with both sides, its decision by form and by API."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from comity.common import Actor, ActorKind
from comity.registers import ListFormat, ListSource, RegisterKind
from comity.registers.services import load_list
from comity.risk.hits import decide_hit, open_hits
from comity.risk.screening import Verdict
from comity.risk.services import assess
from comity.trade import Party
from comity.trade.values import Address
from tests.registers.lists import ROUTES, UN
from tests.risk.cast import ANALYST, OFFICER, declaration, store

pytestmark = pytest.mark.django_db
NODE = Actor(ActorKind.NODE, "XA", "XA")


@pytest.fixture
def at() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def ref(at: datetime) -> str:
    load_list(ANALYST, source=ListSource("un", ListFormat.UN, "United Nations", (("un.xml", UN),)), at=at)
    routes = ListSource("routes", ListFormat.CSV, "Ministry", (("r.csv", ROUTES),), kind=RegisterKind.ROUTES)
    load_list(ANALYST, source=routes, at=at)
    listed = Party("XA-1", "Orban Tavrsh Kelimdar", Address(country="XA"))
    assess(NODE, record=store(declaration(exporter=listed), at), at=at)
    return open_hits().rows[0].ref


def test_without_a_list_the_pages_say_so(as_role: Callable[..., Client]) -> None:
    client = as_role("officer")
    assert "nobody is screened" in client.get("/screening").content.decode()
    assert "None is loaded" in client.get("/registers").content.decode()


def test_a_hit_is_shown_and_decided(as_role: Callable[..., Client], ref: str) -> None:
    client = as_role("officer")
    listed = client.get("/screening").content.decode()
    assert "Orban Tavrsh Kelimdar" in listed
    assert "ORBAN TAVROSH KELIMDAR" in listed
    shown = client.get("/screening/hit", {"hit": ref}).content.decode()
    assert "Other names" in shown
    assert "LRN-1" in shown
    bare = client.post(f"/screening/hit?hit={ref}", {"verdict": "not_same", "reason": ""})
    assert bare.status_code == 422
    done = client.post(f"/screening/hit?hit={ref}", {"verdict": "not_same", "reason": "Born in 1990"}, follow=True)
    assert "Consignments assessed again: 1" in done.content.decode()
    assert "No hit waits" in done.content.decode()
    assert "Not the same" in client.get("/screening/hit", {"hit": ref}).content.decode()
    assert client.get("/screening/hit", {"hit": "un:none:1"}).status_code == 404


def test_registers_are_shown_with_their_versions(as_role: Callable[..., Client], ref: str) -> None:
    client = as_role("officer")
    listed = client.get("/registers").content.decode()
    assert "United Nations" in listed
    assert "Ministry" in listed
    assert "VELMORA" in client.get("/registers/un", {"q": "velmora"}).content.decode()
    assert client.get("/registers/none").status_code == 404


def test_who_was_found_to_be_another_is_told_so(as_role: Callable[..., Client], ref: str, at: datetime) -> None:
    clerk, supervisor = as_role("data_protection"), as_role("supervisor")
    path = clerk.post("/privacy/requests", {"reference": "Letter 4", "name": "KELIMDAR Orban Tavrsh"}).url
    chosen = {"step": "choose", "spelling": ["Orban Tavrsh Kelimdar · XA-1 · XA"]}
    clerk.post(path, chosen)
    veiled = clerk.get(path).content.decode()
    assert "Comparison with a watch list" in veiled
    assert "ORBAN TAVROSH KELIMDAR" not in veiled, "a hit that waits is for whoever decides what is told"
    assert "ORBAN TAVROSH KELIMDAR" in supervisor.get(path).content.decode()
    decide_hit(OFFICER, ref=ref, verdict=Verdict.NOT_SAME, reason="Born in 1990", at=at)
    told = clerk.get(path).content.decode()
    assert "an officer decided: not the same" in told
    assert "ORBAN TAVROSH KELIMDAR" in told
    for item in re.findall(r'name="item" value="([^"]+)"', supervisor.get(path).content.decode()):
        wish = {"step": "decide", "item": item, "decision": "omit", "ground": "control"}
        assert supervisor.post(path, wish).status_code == 302
    answer = clerk.post(f"{path}/answer", {"language": "fr"}).content.decode()
    assert "Comparaison avec une liste de surveillance" in answer
    assert "pas la même" in answer
