"""The reasons of an agreement's decision in the officer's language. Pure.

An agreement words its reasons in English, in a few fixed shapes. Each is taken apart here and said again, with the
words that people know for those of the vocabulary; a sentence of another shape stays English and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comity.common import Reason, parse_instant
from comity.console.sentences import Said
from comity.console.words import is_english, word

_ID = r"(?P<id>\S+?)"
_DAY = r"\d{4}-\d\d-\d\d"
_NEAREST = re.compile(
    r"No article permits (?P<kind>\S+) from (?P<one>\S+) to (?P<many>\S+) so; article (?P<id>\S+) is nearest\. "
    r"(?P<rest>.+)"
)
_INSTANT = r"\d{4}-\d\d-\d\dT[\d:.]+Z"
_NEXT = re.compile(r"(?<=\.) (?=The |No HS code |It is not stated |[A-Z]{2} has )")

_LABELS: Mapping[str, str | Promise] = {
    "origin": _("Origin"),
    "category": _("Category"),
    "risk type": _("Irregularity"),
}

# The shape in English -> the same sentence as a message. one: what was asked; many: what the article says.
_SHAPES: tuple[tuple[str, str | Promise], ...] = (
    (
        r"The sender is (?P<one>.+); the article is for (?P<many>.+) as sender\.",
        _("The sender is %(one)s; the article is for %(many)s as sender."),
    ),
    (
        r"The recipient is (?P<one>.+); the article is for (?P<many>.+) as recipient\.",
        _("The recipient is %(one)s; the article is for %(many)s as recipient."),
    ),
    (
        r"The message is (?P<one>\S+); the article is for (?P<many>.+)\.",
        _("The kind of message is “%(one)s”; the article is for “%(many)s”."),
    ),
    (
        r"The purpose is (?P<one>.+); the article asks for (?P<many>.+)\.",
        _("The purpose is “%(one)s”; the article asks for “%(many)s”."),
    ),
    (
        r"The purpose is (?P<one>.+); prohibited is (?P<many>.+)\.",
        _("The purpose is “%(one)s”; prohibited is “%(many)s”."),
    ),
    (
        r"The handling is (?P<one>\w+); the article covers at most (?P<many>\w+)\.",
        _("The handling level is “%(one)s”; the article covers at most “%(many)s”."),
    ),
    (
        r"The handling is (?P<one>\w+); the article covers (?P<many>\w+) and above\.",
        _("The handling level is “%(one)s”; the article covers “%(many)s” and above."),
    ),
    (
        r"The handling is (?P<one>\w+); prohibited is at most (?P<many>\w+)\.",
        _("The handling level is “%(one)s”; prohibited is everything up to “%(many)s”."),
    ),
    (
        r"The handling is (?P<one>\w+); prohibited is (?P<many>\w+) and above\.",
        _("The handling level is “%(one)s”; prohibited is “%(many)s” and above."),
    ),
    (
        r"The goods are HS (?P<one>[\d, ]+); the article is limited to goods of HS (?P<many>.+)\.",
        _("The goods are HS %(one)s; the article is limited to goods of HS %(many)s."),
    ),
    (
        r"No HS code is stated; the article is limited to goods of HS (?P<many>.+)\.",
        _("No HS code is stated; the article is limited to goods of HS %(many)s."),
    ),
    (
        r"The goods are HS (?P<one>[\d, ]+); prohibited is HS (?P<many>.+)\.",
        _("The goods are HS %(one)s; prohibited is HS %(many)s."),
    ),
    (
        r"No HS code is stated; prohibited is HS (?P<many>.+)\.",
        _("No HS code is stated; prohibited is HS %(many)s."),
    ),
    (
        r"The (?P<label>origin|category|risk type) is not stated; it must be, since (?P<many>.+) is prohibited\.",
        _("%(label)s: not stated; it must be, since “%(many)s” is prohibited."),
    ),
    (
        r"The (?P<label>origin|category|risk type) is (?P<one>.+); the article asks for (?P<many>.+)\.",
        _("%(label)s: “%(one)s”; the article asks for “%(many)s”."),
    ),
    (
        r"The (?P<label>origin|category|risk type) is (?P<one>.+); prohibited is (?P<many>.+)\.",
        _("%(label)s: “%(one)s”; prohibited is “%(many)s”."),
    ),
    (
        rf"The day is (?P<day>{_DAY}); the agreement is in force from (?P<first>{_DAY}) until (?P<last>{_DAY})\.",
        _("The day is %(day)s; the agreement is in force from %(first)s until %(last)s."),
    ),
    (
        rf"The day is (?P<day>{_DAY}); the agreement is in force from (?P<first>{_DAY})\.",
        _("The day is %(day)s; the agreement is in force from %(first)s."),
    ),
    (
        rf"The day is (?P<day>{_DAY}); the agreement is in force until (?P<last>{_DAY})\.",
        _("The day is %(day)s; the agreement is in force until %(last)s."),
    ),
    (
        rf"The day is (?P<day>{_DAY}); the article is in force from (?P<first>{_DAY}) until (?P<last>{_DAY})\.",
        _("The day is %(day)s; the article is in force from %(first)s until %(last)s."),
    ),
    (
        rf"The day is (?P<day>{_DAY}); the article is in force from (?P<first>{_DAY})\.",
        _("The day is %(day)s; the article is in force from %(first)s."),
    ),
    (
        rf"The day is (?P<day>{_DAY}); the article is in force until (?P<last>{_DAY})\.",
        _("The day is %(day)s; the article is in force until %(last)s."),
    ),
    (
        r"The information is (?P<one>\S+)'s; the article does not let anyone hand on what is not their own\.",
        _("The information is from %(one)s; the article does not let anyone hand on what is not their own."),
    ),
    (
        r"The information is (?P<one>\S+)'s; the article asks for the consent of (?P=one)\.",
        _("The information is from %(one)s; the article asks for its consent."),
    ),
    (
        r"It is not stated whose information it is; the article must know\.",
        _("It is not stated whose information it is; the article must know."),
    ),
    (
        r"The file has (?P<bytes>[\d,]+) bytes; the article covers at most (?P<most>[\d,]+) bytes\.",
        _("The file has %(bytes)s bytes; the article covers at most %(most)s bytes."),
    ),
    (
        r"The file has a size that is not stated; the article covers at most (?P<most>[\d,]+) bytes\.",
        _("The size of the file is not stated; the article covers at most %(most)s bytes."),
    ),
    (
        rf"(?P<party>[A-Z]{{2}}) has suspended the agreement since (?P<since>{_INSTANT}): (?P<reason>.*)",
        _("%(party)s has suspended the agreement since %(since)s: %(reason)s"),
    ),
    (
        rf"(?P<party>[A-Z]{{2}}) has suspended article {_ID} since (?P<since>{_INSTANT}): (?P<reason>.*)",
        _("%(party)s has suspended article %(id)s since %(since)s: %(reason)s"),
    ),
    (
        rf"(?P<party>[A-Z]{{2}}) has left the agreement on (?P<since>{_INSTANT})\.",
        _("%(party)s left the agreement on %(since)s."),
    ),
    (
        rf"The agreement was amended: since (?P<since>{_INSTANT}) version (?P<agreement>\w+) is in its place\.",
        _("The agreement was amended: since %(since)s version %(agreement)s is in its place."),
    ),
    (rf"Article {_ID}(?:, (?P<title>.+),)? prohibits it\.", _("Article %(id)s prohibits it.")),
    (rf"Article {_ID}(?:, (?P<title>.+),)? permits it\.", _("Article %(id)s permits it.")),
    (
        (
            rf"Article {_ID}(?: of agreement (?P<agreement>\S+))? does not permit (?P<kind>\S+) from (?P<one>\S+) "
            r"to (?P<many>\S+), whatever the conditions\."
        ),
        _("Article %(id)s does not permit “%(kind)s” from %(one)s to %(many)s, whatever the conditions."),
    ),
    (
        (
            r"No article of agreement (?P<agreement>\S+) permits (?P<kind>\S+) from (?P<one>\S+) to (?P<many>\S+), "
            r"whatever the conditions\."
        ),
        _(
            "No article of the agreement %(agreement)s permits “%(kind)s” from %(one)s to %(many)s, whatever the "
            "conditions."
        ),
    ),
    (
        r"No article permits (?P<kind>\S+) from (?P<one>\S+) to (?P<many>\S+), whatever the conditions\.",
        _("No article permits “%(kind)s” from %(one)s to %(many)s, whatever the conditions."),
    ),
)
_READY = tuple((re.compile(shape), message) for shape, message in _SHAPES)


def say_verdict(reason: Reason) -> Said:
    """Why an agreement permits or refuses."""
    text = _rebuilt(reason.text)
    return Said(text) if text else Said(reason.text, is_foreign=not is_english())


def _rebuilt(english: str) -> str:
    nearest = _NEAREST.fullmatch(english)
    if nearest is None:
        return _sentence(english)
    wanting = [_sentence(each) for each in _NEXT.split(nearest["rest"])]
    if not all(wanting):
        return ""
    opening = gettext("No article permits “%(kind)s” from %(one)s to %(many)s so; article %(id)s is nearest.")
    return " ".join([opening % _parts(nearest.groupdict()), *wanting])


def _sentence(english: str) -> str:
    for shape, message in _READY:
        found = shape.fullmatch(english)
        if found and found.groupdict().get("title") and is_english():
            return english  # the title of the article stands in it
        if found:
            return str(message) % _parts(found.groupdict())
    return ""


def _parts(found: Mapping[str, str | None]) -> dict[str, str]:
    return {name: _part(name, text or "") for name, text in found.items()}


def _part(name: str, text: str) -> str:
    match name:
        case "one" | "many":
            return _listed(text)
        case "kind":
            return str(word(text))
        case "bytes" | "most":
            return number_format(int(text.replace(",", "")), force_grouping=True)
        case "label":
            return str(_LABELS[text])
        case "day" | "first" | "last":
            return date_format(date.fromisoformat(text), "j M Y" if is_english() else "j N Y")
        case "since":
            return date_format(parse_instant(text), "j M Y" if is_english() else "j N Y")
        case _:
            return text


def _listed(text: str) -> str:
    """Words of the vocabulary, one or several: a, b or c."""
    if text == "not stated":
        return gettext("not stated")
    *others, last = re.split(r", | or ", text)
    if not others:
        return str(word(last))
    either = gettext("or")
    return f"{', '.join(str(word(each)) for each in others)} {either} {word(last)}"
