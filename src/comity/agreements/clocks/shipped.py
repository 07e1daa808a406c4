"""The clocks of common instruments that ship with the program, read and checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml

from comity.agreements.clocks.errors import ClockFormError
from comity.agreements.clocks.values import CalendarChoice, ClockSpec, Start, Term

FILE = Path(__file__).parent / "files" / "clocks.yaml"
MOST_BYTES = 256 * 1024
_NAME = re.compile(r"[a-z][a-z0-9]{0,29}\.[a-z][a-z0-9_]{0,39}", re.ASCII)
_NEEDED = ("name", "title", "term", "start", "calendar", "source", "tag", "verified")
_OPTIONAL = ("extendable", "warn")
_LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class DefaultClock:
    """A clock of an instrument and what it is for: (language, text)."""

    spec: ClockSpec
    title: tuple[tuple[str, str], ...]

    def title_in(self, language: str) -> str:
        """The title in this language, else in English."""
        return dict(self.title).get(language) or self.title[0][1]


@cache
def default_clocks() -> tuple[DefaultClock, ...]:
    """Every clock that ships, by name. Raises: ClockFormError where the file is damaged."""
    return read_clocks(FILE.read_bytes())


def default_clock(name: str) -> DefaultClock:
    """The clock of this name, such as tfa12.answer. Raises: ClockFormError where there is none."""
    found = {each.spec.name: each for each in default_clocks()}
    if name not in found:
        near = get_close_matches(name, found, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "`comity clocks list` shows all."
        raise ClockFormError(f"There is no clock {name[:60]!r}", remedy=remedy)
    return found[name]


def read_clocks(data: bytes) -> tuple[DefaultClock, ...]:
    """The clocks in this YAML, sorted by name. Raises: ClockFormError naming the clock and the key."""
    if len(data) > MOST_BYTES:
        raise ClockFormError(f"The clocks are longer than {MOST_BYTES} bytes", remedy="Split them.")
    try:
        read = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ClockFormError("The clocks are no YAML", where=str(error).splitlines()[0][:120]) from error
    listed = read.get("clocks") if isinstance(read, dict) and set(read) == {"clocks"} else None
    if not isinstance(listed, list) or not listed:
        raise ClockFormError("The clocks must be a list under `clocks`", remedy="Write `clocks:` and `- name: …`.")
    clocks = sorted((_clock(each) for each in listed), key=lambda each: each.spec.name)
    names = [each.spec.name for each in clocks]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ClockFormError(f"Clock {twice} stands twice", remedy="Take one out.")
    return tuple(clocks)


def _clock(entry: object) -> DefaultClock:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not _NAME.fullmatch(entry["name"]):
        raise ClockFormError("A clock has no name", where=repr(entry)[:80], remedy="Write `name: instrument.step`.")
    name = entry["name"]
    for key in _NEEDED:
        if key not in entry:
            raise ClockFormError(f"Clock {name} has no {key!r}", remedy=f"Add `{key}: …`.")
    if strange := sorted(set(entry) - set(_NEEDED) - set(_OPTIONAL), key=str):
        raise ClockFormError(f"Clock {name} has a key {strange[0]!r} that nobody reads", remedy="Take it out.")
    verified = entry["verified"]
    if not isinstance(verified, bool):
        raise ClockFormError(f"Clock {name}: verified is {verified!r}", remedy="Write true or false.")
    spec = ClockSpec(
        name=name,
        term=Term.parse(_text(entry, "term")),
        start=Start(_word(entry, "start", tuple(Start))),
        calendar=CalendarChoice(_word(entry, "calendar", tuple(CalendarChoice))),
        extendable=Term.parse(_text(entry, "extendable")) if "extendable" in entry else None,
        source=_text(entry, "source"),
        tag=_text(entry, "tag"),
        is_verified=verified,
        warn=Term.parse(_text(entry, "warn")) if "warn" in entry else None,
    )
    return DefaultClock(spec, _title(entry["title"], name))


def _title(title: object, name: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(title, dict) or set(title) != set(_LANGUAGES):
        raise ClockFormError(f"Clock {name}: the title is not in {_LANGUAGES}", remedy="Write {en: …, fr: …}.")
    return tuple((language, _text(title, language)) for language in _LANGUAGES)


def _word(entry: Mapping[str, object], key: str, words: tuple[str, ...]) -> str:
    text = _text(entry, key)
    if text not in words:
        raise ClockFormError(
            f"Clock {entry['name']}: {key} is {text[:40]!r}", remedy=f"Write one of {', '.join(words)}."
        )
    return text


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value.strip():
        raise ClockFormError(f"{key} is {value!r:.60}, not a text", where=str(entry.get("name", "")))
    return " ".join(value.split())
