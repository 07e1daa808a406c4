"""What risk and agreements say in English is said again in French, from its parts; what is not known stays English."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from django.utils import translation

from comity.agreements import Engine, SharingRequest, parse_agreement
from comity.common import Reason
from comity.console import sentences
from comity.console.deeds import particulars_of, subject_of
from comity.console.forms import ConsoleForm
from comity.console.reason_facts import say_fact
from comity.console.templatetags import comity as tags
from comity.console.verdicts import say_verdict
from comity.risk import Cause, Evidence, FoundReason, Lane, SourceKind, parse_rule
from comity.risk.rules import AfterRelease, Reliability
from comity.risk.wording import evidence_of, label_of
from comity.trade import Handling
from comity.trade.facts import FACT_TYPES
from tests.console.world import agreement_yaml

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FACTS = dict.fromkeys(FACT_TYPES) | {
    "hs_code": "640411",
    "hs_chapter": "64",
    "origin": "XA",
    "unit_price_per_kg": 6.78,
    "item_currency": "USD",
    "item_no": 2,
    "net_mass_kg": 1200.5,
    "gross_mass_kg": 1300.0,
    "item_price": 8139.39,
    "packages": 12,
    "description": "Sports shoes",
    "has_aeo_authorisation": False,
    "accepted_at": AT,
}


@pytest.fixture
def french() -> Iterator[None]:
    with translation.override("fr"):
        yield


def evidence(expression: str) -> tuple[Evidence, ...]:
    return evidence_of(parse_rule(expression, FACT_TYPES), FACTS)


def test_every_fact_has_its_label_and_the_english_one_is_risks_own():
    assert set(sentences.COLUMNS) == set(FACT_TYPES)
    assert {name: str(label) for name, label in sentences.COLUMNS.items()} == {
        name: label_of(name) for name in FACT_TYPES
    }


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("unit_price_per_kg < 10", "Prix unitaire : 6,78 USD/kg, au-dessous de 10"),
        ("unit_price_per_kg <= 6.80", "Prix unitaire : 6,78 USD/kg, au plus 6,80"),
        ("net_mass_kg > 1000", "Masse nette : 1200,50 kg, au-dessus de 1000"),
        ("packages >= 12", "Colis : 12, au moins 12"),
        ("net_mass_kg between 1000.5 and 2000", "Masse nette : 1200,50 kg, entre 1000,5 et 2000"),
        ("not (packages between 1 and 5)", "Colis : 12, et non entre 1 et 5"),
        ("hs_chapter = '64'", "Chapitre SH : 64"),
        ("hs_chapter <> '61'", "Chapitre SH : 64, et non 61"),
        ("origin in ('XA', 'XB')", "Origine : XA, l'une des valeurs XA, XB"),
        ("origin not in ('XB', 'XC')", "Origine : XA, hors des valeurs XB, XC"),
        ("starts_with(hs_code, '6404')", "Code SH : 640411, qui commence par 6404"),
        ("not starts_with(hs_code, '61')", "Code SH : 640411, qui ne commence pas par 61"),
        ("contains(description, 'shoes')", "Désignation : Sports shoes, qui contient ‘shoes’"),
        ("not contains(description, 'boots')", "Désignation : Sports shoes, qui ne contient pas ‘boots’"),
        ("mrn is null", "MRN : aucune indication"),
        ("origin is not null", "Origine : indication présente"),
        ("not has_aeo_authorisation", "Autorisation OEA : non"),
        ("gross_mass_kg > net_mass_kg", "Masse brute : 1300 kg, au-dessus de masse nette 1200,50"),
        ("item_price / net_mass_kg < 10", "item_price / net_mass_kg : 6,78, au-dessous de 10"),
    ],
)
def test_what_a_rule_compared(french: None, expression: str, expected: str):
    (found,) = evidence(expression)
    assert sentences.say_evidence(found) == sentences.Said(expected)
    with translation.override("en"):
        assert sentences.say_evidence(found) == sentences.Said(found.text)


def test_an_unknown_sentence_stays_english_and_says_so(french: None):
    odd = Evidence("The moon is full", "moon", "full", "shines on", "us")
    assert sentences.say_evidence(odd) == sentences.Said("The moon is full", is_foreign=True)
    assert tags.compared(odd) == '<span lang="en">The moon is full</span>'
    with translation.override("en"):
        assert tags.compared(odd) == "The moon is full"


def reason(kind: SourceKind, text: str, evidence: tuple[Evidence, ...] = (), **more: object) -> FoundReason:
    fixed: dict[str, object] = {"source_ref": "P-1", "title": "Shoes", "administration": "XC", **more}
    return FoundReason(source_kind=kind, text=text, weight=1.0, lane=Lane.RED, evidence=evidence, **fixed)


def test_a_profiles_sentence_is_joined_again(french: None):
    found = evidence("hs_chapter = '64' and unit_price_per_kg < 10")
    text = "; ".join(each.text for each in found) + " (and 2 more goods items)"
    told = reason(SourceKind.PROFILE, text, (*found, *found))
    both = "Chapitre SH : 64\u00a0; Prix unitaire : 6,78 USD/kg, au-dessous de 10"
    assert sentences.say_reason(told).text == f"{both} (et 2 autres articles)"
    assert sentences.say_beside(told).text == "Et 2 autres articles"
    assert sentences.say_first(told).text == f"Shoes\u00a0: {both} (et 2 autres articles)"
    with translation.override("en"):
        assert sentences.say_beside(told).text == "And 2 more goods items"
        assert sentences.say_first(told).text == f"Shoes: {text}"
    changed = reason(SourceKind.PROFILE, "Something else", found)
    assert sentences.say_reason(changed) == sentences.Said("Something else", is_foreign=True)
    assert sentences.say_beside(changed) == sentences.Said("Something else", is_foreign=True)


def test_how_a_record_was_selected(french: None):
    facts = (("Seed", "ab" * 32), ("Draw", "0.073327106"), ("Random share", "10%"))
    drawn = reason(
        SourceKind.RANDOM, "Selected at random", title="Random control", source_ref="2026-03-02", facts=facts
    )
    assert sentences.say_title(drawn).text == "Contrôle aléatoire"
    assert "Sélectionné au hasard le 2 mars 2026 : son tirage 0,073327" in sentences.say_reason(drawn).text
    assert [say_fact(*each) for each in facts][1:] == [
        ("Tirage", "0,073327106"),
        ("Part aléatoire", "10\u00a0%"),
    ]
    own = reason(SourceKind.OFFICER, "The seal looks odd", title="Selected by an officer")
    assert sentences.say_title(own).text == "Sélectionné par un agent"
    assert sentences.say_reason(own) == sentences.Said("The seal looks odd")
    bare = reason(SourceKind.RANDOM, "Selected at random")
    assert sentences.say_reason(bare) == sentences.Said("Selected at random", is_foreign=True)


def test_facts_of_an_alert(french: None):
    assert say_fact("Grade", "B2 (source B, information 2)")[1] == "B2 (source B, information 2)"
    assert say_fact("Measured reliability", str(Reliability("XA", 1, 0))) == (
        "Fiabilité mesurée",
        "0,67 (1 résultat)",
    )
    assert say_fact("Suggested action", "select_for_control")[1] == "sélectionner pour contrôle"
    assert say_fact("Owner", "Targeting centre") == ("Responsable", "Targeting centre")
    earlier = Evidence("Earlier alerts of XA were confirmed by 1 of 3 controls", "", "0.40", "measured reliability")
    assert sentences.say_evidence(earlier).text == (
        "Alertes antérieures de XA : contrôles qui les ont confirmées : 1 sur 3"
    )


def engine() -> Engine:
    return Engine([parse_agreement(agreement_yaml())])


def asked(**changes: object) -> SharingRequest:
    usual: dict[str, object] = {
        "sender": "XC",
        "receiver": "XA",
        "kind": "alert/1",
        "purpose": "control",
        "handling": Handling.OFFICIAL,
        "at": AT,
        "attributes": {"category": "commodities", "risk_type": "counterfeit"},
    }
    return SharingRequest(**{**usual, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"handling": Handling.CONFIDENTIAL},
        {"attributes": {"category": "persons"}},
        {"attributes": {}},
        {"purpose": "statistics"},
        {"purpose": ""},
        {"purpose": "training"},
        {"purpose": "investigation", "hs_codes": ("640411",)},
        {"sender": "XQ"},
        {"receiver": "XB", "kind": "finding/1", "handling": Handling.CONFIDENTIAL},
        {"onward_from": "XB"},
        {"at": datetime(2099, 1, 1, tzinfo=UTC)},
    ],
)
def test_every_reason_of_an_agreement_is_said_in_french(french: None, changes: dict[str, object]):
    found = engine().explain(asked(**changes))
    reasons = [*found.decision.reasons, *(each for miss in found.near_misses for each in miss.failed)]
    assert reasons
    assert [each.text for each in reasons if say_verdict(each).is_foreign] == []
    with translation.override("en"):
        told = " ".join(say_verdict(each).text for each in reasons)
        assert "risk_assessment" not in told
        assert not any(say_verdict(each).is_foreign for each in reasons)


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        (
            "The handling is confidential; prohibited is restricted and above.",
            "Le niveau de protection est « confidentiel » ; tout est interdit à partir de « restreint ».",
        ),
        (
            "The purpose is not stated; the article asks for control or risk_assessment.",
            "La finalité est « non indiqué » ; l'article exige « contrôle ou analyse de risque ».",
        ),
        (
            "The day is 2026-03-02; the article is in force from 2026-04-01.",
            "Nous sommes le 2 mars 2026 ; l'article est en vigueur à partir du 1 avr. 2026.",
        ),
        (
            "No article permits alert/1 from XC to XA, whatever the conditions.",
            "Aucun article ne permet « Alerte » de XC à XA, quelles que soient les conditions.",
        ),
    ],
)
def test_sentences_of_agreements(french: None, english: str, expected: str):
    assert say_verdict(Reason("any", english)).text.replace("\u00a0", " ") == expected


def test_in_english_words_and_days_are_for_people():
    purpose = Reason("purpose", "The purpose is control; the article asks for risk_assessment.")
    assert say_verdict(purpose).text == "The purpose is “control”; the article asks for “risk assessment”."
    day = Reason("valid", "The day is 2026-03-02; the article is in force from 2026-04-01.")
    assert say_verdict(day).text == "The day is 2 Mar 2026; the article is in force from 1 Apr 2026."
    titled = Reason("prohibited", "Article 6, No alerts on persons, prohibits it.")
    assert say_verdict(titled).text == titled.text
    assert not say_verdict(Reason("new", "Ask again.")).is_foreign


def test_an_agreements_sentence_of_another_shape_is_marked(french: None):
    assert tags.sentence(Reason("new", "Ask <again>.")) == '<span lang="en">Ask &lt;again&gt;.</span>'
    nearest = "No article permits alert/1 from XC to XA so; article 1 is nearest. The moon is full."
    assert say_verdict(Reason("not_permitted", nearest)).is_foreign


def test_what_a_room_refuses_is_marked_in_forms(french: None):
    form = ConsoleForm({})
    form.is_valid()
    form.add_error(None, tags.english("No <such> thing"))
    assert '<span lang="en">No &lt;such&gt; thing</span>' in str(form.non_field_errors())


def test_deeds_of_the_audit():
    agreement = subject_of("agreement:" + "ab" * 32)
    assert (agreement.label, agreement.value) == ("agreement", "abababababab…")
    assert agreement.whole == "ab" * 32
    assert agreement.url.startswith("/agreements/abab")
    assert (subject_of("alert/1 to XA").label, subject_of("alert/1 to XA").value) == ("Alert", "to XA")
    assert subject_of("XC-I-2026-000001").value == "XC-I-2026-000001"
    facts = {"purpose": "risk_assessment", "roles": "analyst, liaison", "proposed_by": "officer:chipo", "reason": ""}
    assert [(each.label, each.value) for each in particulars_of(facts)] == [
        ("purpose", "risk assessment"),
        ("roles", "analyst, liaison officer"),
        ("proposed by", "chipo"),
    ]


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_of_a_selection_has_its_sentence(french: None, cause: Cause):
    explained = SimpleNamespace(
        cause=cause, after=AfterRelease.NONE, day=date(2026, 3, 2), draw=0.5, seed="ab", selection="English"
    )
    assert "lectionné" in sentences.say_selection(explained).text
