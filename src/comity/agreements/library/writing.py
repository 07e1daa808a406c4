"""Writing the form of an agreement as YAML that people go on editing: comments, folded texts, short lists. Pure."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from comity.agreements.library.values import Plain

_WIDTH = 110
# What YAML 1.2 reads as it stands, in a list on one line too; anything else is quoted.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _./()%+-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Remarked:
    """An article with the comments above it."""

    remarks: tuple[str, ...]
    form: dict[str, Plain]


def write_form(
    opening: tuple[str, ...],
    form: Mapping[str, Plain],
    articles: Sequence[Remarked],
    after: Mapping[str, Sequence[Plain]],
) -> str:
    """The YAML: the opening as comments, the form, the articles, and the lists that come after them."""
    lines = [*_comments(opening, "")]
    for key, item in form.items():
        lines += _pair(key, item, "")
    lines += ["", "articles:"]
    for article in articles:
        lines += [*_comments(article.remarks, "  "), *_element(article.form, "  "), ""]
    for key, items in after.items():
        if items:
            lines.append(f"{key}:")
            for item in items:
                lines += _element(item, "  ")
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _comments(remarks: tuple[str, ...], indent: str) -> Iterator[str]:
    for remark in remarks:
        for line in textwrap.wrap(remark, _WIDTH - len(indent), break_long_words=False):
            yield f"{indent}# {line}"


def _pair(key: str, item: Plain, indent: str) -> list[str]:
    if isinstance(item, dict):
        return [f"{indent}{key}:", *(line for name, each in item.items() for line in _pair(name, each, f"{indent}  "))]
    if isinstance(item, list):
        if all(isinstance(each, str) for each in item):
            return _short_list(key, [_scalar(str(each)) for each in item], indent)
        return [f"{indent}{key}:", *(line for each in item for line in _element(each, f"{indent}  "))]
    if len(item) > 60 or "\n" in item:
        return [f"{indent}{key}: >-", *_folded(item, f"{indent}  ")]
    return [f"{indent}{key}: {_scalar(item)}"]


def _element(item: Plain, indent: str) -> list[str]:
    """One element of a list: a mapping whose first key stands beside the dash, or a word."""
    if not isinstance(item, dict):
        return [f"{indent}- {_scalar(str(item))}"]
    lines = [line for name, each in item.items() for line in _pair(name, each, f"{indent}  ")]
    return [f"{indent}- {lines[0].lstrip()}", *lines[1:]]


def _short_list(key: str, words: list[str], indent: str) -> list[str]:
    text = f"{indent}{key}: [{', '.join(words)}]"
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
    ) or [text]


def _folded(text: str, indent: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ""
        for line in textwrap.wrap(paragraph, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False):
            yield f"{indent}{line}"


def _scalar(text: str) -> str:
    return text if _SAFE.fullmatch(text) and text == text.strip() else json.dumps(text, ensure_ascii=False)
