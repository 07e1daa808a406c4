"""Cases, procedures and the life of agreements by a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from django.conf import settings

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt
from comity.common import utc_now
from comity.exchange.selectors import messages
from comity.operations.models import Case
from comity.staff.models import AuditEntry
from comity.trust import sign_statement
from tests.api.cast import EVERYONE, introduce_partners, keyring_of
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem
from tests.operations.cast import REQUEST

YAML = (Path(__file__).parents[1] / "operations" / "agreement.yaml").read_bytes()
TEXT = YAML.replace(b"2026-01-01", b"2020-01-01").replace(b"2027-12-31", b"2039-12-31")

NEEDED = ("case", "agreement", "edition", "event", "by", "number", "after", "at", "parties", "deadlines")
NEEDED += ("commitments", "signatures")


@pytest.fixture
def agreement(db: None) -> str:
    """An agreement on verification requests, in force; its id."""
    introduce_partners()
    found = parse_agreement(TEXT)
    keys = {
        "XA": settings.COMITY_KEYRING.signing,
        "XB": keyring_of("XB").signing,
        "XC": keyring_of("XC").signing,
    }
    signed = sign_statement(PAYLOAD_TYPE, found.to_bytes(), *keys.values()).to_bytes()
    verify_keys = {party: [key.verify_key] for party, key in keys.items()}
    return adopt(EVERYONE, signed=signed, verify_keys=verify_keys, at=utc_now()).id


@pytest.fixture
def liaison(caller: MakeCaller) -> Caller:
    return caller("liaison", name="ana", officer=True)


@pytest.fixture
def supervisor(caller: MakeCaller) -> Caller:
    return caller("supervisor", name="clara", officer=True)


@pytest.fixture
def manager(caller: MakeCaller) -> Caller:
    return caller("administrator", name="maria", officer=True)


def opening(agreement: str, **changes: object) -> dict[str, Any]:
    return {
        "procedure": "tfa12",
        "agreement_id": agreement[:12],
        "parties": {"XA": "asker", "XB": "asked"},
        "fields": REQUEST,
        "purpose": "control",
        **changes,
    }


def test_a_case_is_opened_once_however_often_it_is_sent(agreement: str, liaison: Caller) -> None:
    wish = opening(agreement, case_id=str(uuid4()))
    first = liaison.post("/cases", wish)
    assert first.status_code == 201, first.content
    made = first.json()
    assert (made["number"], made["state"], [each["recipient"] for each in made["posted"]]) == (1, "sent", ["XB"])
    again = liaison.post("/cases", wish)
    assert (again.status_code, again.json()["digest"]) == (200, made["digest"])
    check_problem(liaison.post("/cases", {**wish, "purpose": "investigation"}), 409, "case_exists")
    assert (Case.objects.count(), len(messages())) == (1, 1)

    check_problem(liaison.get(f"/cases/{made['case_id']}"), 403, "purpose_missing")
    seen = liaison.get(f"/cases/{made['case_id'][:18]}", purpose="control").json()
    assert seen["fields"]["purpose"] == REQUEST["purpose"]
    assert seen["sendings"][0]["withheld"] == ["persons"]
    assert "withdraw" in seen["may"]["XA"]
    assert AuditEntry.objects.filter(deed="view_case", subject=f"case:{made['case_id']}").count() == 1

    step = {"event": "withdraw", "number": seen["number"] + 1}
    shown = liaison.post(f"/cases/{made['case_id']}/preview", {"event": "withdraw"}).json()
    assert [(each["recipient"], each["is_permitted"]) for each in shown["items"]] == [("XB", True)]
    taken = liaison.post(f"/cases/{made['case_id']}/steps", step)
    assert (taken.status_code, taken.json()["state"]) == (201, "withdrawn")
    assert liaison.post(f"/cases/{made['case_id']}/steps", step).status_code == 200
    check_problem(liaison.post(f"/cases/{made['case_id']}/steps", {**step, "number": 9}), 409, "case_moved")
    check_problem(liaison.post(f"/cases/{made['case_id']}/steps", {"event": "withdraw"}), 409, "not_now")
    assert len(messages()) == 2


def test_cases_are_listed_and_filtered_in_pages(agreement: str, liaison: Caller) -> None:
    made = [liaison.post("/cases", opening(agreement)).json()["case_id"] for _ in range(3)]
    page = liaison.get("/cases", limit=2, procedure="tfa12", partner="XB", agreement_id=agreement).json()
    assert (len(page["items"]), page["total"], page["next_offset"]) == (2, 3, 2)
    rest = liaison.get("/cases", limit=2, offset=2, kind="waiting").json()
    assert {each["case_id"] for each in page["items"] + rest["items"]} == set(made)
    assert liaison.get("/cases", ours="true").json()["total"] == 0
    assert liaison.get("/cases", due_before="2019-01-01T00:00:00Z").json()["items"] == []
    check_problem(liaison.get("/cases/0195ffff", purpose="control"), 404, "case_unknown")


def test_a_restricted_case_waits_for_a_second_officer(agreement: str, liaison: Caller, supervisor: Caller) -> None:
    wish = opening(agreement, handling="restricted", case_id=str(uuid4()))
    waiting = liaison.post("/cases", wish)
    assert waiting.status_code == 202, waiting.content
    proposal = waiting.json()["proposal_id"]
    assert liaison.post("/cases", wish).json()["proposal_id"] == proposal
    assert Case.objects.count() == 0
    done = supervisor.post(f"/approvals/{proposal}/approve").json()
    assert (done["case_id"], [each["recipient"] for each in done["posted"]]) == (wish["case_id"], ["XB"])
    assert liaison.post("/cases", wish).status_code == 200
    step = liaison.post(f"/cases/{done['case_id']}/steps", {"event": "withdraw"})
    assert step.status_code == 202
    assert supervisor.post(f"/approvals/{step.json()['proposal_id']}/approve").status_code == 201


def test_what_is_wrong_is_named(agreement: str, liaison: Caller, caller: MakeCaller) -> None:
    lacking = {name: value for name, value in REQUEST.items() if name != "purpose"}
    problem = check_problem(liaison.post("/cases", opening(agreement, fields=lacking)), 422, "field_missing")
    assert problem["where"] == "fields.purpose"
    check_problem(liaison.post("/cases", opening(agreement, procedure="nothing")), 404, "unknown_procedure")
    refused = check_problem(liaison.post("/cases", opening(agreement, handling="confidential")), 403, "sharing_refused")
    assert refused["decision"]
    analyst = caller("analyst", name="nils", officer=True)
    check_problem(analyst.post("/cases", opening(agreement)), 403, "permission_refused")
    check_problem(analyst.get("/cases"), 403, "permission_refused")


def test_a_procedure_says_what_each_event_needs(liaison: Caller) -> None:
    assert {"tfa12", "maa"} <= {each["name"] for each in liaison.get("/procedures", language="fr").json()["items"]}
    found = liaison.get("/procedures/maa").json()
    events = {each["name"]: each for each in found["events"]}
    assert events["refuse"]["fields"]["properties"]["grounds"]["items"]["enum"] == ["E1", "E2", "E3", "E4"]
    submit = next(each for each in liaison.get("/procedures/tfa12").json()["events"] if each["name"] == "submit")
    assert jsonschema_rs.is_valid(submit["fields"], REQUEST)
    assert not jsonschema_rs.is_valid(submit["fields"], {**REQUEST, "purpose": 3})
    drawn = liaison.get("/procedures/tfa12/diagram")
    assert drawn["Content-Type"].startswith("text/vnd.mermaid")
    assert drawn.content.startswith(b"stateDiagram")


def test_the_life_of_an_agreement(agreement: str, manager: Caller, supervisor: Caller, liaison: Caller) -> None:
    draft = TEXT.decode().replace("version: 1.0", "version: 2.0")
    made = manager.post("/agreements/proposals", {"text": draft, "amends": agreement[:12]})
    assert made.status_code == 201, made.content
    later = made.json()["agreement_id"]
    assert made.json()["told"] == ["XB", "XC"]
    assert manager.post(f"/agreements/{later}/moves", {"move": "withdraw", "reason": "Later."}).status_code == 201
    check_problem(manager.post(f"/agreements/{later}/moves", {"move": "accept"}), 409, "move_refused")
    standing = liaison.get(f"/agreements/{later}/standing").json()
    assert [each["move"] for each in standing["moves"]] == ["propose", "withdraw"]
    assert (standing["partners"][0]["partner"], standing["partners"][0]["text"]) == ("XB", "has not told yet")
    leave = {"move": "leave", "reason": "A vote"}
    waiting = manager.post(f"/agreements/{agreement}/moves", leave)
    assert waiting.status_code == 202
    done = supervisor.post(f"/approvals/{waiting.json()['proposal_id']}/approve").json()
    assert (done["agreement_id"], done["told"]) == (agreement, ["XB", "XC"])
    check_problem(manager.post(f"/agreements/{agreement}/moves", leave), 409, "move_refused")
    check_problem(manager.post("/agreements/proposals", {"text": "form: none"}), 422, "agreement_form")
    check_problem(liaison.post(f"/agreements/{agreement}/moves", leave), 403, "permission_refused")


def test_texts_are_compared_and_tried(agreement: str, liaison: Caller) -> None:
    text = liaison.get(f"/agreements/{agreement}/text", language="fr").json()["text"]
    assert "Étapes de procédures" in text
    check_problem(liaison.get(f"/agreements/{agreement}/text", language="xx"), 422, "bad_field")
    wider = TEXT.decode().replace("purposes: [control]", "purposes: [control, investigation]")
    found = liaison.post("/agreements/compare", {"old": {"agreement_id": agreement}, "new": {"text": wider}}).json()
    assert found["widens"] is True
    assert any("investigation" in line for line in found["changes"])
    check_problem(liaison.post("/agreements/compare", {"old": {}, "new": {"text": wider}}), 422, "bad_field")
    both = {"agreements": [{"agreement_id": agreement}, {"text": wider}]}
    assert liaison.post("/agreements/conflicts", both).status_code == 200
    assert liaison.get(f"/agreements/{agreement}/gaps").json()["gaps"]
    said = {name: {"salt": "0", "value": ["A"]} for name in ("persons", "purpose")}
    body = {**dict.fromkeys(NEEDED, "1"), "procedure": "tfa12", "by": "XA", "fields": said}
    tried = liaison.post("/agreements/dry-run", {"body": body, "kind": "step/1", "purpose": "control"}).json()
    seen = {each["party"]: {field["path"]: field["sight"] for field in each["fields"]} for each in tried["items"]}
    assert (seen["XB"]["fields.persons.value"], seen["XC"]["fields.persons.value"]) == ("withheld", "released")


def test_what_is_owed_and_given(agreement: str, liaison: Caller) -> None:
    liaison.post("/cases", opening(agreement))
    assert liaison.get("/obligations", partner="XB", open="false").json() == {"items": []}
    assert liaison.get("/reminders").json() == {"items": []}
    check_problem(liaison.post("/reminders/1/seen"), 404, "reminder_unknown")
    counted = liaison.get("/reciprocity/XB").json()
    assert (counted["total"]["ours"]["asked"], counted["total"]["theirs"]["asked"]) == (1, 0)
    check_problem(liaison.get("/reciprocity/XX"), 404, "unknown_partner")
