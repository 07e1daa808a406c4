"""What the doctor collects: from a real database, a real home, a real small disk."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from prometheus_client import generate_latest

from comity.common import Actor, ActorKind, utc_now
from comity.exchange.delivery import deliver_due
from comity.exchange.models import Delivery, InboxMessage
from comity.exchange.services import post
from comity.journeys.actors import this_node
from comity.journeys.probe import probe_partners, probe_results
from comity.ledger.models import SplitView
from comity.node.backups import note_backup
from comity.node.checks import ATTENTION, GOOD, WAITING, check_disk
from comity.node.checkup import check_up, disk_of, examine, examine_probes, exposed_files, is_listening
from comity.node.home import Home, Listener
from comity.node.metrics import _node as node_registry
from comity.node.standing import standing_of_node
from tests.exchange.cast import AT, CHIPO, Loop, adopt_demo, introduce, keyring, release

SETTINGS = """administration = "XA"
name = "Customs of Alfa"
[console]
host = "127.0.0.1"
port = 1
url = "http://127.0.0.1:1"
[partners]
host = "127.0.0.1"
port = 1
url = "https://127.0.0.1:1"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.settings_path.write_text(SETTINGS)
    made.settings_path.chmod(0o600)
    for folder in (made.keys, made.evidence):
        folder.mkdir(mode=0o700)
    return made


@pytest.fixture
def partner(db: None) -> None:
    introduce("XA", "XC")
    adopt_demo()


def states(home: Home) -> dict[str, str]:
    return {each.title: each.state for each in examine(home, AT)}


def test_every_subject_has_its_line(home: Home, partner: None) -> None:
    found = states(home)
    assert found["database"] == GOOD
    assert found["ports"] == ATTENTION, "nobody serves this home"
    assert found["file permissions"] == GOOD
    assert found["log"] == found["journeys"] == found["retention"] == GOOD
    assert {"our clock", "our certificate", "our key document", "backup", "partner XC", "clock of XC"} <= set(found)
    assert any(title.startswith("disk of home") for title in found)


def test_a_partner_with_a_skewed_clock_is_said_after_one_receipt(home: Home, partner: None) -> None:
    post(CHIPO, release(), signer=keyring("XC").log, at=AT)
    assert states(home)["clock of XA"] == WAITING
    deliver_due(keyring("XC"), AT, transport=Loop(at=AT + timedelta(minutes=20)))
    assert Delivery.objects.get(partner__administration="XA").skew_seconds == 1200
    (check,) = [each for each in examine(home, AT) if each.title == "clock of XA"]
    assert (check.state, check.detail) == (ATTENTION, "20 min ahead of ours")


def test_a_dead_partner_is_said_with_its_error(home: Home, partner: None) -> None:
    post(CHIPO, release(), signer=keyring("XC").log, at=AT)
    deliver_due(keyring("XC"), AT, transport=Loop(is_down=True))
    (check,) = [each for each in examine(home, AT) if each.title == "partner XA"]
    assert check.needs_attention
    assert "The line is dead" in check.detail
    assert check.remedy


def test_a_certificate_that_ends_soon_is_said(home: Home, partner: None) -> None:
    Delivery.objects.update(certificate_until=AT + timedelta(days=20))
    assert states(home)["certificate of XC"] == ATTENTION
    Delivery.objects.update(certificate_until=AT + timedelta(days=200))
    assert states(home)["certificate of XC"] == GOOD


def test_what_should_have_been_purged_and_what_is_due_is_said(home: Home, partner: None) -> None:
    post(CHIPO, release(), signer=keyring("XC").log, at=AT)
    deliver_due(keyring("XC"), AT, transport=Loop())
    assert states(home)["journeys"] == GOOD
    InboxMessage.objects.update(received_at=AT - timedelta(hours=1), keep_until=AT - timedelta(days=3))
    found = states(home)
    assert (found["journeys"], found["retention"]) == (ATTENTION, ATTENTION)
    InboxMessage.objects.update(failures=2, last_error="KeyError: 'x'")
    assert "KeyError" in next(each.detail for each in examine(home, AT) if each.title == "journeys")


def test_files_that_others_can_read_are_named(home: Home) -> None:
    key = home.keys / "signing.key"
    key.write_text("secret")
    key.chmod(0o644)
    home.settings_path.chmod(0o644)
    assert exposed_files(home) == ["keys/signing.key"]
    home.settings_path.chmod(0o666)
    assert exposed_files(home) == ["comity.toml", "keys/signing.key"]


def test_the_last_backup_counts(home: Home, partner: None) -> None:
    assert states(home)["backup"] == ATTENTION, "the node is older than a week"
    note_backup(home, at=AT - timedelta(days=1), size_bytes=5)
    assert states(home)["backup"] == GOOD
    (home.root / "last-backup.json").write_text("{")
    assert states(home)["backup"] == ATTENTION


def test_a_moved_clock_is_not_forgotten(home: Home, partner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMITY_CLOCK_FILE", str(home.root / "clock"))
    assert states(home)["clock file"] == ATTENTION


def test_a_port_listens_or_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_listening(Listener("0.0.0.0", port, "http://x"))
    assert not is_listening(Listener("127.0.0.1", port, "http://x"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_before_it_is_full(small_disk: Path) -> None:
    (small_disk / "file").write_bytes(bytes(1024 * 1024))
    disk = disk_of("home", small_disk, growth_bytes=1024 * 100)
    assert (disk.total_bytes, disk.free_bytes) == (2 * 1024**2, 1024**2)
    check = check_disk(disk)
    assert check.state == ATTENTION
    assert "10 days" in check.detail


@pytest.mark.django_db
def test_probes_are_judged_with_the_error_of_their_line(home: Home, partner: None) -> None:
    probe_partners(this_node(), at=utc_now(), partners=["XC"])
    Delivery.objects.update(last_error="The line is dead")
    (check,) = examine_probes(probe_results(["XC"]), is_serving=True)
    assert (check.title, check.state) == ("probe XC", ATTENTION)
    assert "The line is dead" in check.detail
    assert Actor(ActorKind.NODE, "XA", settings.COMITY_ADMINISTRATION) == this_node()


def test_only_what_is_proved_is_called_two_histories(home: Home, partner: None) -> None:
    """A suspicion is a suspicion in the doctor, in the standing and in the figures."""
    keep_split("comity.xc/log/1", "c1", is_proven=False)
    assert states(home)["log comity.xc/log/1"] == WAITING
    assert [each.state for each in standing_of_node(at=AT) if each.title == "log of a partner"] == [WAITING]
    assert figure("comity_log_split_views") == 0
    assert figure("comity_log_suspicions") == 1
    keep_split("comity.xc/log/1", "c2", is_proven=True)
    keep_split(settings.COMITY_KEYRING.log.name, "a1", is_proven=True)  # ours: the warnings speak of it
    found = {each.title: each for each in examine(home, AT)}
    assert found["log comity.xc/log/1"].state == ATTENTION
    assert "showed two histories" in found["log comity.xc/log/1"].detail
    assert f"log {settings.COMITY_KEYRING.log.name}" not in found
    said = [each.detail for each in standing_of_node(at=AT) if each.title == "log of a partner"]
    assert said == ["comity.xc/log/1 showed two histories; see the proof page"]
    assert figure("comity_log_split_views") == 2


def test_a_page_gets_the_checks_with_the_probes_that_were_made(home: Home, partner: None) -> None:
    with override_settings(COMITY_HOME=home.root):
        pages_are_told(home)


def pages_are_told(home: Home) -> None:
    assert not [each for each in check_up(AT) if each.title.startswith("probe")]
    probe_partners(this_node(), at=AT)
    assert not [each for each in check_up(AT) if each.title.startswith("probe")]  # it is on its way
    late = {each.title: each for each in check_up(AT + timedelta(minutes=2))}
    assert late["probe XC"].state == ATTENTION
    assert "no receipt" in late["probe XC"].detail
    home.settings_path.unlink()
    without = {each.title: each for each in check_up(AT)}
    assert without["settings"].state == ATTENTION


def figure(name: str) -> float:
    """One figure of the node, as Prometheus reads it."""
    found = [line for line in generate_latest(node_registry).decode().splitlines() if line.startswith(f"{name} ")]
    return float(found[0].split()[1])


def keep_split(origin: str, vkey: str, *, is_proven: bool) -> None:
    """Evidence as the ledger keeps it."""
    SplitView.objects.create(
        origin=origin,
        vkey=vkey,
        reason="told",
        seen_note="",
        shown_note="",
        prefix_root=b"",
        path=[],
        digest=vkey * 20,
        is_proven=is_proven,
        found_at=AT,
    )
