"""Screening beyond the gates of screening.py: names that no setting was chosen on, and 100,000 entries in many scripts.

    .venv/bin/python benchmarks/screening_scale.py --lists DIR [--seed 41] [--entries 100000] [--asked 600] [--draws 6]
        [--only halves|scale|draws]

1. Halves. The distortions and innocents of screening.py are drawn anew by another seed and parted by the SHA-256 of the
   entry or name. On one half the threshold with the most found is chosen among those that flag at most 0.5 % of the
   innocents; what it finds and flags is told of the other half, beside the threshold that is in force.
2. Scale. Entries of UN and OFAC, multiplied by putting the words of their names together anew, each word with others
   of its script and kind: so a list of 100,000 has the shared given names, firms' words and scripts of a real one.
   Told are the CPU seconds to index it, its memory, names a second in Latin letters and in others, the slowest.
3. Draws. So many draws of distorted and innocent names by the seeds from --seed on, at the threshold in force.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import resource
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import screening

from comity.registers.matching import THRESHOLD, Screener, Subject
from comity.registers.values import EntryKind, ListedName, WatchEntry

MOST_FLAGGED = 0.005
Scores = list[tuple[bool, float]]


def half(text: str) -> bool:
    """In which half a name is, by its digest."""
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0


def measure_halves(entries: Sequence[WatchEntry], listed: Sequence[WatchEntry], lists: Path, seed: int) -> None:
    """Choose the threshold on one half, tell of the other."""
    screener = Screener(listed)
    wanted: Scores = []
    for kind, entry, name in screening.distortions(entries, seed):
        if kind not in screening.OUTSIDE:
            hits = screener.screen(Subject(name), threshold=0.6)
            wanted.append((half(entry.ref), max((hit.score for hit in hits if hit.entry is entry), default=0.0)))
    flagged: Scores = []
    for name in screening.innocents(lists, seed):
        hits = screener.screen(Subject(name), threshold=0.6)
        flagged.append((half(name), hits[0].score if hits else 0.0))
    allowed = [step / 400 for step in range(270, 350) if share(flagged, step / 400, first=True) <= MOST_FLAGGED]
    chosen = max(allowed, key=lambda each: (share(wanted, each, first=True), each))
    print(f"{len(wanted)} distorted names, {len(flagged)} innocents, drawn with seed {seed}")
    for name, threshold in (("chosen on the first half", chosen), ("in force", THRESHOLD)):
        for told, first in (("first half", True), ("other half", False)):
            print(
                f"{name}, {threshold:.4f}: {told}: found {share(wanted, threshold, first=first):.2%}, "
                f"innocents flagged {share(flagged, threshold, first=first):.2%}"
            )
    for threshold in (0.765, 0.77, 0.775, 0.78, 0.785, 0.79, 0.795, 0.8):
        found = sum(score >= threshold for _, score in wanted) / len(wanted)
        wrong = sum(score >= threshold for _, score in flagged) / len(flagged)
        print(f"whole draw at {threshold}: found {found:.2%}, innocents flagged {wrong:.2%}")


def measure_draws(entries: Sequence[WatchEntry], listed: Sequence[WatchEntry], lists: Path, seeds: range) -> None:
    """What is found and flagged of each draw at the threshold in force."""
    screener = Screener(listed)
    for seed in seeds:
        found = [
            any(hit.entry is entry for hit in screener.screen(Subject(name)))
            for kind, entry, name in screening.distortions(entries, seed)
            if kind not in screening.OUTSIDE
        ]
        flagged = [bool(screener.screen(Subject(name))) for name in screening.innocents(lists, seed)]
        print(
            f"seed {seed}: found {sum(found) / len(found):.2%} of {len(found)} (gate 97 %), "
            f"innocents flagged {sum(flagged) / len(flagged):.2%} of {len(flagged)} (gate 0.5 %)",
            flush=True,
        )


def share(scores: Scores, threshold: float, *, first: bool) -> float:
    """What part of a half reaches a threshold."""
    chosen = [score for is_first, score in scores if is_first is first]
    return sum(score >= threshold for score in chosen) / len(chosen)


def script_of(text: str) -> str:
    """The script of most of its letters, by the first word of their names."""
    counts: defaultdict[str, int] = defaultdict(int)
    for sign in text:
        if sign.isalpha():
            counts[unicodedata.name(sign, "OTHER").split()[0]] += 1
    return max(counts, key=counts.__getitem__, default="NONE")


def multiplied(entries: Sequence[WatchEntry], count: int, seed: int) -> Iterator[WatchEntry]:
    """Further entries out of the words of those that there are."""
    chance = random.Random(seed)
    pools: defaultdict[tuple[EntryKind, str, int], list[str]] = defaultdict(list)
    for entry in entries:
        for name in entry.names:
            for place, word in enumerate(name.text.split()):
                pools[entry.kind, script_of(name.text), min(place, 2)].append(word)
    for number in range(count):
        like = chance.choice(entries)
        names = []
        for name in like.names[:4]:
            script, size = script_of(name.text), len(name.text.split())
            words = [chance.choice(pools[like.kind, script, min(place, 2)]) for place in range(size)]
            names.append(ListedName(" ".join(words), name.is_weak))
        yield WatchEntry(f"M{number}", like.kind, tuple(names), like.birth_dates, like.countries)


def measure_scale(listed: Sequence[WatchEntry], lists: Path, count: int, asked: int) -> None:
    """Index and ask."""
    whole = [*listed, *multiplied(listed, count - len(listed), 5)]
    scripts: defaultdict[str, int] = defaultdict(int)
    for entry in whole:
        for listed_name in entry.names:
            scripts[script_of(listed_name.text)] += 1
    told = ", ".join(f"{n:,} {script.title()}" for script, n in sorted(scripts.items(), key=lambda each: -each[1])[:6])
    print(f"{len(whole):,} entries; names by script: {told}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    screener = Screener(whole)
    spent = time.process_time() - start
    used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"indexed in {spent:.1f} CPU s, {used:.0f} MiB more at most")
    drawn = random.Random(6)
    others = [name for kind, _, name in screening.distortions(listed) if kind == "script"]
    for name, names in (("Latin, innocent", screening.innocents(lists)), ("other scripts", others)):
        sample = drawn.sample(names, min(asked, len(names)))
        slowest = 0.0
        start = time.process_time()
        for text in sample:
            begun = time.process_time()
            screener.screen(Subject(text))
            slowest = max(slowest, time.process_time() - begun)
        spent = time.process_time() - start
        print(f"{name}: {len(sample) / spent:,.0f} names/s of CPU (wanted: 200), slowest {slowest * 1e3:.0f} ms")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lists", type=Path, required=True)
    options.add_argument("--seed", type=int, default=41)
    options.add_argument("--entries", type=int, default=100_000)
    options.add_argument("--asked", type=int, default=600)
    options.add_argument("--only", choices=["halves", "scale", "draws"])
    options.add_argument("--draws", type=int, default=6)
    chosen = options.parse_args()
    un, ofac = screening.un_entries(chosen.lists), screening.ofac_entries(chosen.lists)
    if chosen.only in {None, "draws"}:
        measure_draws(un, [*un, *ofac], chosen.lists, range(chosen.seed, chosen.seed + chosen.draws))
    if chosen.only in {None, "halves"}:
        measure_halves(un, [*un, *ofac], chosen.lists, chosen.seed)
    if chosen.only in {None, "scale"}:
        measure_scale([*un, *ofac], chosen.lists, chosen.entries, chosen.asked)


if __name__ == "__main__":
    main()
