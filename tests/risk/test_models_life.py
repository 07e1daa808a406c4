"""The life of a model in the node, and what it says in assessments: from own history, by two officers, in the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from comity.common import Actor
from comity.ledger.selectors import latest_checkpoint
from comity.ledger.services import open_log
from comity.risk import Lane, SourceKind
from comity.risk.errors import FourEyesError
from comity.risk.modelling import live
from comity.risk.modelling.errors import ModelError, ModelStoreError
from comity.risk.modelling.life import approve_model, enter_model, promote_model, retire_model
from comity.risk.modelling.rules import MOST_WEIGHT, Silence
from comity.risk.modelling.shelves import learning, state_path, this_shelf
from comity.risk.models import LearnedModel, LearnedOutcome, ModelMove, ModelScore
from comity.risk.rules import lane_of
from comity.risk.selectors import explanation
from comity.risk.services import assess
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import Money, Party
from comity.trust import Checkpoint, split_note
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
            LearnedOutcome.objects.create(
                declaration_ref=record.reference,
                record_id=record.record_id,
                decided_at=when + timedelta(days=1),
                is_irregular=is_loud and chance.random() < 0.8,
                is_random=False,
                sources=[],
                risk_type="undervaluation",
                learned_at=when + timedelta(days=1),
            )


@pytest.fixture
def home(tmp_path: Path, settings: object, at: datetime) -> Iterator[Path]:
    settings.COMITY_HOME = tmp_path  # type: ignore[attr-defined]
    live._held.telling = None
    open_log(signer=this_shelf().keyring.log, at=at)
    yield tmp_path
    live._held.telling = None


@pytest.fixture
def trained(home: Path, history: None, at: datetime) -> Path:
    """A model of the node's own history, still outside of the node."""
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
    scores = dict(ModelScore.objects.values_list("record_id", "chance"))
    assert scores[loud.record_id] > 0.5 > 0.1 > scores[quiet.record_id]

    # Each move stands in the log and in the audit, and what the log commits to can be shown.
    assert Checkpoint.parse(split_note(latest_checkpoint())[0]).size == 3
    assert list(ModelMove.objects.order_by("pk").values_list("to_state", "log_index")) == [
        ("trained", 0),
        ("challenger", 1),
        ("champion", 2),
    ]
    deeds = AuditEntry.objects.filter(subject=f"model:{model_id[:16]}").order_by("pk")
    assert list(deeds.values_list("deed", flat=True)) == ["enter_model", "approve_model", "promote_model"]

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
