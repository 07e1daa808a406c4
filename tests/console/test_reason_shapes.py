"""Reasons of every source, as risk really makes them, are said in French from their parts; none stays English."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import translation

from comity.common import show_instant
from comity.console import sentences
from comity.console.reason_facts import LABELS, say_facts
from comity.console.reason_shapes import say_again
from comity.console.words import WORDS
from comity.registers import ListFormat, ListSource, RegisterKind
from comity.registers.selectors import in_force
from comity.registers.services import load_list
from comity.risk import FoundReason, SourceKind
from comity.risk.anomalies import Pair, Past, judge, traded, week_of
from comity.risk.mirror_locks import figures_of
from comity.risk.mirror_reasons import reasons_of
from comity.risk.mirroring import ANSWERED, ASK, ASKED, REFUSED
from comity.risk.models import MirrorMatch, MirrorOffering, ScreeningDecision
from comity.risk.registered import registered_reasons
from comity.risk.screening import screening_reasons
from comity.risk.values import Batch
from comity.trade import Declaration, HSCode, Party
from comity.trade.codec import codec_of
from comity.trade.mirror import MirrorFigures
from comity.trade.values import Address, DocumentReference
from tests.journeys.mirror_cast import EXPORT, IMPORT, priced
from tests.registers import lists
from tests.risk.cast import ANALYST, declaration

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
# Said from their parts in test_sentences.py; a model's are its room's.
ELSEWHERE = {SourceKind.PROFILE, SourceKind.ALERT, SourceKind.RANDOM, SourceKind.OFFICER, SourceKind.MODEL}


def unusual() -> list[FoundReason]:
    """Every anomaly, one after the other."""
    shown = traded(IMPORT)
    usual = [round(math.log(24.0 + number % 5), 4) for number in range(40)]
    weeks = [[week_of(AT - timedelta(weeks=back)), 1, 110.0] for back in range(9, 0, -1)]
    chapter = {("64", "", "", ""): 212}
    past = Past(
        importers={shown.importer: 41},
        routes=dict(chapter),
        prices={("640411", "XA", "USD"): usual},
        weeks={shown.importer: weeks},
    )
    found = judge(traded(priced(IMPORT, "8000.00")), past, at=AT, administration="XC")
    found += judge(traded(priced(IMPORT, "80000.00")), past, at=AT, administration="XC")
    then = show_instant(AT - timedelta(days=2))
    small = priced(IMPORT, "780.00")
    just_under = Pair(count=2, first_at=AT, recent=[[then, "6404", 790.0, "USD"]] * 2)
    back = Pair(count=1, first_at=AT, recent=[[then, "6404", 790.0, "USD"]])
    pairs = {(shown.importer, shown.exporter): just_under, (shown.exporter, shown.importer): back}
    return found + judge(traded(small), Past(pairs=pairs), at=AT, administration="XC")


def mirrored() -> list[FoundReason]:
    """Figures that differ, with and without doubt, and what is known to differ without figures."""
    ours = priced(IMPORT, "9000.00", hs_code=HSCode("640299"), origin="XB")
    told = codec_of(MirrorFigures).show(figures_of(EXPORT))
    names = ["value", "hs_codes", "origins"]
    kept = dict.fromkeys(names[1:], True)
    offer = MirrorOffering(issuer="XA", message_id="m-1", agreement="a", article="3")
    match = MirrorMatch(offer=offer, joint="ucr", state=ANSWERED, differing=names, values_article="4")
    match.values = {"figures": told, "kept": kept, "declaration_ref": "26XA1"}
    record = SimpleNamespace(declaration=ours)
    found = reasons_of(match, record)
    for state, differing in ((ASK, ["value"]), (ASKED, names), (ANSWERED, ["hs_codes"]), (REFUSED, names[:2])):
        hidden = MirrorMatch(offer=offer, joint="container", state=state, differing=differing, values={})
        found += reasons_of(hidden, record)
    return found


def batch_of(*declarations: Declaration) -> Batch:
    return Batch(tuple(SimpleNamespace(content=each) for each in declarations), (), "XA", AT, tuple(in_force()))


def screened() -> list[FoundReason]:
    """A name, a name with its country, a number; one that waits and both kinds of decision."""
    load_list(ANALYST, source=ListSource("un", ListFormat.UN, "United Nations", (("un.xml", lists.UN),)), at=AT)
    ofac = (("sdn.csv", lists.SDN), ("alt.csv", lists.ALT), ("add.csv", lists.ADD))
    load_list(ANALYST, source=ListSource("ofac", ListFormat.OFAC, "OFAC", ofac), at=AT)
    batch = batch_of(
        declaration(
            exporter=Party("XA-1", "Orban Tavrsh Kelimdar", Address(country="IR")),
            importer=Party("P0017003", "Milan Karzovin", Address(country="RS")),
        )
    )
    (waiting,) = screening_reasons(batch)
    for place, verdict in enumerate(("not_same", "same")):
        ref = waiting[place % len(waiting)].source_ref
        ScreeningDecision.objects.update(is_current=False)
        ScreeningDecision.objects.create(
            ref=ref,
            list_code="un",
            entry_ref="e",
            subject_key="s",
            verdict=verdict,
            reason="Born in 1990",
            ours={},
            theirs={},
            parts=[],
            decided_by="officer:ana",
            decided_at=AT,
            is_current=True,
        )
        waiting += screening_reasons(batch)[0]
    return waiting


def registered() -> list[FoundReason]:
    """Each register says something, in every shape that it has."""
    kinds = {
        RegisterKind.TRADERS: lists.TRADERS + b"XB-1,Bravo Ltd.,XB,AEOS,XB,,valid,2020-01-01,\n",
        RegisterKind.CONTROLS: lists.CONTROLS,
        RegisterKind.RIGHTS: lists.RIGHTS,
        RegisterKind.SPECIES: lists.SPECIES,
        RegisterKind.ROUTES: lists.ROUTES + b"E-3,*,*,9306,watch,Cartridges anywhere,Note 4,,\n",
    }
    for kind, data in kinds.items():
        source = ListSource(kind.value.replace("_", "-"), ListFormat.CSV, "Ministry", (("r.csv", data),), kind=kind)
        load_list(ANALYST, source=source, at=AT)
    aeo = (DocumentReference(category="AEOF", id="1"),)
    strangers = {"exporter": Party("XA-5", "Nobody"), "importer": Party("XC-5", "Somebody")}
    batch = batch_of(
        declaration(description="Swiftfoot shoes with leopard"),
        declaration(importer=Party("XB-1", "Bravo Ltd."), exporter=Party("XA-5", "Nobody"), country_destination="XD"),
        declaration(hs_code=HSCode("930630"), authorisations=aeo, **strangers),
    )
    return [reason for found in registered_reasons(batch) for reason in found]


MADE: dict[SourceKind, Callable[[], list[FoundReason]]] = {
    SourceKind.ANOMALY: unusual,
    SourceKind.MIRROR: mirrored,
    SourceKind.SCREENING: screened,
    SourceKind.REGISTER: registered,
}
# How many reasons of different shapes each must give, so that none is left out unnoticed.
LEAST = {SourceKind.ANOMALY: 7, SourceKind.MIRROR: 7, SourceKind.SCREENING: 4, SourceKind.REGISTER: 9}


@pytest.fixture
def french() -> Iterator[None]:
    with translation.override("fr"):
        yield


def test_every_source_has_its_word_and_its_sentences():
    assert set(MADE) | ELSEWHERE == set(SourceKind)
    assert {kind.value for kind in SourceKind} <= set(WORDS)


@pytest.mark.parametrize("kind", MADE)
def test_no_reason_stays_english(french: None, kind: SourceKind):
    found = MADE[kind]()
    assert len({(each.title, each.text) for each in found}) >= LEAST[kind]
    for reason in found:
        said = [sentences.say_reason(reason), sentences.say_beside(reason), sentences.say_first(reason)]
        said += [sentences.say_evidence(each) for each in reason.evidence]
        assert [each.text for each in said if each.is_foreign] == [], reason.text
        assert sentences.say_title(reason).text != reason.title or ": " in reason.title, reason.title
        assert {label for label, _ in reason.facts} - set(LABELS) <= {"Subject key"}
        assert "Subject key" not in dict(say_facts(reason.facts))
    with translation.override("en"):
        for reason in found:
            assert sentences.say_reason(reason).text == reason.text
            assert sentences.say_title(reason).text == reason.title


def test_what_is_said(french: None):
    made = (*unusual(), *mirrored(), *screened(), *registered())
    texts = " ".join(" ".join(sentences.say_reason(each).text for each in made).split())  # all spaces alike
    assert "Kestrel Retail n'a encore jamais commercé avec Blue Heron Trading" in texts
    assert "Valeur : 9 000,00 USD ici, 24 000,00 USD dans la déclaration d'exportation : 38 %" in texts
    assert (
        "Exportateur ‘Orban Tavrsh Kelimdar’ ressemble à ‘ORBAN TAVROSH KELIMDAR’ (liste un du 27 fév. 2026)" in texts
    )
    assert "par ana : pas identiques, Born in 1990" in texts
    assert "va de XA vers XD : Embargo on XD (routes du 2 mars 2026)" in texts
    assert say_again("The moon is full") == ""
