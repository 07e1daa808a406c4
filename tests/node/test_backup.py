"""A backup: whole or refused. Its archive without a node, its database on both engines."""

from __future__ import annotations

import subprocess
import tarfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from comity.exchange.directory import Peer
from comity.exchange.models import OutboxMessage, Partner
from comity.exchange.position import Position
from comity.exchange.resuming import hold_partners, resume_from, was_sent_since
from comity.exchange.transports.base import Told
from comity.journeys.actors import this_node
from comity.ledger.guarding import hold_appends
from comity.ledger.services import open_log
from comity.node.archive import BackupError, new_identity, open_words, seal_words, unpack, writing
from comity.node.home import Home
from comity.node.recovering import Recovery, read_recovery, recover, recover_by_word, write_recovery
from comity.node.snapshot import take_snapshot
from tests.exchange.cast import ANA, AT, adopt_demo, introduce, keyring

IDENTITY, RECIPIENT = new_identity()
OTHER, _ = new_identity()


def write(target: Path, files: dict[str, bytes], *, is_finished: bool = True) -> None:
    with writing(target, [RECIPIENT]) as archive:
        for name, content in files.items():
            archive.add_bytes(name, content)
        if is_finished:
            archive.finish({"format": "x"})


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(range(256)) * 20_000)
    target = tmp_path / "a.age"
    with writing(target, [RECIPIENT]) as archive:
        assert archive.add_file("home/large", source)
        assert not archive.add_file("home/gone", tmp_path / "gone")
        assert not archive.add_file("home/folder", tmp_path)
        archive.finish({"format": "x"})
    assert target.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "a.age.part").exists()
    facts = unpack(target, [OTHER, IDENTITY], tmp_path / "out")
    assert facts["format"] == "x"
    assert (tmp_path / "out" / "home" / "large").read_bytes() == source.read_bytes()


def test_age_and_tar_open_it_without_comity(tmp_path: Path) -> None:
    write(tmp_path / "a.age", {"home/comity.toml": b"x"})
    (tmp_path / "key").write_text(IDENTITY)
    try:
        words = ["age", "-d", "-i", str(tmp_path / "key"), "-o", str(tmp_path / "a.tar"), str(tmp_path / "a.age")]
        subprocess.run(words, check=True)
    except FileNotFoundError:
        pytest.skip("the program age is not installed here")
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getnames() == ["home/comity.toml", "manifest.json"]


@pytest.mark.parametrize("place", [0, 30, 200, 400, -1])
def test_a_changed_byte_is_found(tmp_path: Path, place: int) -> None:
    target = tmp_path / "a.age"
    write(target, {"home/x": b"content"})
    data = bytearray(target.read_bytes())
    data[place] ^= 1
    target.write_bytes(data)
    with pytest.raises(BackupError):
        unpack(target, [IDENTITY], tmp_path / "out")


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
def test_a_cut_file_is_found(tmp_path: Path, kept: float) -> None:
    target = tmp_path / "a.age"
    write(target, {"home/x": bytes(300_000)})
    data = target.read_bytes()
    target.write_bytes(data[: int(kept if kept >= 1 else kept * len(data))])
    with pytest.raises(BackupError):
        unpack(target, [IDENTITY], tmp_path / "out")


def test_another_identity_no_end_and_foreign_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.age", {"home/x": b"x"})
    with pytest.raises(BackupError, match="cannot be opened"):
        unpack(tmp_path / "a.age", [OTHER], tmp_path / "1")
    write(tmp_path / "b.age", {"home/x": b"x"}, is_finished=False)
    with pytest.raises(BackupError, match="no end"):
        unpack(tmp_path / "b.age", [IDENTITY], tmp_path / "2")
    for number, name in enumerate(("../x", "/etc/x", "home/../../x")):
        write(tmp_path / "c.age", {name: b"x"})
        with pytest.raises(BackupError, match="no backup of ours"):
            unpack(tmp_path / "c.age", [IDENTITY], tmp_path / f"3{number}")
    with pytest.raises(BackupError, match="age1"), writing(tmp_path / "d.age", ["age1nobody"]):
        pass
    with pytest.raises(BackupError, match="AGE-SECRET"):
        unpack(tmp_path / "a.age", ["nothing"], tmp_path / "4")


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BackupError), writing(tmp_path / "no" / "a.age", [RECIPIENT]) as archive:
        archive.add_bytes("home/x", bytes(10_000_000))
    with pytest.raises(ValueError, match="mine"), writing(tmp_path / "a.age", [RECIPIENT]):
        raise ValueError("mine")
    assert list(tmp_path.iterdir()) == []


def test_words_under_a_passphrase() -> None:
    sealed = seal_words(IDENTITY, "a long passphrase")
    assert open_words(sealed, "a long passphrase") == IDENTITY
    with pytest.raises(BackupError):
        open_words(sealed, "another passphrase")


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_holds_the_log_of_its_moment(tmp_path: Path) -> None:
    if connection.vendor == "sqlite" and "mode=memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("the tests' SQLite database is in memory; test_restore takes one of a file")
    open_log(signer=keyring("XA").log, at=AT)
    snapshot = take_snapshot(tmp_path / "database")
    assert snapshot.engine == connection.vendor
    assert snapshot.log_size == 0
    assert snapshot.checkpoint.startswith("comity.cast/log\n0\n")
    assert (tmp_path / "database").stat().st_size > 1000


@dataclass
class Asked:
    """Partners that say what they have, or do not answer."""

    positions: dict[str, Position | None] = field(default_factory=dict)

    def ask_position(self, peer: Peer, told: Told) -> None:
        told(peer, self.positions.get(peer.administration))


@pytest.fixture
def held(db: None, tmp_path: Path) -> Home:
    introduce("XB", "XC")
    adopt_demo()
    assert hold_partners(ANA, reason="restored", at=AT) == ("XB", "XC")
    home = Home(tmp_path)
    write_recovery(home, Recovery(datetime(2026, 3, 2, tzinfo=UTC), has_new_log=True, waiting=("XB", "XC")))
    return home


def states() -> dict[str, tuple[str, int]]:
    rows = Partner.objects.values_list("administration", "state", "next_sequence")
    return {code: (state, following) for code, state, following in rows}


def test_each_partner_goes_on_as_it_answers_and_open_places_are_filled(held: Home) -> None:
    transport = Asked({"XB": Position(3, ((6, 7), (9, 9)))})
    left = recover(held, keyring("XA"), AT, transport=transport)  # type: ignore[arg-type]  # asks alone
    assert left is not None
    assert left.waiting == ("XC",)
    assert states() == {"XB": ("active", 10), "XC": ("suspended", 1)}
    filled = OutboxMessage.objects.filter(partner__administration="XB", kind="probe/1")
    assert sorted(filled.values_list("sequence", flat=True)) == [4, 5, 8]
    recover_by_word(held, "XC", Position(812), AT)
    assert states()["XC"] == ("active", 813)
    assert read_recovery(held) is None
    assert recover(held, keyring("XA"), AT, transport=transport) is None  # type: ignore[arg-type]  # asks alone


def test_under_the_old_log_nobody_goes_on_before_all_have_answered(held: Home) -> None:
    open_log(signer=keyring("XA").log, at=AT)
    hold_appends("restored", at=AT)
    write_recovery(held, Recovery(AT, has_new_log=False, waiting=("XB", "XC")))
    transport = Asked({"XB": Position(0)})
    left = recover(held, keyring("XA"), AT, transport=transport)  # type: ignore[arg-type]  # asks alone
    assert left is not None
    assert set(left.waiting) == {"XB", "XC"}
    assert {state for state, _ in states().values()} == {"suspended"}
    transport.positions["XC"] = Position(4)
    assert was_sent_since("XC", Position(4))
    left = recover(held, keyring("XA"), AT, transport=transport)  # type: ignore[arg-type]  # asks alone
    assert left is not None
    assert left.behind == ("XC",)
    assert {state for state, _ in states().values()} == {"suspended"}


def test_what_the_partner_has_of_the_backup_itself_is_no_gap(held: Home) -> None:
    Partner.objects.filter(administration="XB").update(next_sequence=20)
    assert resume_from(this_node(), administration="XB", position=Position(5, ((9, 12),)), at=AT) == 0
    assert states()["XB"] == ("active", 20)
