"""The home folder and the database URL: what is wrong is said with the place and the way out."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from comity.node.database import DatabaseURLError, database_settings
from comity.node.home import Home, HomeError, Listener, current_home
from comity.node.keys import load_secret
from comity.node.logs import OneLineFormatter

SETTINGS = """
administration = "XA"
name = "Customs of Alfa"
[console]
host = "127.0.0.1"
port = 8100
url = "http://127.0.0.1:8100"
[partners]
host = "127.0.0.1"
port = 8200
url = "https://127.0.0.1:8200"
"""


def test_the_home_is_named_by_the_environment_or_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_home({"COMITY_HOME": str(tmp_path)}).root == tmp_path
    monkeypatch.chdir(tmp_path)
    assert current_home({}).root == tmp_path


def test_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "comity.toml").write_text(SETTINGS)
    settings = Home(tmp_path).read_settings()
    assert (settings.administration, settings.console.port, settings.time_zone) == ("XA", 8100, "UTC")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (SETTINGS.replace('administration = "XA"', ""), "administration"),
        (SETTINGS.replace("port = 8200", 'port = "high"'), "high"),
        (SETTINGS.replace("[partners]", "[partner]"), "partners"),
        ("console = 3\nadministration='XA'\nname='A'\npartners=4", "table"),
        ("administration = ", "comity.toml"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "comity.toml").write_text(text)
    with pytest.raises(HomeError, match=named):
        Home(tmp_path).read_settings()


def test_where_no_node_lives_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="comity init"):
        Home(tmp_path).read_settings()


def test_sqlite_in_the_home_is_the_default(tmp_path: Path) -> None:
    assert database_settings("", default=tmp_path / "x.sqlite3")["NAME"] == str(tmp_path / "x.sqlite3")
    assert database_settings("sqlite:////srv/c.sqlite3", default=tmp_path)["NAME"] == "/srv/c.sqlite3"


def test_a_postgresql_url_is_read(tmp_path: Path) -> None:
    url = "postgresql://an%40a:s%2Fx@db.example:5433/comity?sslmode=require"
    settings = database_settings(url, default=tmp_path)
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"]) == ("an@a", "s/x", "db.example")
    assert (settings["PORT"], settings["NAME"], settings["OPTIONS"]) == ("5433", "comity", {"sslmode": "require"})


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql://host", "sqlite://", "nonsense"])
def test_another_url_is_refused_without_showing_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseURLError, match="postgresql://"):
        database_settings(url, default=tmp_path)


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("http://127.0.0.1:8100", "127.0.0.1", "http://127.0.0.1:8100"),
        ("https://Comity.Example/", "comity.example", "https://comity.example"),
        ("https://[2001:DB8::1]:8443/console", "[2001:db8::1]", "https://[2001:db8::1]:8443"),
    ],
)
def test_a_url_tells_its_host_and_origin_as_a_browser_does(url: str, host: str, origin: str) -> None:
    listener = Listener("::", 8100, url)
    assert (listener.public_host, listener.origin) == (host, origin)


@pytest.mark.parametrize("url", ["127.0.0.1:8100", "ftp://a", "http://", "http://[::1", ""])
def test_an_address_that_is_none_is_named(tmp_path: Path, url: str) -> None:
    (tmp_path / "comity.toml").write_text(SETTINGS.replace("http://127.0.0.1:8100", url))
    with pytest.raises(HomeError, match="misspells"):
        Home(tmp_path).read_settings()


@pytest.mark.parametrize("content", [None, b"", b"short", b"\xff" * 64])
def test_a_node_never_signs_sessions_with_a_word_that_others_know(tmp_path: Path, content: bytes | None) -> None:
    home = Home(tmp_path)
    assert load_secret(home) == "no-node-lives-here"
    (tmp_path / "comity.toml").write_text(SETTINGS)
    home.keys.mkdir()
    (home.keys / "node.keydoc.json").write_bytes(b"a key document, so that these keys are not lost")
    if content is not None:
        (home.keys / "session.key").write_bytes(content)
    with pytest.raises(HomeError, match="signs sessions"):
        load_secret(home)


def test_a_line_of_the_log_stays_one_line() -> None:
    forged = "hello\n2026-03-02 CRITICAL comity all is lost\x1b[2J\u202e"
    record = logging.LogRecord("comity", logging.WARNING, __file__, 1, "%s", (forged,), None)
    line = OneLineFormatter("%(levelname)s %(message)s").format(record)
    assert line.isprintable()
    assert "\\n2026-03-02" in line
    try:
        raise ValueError(forged)
    except ValueError:
        record.exc_info = sys.exc_info()
    lines = OneLineFormatter("%(levelname)s %(message)s").format(record).split("\n")
    assert all(line.startswith("  | ") for line in lines[1:])
