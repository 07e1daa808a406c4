"""Partners' outcomes on shared actors: each counts once, from the week after it was known here, and never before."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.cards import card_text
from comity.risk.prediction.errors import ModelFileError, TableError
from comity.risk.prediction.explaining import FAMILIES, family_of, words_for
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.partners_findings import finding_features
from comity.risk.prediction.states import State, build_state, live_features, load_state, save_state
from comity.risk.prediction.telling import _picked
from comity.risk.prediction.told_findings import FINDINGS_FILE, SCHEMA, ToldFindings, read_findings, told_findings
from comity.risk.prediction.training import TrainingPlan, table_of, train
from comity.risk.prediction.worlds import COMPARED, Words, World
from tests.risk.prediction.test_states import rows_of

pytestmark = pytest.mark.once
WEEK = 11
Row = dict[str, object]


def row(item: int, week: int, *, irregular: bool = False, alert: bool = False, **named: str) -> Row:
    about: Row = {"item": item, "week": float(week), "is_irregular": float(irregular), "is_alert": float(alert)}
    empty: Row = {"issuer": "BB", "importer": "", "exporter": "", "declarant": "", "forwarder": ""}
    return empty | about | named


def said(rows: list[Row]) -> ToldFindings:
    return told_findings(pa.Table.from_pylist(rows, schema=SCHEMA))


def rows_told(world: World) -> list[Row]:
    """What BB's controls found, a week later, of the suppliers and goods; and an alert on each carrier, in turn."""
    rows = []
    for place in world.rows_of("BB"):
        named = {
            name: world.words[name][world.codes[name][place]] for name in ("exporter", "forwarder", "hs6", "origin")
        }
        item, week, carrier = int(place), int(world.week[place]) + 1, named.pop("forwarder")
        if place % 9 == 0:
            rows.append(row(item, week, alert=True, forwarder=carrier))
        elif place % 2:
            rows.append(row(item, week, irregular=bool(world.outcomes.illicit[place]), **named))
    return rows


@pytest.fixture(scope="module")
def own(made: World) -> World:
    """The made world as a node's own history; of the mirror nothing was told."""
    count = len(made.week)
    nothing = Words(np.full((count, len(COMPARED)), np.nan), np.full(count, -1), np.zeros(count, np.bool_))
    return replace(made, words_told=nothing)


@pytest.fixture(scope="module")
def heard(own: World) -> World:
    return replace(own, findings_told=said(rows_told(own)))


def features(told: list[Row], world: World) -> dict[str, Floats]:
    panel, table = table_of(replace(world, findings_told=said(told)), "AA", Variant.EXCHANGE, whole_weeks=False)
    assert len(panel) == len(table.values)
    return {name: table.values[:, place] for place, name in enumerate(table.names)}


def test_what_arrives_has_the_features_of_the_table(heard: World, tmp_path: Path) -> None:
    panel, table = table_of(heard, "AA", Variant.EXCHANGE, whole_weeks=False)
    now = np.flatnonzero(panel.week == WEEK)
    state = build_state(heard, "AA", week=WEEK)
    save_state(state, tmp_path / "state.npz")
    rows = rows_of(heard, panel.rows[now].tolist())
    names, values = live_features(load_state(tmp_path / "state.npz"), rows, week=WEEK)
    assert names == table.names
    np.testing.assert_allclose(values, table.values[now], rtol=1e-12, atol=1e-12)
    told = [name for name in names if name.startswith("told_")]
    assert len(told) == 24
    known = dict(zip(names, values.T, strict=True))
    assert all((known[f"told_found:{key}"] > 0).any() for key in ("exporter", "exporter_hs4", "hs6", "hs6_origin"))
    assert (known["told_alerts:forwarder"] > 0).all()
    assert np.isnan(known["told_irregular:importer"]).all(), "no importer was named"


def test_what_is_not_told_a_node_changes_no_digit(made: World, own: World, heard: World) -> None:
    """`local`, and `exchange` of the benchmark, are what they were without a partner's finding."""
    for variant, world in ((Variant.LOCAL, own), (Variant.LOCAL, made), (Variant.EXCHANGE, made)):
        _, before = table_of(world, "AA", variant)
        _, after = table_of(replace(world, findings_told=heard.findings_told), "AA", variant)
        assert after.names == before.names
        np.testing.assert_array_equal(after.values, before.values)
    rows = rows_of(own, own.rows_of("AA")[-40:].tolist())
    names, without = live_features(build_state(own, "AA", week=WEEK), rows, week=WEEK)
    more, beside = live_features(build_state(heard, "AA", week=WEEK), rows, week=WEEK)
    np.testing.assert_array_equal(_picked(more, beside, names), without)


def test_what_is_told_in_a_week_or_later_is_in_nothing_up_to_it(own: World) -> None:
    rows = rows_told(own)
    early = [each for each in rows if float(str(each["week"])) < WEEK]
    later = [each | {"is_irregular": 1.0, "hs6": "610910"} for each in rows if each not in early]
    strangers = [row(9_000, WEEK, irregular=True, exporter="E00"), row(9_001, WEEK, alert=True, importer="IAA00")]
    assert len(later) > 50
    panel, _ = table_of(own, "AA", Variant.EXCHANGE)
    until = panel.week <= WEEK
    first, other, none = (features(some, own) for some in (rows, early + later + strangers, early))
    for name, values in first.items():
        np.testing.assert_array_equal(values[until], other[name][until], err_msg=name)
        np.testing.assert_array_equal(values[until], none[name][until], err_msg=name)
    # A week later they are seen.
    after = ~until
    assert not np.array_equal(first["told_found:exporter"][after], none["told_found:exporter"][after])
    assert not np.array_equal(first["told_alerts:importer"][after], other["told_alerts:importer"][after])


def test_a_finding_counts_once_for_each_of_whom_it_was_told(own: World) -> None:
    exporter, at = "E03", own.rows_of("AA")
    one = row(0, 2, irregular=True, exporter=exporter, hs6="610910")
    again = [one, one | {"hs6": "640411"}, one | {"week": 4.0}, one | {"is_irregular": 0.0, "week": 5.0}]
    found = features(again, own)
    rows = np.flatnonzero([own.words["exporter"][own.codes["exporter"][place]] == exporter for place in at])
    week = own.week[at]
    third = rows[week[rows] == 3]
    assert len(third)
    np.testing.assert_allclose(np.expm1(found["told_found:exporter"][third]), 1.0)
    np.testing.assert_allclose(found["told_irregular:exporter"][third], 1.9 / 4)
    last = rows[week[rows] == 8]
    np.testing.assert_allclose(np.expm1(found["told_found:exporter"][last]), 0.5 ** (5 / 30))
    others = np.setdiff1d(np.arange(len(at)), rows)
    assert not found["told_found:exporter"][others].any()
    assert np.isnan(found["told_irregular:exporter"][others]).all()


def test_who_declares_for_the_first_time_is_met_by_what_was_told(own: World) -> None:
    """A supplier that nobody here knew, of whom a partner told; and one of whom nobody told."""
    told = said([row(0, 3, irregular=True, exporter="NEW", hs6="610910"), row(1, 4, alert=True, exporter="NEW")])
    state = build_state(replace(own, findings_told=told), "AA", week=WEEK)
    known = rows_of(own, [0])[0]
    rows = [known | {"exporter": "NEW", "hs6": "610990"}, known | {"exporter": "OTHER"}]
    names, values = live_features(state, rows, week=WEEK)
    new, other = (dict(zip(names, each, strict=True)) for each in values)
    assert new["told_irregular:exporter"] > 0.4
    assert new["told_found:exporter_hs4"] > 0, "the same heading"
    assert new["told_found:hs6"] == 0
    assert new["told_alerts:exporter"] > 0 == other["told_alerts:exporter"]
    assert math.isnan(other["told_irregular:exporter"])


def test_histories_of_before_do_for_models_of_before_alone(own: World, heard: World) -> None:
    old: State = build_state(own, "AA", week=WEEK)
    rows = rows_of(own, [0, 1])
    names, values = live_features(old, rows, week=WEEK)
    assert not any(name.startswith("told_") for name in names)
    _, table = table_of(heard, "AA", Variant.EXCHANGE, whole_weeks=False)
    with pytest.raises(ModelFileError, match="other features"):
        _picked(names, values, table.names)
    made_now = build_state(heard, "AA", week=WEEK)
    forgotten = {name: each for name, each in made_now.memories.items() if not name.startswith("word.")}
    torn = replace(made_now, memories=forgotten | {"found.sums": {"sums": np.zeros((1, 1)), "told_in": np.zeros(1)}})
    with pytest.raises(ModelFileError, match="another release"):
        live_features(torn, rows, week=WEEK)


def test_the_card_says_what_was_seen(heard: World) -> None:
    growth = Growth(trees=2, leaves=4, rate=0.2, least_rows=10, features_part=0.3, seeds=1)
    plan = TrainingPlan("AA", Variant.EXCHANGE, growth, kept_weeks=4, warm_up=1, whole_weeks=False)
    card = train(heard, plan, lambda _: None).card
    seen = card["as_told"]
    assert isinstance(seen, dict)
    told = [each for each in rows_told(heard) if float(str(each["week"])) < int(heard.week.max())]
    findings = [each for each in told if not each["is_alert"]]
    assert seen["findings"] == len(findings)
    assert seen["irregular"] == sum(float(str(each["is_irregular"])) for each in findings) > 0
    assert (seen["alerts"], seen["issuers"]) == (len(told) - len(findings), 1)
    assert seen["sources"] == ["mirror", "findings", "alerts"]
    assert f"what partners' controls found: {len(findings)} findings" in card_text(card)


def test_a_table_of_another_kind_has_none_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    assert read_findings(tmp_path) is None
    (tmp_path / FINDINGS_FILE).write_bytes(b"PAR1 nothing")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        read_findings(tmp_path)


def test_where_nothing_was_told_nothing_is_known(own: World) -> None:
    panel, _ = table_of(own, "AA", Variant.LOCAL)
    names, values = finding_features(said([]), own, panel)
    told = dict(zip(names, values.T, strict=True))
    assert np.isnan(told["told_irregular:exporter"]).all()
    assert not told["told_found:exporter"].any()


@pytest.mark.parametrize(
    ("feature", "value", "usual", "text"),
    [
        (
            "told_irregular:exporter",
            0.475,
            0.3,
            "partners found irregularities in 48% of their controls of this supplier (usual: 30%)",
        ),
        (
            "told_irregular:exporter_hs4",
            0.475,
            math.nan,
            "partners found irregularities in 48% of their controls of this supplier with goods of this heading",
        ),
        (
            "told_found:importer",
            math.log(3),
            0.0,
            "partners' controls told of until now: this importer: 2.0 (usual: 0.0)",
        ),
        ("told_alerts:forwarder", math.log(2), 0.0, "partners' alerts until now: this carrier: 1.0 (usual: 0.0)"),
        (
            "told_irregular:hs6",
            math.nan,
            0.3,
            "share of partners' controls that found something: these goods: not known here",
        ),
    ],
)
def test_words(feature: str, value: float, usual: float, text: str) -> None:
    assert words_for(feature, value, usual) == text
    assert family_of(feature) == FAMILIES[9]
