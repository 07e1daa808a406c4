"""A trader who asks is told what models remember of it, and what they remember goes when it should."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from comity.insight.holdings import holdings_of
from comity.insight.naming import Asked
from comity.insight.privacy_papers import item_words
from comity.insight.subjects import Item, candidates_of, confirmed
from comity.intake.models import Record, RecordKey
from comity.risk.errors import MissingLibraryError
from comity.risk.modelling import held
from comity.risk.modelling.errors import ModelStoreError
from comity.risk.modelling.retraining import models_turn, refresh_if_due
from comity.risk.modelling.shelves import state_path
from comity.risk.models import LearnedModel, LearnedOutcome, TradePair
from comity.risk.partner_findings import take_partner_finding
from comity.risk.values import Source
from comity.trade import Finding, FindingResult, Party, Subject, SubjectRole
from comity.trade.values import Address
from tests.risk.cast import declaration, store
from tests.risk.prediction.test_libraries import missing_library
from tests.risk.test_partners_told import adopt

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(bool(missing_library()), reason=f"needs the extra `learning` ({missing_library()})"),
]
LOUD, QUIET = Party("XC-9", "Loud Trade"), Party("", "Quiet Trade Ltd", Address(country="XC"))
WEEKS = 4


@pytest.fixture
def model(tmp_path: Path, settings: object, at: datetime) -> LearnedModel:
    """A challenger, and four weeks of imports, two a week, of which each second one was controlled."""
    settings.COMITY_HOME = tmp_path  # type: ignore[attr-defined]
    for number in range(2 * WEEKS):
        when = at - timedelta(days=7 * (WEEKS - number // 2))
        importer = LOUD if number % 2 else QUIET
        made = replace(
            declaration(f"IM-{number}", importer=importer),
            declaration_type="IM",
            country_destination="XA",
            country_dispatch="XC",
        )
        record = store(made, when)
        if importer is LOUD:
            LearnedOutcome.objects.create(
                declaration_ref=record.reference,
                record_id=record.record_id,
                decided_at=when + timedelta(days=1),
                is_irregular=number == 1,
                is_random=False,
                sources=[],
                risk_type="undervaluation",
                learned_at=when + timedelta(days=1),
            )
    row = LearnedModel.objects.create(
        model_id="ab" * 32,
        administration="XA",
        variant="local",
        first_day=at.date(),
        last_day=at.date(),
        card={},
        state="challenger",
        proposed_by="officer:ana",
        proposed_at=at,
        changed_at=at,
    )
    assert refresh_if_due(at)
    return row


def histories(asked: Asked) -> list[Item]:
    """The histories that are held of who asks, after all spellings were confirmed."""
    found = holdings_of(asked).items
    chosen = [each.spelling for each in candidates_of(found)]
    return [each for each in confirmed(found, chosen) if each.what == "history"]


def test_what_models_remember_is_told(model: LearnedModel, at: datetime):
    (history,) = histories(Asked("Loud Trade"))
    figures = dict(history.figures)
    # Of four declarations and controls the oldest lies three whole weeks back, so each counts a little less than once.
    assert 3.7 <= float(figures["declarations"]) < 4
    assert 3.6 <= float(figures["controls"]) < 4
    assert 0.8 < float(figures["irregular"]) < 1
    assert int(figures["beside"]) == 6
    # No partner told anything of these.
    assert figures["partners_told"] == figures["differing"] == "0.0"
    assert (history.title, figures["models"], figures["counted"]) == ("ab" * 8, "ab" * 8, "halved")
    assert history.since.date() == (at - timedelta(days=28)).date()
    assert history.needs_decision, "it is an assessment of a trader: who may tell it is decided"
    assert "xc9" not in history.ref, "the audit names no trader"
    assert [each.spelling for each in history.named] == ["Loud Trade · XC-9"]
    # By number, and one without a number by its name; carriers are remembered by controls alone.
    assert [each.ref for each in histories(Asked(ids=("xc 9",)))] == [history.ref]
    (quiet,) = histories(Asked("QUIET trade"))
    assert dict(quiet.figures)["controls"] == "0.0"
    (carrier,) = histories(Asked("Oceanic Lines"))
    assert "declarations" not in dict(carrier.figures)
    words = dict(item_words(history, "XA", "fr"))
    assert words["Mode de comptage"].startswith("chacun compte moitié moins après 26 semaines")
    assert words["Contrôles"].startswith("3,")
    assert "refait chaque jour" in words["Conservé jusqu’au"]


def test_what_partners_found_is_told_also_to_who_never_declared_here(model: LearnedModel, at: datetime):
    agreement = adopt(at)
    for number, name in enumerate(("XC-9", "XC-77")):
        told = Finding(f"F-{number}", "XC", at, FindingResult.IRREGULAR, consignee=Subject(SubjectRole.CONSIGNEE, name))
        source = Source("XC", f"m-{number}", agreement.id, "1")
        take_partner_finding(told, source=source, at=at - timedelta(days=14))
    assert refresh_if_due(at, is_asked=True)
    (known,) = histories(Asked(ids=("XC-9",)))
    (stranger,) = histories(Asked(ids=("XC-77",)))
    for each in (known, stranger):
        figures = dict(each.figures)
        assert 0.9 < float(figures["partners_found"]) <= 1
        assert figures["partners_found"] == figures["partners_irregular"]
        assert figures["partners_alerts"] == "0.0"
    assert "declarations" in dict(known.figures)
    assert "declarations" not in dict(stranger.figures)
    assert "Controls of which partners told" in dict(item_words(stranger, "XA", "en"))


def test_what_is_deleted_leaves_the_histories_when_they_are_made_anew(model: LearnedModel, at: datetime):
    TradePair.objects.create(importer="xc9", exporter="xa4711", first_at=at, count=4)
    gone = Record.objects.filter(pk__in=RecordKey.objects.filter(value="xc9").values("record__pk"))
    LearnedOutcome.objects.filter(record_id__in=gone.values("record_id")).delete()
    gone.delete()
    (history, habits) = holdings_of(Asked(ids=("XC-9",))).items
    assert (history.what, history.named[0].spelling) == ("history", "xc9"), "until then it is told"
    assert (habits.what, habits.figures) == ("habits", (("partners", "1"),))
    assert refresh_if_due(at, is_asked=True)
    assert histories(Asked(ids=("XC-9",))) == []


def test_histories_go_with_the_last_model_that_is_asked(model: LearnedModel, at: datetime):
    table, fresh = state_path().with_name(".table-lost"), state_path().with_name(".table-now")
    for folder in (table, fresh):
        folder.mkdir()
    part = state_path().with_name(".histories.npz.1.part")
    part.write_bytes(b"half")
    for path, age in ((table, 2), (part, 2), (fresh, 0), (state_path(), 0)):
        moment = (at - timedelta(days=age)).timestamp()
        os.utime(path, (moment, moment))
    models_turn(at)
    assert (state_path().exists(), table.exists(), part.exists(), fresh.exists()) == (True, False, False, True)
    LearnedModel.objects.update(state="retired")
    assert dict(histories(Asked("Loud Trade"))[0].figures)["models"] == "no_models"
    models_turn(at)
    assert not state_path().exists()
    assert histories(Asked("Loud Trade")) == []


def test_too_old_histories_go_and_unreadable_ones_are_never_taken_for_empty(
    model: LearnedModel, at: datetime, monkeypatch: pytest.MonkeyPatch
):
    def without(module: str) -> None:
        raise MissingLibraryError("A library that learning needs is not installed", where=module)

    with monkeypatch.context() as patched:
        patched.setattr(held, "learning", without)
        (history,) = histories(Asked("Loud Trade"))
        assert history.figures[1:] == (("counted", "uncounted"),)
    moment = (at - timedelta(days=15)).timestamp()
    os.utime(state_path(), (moment, moment))
    assert held.drop_histories(at)
    state_path().write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ModelStoreError, match="nobody can say whom they hold"):
        holdings_of(Asked("Loud Trade"))
