"""Files that programs send, and the records that came of them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client, override_settings

from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import TradeFile, day_of_trade, defective_files, files_of, mapping_yaml
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem

DAY = day_of_trade(11, 6)
FILES = {file.name: file for file in files_of(DAY)}
XML = "application/xml"


@pytest.fixture
def system(caller: MakeCaller) -> Caller:
    return caller("system")


def send(caller: Caller, file: TradeFile) -> dict[str, list[dict[str, object]]]:
    response = caller.send(f"/imports?name={file.name}", file.data, file.media_type)
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_a_document_becomes_a_record_that_can_be_read_back(system: Caller) -> None:
    declaration = DAY.imports[0]
    data = write_wco_xml(declaration)
    receipt = system.send("/imports?name=first.xml", data, XML).json()
    assert (receipt["warned"], receipt["duplicates"], receipt["refused"]) == (0, 0, [])
    (imported,) = receipt["imported"]
    assert imported["reference"] == declaration.lrn
    shown = system.get(f"/records/{imported['record_id']}").json()
    assert shown["content"]["lrn"] == declaration.lrn
    price = declaration.items[0].item_price
    assert price is not None
    assert shown["content"]["items"][0]["item_price"] == {"amount": str(price.amount), "currency": "USD"}
    assert shown["arrival"]["name"] == "first.xml"
    assert shown["arrival"]["source"] == "api:token-system"
    raw = system.get(f"/records/{imported['record_id']}/raw")
    assert raw.content == data
    assert raw["Content-Type"] == "application/octet-stream"
    assert raw["Content-Disposition"].startswith("attachment")


def test_the_same_bytes_again_change_nothing(system: Caller) -> None:
    data = write_wco_xml(DAY.imports[0])
    first = system.send("/imports", data, XML).json()
    again = system.send("/imports", data, XML).json()
    assert (len(first["imported"]), first["duplicates"]) == (1, 0)
    assert (len(again["imported"]), again["duplicates"]) == (0, 1)
    assert again["arrival_id"] == first["arrival_id"]


def test_a_zip_file_of_many(system: Caller) -> None:
    receipt = send(system, FILES["exports-morning.zip"])
    assert len(receipt["imported"]) == len(DAY.exports)


def test_a_table_with_the_name_of_a_mapping(system: Caller, tmp_path: Path) -> None:
    with override_settings(COMITY_HOME=tmp_path):
        folder = tmp_path / "mappings"
        folder.mkdir()
        (folder / "trade.yaml").write_bytes(mapping_yaml())
        table = FILES["imports.csv"]
        receipt = system.send("/imports?name=imports.csv&mapping=trade", table.data, "text/csv").json()
        assert len(receipt["imported"]) == table.expected.imported
        wrong = system.send("/imports?name=other.csv&mapping=nowhere", table.data + b" ", "text/csv").json()
        assert [note["code"] for note in wrong["refused"]] == ["bad_mapping"]


@pytest.mark.parametrize(
    "file", [file for file in defective_files(DAY) if file.media_type == XML], ids=lambda f: f.name
)
def test_a_file_with_a_defect_names_it_and_loses_nothing(system: Caller, file: TradeFile) -> None:
    receipt = send(system, file)
    assert len(receipt["imported"]) == file.expected.imported
    assert receipt["warned"] == file.expected.warned
    assert len(receipt["refused"]) == file.expected.refused
    for note in receipt["refused"]:
        assert note["line"]
        assert note["message"]


def test_warnings_stand_beside_the_record(system: Caller) -> None:
    file = FILES["no-such-hs-code.xml"]
    (imported,) = send(system, file)["imported"]
    (problem,) = system.get(f"/records/{imported['record_id']}").json()["problems"]
    assert problem["severity"] == "warning"
    assert "hs_code" in problem["field"]


def test_versions_are_kept(system: Caller) -> None:
    data = write_wco_xml(DAY.imports[0])
    (first,) = system.send("/imports", data, XML).json()["imported"]
    (second,) = system.send("/imports", data.replace(b"USD", b"EUR"), XML).json()["imported"]
    assert second["record_id"] == first["record_id"]
    assert second["version"] == 2
    path = f"/records/{first['record_id']}"
    assert system.get(path).json()["version"] == 2
    assert system.get(path, version=1).json()["is_current"] is False
    assert system.get(f"{path}/raw", version=1).content == data
    check_problem(system.get(path, version=9), 404, "record_not_found")


def test_records_are_found_and_paged(system: Caller) -> None:
    send(system, FILES["exports-morning.zip"])
    everything = system.get("/records").json()
    assert len(everything["items"]) == len(DAY.exports)
    assert (everything["total"], everything["next_offset"]) == (len(DAY.exports), None)
    first = system.get("/records", limit=4).json()
    assert (len(first["items"]), first["next_offset"]) == (4, 4)
    rest = system.get("/records", limit=4, offset=4).json()
    assert (rest["total"], rest["next_offset"]) == (len(DAY.exports), None)
    assert system.get("/records", offset=900).json() == {"items": [], "total": len(DAY.exports), "next_offset": None}
    seen = {entry["record_id"] for entry in [*first["items"], *rest["items"]]}
    assert seen == {entry["record_id"] for entry in everything["items"]}
    found = system.get("/records", text=DAY.story.first_ucr, kind="declaration").json()["items"]
    assert [entry["ucr"] for entry in found] == [DAY.story.first_ucr]
    assert system.get("/records", kind="manifest").json()["items"] == []
    assert system.get("/records", received_from="2999-01-01T00:00:00Z").json()["items"] == []
    assert system.get("/records", received_until="2999-01-01T00:00:00+02:00").json()["items"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"offset": -1}, "offset"),
        ({"kind": "gossip"}, "kind"),
        ({"received_from": "2026-01-01"}, "received_from"),
        ({"received_from": "0001-01-01T00:00:00+23:00"}, "received_from"),
        ({"text": "a\x00b"}, "text"),
    ],
)
def test_a_wrong_query_is_named(system: Caller, query: dict[str, object], field: str) -> None:
    body = check_problem(system.get("/records", **query), 422, "bad_field")
    assert field in str(body["where"])


def test_a_misspelt_filter_does_not_find_everything(system: Caller) -> None:
    body = check_problem(system.get("/records", knd="manifest"), 422, "unknown_parameter")
    assert body["where"] == "knd"
    assert "kind" in str(body["remedy"])
    check_problem(system.get(f"/records/{UUID(int=7)}", versoin=1), 422, "unknown_parameter")


@pytest.mark.parametrize("media_type", ["application/json", "application/pdf", ""])
def test_another_media_type_is_415(system: Caller, media_type: str) -> None:
    check_problem(system.send("/imports", b"{}", media_type), 415, "unsupported_media_type")


@override_settings(COMITY_MAX_UPLOAD_BYTES=1000)
def test_a_file_over_the_bound_is_413(system: Caller) -> None:
    check_problem(system.send("/imports", b"<" * 1001, XML), 413, "too_large")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
def test_what_the_framework_finds_too_large_is_413_too(system: Caller) -> None:
    check_problem(system.send("/imports", b"<" * 1001, XML), 413, "too_large")


def test_a_body_without_its_length_is_411_and_never_an_empty_file(system: Caller) -> None:
    response = system.client.generic(
        "POST",
        "/api/v1/imports",
        content_type=XML,
        headers={"Authorization": f"Bearer {system.token}", "Transfer-Encoding": "chunked"},
    )
    check_problem(response, 411, "length_required")


def test_an_unknown_record_is_404(system: Caller) -> None:
    for path in (f"/records/{UUID(int=7)}", f"/records/{UUID(int=7)}/raw", f"/records/{UUID(int=7)}/assessment"):
        assert system.get(path).status_code == 404
    check_problem(system.get("/records/7"), 404, "not_found")


def test_no_cross_site_token_is_asked_of_programs(caller: MakeCaller) -> None:
    program = caller("system")
    strict = Caller(Client(enforce_csrf_checks=True), program.token)
    assert strict.send("/imports", write_wco_xml(DAY.imports[0]), XML).status_code == 200
