"""How large a file may be: always bounded, both ends alike, and the refusal says the bound and what was asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.agreements import DEFAULT_SIZE_AT_MOST, Article, Engine, Gravity, cut, look_over, request_for
from comity.agreements.cases import read_cases, run_case
from comity.agreements.errors import AgreementFormError
from comity.agreements.incoming import Incoming, judge_incoming
from comity.agreements.parsing import agreement_from_bytes, parse_agreement
from comity.agreements.vocabulary import required_fields
from comity.trade import Handling
from comity.trade.encoding import evidence_from_body
from tests.agreements.cast import agreement_of, alert_body, asking, demo, evidence_body, permit_article

NEEDED = required_fields("evidence/1")[""]
DEMO_ID = "df94454291c9"


def files(**changes: object) -> Article:
    """A permit for files that a reader can read."""
    fields = tuple(sorted({*NEEDED, "about", "handling"}))
    return permit_article(**{"kinds": ("evidence/1",), "fields": fields, "is_verified": True, **changes})


def decide(article: Article, body: dict[str, object]) -> tuple[bool, str]:
    request = request_for(asking(kind="evidence/1"), body)
    decision = Engine([agreement_of(article)]).decide(request)
    return decision.is_permitted, decision.reasons[0].text


@pytest.mark.parametrize(
    ("most", "size", "is_permitted"),
    [
        (1000, 1000, True),
        (1000, 1001, False),
        (2**40, 2**40, True),
        (None, DEFAULT_SIZE_AT_MOST, True),
        (None, DEFAULT_SIZE_AT_MOST + 1, False),
    ],
)
def test_the_bound_is_the_articles_else_that_of_the_protocol(most: int | None, size: int, is_permitted: bool) -> None:
    assert decide(files(size_at_most=most), evidence_body(size_bytes=size))[0] is is_permitted


def test_a_near_miss_says_the_bound_and_what_was_asked() -> None:
    _, text = decide(files(size_at_most=150_000_000), evidence_body())
    assert "The file has 200,000,000 bytes; the article covers at most 150,000,000 bytes." in text


@pytest.mark.parametrize("size", [None, "1", True, -1])
def test_a_size_that_is_not_stated_fits_no_bound(size: object) -> None:
    is_permitted, text = decide(files(size_at_most=2**40), {**evidence_body(), "size_bytes": size})
    assert not is_permitted
    assert "a size that is not stated" in text


def test_kinds_without_a_file_are_not_asked_for_its_size() -> None:
    both = permit_article(kinds=("alert/1", "evidence/1"), size_at_most=5)
    request = request_for(asking(), alert_body())
    assert Engine([agreement_of(both)]).decide(request).is_permitted


def test_the_receiver_judges_the_size_that_the_message_states() -> None:
    agreement = agreement_of(files(size_at_most=150_000_000))
    engine = Engine([agreement])
    for size, is_permitted in ((150_000_000, True), (150_000_001, False)):
        body = cut(evidence_body(size_bytes=size), agreement.articles[0].fields)
        incoming = Incoming(asking(kind="evidence/1"), agreement.id, "1", body)
        assert judge_incoming(engine, incoming)[1].is_permitted is is_permitted


def test_what_the_article_releases_can_be_read() -> None:
    released = cut(evidence_body(), files().fields)
    assert "description" not in released
    assert evidence_from_body(released).handling is Handling.RESTRICTED


def test_the_size_stands_in_the_canonical_form_and_comes_back() -> None:
    agreement = agreement_of(files(size_at_most=262_144_000))
    assert b'"size_at_most":262144000' in agreement.to_bytes()
    assert agreement_from_bytes(agreement.to_bytes()) == agreement


def test_an_agreement_that_says_nothing_of_it_keeps_its_id() -> None:
    assert b"size_at_most" not in demo().to_bytes()
    assert demo().short_id == DEMO_ID


def test_check_warns_of_a_bound_that_nobody_chose() -> None:
    (remark,) = look_over(agreement_of(files()))
    assert (remark.gravity, remark.code) == (Gravity.WARNING, "default_size")
    assert "67,108,864 bytes are the most" in remark.text
    assert look_over(agreement_of(files(size_at_most=1))) == ()


def test_check_finds_a_bound_without_a_file_and_one_that_no_receiver_can_check() -> None:
    (never, *_) = look_over(agreement_of(permit_article(size_at_most=1)))
    assert (never.code, "asks for the size" in never.text) == ("never_fires", True)
    blind = files(size_at_most=1, fields=tuple(sorted({*NEEDED, "handling"} - {"size_bytes"})))
    assert {"uncheckable", "unreadable"} <= {remark.code for remark in look_over(agreement_of(blind))}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("size_at_most: 0", "size_at_most is 0"),
        ("size_at_most: 1099511627777", "Write 1 to 1099511627776"),
        ("size_at_most: 10 MB", "Write a whole number"),
    ],
)
def test_a_bound_is_a_whole_number(line: str, words: str) -> None:
    text = _yaml(f"effect: permit\n    {line}")
    with pytest.raises(AgreementFormError) as caught:
        parse_agreement(text)
    assert words in f"{caught.value.what} {caught.value.remedy}"


def test_a_prohibition_has_no_bound() -> None:
    with pytest.raises(AgreementFormError, match="has no meaning"):
        parse_agreement(_yaml("effect: prohibit\n    size_at_most: 5"))


def test_a_case_may_ask_with_a_size() -> None:
    cases = """
agreement: a.yaml
cases:
  - name: A scan that is too large
    ask: {sender: XC, recipient: XA, kind: evidence/1, purpose: control, handling: restricted, size: 2000,
      day: 2026-06-01}
    expect: {answer: refused, nearest: 1, because: [size]}
"""
    (case,) = read_cases(cases.encode()).cases
    engine = Engine([agreement_of(files(size_at_most=1000))])
    assert run_case(engine, case).faults == ()
    fitting = replace(case, request=replace(case.request, size_bytes=1000))
    assert run_case(engine, fitting).faults


def _yaml(words: str) -> bytes:
    return f"""
form: comity-agreement/1
title: {{en: Files}}
version: 1
parties: [XA, XC]
languages: [en]
in_force: {{from: 2026-01-01}}
articles:
  - id: 1
    {words}
    title: {{en: Files}}
    text: {{en: Files.}}
    kinds: [evidence/1]
    purposes: [control]
    handling_at_most: restricted
    fields: [sha256]
""".encode()
