"""What every part of an agreement is read against, and the readers that all parts share. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from comity.agreements.markup import Node
from comity.agreements.reader import (
    Reader,
    fail,
    read_day,
    read_flag,
    read_list,
    read_matching,
    read_text,
    read_word,
    read_words,
    unique,
)
from comity.agreements.values import Period, Wording
from comity.agreements.vocabulary import Tag

CODE = "a code of two capital letters, such as XA"


@dataclass(frozen=True, slots=True)
class Frame:
    """What every article is read against."""

    parties: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backing:
    """The clause that something rests on, and how well that was checked."""

    source: str
    tag: Tag
    is_verified: bool


def take_word(reader: Reader, key: str, words: tuple[str, ...]) -> str:
    """A word of a closed vocabulary, empty where the key is absent."""
    node = reader.take(key)
    return read_word(node, key, words) if node else ""


def take_words(reader: Reader, key: str, words: tuple[str, ...] | frozenset[str]) -> tuple[str, ...]:
    """Words of a closed vocabulary, none where the key is absent."""
    node = reader.take(key)
    return read_words(node, key, words) if node else ()


def take_matching(reader: Reader, key: str, pattern: re.Pattern[str], form: str) -> tuple[str, ...]:
    """Texts of a certain form, none where the key is absent."""
    node = reader.take(key)
    if node is None:
        return ()
    return unique([(read_matching(item, key, pattern, form), item) for item in read_list(node, key)], key)


def read_wording(node: Node, name: str, frame: Frame) -> Wording:
    """A text for people in every language of the agreement."""
    reader = Reader(node, name)
    texts = tuple((language, read_text(reader.need(language), f"{name} in {language}")) for language in frame.languages)
    reader.finish()
    return Wording(texts)


def read_period(node: Node, name: str) -> Period:
    """Days from and until."""
    reader = Reader(node, name)
    first, last = reader.take("from"), reader.take("until")
    reader.finish()
    period = Period(
        read_day(first, f"{name} from") if first else None,
        read_day(last, f"{name} until") if last else None,
    )
    if period.first and period.last and period.last < period.first:
        fail(f"{name} ends before it begins", node, "Turn the days round.")
    return period


def take_backing(reader: Reader) -> Backing:
    """Source, tag and whether it was compared with the official text; general knowledge where nothing is said."""
    return Backing(
        source=read_text(source, "source") if (source := reader.take("source")) else "",
        tag=Tag(take_word(reader, "tag", tuple(Tag)) or Tag.UNCHECKED),
        is_verified=read_flag(flag, "verified") if (flag := reader.take("verified")) else False,
    )
