"""What ships: every clause works alone, every template passes the look-over, every case passes, nothing claims more."""

from __future__ import annotations

import re

import pytest

from comity.agreements import Engine, Gravity, look_over, parse_agreement, run_case
from comity.agreements.library import (
    UnknownClauseError,
    clause_of,
    compose,
    read_case_file,
    shipped_cases,
    shipped_library,
    template_of,
    text_of,
    values_by_default,
)
from comity.agreements.library.shelf import FOLDER
from comity.agreements.library.values import Clause
from comity.agreements.procedures import procedure, procedure_names
from tests.agreements.library.cast import COMPOSITIONS, alone, composed

CLAUSES = shipped_library().clauses


def test_the_instruments_of_the_field_are_all_there() -> None:
    found = {each.id: len(each.clauses) for each in shipped_library().instruments}
    assert set(found) == {
        "tfa12",
        "wco-model",
        "nairobi",
        "johannesburg",
        "naples2",
        "kyoto",
        "safe",
        "ipr",
        "usmca",
        "eu515",
        "regions",
        "neighbours",
        "operations",
    }
    assert sum(found.values()) >= 55
    assert len({clause.id for clause in CLAUSES}) == sum(found.values())


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_a_clause_alone_makes_an_agreement_without_errors(clause: Clause) -> None:
    agreement = alone(clause)
    remarks = [each for each in look_over(agreement) if each.gravity is not Gravity.NOTE]
    assert remarks == []
    (article,) = agreement.articles
    assert (article.source, article.tag, article.is_verified) == (clause.source, clause.tag, clause.is_verified)
    for language in ("en", "fr"):
        text = article.text.in_(language)
        assert "{" not in text
        assert "$" not in text
        assert text[0] == text[0].upper()
    assert article.text.in_("en") != article.text.in_("fr")


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_the_text_names_every_parameter_that_it_can(clause: Clause) -> None:
    """What the parties choose stands in the text for people too, in both languages."""
    silent = {"onward", "purposes", "goods", "outcome_within", "size_at_most", "sender", "members"}
    for language in ("en", "fr"):
        named = set(re.findall(r"\{([a-z_]+)\}", clause.text.in_(language)))
        names = {each.name for each in clause.parameters}
        assert named <= names
        assert names - named <= silent
    assert set(re.findall(r"\{([a-z_]+)\}", clause.text.in_("en"))) == set(
        re.findall(r"\{([a-z_]+)\}", clause.text.in_("fr"))
    )


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_no_clause_is_said_to_be_verified_and_every_parameter_explains_itself(clause: Clause) -> None:
    assert not clause.is_verified
    assert clause.source
    for parameter in clause.parameters:
        assert parameter.help.in_("en") != parameter.help.in_("fr")
    assert "{" not in text_of(clause, values_by_default(clause, ("XA", "XB")), "fr")


def test_johannesburg_says_that_it_is_not_in_force() -> None:
    instrument = next(each for each in shipped_library().instruments if each.id == "johannesburg")
    assert "NOT IN FORCE" in instrument.standing.in_("en")
    for clause in instrument.clauses:
        assert "not in force" in clause.note.in_("en")
        assert "not in force" in clause.source


def test_the_procedures_and_clocks_that_clauses_bring_exist() -> None:
    brought = [named for clause in CLAUSES for named in clause.procedures]
    assert len(brought) >= 10
    for named in brought:
        assert named["procedure"] in procedure_names()
        clocks = named.get("clocks", {})
        assert isinstance(clocks, dict)
        known = {each.name for each in procedure(str(named["procedure"])).clocks}
        assert set(clocks) <= known


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_template_composes_to_an_agreement_without_errors_or_warnings(name: str) -> None:
    agreement = composed(COMPOSITIONS[name])
    assert {each.gravity for each in look_over(agreement)} == {Gravity.NOTE}
    assert {each.code for each in look_over(agreement)} == {"not_verified"}
    assert agreement.procedures
    assert {each.article for each in agreement.procedures} <= {article.id for article in agreement.articles}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_the_draft_names_the_clause_of_each_article_and_shows_what_is_not_verified(name: str) -> None:
    text = compose(shipped_library(), COMPOSITIONS[name])
    template = template_of(shipped_library(), name)
    for placed in template.articles:
        clause = clause_of(shipped_library(), placed.clause)
        before, _, _ = text.partition(f"- id: {placed.article_id}\n")
        comment = " ".join(before.rsplit("\n\n", 1)[-1].replace("#", " ").split())
        assert f"Clause {clause.id}." in comment
        assert f"tag {clause.tag}, verified: false" in comment
    assert text.count("    verified: false\n") >= len(template.articles)


def test_composing_twice_gives_the_same_bytes() -> None:
    for composition in COMPOSITIONS.values():
        assert compose(shipped_library(), composition) == compose(shipped_library(), composition)


@pytest.mark.parametrize("read", shipped_cases(), ids=lambda read: read.path.stem)
def test_the_cases_pass(read: object) -> None:
    found = next(each for each in shipped_cases() if each == read)
    engine = Engine([found.agreement])
    faults = {case.name: result.faults for case in found.file.cases if (result := run_case(engine, case)).faults}
    assert faults == {}


def test_there_are_enough_cases_and_they_ask_for_every_article() -> None:
    assert sum(len(each.file.cases) for each in shipped_cases()) >= 250
    for read in shipped_cases():
        if read.path.stem not in COMPOSITIONS and read.path.stem not in ("bilateral", "regional", "operation"):
            continue
        asked = {case.expected.article for case in read.file.cases} | {
            case.expected.nearest for case in read.file.cases
        }
        masks = {article.id for article in read.agreement.articles if not article.is_permit and article.fields}
        assert {article.id for article in read.agreement.articles} - masks <= asked


def test_cases_fail_when_the_agreement_is_another() -> None:
    """The cases tell agreements apart: those of the union fail on the union that lets arms be told of."""
    union = next(each for each in shipped_cases() if each.path.stem == "customs-union")
    other = next(each for each in shipped_cases() if each.path.stem == "union-of-three")
    failed = [case for case in union.file.cases if run_case(Engine([other.agreement]), case).faults]
    assert len(failed) > 5


def test_each_file_of_cases_asks_questions_of_its_own() -> None:
    questions = [(read.path.stem, case.request) for read in shipped_cases() for case in read.file.cases]
    for number, (file, request) in enumerate(questions):
        assert (file, request) not in questions[:number]


def test_a_case_file_beside_its_agreement_is_read_too() -> None:
    demo = FOLDER.parents[1] / "training" / "agreement" / "cases.yaml"
    read = read_case_file(demo)
    assert read.agreement == parse_agreement(demo.with_name("agreement.yaml").read_bytes())
    assert len(read.file.cases) >= 50


def test_what_the_library_does_not_have_is_named_with_what_was_meant() -> None:
    with pytest.raises(UnknownClauseError, match="Did you mean 'tfa12-outcome'"):
        clause_of(shipped_library(), "tfa12-outcomes")
    with pytest.raises(UnknownClauseError, match="Known are: bilateral-mou, customs-union"):
        template_of(shipped_library(), "zzz")
