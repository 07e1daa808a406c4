"""`comity risk`, as it is called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from comity.cli.risk import risk
from comity.common import utc_now
from comity.risk import FourEyesError, ProfileError, ProfileState, SelectionError
from comity.risk.selectors import profile
from comity.risk.services import approve_profile, assess, learn, take_signal
from comity.trade import Outcome
from tests.risk.cast import NODE, SUPERVISOR, alert, declaration, store

pytestmark = pytest.mark.django_db(transaction=True)
RULE = "starts_with(hs_code, '6404') AND unit_price_per_kg < 5.00"
FILLED = ("--title", "Cheap shoes", "--owner", "Risk centre", "--legal-basis", "Act s. 12")


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(risk, list(words), catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def add(*more: str) -> Result:
    return run("profiles", "add", "P-1", RULE, *FILLED, *more)


def test_a_profile_is_drafted_approved_by_another_and_retired():
    assert "another officer" in add("--weight", "60", "--days", "30", "--valid-from", "2026-01-01T00:00:00Z").output
    assert profile("P-1", utc_now()).valid_until is not None
    with pytest.raises(FourEyesError):
        run("profiles", "approve", "P-1")
    assert "no history" in run("profiles", "backtest", "P-1", "--days", "30").output
    store(declaration(), utc_now() - timedelta(days=1))
    with pytest.raises(ProfileError, match="backtest P-1"):
        approve_profile(SUPERVISOR, ref="P-1", at=utc_now())
    assert "P-1 would have fired on 1 of 1 records (100.0%)" in run("profiles", "backtest", "P-1").output
    approve_profile(SUPERVISOR, ref="P-1", at=utc_now())
    learn(Outcome("L", is_irregular=True, decided_at=utc_now(), sources=("profile:P-1",)), at=utc_now())
    line = run("profiles", "list").output.splitlines()[1].split()
    assert line[0] == "P-1"
    assert line[3:6] == ["60", "0", "1/1"]
    assert "retired" in run("profiles", "retire", "P-1", "--reason", "Replaced").output
    assert profile("P-1", utc_now()).state is ProfileState.RETIRED


def test_an_unknown_reference_is_an_error():
    add()
    with pytest.raises(ProfileError, match="no such profile"):
        run("profiles", "approve", "P-2")
    assert "-" in run("profiles", "list").output


def test_a_rule_is_tried_out_and_its_error_drawn():
    assert run("profiles", "check", RULE).output == "The rule can be read. It looks at: hs_code, unit_price_per_kg\n"
    assert "nothing" in run("profiles", "check", "TRUE").output
    shown = run("profiles", "check", "orign = 'XA'", code=1).output
    assert "    orign = 'XA'\n    ^^^^^\nDid you mean origin" in shown
    assert "orign" in run("profiles", "add", "P-3", "orign = 'XA'", *FILLED, code=1).output


def test_selection_and_its_explanation():
    at = utc_now()
    take_signal(alert(at - timedelta(days=1)), message_id="m-1", at=at, article="A-3")
    record = store(declaration("LRN-9"), at)
    assess(NODE, record=record, at=at)
    chosen = run("select").output
    assert "LRN-9  mandatory" in chosen
    assert "1 selected" in chosen
    for name in ("LRN-9", str(record.record_id)):
        told = run("explain", name).output
        assert "score 67.5, lane red, selected" in told
        assert "alert:XC-A-2026-000001  weight 67.5  from XC  TFA 12.5.1" in told
        assert "Article: A-3" in told
        assert "Score: 100" in told
    with pytest.raises(SelectionError, match="No record"):
        run("explain", "LRN-0")


def test_a_record_without_reasons_is_explained_too():
    at = utc_now()
    assess(NODE, record=store(declaration("LRN-9"), at), at=at)
    assert "score 0, lane green, new" in run("explain", "LRN-9").output
