"""What risk has to show at XC: lists in force, hits, a partner's export that differs, a past that goods depart from,
what partners taught, a model, a forecast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from comity.common import Actor, ActorKind
from comity.insight.naming import Asked
from comity.insight.requests import choose_candidates, open_request, view_request
from comity.intake import selectors as intake
from comity.journeys.arrive import arrive
from comity.journeys.override import change_lane
from comity.registers import ListFormat, ListSource, RegisterKind
from comity.registers.services import load_list
from comity.risk import Lane
from comity.risk.anomalies import traded, week_of
from comity.risk.backtesting import Past, backtest_profile
from comity.risk.budgets import set_budget
from comity.risk.controls import Budget, ControlKind, Period, monday_of
from comity.risk.hit_advice import Listed, tags_of, take_advice
from comity.risk.hits import decide_hit, hit, open_hits
from comity.risk.mirror_locks import commit_to, export_references, figures_of, lock, new_key, quarter_of
from comity.risk.mirror_views import mirror_matches
from comity.risk.mirroring import asks_due, mark_asked, take_offer, take_values
from comity.risk.modelling.life import enter_model
from comity.risk.modelling.shelves import this_shelf
from comity.risk.models import TradePair, TradePrice, TradeRoute, TradeVolume
from comity.risk.outlook_making import forecasts_turn
from comity.risk.outlook_rules import KINDS
from comity.risk.outlook_views import forecast, outlooks_of
from comity.risk.overriding import LaneChange
from comity.risk.profile_sharing import take_profile
from comity.risk.profiles import digest_of_profile
from comity.risk.reporting import take_report
from comity.risk.screening import Verdict
from comity.risk.values import Source
from comity.trade import Declaration, GoodsItem, HSCode, Money, Party, RiskType
from comity.trade.formats.wco_xml import write_wco_xml
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
from comity.trade.mirror import MirrorFigures, MirrorOffer, MirrorValues
from comity.trade.values import Address
from tests.console.test_models import write_model
from tests.console.world import PEOPLE, TERMINAL
from tests.journeys.mirror_cast import EXPORT, IMPORT, priced
from tests.registers import lists
from tests.risk import outlook_world

SYSTEM = Actor(ActorKind.SYSTEM, "declaration-system", "XC", frozenset({"system"}))
ANA = Actor(ActorKind.OFFICER, "ana", "XC", frozenset(PEOPLE["ana"][1]))
BORIS = Actor(ActorKind.OFFICER, "boris", "XC", frozenset(PEOPLE["boris"][1]))
IMPORTER = Party("XC456", "Kestrel Retail", Address(country="XC"))
LISTED = Party("XA-L1", "Orban Tavrsh Kelimdar", Address(country="XA"))
CONTROLS = (
    b"ref,hs,direction,countries,measure,documents,title,clause,valid_from,valid_until\n"
    b"C-1,6404,import,XA,licence,X002,Sports goods from XA,Order 12 s. 3,2020-01-01,\nbroken row\n"
) + b"".join(b"C-%d,9306%02d,both,*,prohibited,,Cartridges,Order 12 s. 4,,\n" % (row, row) for row in range(2, 60))
RULE = "hs_chapter = '64' and origin = 'XA'"
OFFERS = ("00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b")
VALUES = "00000000-0000-7000-8000-00000000000c"


@dataclass(frozen=True)
class RiskWorld:
    """What pages ask for: a hit that waits, one that is decided, a match, consignments with many reasons, a partner's
    profile, a model that waits, a trader's question, a route of a forecast.
    """

    hit: str
    decided: str
    match: str
    unusual: str
    listed: str
    received_profile: str
    model: str
    question: str
    outlook: str


def extend(agreement_id: str, at: datetime) -> RiskWorld:
    """Fill what the pages of risk show. at: now."""
    _load_lists(at)
    _remember(at)
    listed = _bring("XC-R-1", at, exporter=LISTED, description="Swiftfoot shoes", price="310.00")
    decided, hit = _decide(at)
    unusual = _bring("XC-R-2", at, exporter=Party("XA-77", "Nimbus Goods", Address(country="XA")), price="310.00")
    match = _mirror(agreement_id, at)
    change = LaneChange(Lane.ORANGE, "The scanner answers it: shoes or not")
    change_lane(ANA, record_id=unusual, change=change, at=at)
    backtest_profile(ANA, ref="P-003", past=Past.before(at), at=at)
    _budgets(at)
    learned = (_learn(hit, at), _train(at), _ask(at), _foresee(at))
    return RiskWorld(hit, decided, match, str(unusual), str(listed), *learned)


def _learn(waiting: str, at: datetime) -> str:
    """XA gave a profile, decided on a party like ours, and tells what came of an alert. The profile's name here."""
    digest = digest_of_profile(RULE, 40, "orange", "undervaluation")
    shared = SharedProfile(
        "XA", "P-9", "Cheap shoes", "Act s. 4", RULE_LANGUAGE, RULE, 40, "orange", RiskType.UNDERVALUATION, digest, at
    )
    source = Source("XA", OFFERS[0], "0" * 64, "1")
    ref = take_profile(shared, source=source, until=None, at=at)
    backtest_profile(ANA, ref=ref, past=Past.before(at), at=at)
    view, key = hit(waiting), new_key()
    listed = Listed("UN", "United Nations", view.theirs["entry"])
    told = (HitVerdict.NOT_SAME, HitGround.BIRTH_DATE)
    decision = HitDecision("XA", "UN", listed.publisher, listed.entry, key, tags_of(key, listed, view.ours), *told, at)
    take_advice(decision, source=source, at=at)
    kinds = (FoundKind(RiskType.COUNTERFEIT, 2),)
    report = SignalReport("XA", Told.ALERT, "XC-7", VALUES, 3, 2, at, kinds=kinds, is_closed=True)
    take_report(report, source=source, at=at)
    return ref


def _train(at: datetime) -> str:
    """A model that waits for its second officer."""
    home = Path(settings.COMITY_HOME)
    return enter_model(ANA, folder=write_model(home / "made", administration="XC"), shelf=this_shelf(), at=at)


def _ask(at: datetime) -> str:
    """A trader asks what is held about it; all that may be meant is."""
    dina = replace(ANA, id="dina", roles=frozenset({"data_protection"}))
    made = open_request(dina, reference="Letter 17", asked=Asked(IMPORTER.name, (IMPORTER.id,)), at=at)
    found = view_request(dina, request_id=made.request_id, at=at)
    spellings = [each.spelling for each in found.candidates]
    choose_candidates(dina, request_id=made.request_id, spellings=spellings, at=at)
    return str(made.request_id)


def _foresee(at: datetime) -> str:
    """Forecasts of this week; the number of a route in one."""
    monday = monday_of(at.date())
    outlook_world.keep(replace(outlook_world.past(), first_day=monday - timedelta(weeks=outlook_world.WEEKS)))
    forecasts_turn(at)
    (first, *_others) = outlooks_of(forecast(KINDS[0]))[1]
    return str(first.number)


def _load_lists(at: datetime) -> None:
    loaded = at - timedelta(days=2)
    sources = (
        ListSource("un", ListFormat.UN, "United Nations", (("un.xml", lists.UN),)),
        _csv("aeo", "Customs of Charlie", lists.TRADERS, RegisterKind.TRADERS),
        _csv("dual-use", "Ministry of Trade", CONTROLS, RegisterKind.CONTROLS),
        _csv("marks", "Patent Office", lists.RIGHTS, RegisterKind.RIGHTS),
        _csv("routes", "Foreign Ministry", lists.ROUTES, RegisterKind.ROUTES),
    )
    for source in sources:
        load_list(TERMINAL, source=source, at=loaded)


def _csv(code: str, publisher: str, data: bytes, kind: RegisterKind) -> ListSource:
    return ListSource(code, ListFormat.CSV, publisher, ((f"{code}.csv", data),), kind=kind)


def _remember(at: datetime) -> None:
    """A past as some hundred declarations would have left it."""
    first, shown = at - timedelta(days=200), traded(IMPORT)
    TradePair.objects.create(importer=shown.importer, exporter=shown.exporter, count=41, first_at=first, recent=[])
    chapter = {"chapter": "64", "origin": "", "dispatch": "", "office": ""}
    TradeRoute.objects.update_or_create(**chapter, defaults={"count": 212, "first_at": first})
    prices = [round(math.log(24.0 + number % 5), 4) for number in range(40)]
    TradePrice.objects.update_or_create(hs_code="640411", origin="XA", currency="USD", defaults={"logs": prices})
    weeks = [[week_of(at - timedelta(weeks=back)), 3, 110.0 + back] for back in range(9, 0, -1)]
    TradeVolume.objects.create(importer=shown.importer, count=41, weeks=weeks)


def _bring(lrn: str, at: datetime, *, exporter: Party, price: str, description: str = "Sports shoes") -> object:
    item = GoodsItem(
        1,
        HSCode("640411"),
        description,
        origin="XA",
        gross_mass_kg=Decimal(980),
        net_mass_kg=Decimal(900),
        item_price=Money(Decimal(price), "USD"),
    )
    declaration = Declaration(
        lrn=lrn,
        declaration_type="IMA",
        office="XC000301",
        declarant=Party("XC900", "Broker"),
        exporter=exporter,
        importer=IMPORTER,
        country_dispatch="XA",
        country_destination="XC",
        items=(item,),
    )
    return _arrive(declaration, at)


def _arrive(declaration: Declaration, at: datetime) -> object:
    data = write_wco_xml(declaration)
    arrive(SYSTEM, source="api", name=f"{declaration.lrn}.xml", data=data, mapping=None, at=at)
    return intake.versions(declaration.lrn)[0].record_id


def _decide(at: datetime) -> tuple[str, str]:
    """One hit is decided, a second one waits."""
    first = open_hits().rows[0].ref
    decide_hit(ANA, ref=first, verdict=Verdict.NOT_SAME, reason="Born in 1990, the listed one in 1971", at=at)
    other = Party("XA-L2", "Velmora Shipping Co", Address(country="XA"))
    _bring("XC-R-3", at, exporter=other, price="24300.00")
    return first, open_hits().rows[0].ref


def _mirror(agreement_id: str, at: datetime) -> str:
    """XA told two exports: of one the price differs and was told, the other agrees."""
    differing = _offer(EXPORT, OFFERS[0], agreement_id, at)
    _arrive(priced(IMPORT, "9000.00"), at)
    (due,) = asks_due(limit=9)
    mark_asked(due, request_id="request", at=at)
    values = MirrorValues("XA", OFFERS[0], MirrorFigures(value=figures_of(EXPORT).value), "26XA1")
    take_values(values, source=replace(differing, message_id=VALUES), in_reply_to="request", at=at)
    agreeing = replace(EXPORT, lrn="XA-E-2", mrn="26XA00000000000002", ucr="6XAXA123-2026-000018")
    _offer(agreeing, OFFERS[1], agreement_id, at)
    _arrive(replace(IMPORT, lrn="XC-I-2", mrn="26XC00000000000002", ucr=agreeing.ucr), at)
    return next(str(each.id) for each in mirror_matches() if each.differing)


def _offer(export: Declaration, message_id: str, agreement_id: str, at: datetime) -> Source:
    key, content = new_key(), new_key()
    locks = tuple(lock(key, each, content) for each in export_references(export))
    offer = MirrorOffer("XA", quarter_of(at), key, locks, commit_to(content, figures_of(export)))
    source = Source("XA", message_id, agreement_id, "3")
    take_offer(offer, source=source, at=at)
    return source


def _budgets(at: datetime) -> None:
    monday = monday_of(at.date())
    budget = Budget(amount=60, period=Period.WEEK, office="XC000301", control=ControlKind.PHYSICAL, valid_from=monday)
    set_budget(BORIS, budget=budget, at=at)
    set_budget(BORIS, budget=replace(budget, amount=8, office="", control=ControlKind.SCAN), at=at)
