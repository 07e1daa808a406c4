"""Every parser of what strangers send, under Hypothesis and atheris, near the genuine inputs and far from them.

By `make test` 300 inputs for each and 1,000 by atheris for one of them, by `make test-long` 3,000 and 20,000 for each.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Target
from tests.scale import scaled

ROOT = Path(__file__).resolve().parents[2]
INPUTS = scaled(300, 3000)
GUIDED_INPUTS = scaled(1000, 20_000)
# What these say nobody has signed yet: anything in form is taken.
UNSIGNED = {"statement", "message", "parts", "policy"}


@cache
def target(name: str) -> Target:
    return TARGETS[name]()


@st.composite
def near(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A genuine input with up to three changes: a byte, a piece cut out, a piece put in, a piece twice."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        to = min(at + draw(st.integers(1, 40)), len(data))
        match draw(st.sampled_from(["bit", "cut", "put", "twice", "byte"])):
            case "bit":
                data[at : at + 1] = bytes(each ^ (1 << draw(st.integers(0, 7))) for each in data[at : at + 1])
            case "byte":
                data[at : at + 1] = draw(st.sampled_from([b"\0", b"\n", b" ", b'"', b"0", b"9", b"\\", b"\xff", b"{"]))
            case "cut":
                del data[at:to]
            case "put":
                data[at:at] = draw(st.binary(min_size=1, max_size=20))
            case _:
                data[at:at] = data[at:to]
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_genuine_input_is_taken(name: str) -> None:
    assert all(target(name).attack(seed) for seed in target(name).seeds)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_no_crash_no_hang_and_nothing_that_nobody_signed(name: str) -> None:
    """The promise of `Target.attack`, near the genuine inputs (most) and on any bytes."""
    seeds = target(name).seeds

    @settings(max_examples=INPUTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=near(seeds) | near(seeds) | near(seeds) | st.binary(max_size=400))
    def attack(data: bytes) -> None:
        target(name).attack(data)

    attack()


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in UNSIGNED])
def test_every_single_bit_counts(name: str) -> None:
    """Bits of the genuine input flipped, by `make test-long` in each byte: refused, or it says the very same."""
    seed = target(name).seeds[0]
    taken = 0
    for place in range(0, len(seed), scaled(7, 1)):
        for bit in (0, 3, 5, 7):
            data = bytearray(seed)
            data[place] ^= 1 << bit
            taken += target(name).attack(bytes(data))
    assert taken < len(seed)


def test_a_parser_that_takes_anything_is_caught() -> None:
    lax = Target("lax", lambda data: data[:1], (b"a genuine one",))
    with pytest.raises(AssertionError, match="nobody signed"):
        lax.attack(b"b")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is made for CPython 3.11 on Linux")
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[] if each == "checkpoint" else pytest.mark.long) for each in TARGETS]
)
def test_guided_by_coverage(name: str) -> None:
    """As above with inputs that atheris grows towards branches that were not reached."""
    command = [sys.executable, "-m", "tests.fuzz", name, "--runs", str(GUIDED_INPUTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {GUIDED_INPUTS} runs" in done.stderr
