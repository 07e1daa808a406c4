"""Nodes for tests in processes of their own, hatched from one that has loaded everything already.

A node takes seconds of CPU to load its modules, and tests begin hundreds. Each process of a test run keeps a nest: it
loads the modules once, forks for every node that is asked for, and forgets the settings first, so that a node reads its
own home, keys and database as if it had begun alone. What `comity serve` itself does at its start is tried by
processes that begin from nothing (tests/node/test_serve.py, the demo). `begin` hatches in a test run and begins from
nothing elsewhere, so that benchmarks and the long torture have what an administration would have.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple, NoReturn, Protocol, TextIO

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 60_000
# Everything of a node that does not look at its settings while it is loaded.
LOADED = ("psycopg", "comity.node.wiring", "comity.node.running", "comity.node.urls")
_BUILDING = Lock()
# What a nestling has to let go: the line, what is waited for, and by pidfd the number and the ending of each sibling.
Nestlings = tuple[socket.socket, selectors.BaseSelector, dict[int, tuple[int, int]]]


class Egg(NamedTuple):
    """What a process is to become: a program with its words, its environment, the folder in which it stands."""

    words: tuple[str, ...]
    environment: dict[str, str]
    folder: str


class Process(Protocol):
    """What tests do with the process of a node; `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Its number, which is also that of its group."""

    @property
    def stdin(self) -> IO[str] | None:
        """Where it hears."""

    @property
    def stdout(self) -> IO[str] | None:
        """Where it speaks."""

    def poll(self) -> int | None:
        """Its exit code, once it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises: subprocess.TimeoutExpired."""


def begin(program: str, *words: str, environment: Mapping[str, str], errors: IO[bytes], folder: Path = ROOT) -> Process:
    """Begin `python -m program words`, in a group of its own. Speak to it by lines of text.

    environment: all of it; nothing is added. errors: where its standard error goes. folder: where it stands.
    """
    if "PYTEST_VERSION" in os.environ:
        with _BUILDING:  # two threads must not begin two nests
            nest = _nest()
        return nest.hatch(Egg((program, *words), dict(environment), str(folder)), errors)
    return subprocess.Popen(
        [sys.executable, "-m", program, *words],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )


def answer_of(program: str, *words: str, environment: Mapping[str, str], trouble: Path) -> str:
    """What `python -m program words` says until it ends by itself. trouble: where its standard error is kept.

    Raises: RuntimeError, with its last words, where its exit code is not 0.
    """
    with trouble.open("ab") as errors:
        process = begin(program, *words, environment=environment, errors=errors)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout as answer:
        said = answer.read()
    if process.wait():
        raise RuntimeError(f"{program} {' '.join(words)} failed: {trouble.read_text()[-4000:]}")
    return said


def run_comity(
    *words: str, folder: Path, environment: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """What `comity words` says in a folder until it ends by itself.

    environment: all of it; by itself that of somebody who has no node. stdin: what it is told, then the end.
    """
    with tempfile.TemporaryFile("w+b") as errors:
        process = begin(
            "comity",
            *words,
            environment=outside() if environment is None else environment,
            errors=errors,
            folder=folder,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin as told:  # it may end without hearing what it is told
            told.write(stdin)
        with process.stdout as said:
            output = said.read()
        code = process.wait()
        errors.seek(0)
        return subprocess.CompletedProcess(words, code, output, errors.read().decode())


def outside() -> dict[str, str]:
    """The environment of somebody who has no node, with this checkout."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COMITY_", "DJANGO_"))}
    return {**kept, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def node_environment(home: Path, url: str, **more: str) -> dict[str, str]:
    """What a process of a node sees: its own home and database, this checkout, and nothing of whoever started us."""
    return {
        **outside(),
        "COMITY_HOME": str(home),
        "COMITY_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "comity.node.settings",
        **more,
    }


class Hatched:
    """A process that was forked by the nest."""

    def __init__(self, pid: int, stdin: TextIO, stdout: TextIO, ending: int) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._ending: int | None = ending
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, once it has ended."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises: subprocess.TimeoutExpired."""
        if self._ending is not None:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._ending, selectors.EVENT_READ)
                if not waiting.select(timeout):
                    raise subprocess.TimeoutExpired("a node", timeout or 0)
            said = os.read(self._ending, 16)
            os.close(self._ending)
            self._ending, self._code = None, int(said or b"-9")
        assert self._code is not None
        return self._code

    def __del__(self) -> None:
        if self._ending is not None:
            os.close(self._ending)


class Nest:
    """The asking end."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line, self._lock, self._home = ours, Lock(), tempfile.TemporaryDirectory(prefix="comity-tests-")
        environment = node_environment(Path(self._home.name), "")
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.nest", str(theirs.fileno())],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def hatch(self, egg: Egg, errors: IO[bytes]) -> Hatched:
        """Fork one, to be the program that the first word names."""
        asked = json.dumps(egg).encode()
        if len(asked) > MOST_BYTES:
            raise ValueError(f"The environment of {egg.words[0]} is too large: {len(asked)} bytes")
        heard, said, ended = os.pipe(), os.pipe(), os.pipe()
        theirs = (heard[0], said[1], errors.fileno(), ended[1])
        with self._lock:
            socket.send_fds(self._line, [asked], theirs)
            for each in (heard[0], said[1], ended[1]):
                os.close(each)
            answer = self._line.recv(64)
        if not answer:
            raise RuntimeError(f"The nest has ended with {self.process.wait(10)}")
        return Hatched(int(answer), os.fdopen(heard[1], "w"), os.fdopen(said[0], "r"), ended[0])


@cache
def _nest() -> Nest:
    return Nest()


def main() -> None:
    """The nest itself: load, then fork for every line until the line closes."""
    line = socket.socket(fileno=int(sys.argv[1]))
    _load()
    endings: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as waiting:
        waiting.register(line, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not line:
                    _bury(*endings.pop(key.fd), key.fd, waiting)
                    continue
                asked, given, _, _ = socket.recv_fds(line, MOST_BYTES, 4)
                if not asked:
                    return
                pid = os.fork()
                if not pid:
                    _hatch(Egg(*json.loads(asked)), given, (line, waiting, endings))
                for each in given[:3]:
                    os.close(each)
                pidfd = os.pidfd_open(pid)
                waiting.register(pidfd, selectors.EVENT_READ)
                endings[pidfd] = (pid, given[3])
                line.send(str(pid).encode())


def _load() -> None:
    import gc
    import importlib

    import django

    django.setup()
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()


def _bury(pid: int, ending: int, pidfd: int, waiting: selectors.BaseSelector) -> None:
    _, status = os.waitpid(pid, 0)
    waiting.unregister(pidfd)
    os.close(pidfd)
    with suppress(BrokenPipeError):
        os.write(ending, str(os.waitstatus_to_exitcode(status)).encode())
    os.close(ending)


def _hatch(egg: Egg, given: list[int], nest: Nestlings) -> NoReturn:
    """In the new process: leave everything of the nest, then be the program."""
    import runpy

    line, waiting, endings = nest
    os.setsid()
    for pidfd, (_, ending) in endings.items():
        os.close(pidfd)
        os.close(ending)
    waiting.close()
    line.close()
    for number, stream in enumerate(given[:3]):
        os.dup2(stream, number)
    for stream in given:
        os.close(stream)
    os.chdir(egg.folder)
    os.environ.clear()
    os.environ.update(egg.environment)
    sys.argv = list(egg.words)
    _forget_settings()
    runpy.run_module(egg.words[0], run_name="__main__", alter_sys=True)
    sys.exit(0)


def _forget_settings() -> None:
    """Let whoever asks for a setting read those of this process, not those under which the nest was loaded."""
    from django.conf import settings
    from django.core.cache import caches
    from django.db import connections
    from django.utils.functional import empty

    for name in [each for each in sys.modules if each.startswith("tests.")]:
        del sys.modules[name]
    del sys.modules["comity.node.settings"]
    settings._wrapped = empty
    for handler in (connections, caches):
        handler.__dict__.clear()
        handler.__init__()  # type: ignore[misc]  # as if nobody had asked it for a connection yet


if __name__ == "__main__":
    main()
