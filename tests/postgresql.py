"""Run a command with a fresh PostgreSQL server behind COMITY_DATABASE_URL, and take the server away afterwards.

    python -m tests.postgresql pytest tests/exchange

The server is started by initdb in a temporary folder, listens on a Unix socket only, and runs as an unprivileged
user, since PostgreSQL refuses to run as root. Where no server is installed, says so and exits 0.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

_UNPRIVILEGED = ("postgres", "nobody")


def server_programs() -> Path | None:
    """The folder of initdb and pg_ctl of the newest installed PostgreSQL, or None."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _identity() -> dict[str, int]:
    if os.geteuid() != 0:
        return {}
    for name in _UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid}
    raise SystemExit("PostgreSQL does not run as root, and no unprivileged user was found")


@contextmanager
def postgresql_server(programs: Path, *, is_durable: bool = True) -> Iterator[str]:
    """A running server; yields the URL of an empty database in it.

    is_durable: it waits for the disk. Tests kill nodes and never the server, so they need not wait for it.
    """
    identity = _identity()
    with tempfile.TemporaryDirectory(prefix="comity-pg-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        if identity:
            os.chown(root, identity["user"], identity["group"])
        data = root / "data"

        def run(*words: str) -> None:
            subprocess.run(
                words,
                check=True,
                cwd=root,
                stdout=subprocess.DEVNULL,
                extra_groups=[] if identity else None,
                **identity,
            )  # type: ignore[call-overload]  # the identity is empty or whole

        run(str(programs / "initdb"), "-D", str(data), "-U", "comity", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-k {root} -c listen_addresses='' -c max_connections=200 -c shared_buffers=128MB"
        options += "" if is_durable else " -c fsync=off -c full_page_writes=off"
        run(str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(root / "log"), "-o", options, "start")
        try:
            run(str(programs / "createdb"), "-h", str(root), "-U", "comity", "comity")
            yield f"postgresql://comity@{quote(str(root), safe='')}/comity"
        finally:
            run(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")


def main(words: list[str]) -> int:
    """Run the words as a command with the server's URL in the environment; its exit code is ours."""
    programs = server_programs()
    if programs is None:
        sys.stdout.write("PostgreSQL is not installed here: its tests are skipped (apt-get install postgresql)\n")
        return 0
    with postgresql_server(programs, is_durable=False) as url:
        return subprocess.run(words, env={**os.environ, "COMITY_DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
