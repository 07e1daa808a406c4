"""Registers and the screening over the API."""

from __future__ import annotations

import pytest

from comity.common import utc_now
from comity.registers import ListFormat, ListSource
from comity.registers.services import load_list
from comity.risk.services import assess
from comity.trade import Party
from tests.api.conftest import MakeCaller
from tests.registers.lists import UN
from tests.risk.cast import ANALYST, NODE, declaration, store

NAME = "Orban Tavrsh Kelimdar"


@pytest.fixture
def listed(db: None) -> None:
    load_list(ANALYST, source=ListSource("un", ListFormat.UN, "United Nations", (("un.xml", UN),)), at=utc_now())


def test_without_a_list_nothing_is_found(caller: MakeCaller) -> None:
    officer = caller("officer")
    assert officer.post("/screening", {"name": NAME}).json() == {"items": [], "lists": []}
    assert officer.get("/registers").json() == {"items": []}


def test_a_name_is_screened(caller: MakeCaller, listed: None) -> None:
    officer = caller("officer")
    told = officer.post("/screening", {"name": NAME, "country": "IR"}).json()
    assert told["lists"] == ["un of 2026-02-27"]
    (match,) = told["items"]
    assert match["name"] == "ORBAN TAVROSH KELIMDAR"
    assert {part["feature"] for part in match["parts"]} == {"name", "country"}
    (version,) = officer.get("/registers/un").json()["items"]
    assert (version["entries"], version["published_on"]) == (2, "2026-02-27")


def test_a_hit_is_decided(caller: MakeCaller, listed: None) -> None:
    now = utc_now()
    assess(NODE, record=store(declaration(exporter=Party("XA-1", NAME)), now), at=now)
    officer = caller("officer")
    (found,) = officer.get("/screening/hits").json()["items"]
    body = {"ref": found["ref"], "verdict": "not_same", "reason": "Born in 1990"}
    assert caller("auditor", name="other").post("/screening/decisions", body).status_code == 403
    done = officer.post("/screening/decisions", body).json()
    assert len(done["reassessed"]) == 1
    assert officer.get("/screening/hits").json()["total"] == 0
    assert officer.post("/screening/decisions", body | {"ref": "un:none:1"}).status_code == 409
