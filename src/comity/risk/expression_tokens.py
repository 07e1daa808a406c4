"""The words of a rule: a hand-written tokenizer. Bounds are checked here, before anything is built."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from comity.risk.errors import RuleError

MAX_LENGTH = 4_000
KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL", "TRUE", "FALSE"})

# What officers bring along from other languages, and what to write here.
_STRANGERS = {
    "==": "Write =.",
    "!=": "Write <>.",
    "&&": "Write AND.",
    "||": "Write OR.",
    "--": "Comments are not part of a rule; put spaces and brackets for a double minus: a - (-b).",
    '"': "Text stands between single quotes: 'XA'.",
    "“": "Text stands between straight single quotes: 'XA'.",
    "’": "Text stands between straight single quotes: 'XA'.",
    "‘": "Text stands between straight single quotes: 'XA'.",
    "!": "Write NOT.",
    "%": "Write starts_with(column, 'text') or contains(column, 'text').",
    "≤": "Write <=.",
    "≥": "Write >=.",
    "≠": "Write <>.",
    ";": "A rule is one condition, without a semicolon.",
}

_SCANNER = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<stranger>==|!=|&&|\|\||--)
    |(?P<sign><=|>=|<>|[=<>+\-*/(),])""",
    re.VERBOSE,
)


class TokenKind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    KEYWORD = "keyword"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a rule. word: keywords in capitals, names in small letters, the rest as written."""

    kind: TokenKind
    word: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """The tokens of a rule, the last of kind END.

    Raises: RuleError where the rule is too long or holds a sign that is not part of the language.
    """
    if len(text) > MAX_LENGTH:
        raise RuleError(
            f"The rule has {len(text):,} characters; {MAX_LENGTH:,} are the most",
            text=text,
            start=MAX_LENGTH,
            end=MAX_LENGTH + 1,
            remedy="Split it into several profiles.",
        )
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = _SCANNER.match(text, place)
        if found is None or found.lastgroup == "stranger":
            raise _refuse(text, place)
        token = _token(text, found)
        if token is not None:
            tokens.append(token)
        place = found.end()
    tokens.append(Token(TokenKind.END, "", len(text), len(text)))
    return tokens


def _token(text: str, found: re.Match[str]) -> Token | None:
    word, start, end = found.group(), found.start(), found.end()
    match found.lastgroup:
        case "space":
            return None
        case "name" if word.upper() in KEYWORDS:
            return Token(TokenKind.KEYWORD, word.upper(), start, end)
        case "name":
            return Token(TokenKind.NAME, word.lower(), start, end)
        case "number":
            if end < len(text) and (text[end].isalnum() or text[end] in "_."):
                raise RuleError(
                    "A number runs into letters",
                    text=text,
                    start=start,
                    end=end + 1,
                    remedy="Put a space after it, or quotes around it where it is text.",
                )
            return Token(TokenKind.NUMBER, word, start, end)
        case "text":
            return Token(TokenKind.TEXT, word[1:-1].replace("''", "'"), start, end)
        case _:
            return Token(TokenKind.SIGN, word, start, end)


def _refuse(text: str, place: int) -> RuleError:
    if text[place] == "'":
        return RuleError(
            "A text is not closed",
            text=text,
            start=place,
            end=len(text),
            remedy="End it with a single quote; write '' for a quote inside the text.",
        )
    sign = text[place : place + 2] if text[place : place + 2] in _STRANGERS else text[place]
    return RuleError(
        f"{sign!r} is not part of the language",
        text=text,
        start=place,
        end=place + len(sign),
        remedy=_STRANGERS.get(sign, "Use columns, numbers, 'text', = <> < <= > >= + - * / and brackets."),
    )
