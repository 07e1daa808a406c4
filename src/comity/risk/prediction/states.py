"""What histories know at the beginning of a week, kept so that one declaration can be asked about at once.

A state is made by the same memories that training fills, told of all whole weeks before. A declaration that arrives is
numbered by the state's books: what never occurred has a number of its own that no memory was told of. Features are then
looked up by the code that made those of training. A state is an archive of arrays and a JSON of words: nothing of it is
executed on loading.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from comity.risk.prediction.arrays import Codebook, Floats, Ints, weeks_of
from comity.risk.prediction.errors import ModelFileError, TableError
from comity.risk.prediction.facts import NAMES, facts_of
from comity.risk.prediction.features import Experience, Variant, levels_of, priced_by_week, told_by_week
from comity.risk.prediction.novelty import Novelty
from comity.risk.prediction.panels import Panel, panel_of
from comity.risk.prediction.partners_findings import KEYS as FOUND_KEYS
from comity.risk.prediction.partners_findings import PartnersFindings
from comity.risk.prediction.partners_word import PartnersWord
from comity.risk.prediction.prices import measures_of
from comity.risk.prediction.running import Memory, Numbers
from comity.risk.prediction.told_findings import COLUMNS as FOUND_COLUMNS
from comity.risk.prediction.told_findings import ToldFindings, nothing_told
from comity.risk.prediction.worlds import (
    COMPARED,
    IMPORT_NUMBERS,
    IMPORT_WORDS,
    OFFER_FIRST,
    SAME_CODES,
    Outcomes,
    Words,
    World,
)

FORMAT = "comity-risk-state/1"
_EPOCH = date(1970, 1, 1)
_ABOUT = "about.json"
_WORD, _FOUND = "word", "found"


@dataclass(frozen=True, slots=True)
class State:
    """Histories up to the beginning of a week. first_day: of week 0, in days since 1970-01-01.

    rates: of the tariff, percent by subheading. declarations, controls: how many it was told of. kept: what is made of
    these once, when the first declaration is asked about.
    """

    administration: str
    first_day: int
    week: int
    words: Mapping[str, tuple[str, ...]]
    rates: Mapping[str, float]
    books: Mapping[str, Codebook]
    memories: Mapping[str, Mapping[str, Numbers]]
    declarations: int
    controls: int
    made_at: str = ""
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def until(self) -> date:
        """The first day that it was told nothing of."""
        return date.fromordinal(_EPOCH.toordinal() + self.first_day + 7 * self.week)

    def week_of(self, day: int) -> int:
        """The number of the week of a day (since 1970-01-01)."""
        return (day - self.first_day) // 7


class _Asked:
    """Everything that is asked and told about one panel; what it remembers can be handed on."""

    def __init__(self, world: World, panel: Panel) -> None:
        self._world, self._panel = world, panel
        self._values = measures_of(panel)
        self._prices, self._novelty = levels_of(panel, "price"), Novelty(panel, whole_weeks=False)
        self._experience = Experience(world, panel, Variant.LOCAL)
        self.names = (*NAMES, *self._prices.names, *self._novelty.names, *self._experience.names)
        self.memories: dict[str, Memory] = {f"price.{name}": each for name, each in self._prices.memories.items()}
        self.memories |= {f"novelty.{name}": each for name, each in self._novelty.memories.items()}
        self.memories |= self._experience.memories
        self._word = PartnersWord(world.words_told, panel) if world.words_told is not None else None
        if self._word is not None:
            self.names += self._word.names
            self.memories |= {f"{_WORD}.{name}": each for name, each in self._word.memories.items()}
        told = world.findings_told
        self.found = PartnersFindings(told, world, panel) if told is not None else None
        if self.found is not None:
            self.names += self.found.names
            self.memories |= {f"{_FOUND}.{name}": each for name, each in self.found.memories.items()}

    def tell(self, week: int, rows: Ints, told: Ints, priced: Ints) -> None:
        """What was declared in a week, which outcomes became known in it, and what earlier ones came to."""
        self._prices.pass_by(rows, week, self._values[rows])
        self._novelty.pass_by(rows, week)
        self._experience.learn(told, week, self._panel.outcomes.seen[told])
        self._experience.learn_amounts(priced, week)
        if self._word is not None:
            self._word.pass_by(week)
        if self.found is not None:
            self.found.pass_by(week)

    def weeks_told(self) -> list[int]:
        """Every week in which partners told something, or something was declared."""
        told = [] if self._word is None else self._word.weeks()
        return told if self.found is None else [*told, *self.found.weeks()]

    def ask(self, week: int) -> Floats:
        """The features of all rows of the panel in this week."""
        rows = np.arange(len(self._panel), dtype=np.int64)
        parts = [facts_of(self._world, self._panel), self._prices.look(rows, week, self._values)]
        parts += [self._novelty.look(rows, week), self._experience.look(rows, week)]
        if self._word is not None:
            parts.append(self._word.look(rows, week))
        if self.found is not None:
            parts.append(self.found.look(rows, week))
        return np.concatenate(parts, axis=1)


def build_state(world: World, administration: str, *, week: int, made_at: str = "") -> State:
    """Tell the memories of all weeks before `week`.

    Raises: TableError where there is no declaration of the administration before it.
    """
    rows = world.rows_of(administration) if administration in world.administrations() else np.zeros(0, np.int64)
    if not len(rows) or int(world.week[rows].min()) >= week:
        raise TableError("There is no declaration before the week", where=f"{administration}, week {week}")
    panel = panel_of(world, rows)
    asked, told, priced = _Asked(world, panel), told_by_week(world, panel), priced_by_week(world, panel)
    declared = dict(weeks_of(panel.week))
    none = np.zeros(0, dtype=np.int64)
    controls = 0
    for each in sorted({*declared, *told, *priced, *asked.weeks_told()}):
        if each < week:
            learned = told.get(each, none)
            asked.tell(each, declared.get(each, none), learned, priced.get(each, none))
            controls += int(panel.outcomes.seen[learned].sum())
    return State(
        administration=administration,
        first_day=int((world.day - 7 * world.week).min()),
        week=week,
        words={name: world.words[name] for name in IMPORT_WORDS} | _words_found(world),
        rates=_rates_of(world),
        books={**panel.books, **_books_of(asked)},
        memories={name: each.arrays() for name, each in asked.memories.items()},
        declarations=int((panel.week < week).sum()),
        controls=controls,
        made_at=made_at,
    )


def _words_found(world: World) -> dict[str, tuple[str, ...]]:
    """What partners' findings name, beside the words of declarations."""
    told = world.findings_told
    return {} if told is None else {f"{_FOUND}_{name}": tuple(words) for name, words in told.words.items()}


def _books_of(asked: _Asked) -> dict[str, Codebook]:
    found = asked.found
    return {} if found is None else {f"{_FOUND}_{name}": book for name, book in found.books.items()}


def _rates_of(world: World) -> dict[str, float]:
    known = np.flatnonzero(np.isfinite(world.mfn))
    return {world.words["hs6"][place]: float(world.mfn[place]) for place in known}


def live_features(state: State, rows: Sequence[Mapping[str, object]], *, week: int) -> tuple[tuple[str, ...], Floats]:
    """The names and values of the features of declarations that arrive in a week.

    rows: the declared columns of the table. Raises: ModelFileError where the state is of another release.
    """
    world = _live_world(state, rows, week)
    panel = panel_of(world, np.arange(len(rows), dtype=np.int64), state.books)
    asked = _Asked(world, panel)
    try:
        for name, memory in asked.memories.items():
            memory.adopt(state.memories[name])
    except (KeyError, ValueError) as error:
        raise ModelFileError("The histories were made by another release", where=str(error)) from error
    return asked.names, asked.ask(week)


def _live_world(state: State, rows: Sequence[Mapping[str, object]], week: int) -> World:
    codes, fresh = _coded(state, rows)
    numbers = {
        name: np.array([float(str(row[name])) for row in rows], dtype=np.float64)
        for name in IMPORT_NUMBERS
        if name != "week"
    }
    nothing = np.zeros(len(rows))
    new = [state.rates.get(word, np.nan) for word in fresh["hs6"]]
    return World(
        ids=tuple(str(number) for number in range(len(rows))),
        week=np.full(len(rows), week, dtype=np.int64),
        day=np.full(len(rows), state.first_day + 7 * week, dtype=np.int64),
        codes=codes,
        words={name: (*state.words[name], *fresh[name]) if fresh[name] else state.words[name] for name in IMPORT_WORDS},
        numbers=numbers,
        outcomes=Outcomes(nothing > 0, nothing, nothing, nothing, np.full(len(rows), -1, dtype=np.int64)),
        mfn=np.concatenate([_mfn_of(state), np.array(new, dtype=np.float64)]),
        known={name: len(state.words[name]) for name in IMPORT_WORDS},
        words_told=_words_told(rows) if any(name.startswith(f"{_WORD}.") for name in state.memories) else None,
        findings_told=_findings_known(state),
    )


def _findings_known(state: State) -> ToldFindings | None:
    """What partners' findings named when the state was made; None in one that was made before they were seen."""
    if not any(name.startswith(f"{_FOUND}.") for name in state.memories):
        return None
    if _FOUND not in state.kept:
        words = {name: state.words[f"{_FOUND}_{name}"] for name in FOUND_COLUMNS}
        books = {name: state.books[f"{_FOUND}_{name}"] for name in FOUND_KEYS}
        state.kept[_FOUND] = nothing_told(words, books)
    known: ToldFindings = state.kept[_FOUND]
    return known


def _words_told(rows: Sequence[Mapping[str, object]]) -> Words:
    """What partners told of declarations that arrive: known or not, it has arrived."""
    told = [[row.get(f"offer_{what}") for what in COMPARED] for row in rows]
    values = np.array([[np.nan if each is None else float(str(each)) for each in row] for row in told])
    had_arrived = np.array([float(str(row.get(OFFER_FIRST) or 0.0)) > 0 for row in rows], dtype=np.bool_)
    return Words(values.reshape(len(rows), len(COMPARED)), np.full(len(rows), -1, dtype=np.int64), had_arrived)


def _coded(state: State, rows: Sequence[Mapping[str, object]]) -> tuple[dict[str, Ints], dict[str, list[str]]]:
    """The codes of each column, and the words that the state did not know, which stand behind those it knew."""
    # Columns of one alphabet grow together, or one country would have two codes.
    family = {name: names[0] for names in SAME_CODES.values() for name in names}
    grown: dict[str, dict[str, int]] = {}
    codes = {}
    for name in IMPORT_WORDS:
        known, own = _places_of(state)[name], grown.setdefault(family.get(name, name), {})
        column = []
        for row in rows:
            word = str(row[name])
            code = known.get(word)
            column.append(own.setdefault(word, len(known) + len(own)) if code is None else code)
        codes[name] = np.array(column, dtype=np.int64)
    return codes, {name: list(grown[family.get(name, name)]) for name in IMPORT_WORDS}


def _places_of(state: State) -> dict[str, dict[str, int]]:
    """The code of each word, made once for a state."""
    if "places" not in state.kept:
        state.kept["places"] = {
            name: {word: code for code, word in enumerate(words)} for name, words in state.words.items()
        }
        state.kept["mfn"] = np.array([state.rates.get(word, np.nan) for word in state.words["hs6"]], dtype=np.float64)
    places: dict[str, dict[str, int]] = state.kept["places"]
    return places


def _mfn_of(state: State) -> Floats:
    _places_of(state)
    mfn: Floats = state.kept["mfn"]
    return mfn


def save_state(state: State, path: Path) -> None:
    """Write a state, whole or not at all; it names traders, so nobody else on the machine may read it.

    Raises: ModelFileError where it cannot be written.
    """
    arrays: dict[str, Numbers] = {f"book.{name}": book.values for name, book in state.books.items()}
    arrays |= {f"{name}/{part}": each for name, parts in state.memories.items() for part, each in parts.items()}
    about = {
        "format": FORMAT,
        "administration": state.administration,
        "first_day": state.first_day,
        "week": state.week,
        "words": {name: list(words) for name, words in state.words.items()},
        "rates": dict(state.rates),
        "sizes": {name: list(book.sizes) for name, book in state.books.items()},
        "declarations": state.declarations,
        "controls": state.controls,
        "made_at": state.made_at,
    }
    waiting = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            np.savez_compressed(target, allow_pickle=False, **arrays)
        with zipfile.ZipFile(waiting, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_ABOUT, json.dumps(about, ensure_ascii=False))
        waiting.replace(path)
    except OSError as error:
        waiting.unlink(missing_ok=True)
        raise ModelFileError(f"The histories cannot be kept: {error.strerror}", where=str(path)) from error


def load_state(path: Path) -> State:
    """Read a state back.

    Raises: ModelFileError: there is none, or it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(_ABOUT))
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files if name != _ABOUT}
        if about["format"] != FORMAT:
            raise ValueError(about["format"])
        return _state_of(about, arrays)
    except FileNotFoundError as error:
        raise ModelFileError("There are no histories yet", where=str(path)) from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise ModelFileError("The histories cannot be read", where=str(path), remedy="Make them anew.") from error


def _state_of(about: dict[str, object], arrays: dict[str, Numbers]) -> State:
    told: dict[str, dict[str, Numbers]] = {}
    for name, each in arrays.items():
        memory, part_mark, part = name.partition("/")
        if part_mark:
            told.setdefault(memory, {})[part] = each
    words, sizes, rates = about["words"], about["sizes"], about["rates"]
    if not (isinstance(words, dict) and isinstance(sizes, dict) and isinstance(rates, dict)):
        raise TypeError("words, sizes, rates")
    return State(
        administration=str(about["administration"]),
        first_day=int(str(about["first_day"])),
        week=int(str(about["week"])),
        words={str(name): tuple(each) for name, each in words.items()},
        rates={str(name): float(rate) for name, rate in rates.items()},
        books={
            str(name): Codebook(tuple(each), np.asarray(arrays[f"book.{name}"], np.int64))
            for name, each in sizes.items()
        },
        memories=told,
        declarations=int(str(about["declarations"])),
        controls=int(str(about["controls"])),
        made_at=str(about["made_at"]),
    )
