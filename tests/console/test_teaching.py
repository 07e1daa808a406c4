"""The pages of shared knowledge: giving a profile, a partner's profile, asking and telling about hits, reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from comity.risk.backtesting import Past
from comity.risk.hit_advice import Listed, new_key, tags_of, take_advice
from comity.risk.hits import hit, open_hits
from comity.risk.profile_sharing import take_profile
from comity.risk.profiles import digest_of_profile
from comity.risk.reporting import take_report
from comity.risk.services import approve_profile, backtest_profile, draft_profile
from comity.risk.values import Source
from comity.trade import Party, RiskType
from comity.trade.knowledge import (
    RULE_LANGUAGE,
    FoundKind,
    HitDecision,
    HitGround,
    HitVerdict,
    SharedProfile,
    SignalReport,
    Told,
)
from comity.trade.values import Address
from tests.exchange.cast import adopt_demo, introduce
from tests.risk.cast import ANALYST, SUPERVISOR, declaration
from tests.risk.conftest import draft_of
from tests.risk.test_screening import UN, explained, load

pytestmark = pytest.mark.django_db
MESSAGE = "00000000-0000-7000-8000-00000000000c"
RULE = "hs_chapter = '64'"


def _stated(client: Client) -> Client:
    client.post("/purpose", {"purpose": "risk_assessment", "next": "/"})
    return client


def _received(at: datetime) -> None:
    digest = digest_of_profile(RULE, 40, "orange", "undervaluation")
    shared = SharedProfile(
        "XC", "P-9", "Cheap shoes", "Act s. 4", RULE_LANGUAGE, RULE, 40, "orange", RiskType.UNDERVALUATION, digest,
        at,
    )  # fmt: skip
    take_profile(shared, source=Source("XC", MESSAGE, "0" * 64, "1"), until=None, at=at)


def test_a_partner_s_profile_says_whose_it_is_and_shows_its_rule_for_a_purpose(
    as_role: Callable[..., Client], at: datetime
) -> None:
    _received(at)
    client = as_role("analyst", "liaison")
    veiled = client.get("/profiles/XC.P-9").content.decode()
    assert "It came from XC and does nothing yet." in veiled
    assert "hs_chapter" not in veiled
    assert "hs_chapter" not in client.get("/profiles").content.decode()
    shown = _stated(client).get("/profiles/XC.P-9").content.decode()
    assert "hs_chapter" in shown
    assert digest_of_profile(RULE, 40, "orange", "undervaluation") in shown
    assert client.get("/profiles/write?ref=XC.P-9").status_code >= 400


def test_a_partner_s_profile_runs_under_a_law_of_ours_or_not_at_all(
    as_role: Callable[..., Client], at: datetime
) -> None:
    _received(at)
    backtest_profile(ANALYST, ref="XC.P-9", past=Past.before(at), at=at)
    client = _stated(as_role("supervisor"))
    refused = client.post("/profiles/XC.P-9/approve", {"legal_basis": " "})
    assert refused.status_code == 422
    assert "State the law of ours by which it runs here" in refused.content.decode()
    assert client.post("/profiles/XC.P-9/approve", {"legal_basis": "Code des douanes, art. 60"}).status_code == 302
    shown = client.get("/profiles/XC.P-9").content.decode()
    assert "Code des douanes, art. 60" in shown
    assert "Legal basis at XC</dt><dd>Act s. 4" in shown


def test_a_profile_is_given_after_what_would_be_released_was_seen(as_role: Callable[..., Client], at: datetime) -> None:
    introduce("XC")
    adopt_demo()
    draft_profile(ANALYST, draft=draft_of(at), at=at)
    backtest_profile(ANALYST, ref="P-1", past=Past.before(at), at=at)
    approve_profile(SUPERVISOR, ref="P-1", at=at)
    client = as_role("analyst", "liaison")
    assert 'href="/profiles/P-1/share"' in client.get("/profiles/P-1").content.decode()
    wish = {"recipients": ["XC"], "purpose": "control", "handling": "official"}
    assert client.post("/profiles/P-1/share", {"step": "preview"}).status_code == 422
    # The demo's agreement has no article on profiles.
    told = client.post("/profiles/P-1/share", wish | {"step": "preview"}).content.decode()
    assert "Sending is possible only when every recipient is permitted" in told
    refused = client.post("/profiles/P-1/share", wish | {"step": "send"})
    assert refused.status_code == 409
    assert "No article" in refused.content.decode()


def test_a_partner_s_decision_stands_beside_our_hit_as_advice(as_role: Callable[..., Client], at: datetime) -> None:
    load("un", UN, at)
    explained(declaration(exporter=Party("XA-1", "Orban Tavrsh Kelimdar", Address(country="XA"))), at)
    (row,) = open_hits().rows
    view = hit(row.ref)
    listed, key = Listed("UN", "Publisher", view.theirs["entry"]), new_key()
    tags = tags_of(key, listed, view.ours)
    decision = HitDecision(
        "XC", "UN", "Publisher", listed.entry, key, tags, HitVerdict.NOT_SAME, HitGround.BIRTH_DATE, at
    )
    take_advice(decision, source=Source("XC", MESSAGE, "0" * 64, "17"), at=at)
    client = as_role("officer", "liaison")
    url = reverse("console:screening_hit") + f"?hit={row.ref}"
    veiled = client.get(url).content.decode()
    assert "State your purpose to read it" in veiled
    listed_page = client.get(reverse("console:screening")).content.decode()
    assert "XC decided." in listed_page
    assert "XC: Not the same" not in listed_page
    assert "XC: Not the same" in _stated(client).get(reverse("console:screening")).content.decode()
    shown = _stated(client).get(url).content.decode()
    assert "XC decided on" in shown
    assert "The birth date" in shown
    assert "This is advice" in shown
    assert open_hits().total == 1
    asked = client.get(reverse("console:ask_hit") + f"?hit={row.ref}").content.decode()
    assert "The party is not named" in asked
    told = client.post(url, {"verdict": "not_same", "ground": "birth_date", "reason": "Born in 1990"})
    assert told.status_code == 302
    assert client.get(reverse("console:tell_hit") + f"?hit={row.ref}").status_code == 200


def test_the_partner_page_shows_what_became_of_ours(as_role: Callable[..., Client], at: datetime) -> None:
    introduce("XC")
    report = SignalReport(
        "XC", Told.ALERT, "XA-7", MESSAGE, 3, 2, at, kinds=(FoundKind(RiskType.COUNTERFEIT, 2),), is_closed=True
    )
    take_report(report, source=Source("XC", MESSAGE, "0" * 64, "18"), at=at)
    client = as_role("liaison")
    bare = client.get("/partners/XC").content.decode()
    assert "2 of 3 controls confirmed one" in bare
    assert "XA-7" not in bare
    shown = _stated(client).get("/partners/XC").content.decode()
    assert "XA-7" in shown
    assert "It targets no more there." in shown
