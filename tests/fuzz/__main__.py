"""`python -m tests.fuzz TARGET --runs N`: one parser under atheris, from its genuine inputs. Exit 0: all promises held.

`python -m tests.fuzz all --runs N` does each in turn. An input that breaks a promise is written to the present folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import atheris

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
# Only the process that fuzzes watches branches: to make every room watched takes many seconds.
IS_WATCHING = "--folder" in sys.argv
with atheris.instrument_imports(include=["comity"]) if IS_WATCHING else nullcontext():
    import django

    django.setup()
    from tests.fuzz.targets import LONGEST_SECONDS, TARGETS

# Pieces of the forms, so that the fuzzer need not find them byte by byte.
WORDS = (
    "payload", "payloadType", "signatures", "keyid", "sig", "protocol", "comity/envelope/1", "sender", "recipient",
    "envelope", "key", "receipt", "proof", "salt", "cosignature", "witnessed", "consistency", "old_size", "path",
    "index ", "extra ", "c2sp.org/tlog-proof@v1", "\\xe2\\x80\\x94 ", "null", "true", "1e9", "-1", "\\\\u0000",
)  # fmt: skip


def fuzz(name: str, runs: int, folder: Path) -> None:
    """Run one target in this process; libFuzzer ends it, so whoever started it clears the folder away."""
    target = TARGETS[name]()
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{word}"\n' for word in WORDS))
    options = [
        f"-runs={runs}",
        "-max_len=16384",
        f"-timeout={2 * LONGEST_SECONDS}",
        f"-dict={words}",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.attack)
    atheris.Fuzz()


def fuzz_apart(name: str, runs: int, *, is_quiet: bool) -> int:
    """Run one target in a process of its own; its exit status."""
    with tempfile.TemporaryDirectory(prefix="comity-fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz", name, "--runs", str(runs), "--folder", folder]
        home = os.environ | {"COMITY_HOME": folder}
        return subprocess.run(
            command, check=False, env=home, stderr=subprocess.DEVNULL if is_quiet else None
        ).returncode


def main() -> int:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=["all", *TARGETS])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        fuzz(options.target, options.runs, options.folder)
    if options.target != "all":
        return fuzz_apart(options.target, options.runs, is_quiet=False)
    for name in TARGETS:
        if fuzz_apart(name, options.runs, is_quiet=True):
            sys.stdout.write(f"{name}: a promise is broken; run `python -m tests.fuzz {name}` to see it\n")
            return 1
        sys.stdout.write(f"{name}: {options.runs:,} inputs, every promise held\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
