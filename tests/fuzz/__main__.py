"""`python -m tests.fuzz TARGET --runs N`: one parser under atheris, from its genuine inputs. Exit 0: all promises held.

`python -m tests.fuzz all --runs N` does each in turn. An input that breaks a promise is written to the present folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
with atheris.instrument_imports(include=["comity"]):
    import django

    django.setup()
    from tests.fuzz.targets import LONGEST_SECONDS, TARGETS

# Pieces of the forms, so that the fuzzer need not find them byte by byte.
WORDS = (
    "payload", "payloadType", "signatures", "keyid", "sig", "protocol", "comity/envelope/1", "sender", "recipient",
    "envelope", "key", "receipt", "proof", "salt", "cosignature", "witnessed", "consistency", "old_size", "path",
    "index ", "extra ", "c2sp.org/tlog-proof@v1", "\\xe2\\x80\\x94 ", "null", "true", "1e9", "-1", "\\\\u0000",
)  # fmt: skip


def fuzz(name: str, runs: int) -> None:
    """Run one target in this process; libFuzzer ends it."""
    target = TARGETS[name]()
    folder = Path(tempfile.mkdtemp(prefix="comity-fuzz-"))
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


def main() -> int:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=["all", *TARGETS])
    parser.add_argument("--runs", type=int, default=100_000)
    options = parser.parse_args()
    if options.target != "all":
        fuzz(options.target, options.runs)
    for name in TARGETS:
        command = [sys.executable, "-m", "tests.fuzz", name, "--runs", str(options.runs)]
        if subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
            sys.stdout.write(f"{name}: a promise is broken; run `python -m tests.fuzz {name}` to see it\n")
            return 1
        sys.stdout.write(f"{name}: {options.runs:,} inputs, every promise held\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
