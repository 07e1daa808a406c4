"""The life of a model in the node, and what it says in assessments: from own history, by two officers, in the log."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

import comity.cli.risk_models  # noqa: F401  # its commands join the group
from comity.cli.risk_learning import model
from comity.common import Actor
from comity.intake import StoredRecord
from comity.ledger.selectors import latest_checkpoint
from comity.risk import Lane, SourceKind
from comity.risk.budgets import policy_on, set_policy
from comity.risk.errors import FourEyesError
from comity.risk.goals import Policy, stake
from comity.risk.modelling import live, retraining, views
from comity.risk.modelling.errors import HistoryError, ModelError, ModelStoreError
from comity.risk.modelling.life import approve_model, enter_model, promote_model, retire_model
from comity.risk.modelling.rows import is_import, outcome_of, row_of
from comity.risk.modelling.rules import MOST_WEIGHT, Silence
from comity.risk.modelling.shelves import learning, state_path, this_shelf
from comity.risk.modelling.store import STATEMENT, STATEMENT_TYPE
from comity.risk.modelling.values import Retraining
from comity.risk.models import LearnedModel, LearnedOutcome, ModelMove, ModelScore, Selection
from comity.risk.ranking import ranking_of
from comity.risk.rules import lane_of
from comity.risk.selectors import explanation
from comity.risk.services import assess
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import GoodsItem, HSCode, Money, Party
from comity.trust import Checkpoint, make_keyring, sign_statement, split_note
from tests.risk.cast import ANALYST, NODE, OFFICER, SUPERVISOR, declaration, store
from tests.risk.prediction.test_libraries import missing_library

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(bool(missing_library()), reason=f"needs the extra `learning` ({missing_library()})"),
]
WEEKS, A_WEEK = 14, 20
QUIET = Party("XC-1", "Quiet Trade")
LOUD = Party("XC-9", "Loud Trade")


def imported(number: int, importer: Party, **changes: object) -> object:
    return declaration(
        f"IM-{number}",
        declaration_type="IM",
        importer=importer,
        country_destination="XA",
        country_dispatch="XC",
        **changes,
    )


@pytest.fixture
def history(at: datetime) -> None:
    """Fourteen weeks of imports, all controlled: what Loud Trade brings is irregular four times in five."""
    chance, number = Random(4), 0
    for week in range(WEEKS):
        for place in range(A_WEEK):
            number += 1
            when = at - timedelta(days=7 * (WEEKS - week)) + timedelta(hours=6 * place)
            is_loud = place % 4 == 0
            price = Money(Decimal(210 + chance.randrange(60)), "USD")
            record = store(imported(number, LOUD if is_loud else QUIET, item_price=price), when)  # type: ignore[arg-type]
            is_irregular = is_loud and chance.random() < 0.8
            LearnedOutcome.objects.create(
                declaration_ref=record.reference,
                record_id=record.record_id,
                decided_at=when + timedelta(days=1),
                revenue=900.0 if is_irregular else None,
                currency="USD" if is_irregular else "",
                revenue_at=when + timedelta(days=2),
                is_irregular=is_irregular,
                is_random=False,
                sources=[],
                risk_type="undervaluation",
                learned_at=when + timedelta(days=1),
            )


@pytest.fixture
def trained(home: Path, history: None, at: datetime) -> Path:
    """A model of the node's own history, still outside of the node."""
    set_policy(SUPERVISOR, day=date(2020, 1, 1), policy=Policy(currency="USD", share_value=0.5), at=at)
    made: Path = learning("own_training").train_own(
        home / "models", home / "tariff.csv", "XA", at=at, seed=1, tell=lambda _: None
    )
    return made


def refresh(home: Path, at: datetime) -> None:
    training = learning("own_training")
    state = training.refresh_state(home / "models", home / "tariff.csv", "XA", at=at, tell=lambda _: None)
    training.keep_state(state, state_path())


def states() -> dict[str, str]:
    return dict(LearnedModel.objects.values_list("model_id", "state"))


def test_own_history_makes_a_model_that_speaks_with_reasons(home: Path, trained: Path, at: datetime):
    shelf = this_shelf()
    model_id = enter_model(ANALYST, folder=trained, shelf=shelf, at=at)
    assert states() == {model_id: "trained"}
    # By one officer alone it comes no further.
    with pytest.raises(FourEyesError, match="may not approve it"):
        approve_model(_both(ANALYST), model_id=model_id, shelf=shelf, at=at)
    with pytest.raises(PermissionRefusedError):
        approve_model(OFFICER, model_id=model_id, shelf=shelf, at=at)
    with pytest.raises(ModelError, match="cannot become champion"):
        promote_model(SUPERVISOR, model_id=model_id, reason="Too early", shelf=shelf, at=at)
    approve_model(SUPERVISOR, model_id=model_id, shelf=shelf, at=at)

    loud = _promote_and_speak(home, model_id, at)
    _check_log(model_id)
    _check_silences(home, model_id, loud, at)


def _promote_and_speak(home: Path, model_id: str, at: datetime) -> StoredRecord:
    """What a challenger tells has no effect; what the champion tells has reasons."""
    shelf = this_shelf()
    assert live.telling_now().silence is Silence.NO_STATE
    refresh(home, at)
    loud, quiet = (
        store(imported(5000 + place, importer), at)
        for place, importer in enumerate((LOUD, QUIET))  # type: ignore[arg-type]
    )
    for record in (loud, quiet):
        assess(NODE, record=record, at=at)
    assert not _told(loud.record_id), "a challenger has no effect"
    assert ModelScore.objects.filter(is_used=False).count() == 2

    with pytest.raises(ModelError, match="Say why"):
        promote_model(SUPERVISOR, model_id=model_id, reason=" ", shelf=shelf, at=at)
    promote_model(SUPERVISOR, model_id=model_id[:12], reason="The first one", shelf=shelf, at=at)
    for record in (loud, quiet):
        assess(NODE, record=record, at=at)
    (reason,) = _told(loud.record_id)
    assert reason.source == f"model:{model_id[:16]}"
    assert 50 < reason.weight <= MOST_WEIGHT
    assert reason.lane is Lane.GREEN
    assert lane_of(reason.weight, [reason.lane]) is Lane.YELLOW, "alone it asks for papers"
    assert 1 <= len(reason.evidence) <= 3
    assert "this importer" in " ".join(each.text for each in reason.evidence)
    assert not _told(quiet.record_id)
    _check_revenue(loud, quiet)
    scores = dict(ModelScore.objects.values_list("record_id", "chance"))
    assert scores[loud.record_id] > 0.5 > 0.1 > scores[quiet.record_id]
    return loud


def _check_revenue(loud: StoredRecord, quiet: StoredRecord) -> None:
    """What a control is worth is told in the currency of account, and the share for value goes by it."""
    shown = views.champion()
    assert shown is not None
    assert (shown.tells_revenue, shown.revenue["currency"]) == (True, "USD")
    (reason,) = _told(loud.record_id)
    assert re.search(r"; revenue to expect: [5-9]\d\d USD$", reason.text), reason.text
    amounts = dict(ModelScore.objects.values_list("record_id", "revenue"))
    assert amounts[loud.record_id] > 500 > 100 > amounts[quiet.record_id]
    rows = list(Selection.objects.filter(record_id__in=amounts))
    policy = policy_on(date(2020, 1, 1))
    assert {each.record_id: each.stake for each in map(ranking_of(rows, policy).of, rows)} == amounts
    # In another currency of account it is not used, and what was declared is compared as before.
    other = replace(policy, currency="XAF")
    assert [each.stake for each in map(ranking_of(rows, other).of, rows)] == [0.0, 0.0]
    (first,) = (row for row in rows if row.record_id == loud.record_id)
    unknown = replace(ranking_of(rows, policy), revenues={}, stake_rate=7.0).of(first)
    assert unknown.stake == pytest.approx(7 * stake(first.assessment.score, first.value))


def _check_log(model_id: str) -> None:
    """Each move stands in the log and in the audit."""
    assert Checkpoint.parse(split_note(latest_checkpoint())[0]).size == 3
    assert list(ModelMove.objects.order_by("pk").values_list("to_state", "log_index")) == [
        ("trained", 0),
        ("challenger", 1),
        ("champion", 2),
    ]
    deeds = AuditEntry.objects.filter(subject=f"model:{model_id[:16]}").order_by("pk")
    assert list(deeds.values_list("deed", flat=True)) == ["enter_model", "approve_model", "promote_model"]


def _check_silences(home: Path, model_id: str, loud: StoredRecord, at: datetime) -> None:
    """With old histories, or a changed byte, no model speaks; what was told before stays."""
    shelf = this_shelf()
    # Too old histories say nothing; later the histories know the record, and what was said of it stays.
    late = at + timedelta(days=30)
    assert live.telling_now().silence_at(late)[0] is Silence.OLD_STATE
    assess(NODE, record=store(imported(6000, LOUD), late), at=late)  # type: ignore[arg-type]
    assert ModelScore.objects.count() == 2
    refresh(home, late)
    before = _told(loud.record_id)
    assess(NODE, record=loud, at=late)
    assert _told(loud.record_id) == before

    # A changed byte: no model speaks, and it cannot be promoted.
    card = home / "models" / model_id / "card.md"
    card.write_text(card.read_text() + " ")
    live._held.telling = None
    telling = live.telling_now()
    assert (telling.silence, "was changed" in telling.detail) == (Silence.BAD_MODEL, True)
    record = store(imported(6001, LOUD), late)  # type: ignore[arg-type]
    assess(NODE, record=record, at=late)
    assert not _told(record.record_id)
    retire_model(ANALYST, model_id=model_id, reason="It was changed", shelf=shelf, at=late)
    with pytest.raises(ModelStoreError, match="was changed"):
        promote_model(SUPERVISOR, model_id=model_id, reason="Again", shelf=shelf, at=late)
    assert states() == {model_id: "retired"}


def _told(record_id: object) -> list[object]:
    found = explanation(record_id).reasons  # type: ignore[arg-type]
    return [reason for reason in found if reason.source_kind is SourceKind.MODEL]


def _both(actor: Actor) -> Actor:
    return replace(actor, roles=frozenset({"analyst", "supervisor"}))


@pytest.mark.long
def test_the_job_trains_what_is_asked_for_and_promotes_nothing(home: Path, history: None, at: datetime):
    assert retraining.models_turn(at) == 0, "off by default"
    number = retraining.ask_training(ANALYST, at=at)
    assert retraining.ask_training(ANALYST, at=at) == number
    assert retraining.models_turn(at) == 1
    (done,) = views.trainings()
    assert (done.state, states()) == ("done", {done.model_id: "trained"})
    assert views.model(done.model_id).proposed_by == "node:XA"
    assert [path.name for path in (home / "models").iterdir()] == [done.model_id], "nothing is left over"
    with pytest.raises(PermissionRefusedError):
        retraining.set_retraining(ANALYST, every_days=30, at=at)
    retraining.set_retraining(SUPERVISOR, every_days=30, at=at)
    assert retraining.models_turn(at + timedelta(days=29)) == 0
    assert not state_path().exists(), "without a model that speaks no histories are made"
    approve_model(SUPERVISOR, model_id=done.model_id, shelf=this_shelf(), at=at)
    assert retraining.models_turn(at + timedelta(hours=1)) == 0
    assert views.standing(at).declarations == WEEKS * A_WEEK
    # When it is due and there are too few outcomes, the training says so, and nothing else happens.
    LearnedOutcome.objects.filter(is_irregular=True).delete()
    assert retraining.models_turn(at + timedelta(days=31)) == 1
    failed = views.trainings()[0]
    assert (failed.state, failed.asked_by) == ("failed", "node:XA")
    assert "too few outcomes of controls" in failed.note
    assert "0 of them irregular, 15 are needed" in failed.note
    assert LearnedModel.objects.count() == 1


def test_a_folder_that_is_no_model_or_anothers_is_refused(home: Path, tmp_path: Path, at: datetime):
    shelf = this_shelf()
    with pytest.raises(ModelStoreError, match="part of the model is missing"):
        enter_model(ANALYST, folder=tmp_path, shelf=shelf, at=at)
    (tmp_path / "manifest.json").write_text('{"format": "comity-risk-model/1", "parts": {"../x": "0"}}')
    with pytest.raises(ModelStoreError, match="cannot be one"):
        enter_model(ANALYST, folder=tmp_path, shelf=shelf, at=at)
    (tmp_path / "manifest.json").write_text('{"format": "comity-risk-model/2", "parts": {"a": "0"}}')
    with pytest.raises(ModelStoreError, match="not of the form"):
        enter_model(ANALYST, folder=tmp_path, shelf=shelf, at=at)
    card = {"administration": "XB", "learned_from": {"first_day": "2026-01-01", "last_day": "2026-02-01"}}
    folder = _folder(tmp_path / "other", card)
    with pytest.raises(ModelError, match="another administration"):
        enter_model(ANALYST, folder=folder, shelf=shelf, at=at)
    folder = _folder(tmp_path / "undated", {"administration": "XA"})
    with pytest.raises(ModelStoreError, match="does not say which days"):
        enter_model(ANALYST, folder=folder, shelf=shelf, at=at)
    assert not (home / "models").exists() or not list((home / "models").iterdir()), "nothing half done"
    assert not LearnedModel.objects.exists()


def test_a_signature_that_is_not_ours_is_refused(home: Path, tmp_path: Path, at: datetime):
    card = {
        "administration": "XA",
        "variant": "local",
        "whole_weeks": False,
        "learned_from": {"first_day": "2026-01-01", "last_day": "2026-02-01"},
    }
    shelf = this_shelf()
    model_id = enter_model(ANALYST, folder=_folder(tmp_path / "own", card), shelf=shelf, at=at)
    with pytest.raises(ModelError, match="in the node already"):
        enter_model(ANALYST, folder=tmp_path / "own", shelf=shelf, at=at)
    statement = home / "models" / model_id / STATEMENT
    signed = statement.read_bytes()
    stranger = make_keyring(
        administration="XA", name="X", endpoint_url="https://127.0.0.1:1", hosts=("localhost",), at=at
    )
    manifest = (home / "models" / model_id / "manifest.json").read_bytes()
    statement.write_bytes(sign_statement(STATEMENT_TYPE, manifest, stranger.signing).to_bytes())
    with pytest.raises(ModelStoreError, match="not signed by this node"):
        approve_model(SUPERVISOR, model_id=model_id, shelf=shelf, at=at)
    other = _folder(tmp_path / "second", card | {"n": 2})
    statement.write_bytes(signed)
    for path in other.iterdir():
        (home / "models" / model_id / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ModelStoreError, match="not the one that was signed"):
        approve_model(SUPERVISOR, model_id=model_id, shelf=shelf, at=at)
    assert states() == {model_id: "trained"}


def test_there_are_not_more_challengers_than_are_worth_it(home: Path, tmp_path: Path, at: datetime):
    card = {"administration": "XA", "variant": "local", "whole_weeks": False}
    card |= {"learned_from": {"first_day": "2026-01-01", "last_day": "2026-02-01"}}  # type: ignore[dict-item]
    shelf = this_shelf()
    ids = [
        enter_model(ANALYST, folder=_folder(tmp_path / str(n), card | {"n": n}), shelf=shelf, at=at) for n in range(5)
    ]
    for model_id in ids[:3]:
        approve_model(SUPERVISOR, model_id=model_id, shelf=shelf, at=at)
    with pytest.raises(ModelError, match="3 challengers already"):
        approve_model(SUPERVISOR, model_id=ids[3], shelf=shelf, at=at)
    promote_model(SUPERVISOR, model_id=ids[0], reason="Good", shelf=shelf, at=at)
    promote_model(SUPERVISOR, model_id=ids[1], reason="Better", shelf=shelf, at=at)
    assert [each.state.value for each in views.models()] == ["champion", "challenger", "trained", "trained", "retired"]
    promote_model(SUPERVISOR, model_id=ids[0], reason="It was better after all", shelf=shelf, at=at)
    assert views.champion().model_id == ids[0]
    retire_model(ANALYST, model_id=ids[3], reason="Unused", shelf=shelf, at=at)
    with pytest.raises(ModelError, match="Only one that was champion before"):
        promote_model(SUPERVISOR, model_id=ids[3], reason="Back", shelf=shelf, at=at)
    tables = enter_model(ANALYST, folder=_folder(tmp_path / "t", card | {"whole_weeks": True}), shelf=shelf, at=at)
    with pytest.raises(ModelError, match="trained for tables"):
        approve_model(SUPERVISOR, model_id=tables, shelf=shelf, at=at)


def _folder(folder: Path, card: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(card)
    (folder / "card.json").write_text(text)
    parts = {"card.json": sha256(text.encode()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"format": "comity-risk-model/1", "parts": parts}))
    return folder


def test_a_declaration_becomes_a_row():
    def item(number: int, price: str, code: str) -> GoodsItem:
        return GoodsItem(
            number,
            HSCode(code),
            origin="CN",
            net_mass_kg=Decimal(5),
            item_price=Money(Decimal(price), "USD"),
            duty_regime="300",
        )

    whole = replace(
        imported(1, LOUD),
        items=(item(1, "10", "610910"), item(2, "90", "640411")),  # type: ignore[type-var]
    )
    when = datetime(2026, 3, 4, 23, tzinfo=UTC)
    row = row_of(whole, administration="XA", arrived_at=when, rates={"640411": 12.0})  # type: ignore[arg-type]
    assert (row["hs6"], row["net_mass"], row["cif_value"], row["preference"]) == ("640411", 10.0, 100.0, 1.0)
    assert (row["duty_rate"], row["taxes_paid"], row["importer"]) == (0.0, 0.0, "xc9")
    assert is_import(whole, "XA")  # type: ignore[arg-type]
    assert not is_import(replace(whole, declaration_type="EX"), "XA")  # type: ignore[type-var]
    assert outcome_of(is_irregular=True, risk_type="counterfeit")["critical"] == 1.0
    assert outcome_of(is_irregular=True, risk_type="")["finding"] == "ERR"
    assert outcome_of(is_irregular=False, risk_type="counterfeit")["finding"] == ""


def test_the_terminal_lists_shows_and_keeps_to_two_officers(home: Path, tmp_path: Path):
    card = {"administration": "XA", "variant": "local", "whole_weeks": False}
    card |= {"learned_from": {"first_day": "2026-01-01", "last_day": "2026-02-01"}}  # type: ignore[dict-item]

    def run(*words: str) -> Result:
        return CliRunner().invoke(model, list(words))

    assert "no model speaks in assessments: no_champion" in run("list").output
    added = run("add", str(_folder(tmp_path / "own", card)))
    model_id = added.output.split()[0]
    assert "waits for approval by another officer" in added.output
    assert isinstance(run("approve", model_id).exception, FourEyesError)
    approve_model(SUPERVISOR, model_id=model_id, shelf=this_shelf(), at=datetime.now(UTC))
    assert "the champion now" in run("promote", model_id[:12], "--reason", "Good").output
    assert "champion" in run("list").output
    stated = run("retrain", "--every-days", "30", "--variant", "exchange")
    assert "the node trains every 30 days, variant exchange" in stated.output
    assert views.retraining_stated() == Retraining(30, "exchange")
    assert "it is retired" in run("retire", model_id, "--reason", "Old").output
    assert isinstance(run("retrain").exception, HistoryError)
    assert run("train").exit_code == 2
