"""The log as JSON lines, and that no name and no number of a trader or an officer comes into it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from comity.exchange.delivery import deliver_due
from comity.exchange.inbox import process_due
from comity.exchange.services import post
from comity.journeys.actors import this_node
from comity.journeys.arrive import arrive
from comity.journeys.watch import Inbox
from comity.node.logs import JSONFormatter, formatter_named
from comity.node.wiring import JOURNEYS
from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import day_of_trade
from tests.exchange.cast import AT, CHIPO, Loop, adopt_demo, introduce, keyring, release


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that Comity logs, down to the least, as JSON lines."""
    said, logger = io.StringIO(), logging.getLogger("comity")
    handler = logging.StreamHandler(said)
    handler.setFormatter(JSONFormatter())
    former = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield said
    logger.removeHandler(handler)
    logger.setLevel(former)


def test_a_line_is_one_object_with_its_ids(lines: io.StringIO) -> None:
    key = "0195aaaa-0000-7000-8000-000000000001"
    logging.getLogger("comity.exchange").warning("Message %s was refused:\n%s", key, "x")
    (line,) = lines.getvalue().splitlines()
    said = json.loads(line)
    assert (said["level"], said["logger"], said["ids"]) == ("warning", "comity.exchange", [key])
    assert said["event"] == "Message %s was refused:\n%s"
    assert said["text"] == f"Message {key} was refused:\nx"
    assert abs(datetime.fromisoformat(said["ts"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_exception_tells_its_type_and_place_and_not_its_words(lines: io.StringIO) -> None:
    try:
        try:
            int("Blue Heron Trading")
        except ValueError as error:
            raise KeyError("XA123") from error
    except KeyError:
        logging.getLogger("comity.jobs").exception("the job %s failed", "assess")
    said = lines.getvalue()
    assert "Blue Heron" not in said
    assert "XA123" not in said
    trace = json.loads(said)["trace"]
    assert trace[-1] == "KeyError"
    assert "ValueError" in trace
    assert any("test_logs_json" in each for each in trace)


def test_the_format_is_chosen_by_its_name() -> None:
    assert formatter_named("JSON")["()"].endswith("JSONFormatter")
    assert formatter_named("")["()"].endswith("OneLineFormatter")


@pytest.mark.django_db
def test_no_name_and_no_number_of_the_fixtures_is_logged(lines: io.StringIO, tmp_path: Path) -> None:
    introduce("XA", "XC")
    adopt_demo()
    day = day_of_trade(7, 6)
    words = {"Blue Heron", "XA123", "XC-2026-0007", "espadrilles", "chipo"}
    for each in day.afternoon_exports:
        data = write_wco_xml(each)
        arrive(this_node(), source="api", name="x.xml", data=data, mapping=None, at=AT)
        words |= {word for word in _texts(data) if len(word) > 5}
    named = tmp_path / "Blue Heron Trading.xml"
    named.write_bytes(data[:-40])
    Inbox(tmp_path).turn(datetime.now(UTC) + timedelta(minutes=1))
    post(CHIPO, release(), signer=keyring("XC").log, at=AT)
    deliver_due(keyring("XC"), AT, transport=Loop(at=AT - timedelta(days=3)))
    post(CHIPO, release(), signer=keyring("XC").log, at=AT)
    deliver_due(keyring("XC"), AT + timedelta(hours=1), transport=Loop(is_down=True))
    deliver_due(keyring("XC"), AT + timedelta(hours=2), transport=Loop(at=AT + timedelta(hours=2)))
    process_due(JOURNEYS, AT + timedelta(hours=2))
    process_due({"alert/1": _fail}, AT + timedelta(days=2))
    said = lines.getvalue()
    assert said.count("\n") >= 3, "something was logged"
    assert [word for word in sorted(words) if word in said] == []


def _fail(received: object) -> None:
    raise ValueError(f"Blue Heron {received}")


def _texts(data: bytes) -> set[str]:
    """Names and identifiers in a declaration: what stands in elements that are called so."""
    tree = ElementTree.fromstring(data)  # made a line before
    wanted = ("Name", "ID", "Line", "Description")
    return {(each.text or "").strip() for each in tree.iter() if each.tag.rpartition("}")[2] in wanted and each.text}
