"""One administration's declarations, with the keys under which histories are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from comity.risk.prediction.arrays import Codebook, Floats, Ints
from comity.risk.prediction.worlds import Outcomes, World

# name of a key -> the columns that make it; a key of several columns leans on the key named in PARENTS.
KEYS: Mapping[str, tuple[str, ...]] = {
    "importer": ("importer",),
    "declarant": ("declarant",),
    "exporter": ("exporter",),
    "forwarder": ("forwarder",),
    "office": ("office",),
    "hs6": ("hs6",),
    "hs4": ("hs4",),
    "hs2": ("hs2",),
    "origin": ("origin",),
    "departure": ("departure",),
    "route": ("origin", "departure"),
    "importer_exporter": ("importer", "exporter"),
    "importer_hs4": ("importer", "hs4"),
    "importer_hs6": ("importer", "hs6"),
    "importer_route": ("importer", "origin", "departure"),
    "importer_declarant": ("importer", "declarant"),
    "exporter_hs4": ("exporter", "hs4"),
    "exporter_hs6": ("exporter", "hs6"),
    "exporter_route": ("exporter", "origin", "departure"),
    "declarant_hs4": ("declarant", "hs4"),
    "declarant_exporter": ("declarant", "exporter"),
    "forwarder_route": ("forwarder", "origin", "departure"),
    "forwarder_hs4": ("forwarder", "hs4"),
    "hs6_origin": ("hs6", "origin"),
    "hs4_route": ("hs4", "origin", "departure"),
    "hs4_preference": ("hs4", "origin", "preference"),
    "office_hs4": ("office", "hs4"),
    "importer_exporter_hs6": ("importer", "exporter", "hs6"),
}
PARENTS: Mapping[str, str] = {
    "importer_exporter": "importer",
    "importer_hs4": "importer",
    "importer_hs6": "importer_hs4",
    "importer_route": "importer",
    "importer_declarant": "importer",
    "exporter_hs4": "exporter",
    "exporter_hs6": "exporter_hs4",
    "exporter_route": "exporter",
    "declarant_hs4": "declarant",
    "declarant_exporter": "declarant",
    "forwarder_route": "route",
    "forwarder_hs4": "forwarder",
    "hs6": "hs4",
    "hs4": "hs2",
    "hs6_origin": "hs6",
    "hs4_route": "hs4",
    "hs4_preference": "hs4",
    "office_hs4": "hs4",
    "importer_exporter_hs6": "importer_exporter",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """Some declarations of a world: their places there, week, codes, numbers, keys and outcomes.

    books: by which the keys were numbered.
    """

    rows: Ints
    week: Ints
    codes: Mapping[str, Ints]
    numbers: Mapping[str, Floats]
    mfn: Floats
    keys: Mapping[str, Ints]
    outcomes: Outcomes
    books: Mapping[str, Codebook]

    def __len__(self) -> int:
        return len(self.rows)

    def picked(self, names: Sequence[str]) -> tuple[list[Ints], list[int]]:
        """Some keys, and how many numbers each may have."""
        return [self.keys[name] for name in names], [self.books[name].size for name in names]


def panel_of(world: World, rows: Ints, books: Mapping[str, Codebook] | None = None) -> Panel:
    """The declarations at these places of the world. books: of declarations before, where keys shall mean the same."""
    codes = {name: column[rows] for name, column in world.codes.items()}
    numbers = {name: column[rows] for name, column in world.numbers.items()}
    codes |= {f"hs{digits}": heading_of(world, digits)[codes["hs6"]] for digits in (2, 4)}
    codes["preference"] = (numbers["preference"] > 0).astype(np.int64)
    outcomes = world.outcomes
    sizes = _sizes(world)
    used = books or {
        name: Codebook.of([codes[column] for column in columns], [sizes[column] for column in columns])
        for name, columns in KEYS.items()
    }
    return Panel(
        rows=rows,
        week=world.week[rows],
        codes=codes,
        numbers=numbers,
        mfn=world.mfn[codes["hs6"]],
        keys={name: used[name].numbers([codes[column] for column in columns]) for name, columns in KEYS.items()},
        outcomes=Outcomes(
            seen=outcomes.seen[rows],
            illicit=outcomes.illicit[rows],
            revenue=outcomes.revenue[rows],
            critical=outcomes.critical[rows],
            finding=outcomes.finding[rows],
            valued=outcomes.has_amount[rows],
        ),
        books=used,
    )


def _sizes(world: World) -> dict[str, int]:
    sizes = {name: len(words) for name, words in world.words.items()}
    return (
        sizes
        | {f"hs{digits}": int(heading_of(world, digits).max(initial=-1)) + 1 for digits in (2, 4)}
        | {"preference": 2}
    )


def heading_of(world: World, digits: int) -> Ints:
    """For each code of hs6 the code of its first digits; those that came later stand behind those known before."""
    words = world.words["hs6"]
    return _headings(words, world.known.get("hs6", len(words)), digits)


@lru_cache(maxsize=16)
def _headings(words: tuple[str, ...], known: int, digits: int) -> Ints:
    alphabet = {word: code for code, word in enumerate(sorted({word[:digits] for word in words[:known]}))}
    for word in words[known:]:
        alphabet.setdefault(word[:digits], len(alphabet))
    found = np.array([alphabet[word[:digits]] for word in words], dtype=np.int64)
    found.flags.writeable = False
    return found
