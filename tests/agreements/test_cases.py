"""Cases: the demo's all pass, and a case that fails says how."""

from __future__ import annotations

import pytest

from comity.agreements import AgreementFormError, CaseResult, Engine, read_cases, run_case
from comity.agreements.cases import CONDITIONS
from comity.agreements.conditions import conditions_of, route_of
from tests.agreements.cast import DEMO, demo

ONE = """\
agreement: agreement.yaml
cases:
  - name: An alert
    ask: {sender: XC, recipient: XA, kind: alert/1, purpose: control, handling: restricted, category: commodities,
      day: 2026-06-01, fields: [ref, case_ref]}
    expect: {answer: permitted, article: 1, released: [ref], withheld: [case_ref]}
"""


def run(text: str) -> CaseResult:
    (case,) = read_cases(text.encode()).cases
    return run_case(Engine([demo()]), case)


def test_the_demo_passes_all_its_cases() -> None:
    found = read_cases((DEMO / "cases.yaml").read_bytes())
    assert found.agreement == "agreement.yaml"
    assert len(found.cases) >= 40
    results = [run_case(Engine([demo()]), case) for case in found.cases]
    assert [result.faults for result in results if result.faults] == []
    articles = {case.expected.article for case in found.cases} | {case.expected.nearest for case in found.cases}
    assert articles >= {"1", "2", "3", "4", "5", "6", "7"}


def test_conditions_have_words_in_cases() -> None:
    codes = {each.code for article in demo().articles for each in (*conditions_of(demo(), article), *route_of(article))}
    assert codes <= set(CONDITIONS)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("article: 1", "article: 2", "expected article 2, but it is article 1"),
        ("answer: permitted", "answer: prohibited", "expected prohibited, but it is permitted: Article 1,"),
        ("released: [ref]", "released: [case_ref]", "expected case_ref to be released, but it is not"),
        ("withheld: [case_ref]", "withheld: [ref]", "expected ref to be withheld, but it is not"),
        ("article: 1", "nearest: 1", "expected article 1 to be nearest, but it is none"),
        ("article: 1", "because: [goods]", "expected the condition goods to be named, but named are permitted"),
        ("control", "statistics", "expected permitted, but it is refused: No article permits alert/1"),
        ("handling: restricted", "handling: confidential", "expected permitted, but it is prohibited: Article 7,"),
    ],
)
def test_a_case_that_fails_says_how(old: str, new: str, fault: str) -> None:
    assert old in ONE
    assert any(each.startswith(fault) for each in run(ONE.replace(old, new, 1)).faults)


def test_a_refusal_is_compared_too() -> None:
    refused = ONE.replace("control", "statistics").replace(
        "expect: {answer: permitted, article: 1, released: [ref], withheld: [case_ref]}",
        "expect: {answer: refused, article: 1, nearest: 2, because: [goods, purpose], withheld: [ref]}",
    )
    assert run(refused).faults == (
        "expected article 1, but it is article none",
        "expected article 2 to be nearest, but it is 1",
        "expected the condition goods to be named, but named are purpose",
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("handling: restricted", "handling: secret", "line 4"),
        ("purpose: control", "purpose: contrl", "Did you mean 'control'?"),
        ("day: 2026-06-01, ", "", "has no 'day'"),
        ("fields: [ref, case_ref]", "fields: [refs]", "line 5"),
        ("released: [ref]", "relased: [ref]", "Did you mean 'released'?"),
        ("answer: permitted", "answer: yes", "Known are: permitted, prohibited, refused."),
        ("sender: XC", "sender: xc", "two capital letters"),
        ("    ask:", "    asks:", "Line 4 says 'asks'"),
        ("cases:", "case:", "Line 2 says 'case'"),
        ("  - name: An alert", "  - nam: An alert", "has no 'name'"),
        ("day: 2026", "hs: [6404110], day: 2026", "2, 4 or 6 digits"),
    ],
)
def test_a_file_of_cases_is_read_as_strictly_as_an_agreement(old: str, new: str, words: str) -> None:
    assert old in ONE
    with pytest.raises(AgreementFormError) as caught:
        read_cases(ONE.replace(old, new, 1).encode())
    assert words in str(caught.value)


def test_no_case_twice() -> None:
    with pytest.raises(AgreementFormError, match="names 'An alert' twice"):
        read_cases((ONE + ONE[ONE.index("  - name") :]).encode())
