"""The pages of models: why none speaks, the card in plain words, the deeds with their reasons, in two languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from django.utils import translation

from comity.console import model_words
from comity.console.charts import dots_of
from comity.console.model_words import say_feature, say_model
from comity.ledger.services import open_log
from comity.risk.modelling import live
from comity.risk.modelling.life import approve_model, enter_model, promote_model
from comity.risk.modelling.naming import LABELS, WHO
from comity.risk.modelling.retraining import HEARD_NOTHING
from comity.risk.modelling.shelves import this_shelf
from comity.risk.models import LearnedModel, LearnedOutcome, ModelScore, ModelTraining
from tests.console.visiting import text_of
from tests.risk.cast import ANALYST, SUPERVISOR

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def write_model(folder: Path, number: int = 1, administration: str = "XA") -> Path:
    """A folder of the form of a model: what is put in, approved and shown; nobody asks it anything."""
    card = {
        "administration": administration,
        "variant": "local",
        "whole_weeks": False,
        "tells_revenue": False,
        "revenue": {"currency": "XAF", "irregular": 107, "with_amount": 3, "above_zero": [3, 0], "needed": [20, 5]},
        "number": number,
        "learned_from": {"first_day": "2026-01-05", "last_day": "2026-08-30", "declarations": 900, "illicit": 80},
        "measured_on": {"first_day": "2026-08-31", "last_day": "2026-10-30", "declarations": 300, "illicit": 27},
        "quality_at_5_percent": {"precision": 0.6, "recall": None, "average_precision": 0.55},
        "reliability": [
            {"low": 0.0, "high": 0.01, "count": 200, "told": 0.004, "found": 0.005},
            {"low": 0.4, "high": 0.6, "count": 40, "told": 0.5, "found": 0.45},
        ],
    }
    tenths = {"edges": [0.1, 0.5], "shares": [0.6, 0.3, 0.1, 0.0], "rows": 300}
    reference = {"rows": 1200, "chance": tenths, "main": [{"name": "own_share:importer"} | tenths]}
    parts = {"card.json": json.dumps(card), "card.md": "# Card", "reference.json": json.dumps(reference)}
    folder.mkdir(parents=True)
    for name, text in parts.items():
        (folder / name).write_text(text)
    digests = {name: sha256(text.encode()).hexdigest() for name, text in parts.items()}
    (folder / "manifest.json").write_text(json.dumps({"format": "comity-risk-model/1", "parts": digests}))
    return folder


@pytest.fixture
def put_in(tmp_path: Path, settings: object) -> Iterator[str]:
    """The id of a model that waits for approval."""
    settings.COMITY_HOME = tmp_path  # type: ignore[attr-defined]
    live._held.telling = None
    open_log(signer=this_shelf().keyring.log, at=AT)
    yield enter_model(ANALYST, folder=write_model(tmp_path / "made"), shelf=this_shelf(), at=AT)
    live._held.telling = None


def test_an_empty_list_says_what_to_do(as_role, tmp_path: Path, settings: object):
    settings.COMITY_HOME = tmp_path  # type: ignore[attr-defined]
    said = text_of(as_role("analyst").get("/models"))
    assert "No model has been promoted, so none speaks in assessments." in said
    assert "No model yet." in said
    assert "Train a new model" in said


def test_a_model_lives_by_two_officers(as_role, put_in: str):
    supervisor: Client = as_role("supervisor")
    page = text_of(supervisor.get(f"/models/{put_in}"))
    assert "900 controlled declarations from 5 Jan 2026 to 30 Aug 2026, 80 of them irregular." in page
    assert "3 of 107 irregular findings; at least 20 above 0 are needed, so it tells chances and no revenue" in page
    assert "It keeps no name of a trader." in page
    drawn = supervisor.get(f"/models/{put_in}").content.decode()
    assert drawn.count("curve-point") == 2
    assert "Approve as challenger" in page
    assert "challenger now" in text_of(supervisor.post(f"/models/{put_in}/approve", follow=True))
    without = supervisor.post(f"/models/{put_in}/promote", {"reason": " "})
    assert (without.status_code, "Say why" in text_of(without)) == (422, True)
    done = text_of(supervisor.post(f"/models/{put_in}/promote", {"reason": "Better on outcomes"}, follow=True))
    assert "The model is the champion now" in done
    assert "Better on outcomes" in done
    listed = text_of(supervisor.get("/models"))
    assert "The histories by which models speak are not made yet." in listed
    assert "Too little has arrived or was controlled since to say." in listed
    retired = text_of(as_role("analyst").post(f"/models/{put_in}/retire", {"reason": "Old"}, follow=True))
    assert "The model is retired." in retired
    assert "Bring it back" in text_of(supervisor.get(f"/models/{put_in}"))


def test_what_it_tells_of_revenue_stands_beside_what_was_assessed(as_role, put_in: str):
    row = LearnedModel.objects.get()
    table = [{"low": 0.0, "high": 0.05, "count": 15, "told": 12345.6, "found": 11000.0}]
    told = {"currency": "XAF", "irregular": 107, "with_amount": 90, "rows": table, "share_at_5_percent": 0.61}
    seen = {"sources": ["mirror"], "declarations": 900, "told_of": 300, "had_arrived": 250, "differing": 30}
    seen |= {"findings": 44, "irregular": 9, "alerts": 3, "issuers": 2}
    row.card |= {"tells_revenue": True, "revenue": told, "as_told": seen}
    row.save()
    page = text_of(as_role("analyst").get(f"/models/{put_in}"))
    assert "An amount was recorded with 90 of 107 irregular findings." in page
    assert "held 61 % of what was assessed" in page.replace("\xa0", " ").replace("61%", "61 %")
    assert "On average assessed (XAF)" in page
    assert "12,346 11,000" in page
    assert "they told of 300 of 900 declarations, of 250 before they were assessed, and 30 of those differed" in page
    assert "44 findings, 9 of them irregular, and 3 alerts, of 2 administrations" in page


def test_what_is_refused_is_said(as_role, put_in: str, tmp_path: Path):
    supervisor: Client = as_role("supervisor")
    too_early = supervisor.post(f"/models/{put_in}/promote", {"reason": "Now"})
    assert (too_early.status_code, "it cannot become champion" in text_of(too_early)) == (422, True)
    (tmp_path / "models" / put_in / "card.md").write_text("# Another card")
    changed = supervisor.post(f"/models/{put_in}/approve")
    assert (changed.status_code, "was changed after it was written" in text_of(changed)) == (409, True)
    assert LearnedModel.objects.get().state == "trained"
    assert supervisor.get("/models/none").status_code == 404


def test_training_is_asked_for_and_the_setting_stated(as_role):
    analyst, supervisor = as_role("analyst"), as_role("supervisor")
    for variant in ("local", "exchange", "exchange"):
        said = text_of(analyst.post("/models/train", {"variant": variant}, follow=True))
        assert "The node will train" in said
    assert said.count("our own records and what partners told us") == 1
    assert said.count("our own records alone") == 1
    unchosen = analyst.post("/models/train")
    assert (unchosen.status_code, "Choose what it learns from" in text_of(unchosen)) == (422, True)
    stated = {"every_days": "30", "variant": "exchange"}
    assert text_of(supervisor.post("/models/retraining", stated, follow=True)).count("waits") >= 1
    page = supervisor.get("/models").content.decode()
    assert page.count('value="30"') == 1
    assert re.search(r'value="exchange" id="id_variant_1"[^>]* checked', page)
    assert supervisor.post("/models/retraining", stated | {"every_days": "-1"}).status_code == 422


def test_a_model_to_which_nothing_was_told_says_so(as_role, put_in: str):
    row = LearnedModel.objects.get()
    seen = {"sources": ["mirror"], "declarations": 900, "told_of": 0, "had_arrived": 0, "differing": 0}
    row.variant, row.card = "exchange", row.card | {"as_told": seen}
    row.save()
    ModelTraining.objects.create(
        state="done", variant="exchange", asked_by="node:XA", asked_at=AT, model_id=put_in, note=HEARD_NOTHING
    )
    analyst: Client = as_role("analyst")
    assert HEARD_NOTHING in text_of(analyst.get("/models"))
    page = text_of(analyst.get(f"/models/{put_in}"))
    assert HEARD_NOTHING in page
    assert "they told of 0" not in page


def test_a_challenger_stands_beside_the_champion(as_role, put_in: str, tmp_path: Path):
    shelf, now = this_shelf(), datetime.now(UTC)
    second = enter_model(ANALYST, folder=write_model(tmp_path / "second", 2), shelf=shelf, at=AT)
    for model_id in (put_in, second):
        approve_model(SUPERVISOR, model_id=model_id, shelf=shelf, at=AT)
    promote_model(SUPERVISOR, model_id=put_in, reason="First", shelf=shelf, at=AT)
    rows = {row.model_id: row for row in LearnedModel.objects.all()}
    for number in range(60):
        record, hit = UUID(int=number + 1), number % 5 == 0
        LearnedOutcome.objects.create(
            declaration_ref=f"D-{number}",
            record_id=record,
            decided_at=now,
            learned_at=now,
            is_irregular=hit,
            is_random=False,
            sources=[],
        )
        for model_id, chance in ((put_in, 0.2), (second, 0.7 if hit else 0.1)):
            ModelScore.objects.create(
                model=rows[model_id],
                record_id=record,
                version=1,
                chance=chance,
                is_used=model_id == put_in,
                main=[0.2],
                at=now - timedelta(days=1),
            )
    page = text_of(as_role("auditor").get(f"/models/{second}")).replace("\u00a0", " ")
    assert "60 controls of what both scored, 12 irregular" in page
    assert "These are too few controls to prefer one of them." in page
    assert "Finds among the 12 ranked highest" in page
    assert "1.00" in page
    assert "Of 60 controls in twelve weeks the model expected 22 % to find something; 20 % did." in page


class TestWords:
    def test_labels_and_parties_are_those_of_risk(self):
        assert set(model_words._LABELS) == set(LABELS.values())
        assert set(model_words._PARTIES) == set(WHO.values())

    @pytest.mark.parametrize(
        ("english", "french"),
        [
            ("A model expects a find", "Un modèle s’attend à une découverte"),
            (
                (
                    "40% of controls of this importer with this supplier found something (usual: 5%) "
                    "(61% of what raises the chance)"
                ),
                (
                    "40 % des contrôles de cet importateur avec ce fournisseur ont trouvé quelque chose "
                    "(d’ordinaire : 5 %) (61 % de ce qui élève la probabilité)"
                ),
            ),
            (
                "controls until now: these goods: 3.0 (usual: 12.5)",
                "contrôles jusqu’ici : ces marchandises : 3,0 (d’ordinaire : 12,5)",
            ),
            ("this importer: never seen before", "cet importateur : jamais vu auparavant"),
            (
                "partners found irregularities in 48% of their controls of this supplier (usual: 30%)",
                (
                    "les partenaires ont constaté des irrégularités dans 48 % de leurs contrôles de ce fournisseur "
                    "(d’ordinaire : 30 %)"
                ),
            ),
            (
                "partners' alerts until now: this carrier: 2.0 (usual: 0.0)",
                "alertes de partenaires jusqu’ici : ce transporteur : 2,0 (d’ordinaire : 0,0)",
            ),
        ],
    )
    def test_a_reason_is_said_in_french(self, english: str, french: str):
        with translation.override("fr"):
            assert re.sub(r"[\xa0\u202f]", " ", say_model(english)) == french

    def test_what_has_no_shape_is_not_said_and_features_are_named(self):
        assert say_model("Nothing of the kind") == ""
        assert say_feature("own_share:importer") == "share of controls that found something: this importer"
        with translation.override("fr"):
            assert "cet importateur" in say_feature("own_share:importer")

    def test_a_picture_of_nothing_is_none(self):
        assert dots_of([]) is None
        drawn = dots_of([(0.2, 0.1, 5), (0.5, 0.6, 50)])
        assert drawn is not None
        assert drawn.dots[1].radius > drawn.dots[0].radius
        assert drawn.dots[1].y < drawn.dots[0].y
