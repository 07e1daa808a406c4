"""Words, lists, days and sentences in a language. Pure and deterministic: the same values give the same text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from comity.agreements.texts import english, french
from comity.agreements.values import Period

_TABLES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "en": (english.WORDS, english.SENTENCES),
    "fr": (french.WORDS, french.SENTENCES),
}
SPOKEN: tuple[str, ...] = tuple(_TABLES)
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Speech:
    """How these tools speak. language: as asked; where they do not speak it, they speak English."""

    language: str = "en"

    @property
    def is_fallback(self) -> bool:
        """Whether English stands for the language that was asked."""
        return self.language not in _TABLES

    def say(self, sentence: str, **parts: object) -> str:
        """A sentence with its parts."""
        return self._table()[1][sentence].format(**parts)

    def word(self, word: str) -> str:
        """A word of the vocabularies for people; one that no table has stands as it is."""
        return self._table()[0].get(word, word)

    def words(self, words: Iterable[str], joint: str = "and") -> str:
        """Words of the vocabularies, one after the other."""
        return self.listed((self.word(each) for each in words), joint)

    def listed(self, texts: Iterable[str], joint: str = "and") -> str:
        """One, two and three."""
        *others, last = [*texts] or [self.say("nothing")]
        return f"{', '.join(others)} {self.say(joint)} {last}" if others else last

    def number(self, number: int) -> str:
        """A whole number with its thousands apart."""
        return f"{number:,}" if self.language != "fr" else f"{number:,}".replace(",", _NARROW_SPACE)

    def day(self, day: date) -> str:
        """A day, the same in every language."""
        return day.isoformat()

    def period(self, period: Period) -> str:
        """From when until when; empty where there is no bound."""
        first, last = (None if day is None else self.day(day) for day in (period.first, period.last))
        if first and last:
            return self.say("from until", first=first, last=last)
        if first:
            return self.say("from", first=first)
        return self.say("until", last=last) if last else ""

    def _table(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        return _TABLES.get(self.language, _TABLES["en"])
