"""The YAML of agreements: what is refused and on which line, and what the id depends on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import Agreement, AgreementFormError, Effect, Onward, Period, Tag, fields_of_kind
from comity.agreements.clocks import CalendarTerms, Term, Unit
from comity.agreements.cutting import paths_of
from comity.agreements.markup import MAX_BYTES, read_json, read_yaml
from comity.agreements.parsing import agreement_from_bytes, parse_agreement
from comity.agreements.values import ProcedureTerms
from comity.agreements.vocabulary import KINDS, Every, ObligationKind
from comity.trade import Handling
from tests.agreements.cast import alert_body, demo, demo_bytes, evidence_body, finding_body
from tests.agreements.strategies import agreements
from tests.scale import scaled

SMALL = """\
form: comity-agreement/1
title: {en: Small}
version: 1.10
parties: [NO, XA]
languages: [en]
in_force: {from: 2026-01-01}
articles:
  - id: 1
    effect: permit
    title: {en: Alerts}
    text: {en: "Alerts may be sent."}
    kinds: [alert/1]
    purposes: [control]
    handling_at_most: restricted
    fields: [ref, title]
  - id: 2
    effect: prohibit
    title: {en: None}
    text: {en: Nothing confidential.}
    handling_at_least: confidential
"""


def refused(text: str | bytes) -> str:
    with pytest.raises(AgreementFormError) as caught:
        parse_agreement(text.encode() if isinstance(text, str) else text)
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new, 1)


WIDE = (
    SMALL
    + """\
supersedes: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
accession: {depositary: XA}
reservations:
  - {party: "NO", articles: ["1"], text: {en: Alerts stay at home.}}
procedures:
  - {procedure: tfa12, article: "1", clocks: {answer: 60 calendar_days}}
obligations:
  - {id: o1, what: answer, owed_by: [XA], owed_to: ["NO"], after: request.received, within: 90 calendar_days}
  - {id: o2, what: statistics, every: quarter, title: {en: Figures}, source: "Art. 9", tag: S, verified: true}
calendars:
  XA: {country: AE, subdivision: DU, weekend: [saturday, friday], closed: [2026-12-24], open: [2026-12-26]}
  "NO": {country: "NO"}
"""
)


def wide(old: str, new: str) -> str:
    assert old in WIDE
    return WIDE.replace(old, new, 1)


def test_the_id_of_todays_agreements_does_not_change() -> None:
    """What was signed before the form grew keeps its bytes, and so its id."""
    assert demo().id == "df94454291c952f8a84dfdc6be1a933db49cdf909b642c5a27b810a0c0e693c5"
    assert parse_agreement(SMALL.encode()).id == "a6a2cc18385fdfab82b3316ffce1754d7a2870b26dfec88d73b3164230719bf4"


def test_what_stands_beside_the_articles() -> None:
    agreement = parse_agreement(WIDE.encode())
    assert agreement.supersedes == "a" * 64
    assert agreement.depositary == "XA"
    assert [(each.party, each.articles) for each in agreement.reservations] == [("NO", ("1",))]
    assert agreement.procedures == (ProcedureTerms("tfa12", "1", (("answer", Term(60, Unit.CALENDAR_DAYS)),)),)
    answer, statistics = agreement.obligations
    assert (answer.what, answer.owed_by, answer.owed_to, answer.after) == (
        ObligationKind.ANSWER,
        ("XA",),
        ("NO",),
        "request.received",
    )
    assert answer.within == Term(90, Unit.CALENDAR_DAYS)
    assert (statistics.owed_by, statistics.every, statistics.is_verified) == (("NO", "XA"), Every.QUARTER, True)
    assert agreement.calendar("XA") == CalendarTerms(
        "AE", "DU", (4, 5), closed=(date(2026, 12, 24),), open=(date(2026, 12, 26),)
    )
    assert agreement.calendar("NO") == CalendarTerms("NO")
    assert agreement.calendar("XB") is None
    assert agreement_from_bytes(agreement.to_bytes()) == agreement
    form = json.loads(agreement.to_bytes())
    assert form["accession"] == {"depositary": "XA"}
    assert form["calendars"]["XA"]["weekend"] == ["friday", "saturday"]
    assert form["obligations"][1]["owed_by"] == ["NO", "XA"], "defaults are written out"


def test_a_reservation_takes_the_routes_of_its_party_out() -> None:
    agreement = parse_agreement(WIDE.encode())
    assert [each.id for each in agreement.binding_articles] == ["2"], "between two nothing is left of the permit"
    three = parse_agreement(wide("parties: [NO, XA]", "parties: [NO, XA, XB]").encode())
    permit, bar = three.binding_articles
    assert (permit.senders, permit.receivers) == (("XA", "XB"), ("XA", "XB"))
    assert bar.senders == ("NO", "XA", "XB"), "a prohibition is not narrowed"
    assert parse_agreement(SMALL.encode()).binding_articles == parse_agreement(SMALL.encode()).articles


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("supersedes: aaaa", "supersedes: AAAA", "the id of the version"),
        ("{depositary: XA}", "{depositary: XB}", "there is no 'XB'"),
        ("{depositary: XA}", "{depositary: XA, open: true}", "accession has no field 'open'"),
        ('articles: ["1"], text', 'articles: ["2"], text', "article 2, which prohibits"),
        ('articles: ["1"], text', 'articles: ["7"], text', "there is no '7'"),
        ('party: "NO"', "party: XB", "there is no 'XB'"),
        ("text: {en: Alerts stay", "text: {fr: Alerts stay", "has no 'en'"),
        ("procedure: tfa12", "procedure: TFA 12", "the name of a procedure"),
        ('article: "1"', 'article: "9"', "there is no '9'"),
        ("answer: 60 calendar_days", "answer: sixty days", "is no term"),
        ("{answer: 60", "{Answer: 60", "is no name of a clock"),
        ("{answer: 60", "{anser: 60", "Procedure tfa12 has no clock 'anser'"),
        ("what: answer", "what: answers", "Did you mean 'answer'"),
        ("after: request.received", "after: request", "after"),
        ("after: request.received, ", "", "needs both `after` and `within`"),
        (", within: 90 calendar_days", "", "needs both `after` and `within`"),
        ("after: request.received, within: 90 calendar_days", "source: x", "either `within` or `every`"),
        ("every: quarter", "every: quarter, after: breach.known, within: 1 month", "either `within` or `every`"),
        ("every: quarter", "every: week", "every: there is no 'week'"),
        ('owed_to: ["NO"]', "owed_to: [XA]", "owes itself"),
        ("id: o2", "id: o1", "obligations names 'o1' twice"),
        ("  XA: {country: AE", "  XB: {country: AE", "is of no party"),
        ("country: AE", "country: Emirates", "a code of two capital letters"),
        ("[saturday, friday]", "[saturday, fryday]", "Did you mean 'friday'"),
        ("closed: [2026-12-24]", "closed: [2026-12-26]", "both closed and open"),
        ("closed: [2026-12-24]", "closed: [2026-02-30]", "there is no day 2026-02-30"),
        ("closed: [2026-12-24]", "closed: [2026-12-24, 2026-12-24]", "names '2026-12-24' twice"),
        ("[saturday, friday]", "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]", "up to six"),
    ],
)
def test_what_is_wrong_beside_the_articles_is_named_with_its_line(old: str, new: str, words: str) -> None:
    said = refused(wide(old, new))
    assert words in said
    assert "(line " in said or "line " in said


def test_one_party_reserves_an_article_once() -> None:
    twice = wide("reservations:\n", 'reservations:\n  - {party: "NO", articles: ["1"], text: {en: Again.}}\n')
    assert "twice" in refused(twice)


def test_a_small_agreement() -> None:
    agreement = parse_agreement(SMALL.encode())
    assert agreement.parties == ("NO", "XA")
    assert agreement.version == "1.10"
    assert agreement.in_force.last is None
    assert agreement.in_force.closes_at.year == 9999
    permit, bar = agreement.articles
    assert permit.senders == permit.receivers == ("NO", "XA")
    assert (permit.onward, permit.retention_days, permit.tag, permit.is_verified) == (
        Onward.NONE,
        None,
        Tag.UNCHECKED,
        False,
    )
    assert bar.effect is Effect.PROHIBIT
    assert bar.handling_at_least is Handling.CONFIDENTIAL
    assert agreement.article("3") is None
    assert agreement.title.in_("fr") == "Small"
    assert agreement.short_id == agreement.id[:12]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("purposes: [control]", "purposes: [controll]", 13, "Did you mean 'control'?"),
        ("kinds: [alert/1]", "kinds: [alert/2]", 12, "Did you mean 'alert/1'?"),
        ("effect: prohibit", "effect: forbid", 17, "Known are: permit, prohibit."),
        ("handling_at_most: restricted", "handling_at_most: restrict", 14, "Did you mean 'restricted'?"),
        ("    fields: [ref, title]", "    feilds: [ref, title]", 15, "Did you mean 'fields'?"),
        ("    fields: [ref, title]\n", "", 8, "permits but has no 'fields'"),
        ("title: {en: Small}", "titel: {en: Small}", 1, "Line 2 says 'titel'."),
        ("    kinds: [alert/1]", "    kinds: [alert/1]\n    sender: XA", 13, "Did you mean 'senders'?"),
        ("    kinds: [alert/1]", "    kinds: [alert/1]\n    xyz: XA", 13, "docs/agreements.md"),
        ("fields: [ref, title]", "fields: [ref, titel]", 15, "Did you mean 'title'?"),
        ("fields: [ref, title]", "fields: [ref, alert_ref]", 15, "there is no 'alert_ref'"),
        ("fields: [ref, title]", "fields: [ref, ref]", 15, "names 'ref' twice"),
        ("fields: [ref, title]", "fields: {ref: title}", 15, "must be a list"),
        ("fields: [ref, title]", "fields: []", 15, "has 0 entries"),
        ("fields: [ref, title]", 'fields: ["subjects[consignor].name"]', 15, "Add subjects.role."),
        ("fields: [ref, title]", "fields: [[ref]]", 15, "must be a text"),
        ("    handling_at_least: confidential", "    onward: parties", 20, "'onward' has no meaning"),
        ("id: 2", "id: 1", 16, "names '1' twice"),
        ("id: 2", "id: article two", 16, "Write a short id"),
        ("[NO, XA]", "[XA]", 4, "at least two parties"),
        ("[NO, XA]", "[NO, Xa]", 4, "parties is 'Xa'"),
        ("parties: [NO, XA]\n", "", 1, "has no 'parties'"),
        ("languages: [en]", "languages: [en, fr]", 2, "title has no 'fr'"),
        ("languages: [en]", "languages: [klingon]", 5, "there is no 'klingon'"),
        ("{en: Alerts}", "{en: Alerts, fr: Alertes}", 10, "title has no field 'fr'"),
        ("{en: Alerts}", "Alerts", 10, "title must be a mapping"),
        ('{en: "Alerts may be sent."}', '{en: ""}', 11, "is empty"),
        ('{en: "Alerts may be sent."}', '{en: "  "}', 11, "is empty"),
        ('{en: "Alerts may be sent."}', '{en: "a\\u202Eb"}', 11, "control character"),
        ('{en: "Alerts may be sent."}', '{en: "a\\0b"}', 11, "control character"),
        ('{en: "Alerts may be sent."}', "{en: " + "x" * 20_001 + "}", 11, "longer than 20000"),
        ("version: 1.10", "version: one", 3, "Write a version"),
        ("from: 2026-01-01", "from: 2026-02-30", 6, "there is no day 2026-02-30"),
        ("from: 2026-01-01", "from: tomorrow", 6, "a day as 2026-12-31"),
        ("from: 2026-01-01", "from: 2026-01-01, until: 2025-01-01", 6, "ends before it begins"),
        ("from: 2026-01-01", "until: 2026-01-01", 6, "does not say when it begins"),
        ("form: comity-agreement/1", "form: comity-agreement/2", 1, "Did you mean 'comity-agreement/1'?"),
        ("    fields: [ref, title]", "    fields: [ref]\n    retention_days: 0", 16, "Write 1 to 36525"),
        ("    fields: [ref, title]", "    fields: [ref]\n    retention_days: ten", 16, "a whole number"),
        ("    fields: [ref, title]", "    fields: [ref]\n    verified: yes", 16, "Known are: false, true."),
        ("    fields: [ref, title]", "    fields: [ref]\n    goods: [640]", 16, "2, 4 or 6 digits"),
        ("    fields: [ref, title]", "    fields: [ref]\n    senders: [XC]", 16, "there is no 'XC'"),
        ("articles:", "definitions: {Big Word: {en: x}}\narticles:", 7, "no word to define"),
        ("articles:", "articles: none\nx:", 7, "The article must be a mapping"),
        ("version: 1.10", "version: 1\nversion: 2", 4, "stands twice"),
        ("version: 1.10", "version: &v 1", 3, "Anchors and aliases"),
        ("version: 1.10", "version: *v", 3, "Anchors and aliases"),
        ("version: 1.10", "version: !!python/name:os.system 1", 3, "Tags such as"),
        ("version: 1.10", "? [a, b]\n: 1", 3, "A key must be a plain word"),
        ("version: 1.10", "version: [1", 4, "Not YAML"),
        ("version: 1.10", "version: [[[[[[[[[[[1]]]]]]]]]]]", 3, "Nested deeper than 10"),
        ("form: comity-agreement/1", "---\nform: comity-agreement/1\n---\na: b\n---", 3, "a second document"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, line: int, words: str) -> None:
    message = refused(changed(old, new))
    assert words in message
    assert f"line {line}" in message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"# only a comment", "The file is empty"),
        (b"a: \xff", "not UTF-8"),
        (b"just words", "must be a mapping"),
        (b"a" * (MAX_BYTES + 1), "At most 1048576"),
        (b"a: \x07", "Not YAML"),
        (b"[" * 5000, "Nested deeper"),
        (b"[" + b"a," * 30_001 + b"]", "More than 30000 values"),
    ],
)
def test_bytes_that_are_no_agreement(data: bytes, words: str) -> None:
    assert words in refused(data)


def test_signed_bytes_are_read_only_in_their_canonical_form() -> None:
    agreement = demo()
    assert agreement_from_bytes(agreement.to_bytes()) == agreement
    for data, words in (
        (json.dumps(json.loads(agreement.to_bytes())).encode(), "not the canonical form"),
        (b"{", "Not JSON"),
        (b"[" * 100_000, "Not JSON"),
        (b'{"a":' * 12 + b"1" + b"}" * 12, "Nested deeper"),
        (b"[]", "must be a mapping"),
    ):
        with pytest.raises(AgreementFormError, match=words):
            agreement_from_bytes(data)
    with pytest.raises(AgreementFormError, match="At most 3"):
        read_json(b"{   }", limit_bytes=3)


def test_lines_and_scalars_stay_as_written() -> None:
    root = read_yaml(b"\xef\xbb\xbfa: 010\nb:\n  - no\n")
    assert root.items["a"].text == "010"  # type: ignore[union-attr]
    assert root.items["b"].items[0].text == "no"  # type: ignore[union-attr]
    assert root.items["b"].items[0].line == 3  # type: ignore[union-attr]


def test_every_field_that_a_notice_carries_can_be_named() -> None:
    for kind, body in (("alert/1", alert_body()), ("finding/1", finding_body()), ("evidence/1", evidence_body())):
        assert paths_of(body) <= fields_of_kind(kind)
    mirrored = {"mirror/1", "mirror_request/1", "mirror_values/1"}
    learned = {"profile/1", "hit_question/1", "hit_decision/1", "signal_report/1"}
    assert set(KINDS) == {"alert/1", "finding/1", "evidence/1", "step/1", *mirrored, *learned}


def _as_yaml(agreement: Agreement) -> dict[str, object]:
    form = json.loads(agreement.to_bytes())
    assert isinstance(form, dict)
    return form


def _shuffled(value: object, draw: st.DrawFn) -> object:
    if isinstance(value, dict):
        return {key: _shuffled(value[key], draw) for key in draw(st.permutations(list(value)))}
    if isinstance(value, list):
        return [_shuffled(item, draw) for item in draw(st.permutations(value))]
    if isinstance(value, str) and draw(st.booleans()):
        return value.replace(" ", draw(st.sampled_from(["  ", "\t", " \t "])))
    return value


@settings(max_examples=scaled(13, 40), deadline=None)
@given(agreements(4), st.data())
def test_layout_and_order_never_change_the_id(agreement: Agreement, data: st.DataObject) -> None:
    form = _shuffled(_as_yaml(agreement), data.draw)
    style = data.draw(st.sampled_from([None, True, False]))
    quotes = data.draw(st.sampled_from([None, '"', "'"]))
    text = yaml.safe_dump(form, sort_keys=False, default_flow_style=style, default_style=quotes, width=40)
    text = text.replace('!!bool "', '"').replace("!!bool '", "'").replace('!!int "', '"').replace("!!int '", "'")
    again = parse_agreement(("# a comment\n" + text + "# the end\n").encode())
    assert again.id == agreement.id
    assert again == agreement


_CHANGES: dict[str, object] = {
    "effect": Effect.PROHIBIT,
    "senders": ("XB", "XC"),
    "receivers": ("XA",),
    "kinds": ("alert/1", "finding/1"),
    "purposes": ("control",),
    "handling_at_most": Handling.OFFICIAL,
    "handling_at_least": Handling.OPEN,
    "goods": ("64",),
    "origins": ("XA",),
    "categories": ("businesses",),
    "risk_types": ("safety",),
    "valid": Period(last=demo().in_force.last),
    "fields": ("ref",),
    "onward": Onward.PARTIES,
    "retention_days": 1094,
    "use_limits": (),
    "source": "Another clause",
    "size_at_most": 5,
    "procedures": ("tfa12",),
    "tag": Tag.SEEN,
    "is_verified": True,
    "id": "1a",
    "title": demo().title,
    "text": demo().title,
}


@pytest.mark.parametrize("name", sorted(_CHANGES))
def test_any_change_of_meaning_changes_the_id(name: str) -> None:
    agreement = demo()
    first, *others = agreement.articles
    altered = replace(first, **{name: _CHANGES[name]})  # type: ignore[arg-type]
    assert altered != first
    assert replace(agreement, articles=(altered, *others)).id != agreement.id


@pytest.mark.parametrize("name", ["title", "version", "parties", "languages", "in_force", "definitions", "articles"])
def test_any_change_of_the_frame_changes_the_id(name: str) -> None:
    agreement = demo()
    other: dict[str, object] = {
        "title": agreement.articles[0].title,
        "version": "1.1",
        "parties": ("XA", "XC"),
        "languages": ("en",),
        "in_force": replace(agreement.in_force, last=None),
        "definitions": agreement.definitions[1:],
        "articles": agreement.articles[1:],
    }
    assert replace(agreement, **{name: other[name]}).id != agreement.id  # type: ignore[arg-type]


def test_every_field_of_an_article_takes_part_in_the_id() -> None:
    assert set(_CHANGES) == set(demo().articles[0].__slots__)


@settings(max_examples=scaled(13, 40), deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_never_crashes(data: bytes) -> None:
    for read in (parse_agreement, agreement_from_bytes):
        with pytest.raises(AgreementFormError):
            read(data)


def test_the_demo_is_read_in_both_languages() -> None:
    agreement = parse_agreement(demo_bytes())
    assert agreement.languages == ("en", "fr")
    assert agreement.articles[0].title.in_("fr").startswith("Alertes de la partie importatrice")
    assert "\n\n" in agreement.articles[0].text.in_("en")


@pytest.mark.parametrize(
    "text",
    [
        '{en: "One two.\n\n      Three."}',
        '{en: "One two.\\nThree."}',
        "\n      en: |\n        One\n        two.\n\n\n        Three.",
        "\n      en: >-\n        One\n        two.\n\n        Three.",
        "\n      en:   One\n        two.\n\n        Three.",
    ],
)
def test_paragraphs_are_kept_and_lines_are_not(text: str) -> None:
    agreement = parse_agreement(changed('{en: "Alerts may be sent."}', text).encode())
    assert agreement.articles[0].text.in_("en") == "One two.\n\nThree."
