"""Composing: what may be chosen, what is refused and why, and what the choice leaves in the draft."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.agreements import AgreementFormError
from comity.agreements.library import Composition, CompositionError, compose, shipped_library
from comity.agreements.library.parameters import check_value, show_value
from comity.agreements.library.reading import read_common, read_instrument
from comity.agreements.library.shelf import FOLDER
from comity.agreements.library.values import Parameter, ParameterType
from comity.agreements.values import Wording
from comity.trade import Handling
from tests.agreements.library.cast import COMPOSITIONS, composed

MOU = COMPOSITIONS["bilateral-mou"]


def test_a_parameter_of_the_template_reaches_its_articles_and_their_text() -> None:
    found = composed(
        replace(MOU, settings={**MOU.settings, "handling_at_most": "official", "offence_goods": "97 9705"})
    )
    article = found.article("2")
    assert article is not None
    assert article.goods == ("97", "9705")
    assert article.handling_at_most is Handling.OFFICIAL
    assert "HS 97 and HS 9705" in article.text.in_("en")
    assert "SH 97 et SH 9705" in article.text.in_("fr")
    assert "niveau est au plus officiel" in article.text.in_("fr")


def test_one_article_may_be_set_alone() -> None:
    found = composed(replace(MOU, settings={**MOU.settings, "6.size_at_most": "2GiB", "6.retention_days": "30"}))
    files, findings = found.article("6"), found.article("3")
    assert files is not None
    assert findings is not None
    assert (files.size_at_most, files.retention_days) == (2 * 1024**3, 30)
    assert "2,147,483,648 bytes" in files.text.in_("en")
    assert findings.retention_days == 1825


def test_an_article_may_be_left_out_with_what_it_brings() -> None:
    found = composed(replace(MOU, without=("11",)))
    assert found.article("11") is None
    assert "tfa12" not in {each.procedure for each in found.procedures}
    assert not any(each.id.startswith("11-") for each in found.obligations)


def test_the_term_chosen_stands_in_clock_obligation_and_text() -> None:
    found = composed(replace(MOU, settings={**MOU.settings, "answer_within": "45 working_days"}))
    terms = next(each for each in found.procedures if each.procedure == "tfa12")
    owed = next(each for each in found.obligations if each.id == "11-answer")
    article = found.article("11")
    assert article is not None
    assert [(name, term.text) for name, term in terms.clocks] == [("answer", "45 working_days")]
    assert owed.within is not None
    assert owed.within.text == "45 working_days"
    assert "45 jours ouvrables" in owed.title.in_("fr")
    assert "45 working days" in article.text.in_("en")


def test_members_of_light_means_carry_less() -> None:
    found = composed(COMPOSITIONS["regional-initiative"])
    full, light = found.article("6"), found.article("7")
    assert full is not None
    assert light is not None
    assert light.receivers == ("XC",)
    assert (full.size_at_most or 0) > (light.size_at_most or 0)
    assert (full.retention_days or 0) > (light.retention_days or 0)
    outcome = {each.id: each.within.text for each in found.obligations if each.within}
    assert outcome["4-outcome"] == "30 calendar_days"
    assert outcome["5-outcome"] == "180 calendar_days"
    training = next(each for each in found.obligations if each.id == "8-course")
    assert (training.owed_by, training.owed_to) == (("XA", "XB"), ("XC",))


def test_a_reservation_is_worded_in_both_languages() -> None:
    found = composed(replace(MOU, reservations={"XB": ("2", "6")}))
    (reserved,) = found.reservations
    assert (reserved.party, reserved.articles) == ("XB", ("2", "6"))
    assert reserved.text.in_("en") == "XB takes no part in article 2 and 6."
    assert reserved.text.in_("fr").startswith("XB ne participe pas")


def test_one_language_is_enough() -> None:
    found = composed(replace(MOU, settings={**MOU.settings, "languages": "fr"}, reservations={"XA": ("1",)}))
    assert found.languages == ("fr",)
    assert all(article.text.texts[0][0] == "fr" and len(article.text.texts) == 1 for article in found.articles)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {}}, "needs the parameter 'from'"),
        ({"settings": {"from": "2026-02-30"}}, "Write a day of the calendar"),
        ({"settings": {"from": "2026-01-01", "retention_dayz": "9"}}, "Did you mean 'retention_days'"),
        ({"settings": {"from": "2026-01-01", "99.retention_days": "9"}}, "has no article '99'"),
        ({"settings": {"from": "2026-01-01", "6.retention_dayz": "9"}}, "Did you mean 'retention_days'"),
        ({"settings": {"from": "2026-01-01", "6.retention_days": "9"}}, "At least 30 is asked for"),
        ({"settings": {"from": "2026-01-01", "6.retention_days": "4000"}}, "At most 3650 is allowed"),
        ({"settings": {"from": "2026-01-01", "6.retention_days": "many"}}, "Write a whole number"),
        ({"settings": {"from": "2026-01-01", "6.size_at_most": "5GiB"}}, "At most 4GiB is allowed"),
        ({"settings": {"from": "2026-01-01", "handling_at_most": "confidential"}}, "At most restricted is allowed"),
        ({"settings": {"from": "2026-01-01", "handling_at_most": "secret"}}, "Known are: confidential"),
        ({"settings": {"from": "2026-01-01", "answer_within": "9 weeks"}}, "a term such as 90 calendar_days"),
        ({"settings": {"from": "2026-01-01", "answer_within": "2 years"}}, "At most 1 years is allowed"),
        ({"settings": {"from": "2026-01-01", "5.purposes": "statistics"}}, "Known are: control"),
        ({"settings": {"from": "2026-01-01", "offence_goods": "123"}}, "2, 4 or 6 digits"),
        ({"settings": {"from": "2026-01-01", "offence_goods": "30 30"}}, "names one thing twice"),
        ({"settings": {"from": "2026-01-01", "languages": "de"}}, "Known are: en, fr"),
        ({"parties": {"": ("XA",)}}, "At least 1 is asked for"),
        ({"parties": {"": ("XA", "XB", "XC")}}, "no place for XC"),
        ({"parties": {"": ("XA", "XA")}}, "stands in two roles"),
        ({"parties": {"first": ("xa",), "second": ("XB",)}}, "two capital letters"),
        ({"parties": {"frist": ("XA",), "second": ("XB",)}}, "Did you mean 'first'"),
        ({"without": ("44",)}, "has no article '44'"),
        ({"reservations": {"XD": ("1",)}}, "is no party"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_a_remedy(changes: dict[str, object], words: str) -> None:
    with pytest.raises(CompositionError) as caught:
        compose(shipped_library(), replace(MOU, **changes))  # type: ignore[arg-type]  # one field of several types
    assert words in str(caught.value)


def test_a_reservation_of_a_prohibition_is_refused_by_the_form() -> None:
    with pytest.raises(AgreementFormError, match="which prohibits"):
        composed(replace(MOU, reservations={"XB": ("8",)}))


def test_a_list_is_no_single_value() -> None:
    number = Parameter("days", ParameterType.NUMBER, None, Wording(()))
    with pytest.raises(CompositionError, match="is a list"):
        check_value(number, ["1", "2"])
    assert check_value(number, " ") == ""


def test_values_read_well_in_both_languages() -> None:
    assert show_value(ParameterType.TERM, "1 months", "en") == "1 month"
    assert show_value(ParameterType.TERM, "3 hours", "fr") == "3 heures"
    assert show_value(ParameterType.GOODS, (), "en") == "any"
    assert show_value(ParameterType.PARTIES, ("XA",), "fr") == "XA"
    assert show_value(ParameterType.PARTIES, ("XA", "XB", "XC"), "fr") == "chacune de XA, XB et XC"
    assert show_value(ParameterType.KINDS, ("alert/1", "finding/1"), "en") == "alerts and findings"
    assert show_value(ParameterType.RISK_TYPES, ("false_origin",), "fr") == "fausse origine"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("verified: false", "verified: true", "Only tag S can be verified"),
        ("%alert", "%alarm", "There is no set of fields 'alarm'"),
        ("handling_at_most: {default: official}", "handling_at_most: {defualt: official}", "has no 'defualt'"),
        ("      members: {}", "      strangers: {}", "needs a type and a help"),
        ("tag: P", "tag: Q", "there is no 'Q'"),
        ("    article:", "    artikel:", "says 'artikel'"),
    ],
)
def test_a_file_of_clauses_is_read_strictly(old: str, new: str, words: str) -> None:
    common = read_common((FOLDER / "parameters.yaml").read_bytes())
    text = (FOLDER / "clauses" / "kyoto.yaml").read_text()
    assert old in text
    with pytest.raises(AgreementFormError) as caught:
        read_instrument(text.replace(old, new, 1).encode(), common)
    assert words in str(caught.value)


def test_an_unknown_template_is_named() -> None:
    with pytest.raises(Exception, match="customs-union"):
        compose(shipped_library(), Composition("customs-onion", {}))
