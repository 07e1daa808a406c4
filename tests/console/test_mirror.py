"""The pages of mirror checks: what was matched, and both sides of it as far as the officer may see."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from django.test import Client

from comity.journeys.actors import this_node
from comity.journeys.arrive import arrive
from comity.risk.mirror_locks import commit_to, export_references, figures_of, lock, new_key, quarter_of
from comity.risk.mirror_views import mirror_matches
from comity.risk.mirroring import asks_due, mark_asked, take_offer, take_values
from comity.risk.values import Source
from comity.trade.mirror import MirrorFigures, MirrorOffer, MirrorValues
from tests.journeys.mirror_cast import EXPORT, IMPORT, paper, priced

pytestmark = pytest.mark.django_db
OFFER, VALUES = "00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"


def _matched(at: datetime) -> int:
    """XC told an export to us, XA; the price differs and was asked for."""
    export = replace(EXPORT, country_dispatch="XC", country_destination="XA")
    import_ = priced(replace(IMPORT, country_dispatch="XC", country_destination="XA"), "9000.00")
    key, content = new_key(), new_key()
    locks = tuple(lock(key, each, content) for each in export_references(export))
    offer = MirrorOffer("XC", quarter_of(at), key, locks, commit_to(content, figures_of(export)))
    source = Source("XC", OFFER, "0" * 64, "1")
    take_offer(offer, source=source, at=at)
    data = base64.b64decode(paper(import_))
    arrive(this_node(), source="api", name="one.xml", data=data, mapping=None, at=at)
    (due,) = asks_due(limit=9)
    mark_asked(due, request_id="request", at=at)
    values = MirrorValues("XC", OFFER, MirrorFigures(value=figures_of(export).value), "26XC1")
    told = replace(source, message_id=VALUES, article="2")
    take_values(values, source=told, in_reply_to="request", at=at)
    return mirror_matches()[0].id


def test_without_any_the_page_says_what_it_needs(as_role: Callable[..., Client]) -> None:
    page = as_role("analyst").get("/mirror").content.decode()
    assert "It needs an agreement with an article on exports as commitments" in page


def test_a_match_shows_both_sides_for_a_purpose(as_role: Callable[..., Client], at: datetime) -> None:
    number = _matched(at)
    client = as_role("analyst")
    listed = client.get("/mirror?differing=1").content.decode()
    assert "the same UCR" in listed
    assert f'href="/mirror/{number}"' in listed
    veiled = client.get(f"/mirror/{number}").content.decode()
    assert "9,000.00 USD" in veiled
    assert "24,000.00" not in veiled
    client.post("/purpose", {"purpose": "risk_assessment", "next": "/"})
    shown = client.get(f"/mirror/{number}").content.decode()
    assert "24,000.00 USD" in shown
    assert "proven to agree, not told" in shown
    assert client.get("/mirror/999").status_code == 404
    # A declaration without places of loading and unloading, as many are.
    assert "Value differs from XC" in client.get(f"/consignments/{mirror_matches()[0].record_id}").content.decode()
