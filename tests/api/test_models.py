"""Models over HTTP: list, card, the deeds of their life, training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.common import utc_now
from comity.ledger.services import open_log
from comity.risk.modelling import live
from comity.risk.modelling.life import enter_model
from comity.risk.modelling.shelves import this_shelf
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem
from tests.console.test_models import write_model
from tests.risk.cast import ANALYST


@pytest.fixture
def put_in(db: None, tmp_path: Path, settings: object) -> Iterator[str]:
    settings.COMITY_HOME = tmp_path  # type: ignore[attr-defined]
    live._held.telling = None
    open_log(signer=this_shelf().keyring.log, at=utc_now())
    yield enter_model(ANALYST, folder=write_model(tmp_path / "made"), shelf=this_shelf(), at=utc_now())
    live._held.telling = None


def test_a_model_lives_over_http(caller: MakeCaller, put_in: str) -> None:
    analyst: Caller = caller("analyst", name="cleo", officer=True)
    supervisor: Caller = caller("supervisor", name="boris", officer=True)
    listed = analyst.get("/models").json()
    assert ([each["state"] for each in listed["items"]], listed["silence"]) == (["trained"], "no_champion")
    check_problem(analyst.post(f"/models/{put_in}/approve", {}), 403, "permission_refused")
    check_problem(supervisor.post(f"/models/{put_in}/promote", {"reason": "Now"}), 409, "bad_model_deed")
    approved = supervisor.post(f"/models/{put_in}/approve", {}).json()
    assert (approved["state"], approved["drift"]["level"], approved["comparison"]) == ("challenger", "too_few", None)
    check_problem(supervisor.post(f"/models/{put_in}/promote", {"reason": " "}), 422, "bad_field")
    promoted = supervisor.post(f"/models/{put_in}/promote", {"reason": "Better"}).json()
    assert [(each["state"], each["reason"]) for each in promoted["moves"]][-1] == ("champion", "Better")
    assert analyst.get("/models").json()["silence"] == "no_state"
    assert analyst.post(f"/models/{put_in}/retire", {"reason": "Old"}).json()["state"] == "retired"
    check_problem(analyst.get(f"/models/{'0' * 64}"), 404, "model_not_found")


def test_training_is_asked_for_once(caller: MakeCaller) -> None:
    analyst, supervisor = caller("analyst", name="cleo", officer=True), caller("supervisor", name="boris", officer=True)
    first = analyst.post("/models/training").json()
    assert (first["state"], first["variant"], first["model_id"], first["note"]) == ("due", "local", None, "")
    assert analyst.post("/models/training", {"variant": "local"}).json() == first
    second = analyst.post("/models/training", {"variant": "exchange"}).json()
    assert second["variant"] == "exchange"
    check_problem(analyst.post("/models/training", {"variant": "everything"}), 422, "bad_field")
    told = {"every_days": 30, "variant": "exchange"}
    assert supervisor.post("/models/retraining", told).json() == told
    shown = analyst.get("/models").json()
    assert (shown["retrain_every_days"], shown["retrain_variant"]) == (30, "exchange")
    assert shown["trainings"] == [second, first]
    assert supervisor.post("/models/retraining", {"every_days": 0}).json() == {"every_days": 0, "variant": "local"}
