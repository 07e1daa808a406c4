"""How pages show moments, numbers, paths and bodies."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from comity.console.bodies import BodyLine, body_lines, readable_paths
from comity.console.templatetags import comity as tags
from comity.console.words import tag_colour, word

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_a_moment_is_in_utc_with_the_local_time_beside(settings):
    settings.COMITY_TIME_ZONE = "Africa/Lusaka"
    shown = tags.moment(AT)
    assert '<time datetime="2026-03-02T09:30:00+00:00">' in shown
    assert "2 Mar 2026 09:30 UTC" in shown
    assert "(11:30 Lusaka)" in shown
    late = tags.moment(datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    assert "(3 Mar 2026 01:30 Lusaka)" in late
    settings.COMITY_TIME_ZONE = "UTC"
    assert "local" not in tags.moment(AT)
    assert tags.moment(None) == "–"


def test_a_clock_is_short_today_and_full_on_other_days(settings):
    settings.COMITY_TIME_ZONE = "UTC"
    now = datetime.now(UTC)
    assert str(now.year) not in tags.clock(now).split(">")[1]
    assert "2 Mar 2026" in tags.clock(AT)


def test_moments_in_french():
    with translation.override("fr"):
        assert "2 mars 2026 09:30" in tags.moment(AT)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (12, "12"),
        (1234567, "1,234,567"),
        (65.0, "65"),
        (58.1, "58.1"),
        (Decimal("24375.770"), "24,375.77"),
        (Decimal("1E+3"), "1,000"),
    ],
)
def test_numbers(value: object, shown: str):
    assert tags.amount(value) == shown


def test_sizes_shares_hashes_and_names():
    assert [tags.size(count) for count in (12, 1500, 2_300_000)] == ["12 B", "1.5 kB", "2.3 MB"]
    assert tags.percent(None) == "–"
    assert tags.percent(0.667) == "67 %"
    assert tags.short("ab" * 20) == "abababababab…"
    assert tags.short("short") == "short"
    assert tags.groups("abcdefgh1") == "abcd efgh 1"
    assert tags.listed([]) == "–"
    assert tags.country("") == "–"
    assert tags.country("FR") == "France (FR)"
    assert tags.person("officer:ana") == "ana"
    assert tags.person("system:asycuda") == "system:asycuda"


def test_words_and_colours():
    assert word("in_force") == "in force"
    assert word("no_such_word") == "no such word"
    assert tag_colour("refused") == "red"
    assert tag_colour("no such state") == "grey"
    assert tags.tag("<script>") == '<span class="tag tag-grey">&lt;script&gt;</span>'


def test_values_of_a_message():
    assert tags.said_value("counterfeit") == "counterfeit goods"
    assert "UTC" in tags.said_value("2026-03-02T09:30:00Z")
    assert tags.said_value("2026-03-02") == "2026-03-02"
    assert tags.said_value("Larkfield") == "Larkfield"


def test_a_body_is_read_in_the_officers_order_and_keeps_unknown_fields():
    body = {
        "zebra": "unknown",
        "ref": "A-1",
        "title": "Shoes",
        "subjects": [{"role": "consignor", "name": "Larkfield", "id": "XA1"}, "odd"],
        "route": {"transit": ["XB", "XC"], "origin": "XA"},
        "quantity": {"value": "12", "unit": "KGM"},
        "exhibits": [{"name": "label.png", "sha256": "00"}],
    }
    assert body_lines(body) == [
        BodyLine("Title", "Shoes"),
        BodyLine("Named: consignor", "Larkfield · XA1"),
        BodyLine("Named", "odd"),
        BodyLine("Quantity", "12 · KGM"),
        BodyLine("Route", ""),
        BodyLine("Origin", "XA", 1),
        BodyLine("Through", "XB, XC", 1),
        BodyLine("Exhibits", "label.png"),
        BodyLine("Reference", "A-1"),
        BodyLine("zebra", "unknown"),
    ]


def test_paths_are_said_once_and_in_words():
    paths = ["subjects.name", "subjects", "case_ref", "subjects[consignee].id", "route.origin", "zebra_crossing"]
    assert readable_paths(paths) == ["Named", "Route: Origin", "Case reference", "zebra crossing"]
    assert readable_paths(["subjects[consignee].id"]) == ["Named (consignee): number"]
