"""Screening beside its peers: the same names, the same lists, the same rule for the threshold, in one run.

    .venv/bin/python benchmarks/screening_peers.py --lists DIR [--seed 71] [--distorted 400] [--innocents 1200]

Where nomenklatura is installed (pip install nomenklatura, in an environment of its own which sees this one's packages
after its own), LogicV2 is run, too. Drawn with the seed are distorted names of the UN's list and innocent names, as in
screening.py, asked against UN and OFAC together. Each matcher gives every name the best score of any entry, and a
distorted one that of the right entry. Names are parted in two halves by their digest: the threshold is the one that
finds most on the first half while it flags at most 0.5 % of the innocents there; told is what it does on the other.

- `Screener`: what this project does, by the rule, and at the threshold in force.
- `WRatio`, `token_sort_ratio` (rapidfuzz): every name of the lists, as `plain_name` has it, which helps them.
- `LogicV2` (nomenklatura): entries with all their names, the 20 that our index puts first. Its own index is made for
  batches of whole entities and leaves out words of many entries; comparing all entries would take minutes a name.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import screening
from rapidfuzz import fuzz, process
from screening_scale import MOST_FLAGGED, half

from comity.registers.matching import THRESHOLD, Screener, Subject, plain_name
from comity.registers.matching.index import NameIndex
from comity.registers.values import EntryKind, WatchEntry

try:
    from followthemoney import model
    from nomenklatura.matching import LogicV2, ScoringConfig
except ImportError:
    LogicV2 = None

CANDIDATES = 20
# Of one name: the scores of the entries that may be meant, by their place.
Scores = dict[int, float]
Matcher = Callable[[str], Scores]


@dataclass(frozen=True, slots=True)
class Case:
    """A name and the place of the entry that is meant; None for an innocent one."""

    name: str
    place: int | None


def cases(listed: Sequence[WatchEntry], un: int, chosen: argparse.Namespace) -> list[Case]:
    """The names that are asked."""
    places = {id(entry): place for place, entry in enumerate(listed)}
    found = [
        Case(name, places[id(entry)])
        for kind, entry, name in screening.distortions(listed[:un], chosen.seed)
        if kind not in screening.OUTSIDE
    ]
    drawn = random.Random(chosen.seed)
    innocent = [Case(name, None) for name in dict.fromkeys(screening.innocents(chosen.lists, chosen.seed))]
    return drawn.sample(found, chosen.distorted) + drawn.sample(innocent, chosen.innocents)


def our_matcher(listed: Sequence[WatchEntry]) -> Matcher:
    """The screener of this project."""
    screener = Screener(listed)
    return lambda name: {hit.place: hit.score for hit in screener.screen(Subject(name), threshold=0.6)}


def ratio_matcher(listed: Sequence[WatchEntry], scorer: Callable[..., float]) -> Matcher:
    """Every name of the lists by a scorer of rapidfuzz."""
    owners = [place for place, entry in enumerate(listed) for _ in entry.names]
    texts = [" ".join(plain_name(name.text).tokens) for entry in listed for name in entry.names]

    def scores(name: str) -> Scores:
        asked = " ".join(plain_name(name).tokens)
        best: Scores = {}
        for _, score, place in process.extract(asked, texts, scorer=scorer, score_cutoff=60, limit=200):
            best[owners[place]] = max(best.get(owners[place], 0.0), score / 100)
        return best

    return scores


def logic_matcher(listed: Sequence[WatchEntry]) -> Matcher:
    """LogicV2 over the entries that our index puts first."""
    owners = [place for place, entry in enumerate(listed) for _ in entry.names]
    index = NameIndex([plain_name(name.text) for entry in listed for name in entry.names])
    config = ScoringConfig.defaults()
    made: dict[int, object] = {}

    def entity(place: int) -> object:
        if place not in made:
            entry = listed[place]
            schema = "Person" if entry.kind is EntryKind.PERSON else "Organization"
            names = {"name": [entry.name], "alias": [each.text for each in entry.names[1:]]}
            made[place] = model.get_proxy({"id": str(place), "schema": schema, "properties": names})
        return made[place]

    def scores(name: str) -> Scores:
        near = list(dict.fromkeys(owners[number] for number in index.candidates(plain_name(name))))[:CANDIDATES]
        # What it finds in a name it keeps by the id.
        asked = {
            schema: model.get_proxy({"id": f"asked {name}", "schema": schema, "properties": {"name": [name]}})
            for schema in ("Person", "Organization")
        }
        # What kind of subject is asked for is not known: the schema of each entry suits it best.
        return {
            place: float(LogicV2.compare(asked[entity(place).schema.name], entity(place), config).score)  # type: ignore[attr-defined]
            for place in near
        }

    return scores


def measure(name: str, matcher: Matcher, asked: Sequence[Case], *, in_force: float = 0.0) -> None:
    """Ask, choose the threshold on the first half, tell of the other."""
    start = time.process_time()
    answers = [(case, matcher(case.name)) for case in asked]
    spent = time.process_time() - start
    scored = [(half(case.name), case.place is not None, _score(answer, case)) for case, answer in answers]
    steps = [step / 500 for step in range(300, 501)]
    allowed = [step for step in steps if _share(scored, step, first=True, wanted=False) <= MOST_FLAGGED] or [1.0]
    chosen = max(allowed, key=lambda step: (_share(scored, step, first=True, wanted=True), step))
    for word, threshold in (("by the rule", chosen), ("in force", in_force)):
        if not threshold:
            continue
        found, flagged = (_share(scored, threshold, first=False, wanted=wanted) for wanted in (True, False))
        right = sum(is_wanted and not first and score >= threshold for first, is_wanted, score in scored)
        wrong = sum(not is_wanted and not first and score >= threshold for first, is_wanted, score in scored)
        missed = sum(is_wanted and not first and score < threshold for first, is_wanted, score in scored)
        f1 = 2 * right / (2 * right + wrong + missed)
        print(
            f"{name:17} {word:11} {threshold:.3f}: found {found:.2%}, innocents flagged {flagged:.2%}, "
            f"F1 {f1:.3f}; {len(asked) / spent:,.1f} names/s of CPU",
            flush=True,
        )


def _score(answer: Scores, case: Case) -> float:
    return max(answer.values(), default=0.0) if case.place is None else answer.get(case.place, 0.0)


def _share(scored: Sequence[tuple[bool, bool, float]], threshold: float, *, first: bool, wanted: bool) -> float:
    of = [score for is_first, is_wanted, score in scored if is_first is first and is_wanted is wanted]
    return sum(score >= threshold for score in of) / len(of)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lists", type=Path, required=True)
    options.add_argument("--seed", type=int, default=71)
    options.add_argument("--distorted", type=int, default=400)
    options.add_argument("--innocents", type=int, default=1_200)
    options.add_argument("--matchers", default="Screener,LogicV2,token_sort_ratio,WRatio")
    chosen = options.parse_args()
    un, ofac = screening.un_entries(chosen.lists), screening.ofac_entries(chosen.lists)
    listed = [*un, *ofac]
    asked = cases(listed, len(un), chosen)
    print(
        f"{chosen.distorted} distorted names, {chosen.innocents} innocents, {len(listed)} entries, seed {chosen.seed}"
    )
    if LogicV2 is None:
        print("nomenklatura is not installed here: LogicV2 is left out")
    for name in chosen.matchers.split(","):
        if name == "Screener":
            measure(name, our_matcher(listed), asked, in_force=THRESHOLD)
        elif name == "LogicV2" and LogicV2 is not None:
            measure(name, logic_matcher(listed), asked)
        elif name in {"token_sort_ratio", "WRatio"}:
            measure(name, ratio_matcher(listed, getattr(fuzz, name)), asked)


if __name__ == "__main__":
    main()
