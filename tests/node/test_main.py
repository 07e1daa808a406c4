"""The command: its home, its errors in one line, its batches."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.nest import run_comity
from tests.scale import scaled


def test_a_node_is_made_and_found_by_the_option(tmp_path: Path) -> None:
    home = tmp_path / "xa"
    made = run_comity(
        "--home", str(home), "init", "--administration", "xa", "--name", "Customs of Alfa", folder=tmp_path
    )
    assert made.returncode == 0, made.stderr
    assert "Key fingerprint" in made.stdout
    assert {path.stat().st_mode & 0o777 for path in (home / "keys").iterdir()} == {0o600}
    assert (home / "keys").stat().st_mode & 0o777 == 0o700
    for path in (home, home / "comity.sqlite3", home / "comity.toml", home / "evidence", home / "inbox"):
        assert path.stat().st_mode & 0o077 == 0, path
    status = run_comity("--home", str(home), "status", folder=tmp_path)
    assert status.returncode == 0, status.stderr
    assert "XA · Customs of Alfa" in status.stdout
    again = run_comity("--home", str(home), "init", "--administration", "XA", folder=tmp_path)
    assert again.returncode == 1
    assert "A node lives here already" in again.stderr
    taken = run_comity(
        "--home", str(home), "batch", folder=tmp_path, stdin="# two officers\nofficer list\nofficer disable bo\n"
    )
    assert taken.returncode == 1
    assert "bo" in taken.stderr
    assert "Traceback" not in taken.stderr


def test_where_no_node_lives_a_command_says_how_to_make_one(tmp_path: Path) -> None:
    commands = ("status", "serve", "officer list", "token list", "partner list", "risk profiles list", "risk explain X")
    for words in commands[: scaled(3, len(commands))]:
        result = run_comity(*words.split(), folder=tmp_path)
        assert result.returncode == 1, words
        assert "comity init" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_code_of_another_form_is_refused(tmp_path: Path) -> None:
    result = run_comity("init", "--administration", "Alfa", folder=tmp_path)
    assert result.returncode == 1
    assert "two capital letters" in result.stderr
    assert not (tmp_path / "comity.toml").exists()


def test_help_reads_without_a_home(tmp_path: Path) -> None:
    result = run_comity("--help", folder=tmp_path)
    assert result.returncode == 0
    for word in ("ENVIRONMENT", "EXIT STATUS", "init", "serve", "import", "status"):
        assert word in result.stdout


def test_a_database_that_is_none_and_a_port_that_is_taken_are_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        made = run_comity(
            "init", "--administration", "XA", "--console-port", "0", "--partners-port", number, folder=tmp_path
        )
        assert made.returncode == 0, made.stderr
        serving = run_comity("serve", folder=tmp_path)
        assert (serving.returncode, "cannot listen" in serving.stderr) == (1, True), serving.stderr
    (tmp_path / "comity.sqlite3").write_bytes(b"no database at all, but long enough to be read as one" * 99)
    status = run_comity("status", folder=tmp_path)
    assert (status.returncode, "The database refused" in status.stderr) == (1, True), status.stderr
    (tmp_path / "keys" / "session.key").unlink()
    keyless = run_comity("serve", folder=tmp_path)
    assert (keyless.returncode, "signs sessions" in keyless.stderr) == (1, True), keyless.stderr
    for result in (serving, status, keyless):
        assert "Traceback" not in result.stderr
