"""Names of persons, firms and ships in one plain form: Latin letters, lower case, words that tell. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import jellyfish
from anyascii import anyascii
from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein

from comity.registers.matching.words import FORM_PHRASES, FORMS, PARTICLES, SHIP_PREFIXES, TITLES

MAX_TOKENS = 16
_WORDS = re.compile(r"[a-z0-9]+")
_QUOTES = re.compile(r"['`´’‘ʼʿʾ\"“”]")
_SLASHED = re.compile(r"\b([a-z])/([a-z])\b")
_DOTTED = re.compile(r"\b(?:[a-z]\.\s?){2,}")
# The article of Arabic names as it is joined to a word: al-Tikriti, ar-Rahman.
_ARTICLE = re.compile(r"\b(?:al|el|ul|ad|ar|as|at|az|an|ash|adh|ath|ed|er|es|ud|ur|us)-(?=[a-z]{3})")
_SOUNDS = (
    ("tsch", "s"),
    ("sch", "s"),
    ("tch", "s"),
    ("shch", "s"),
    ("ph", "f"),
    ("kh", "k"),
    ("gh", "g"),
    ("ch", "s"),
    ("sh", "s"),
    ("sj", "s"),
    ("tj", "s"),
    ("zh", "s"),
    ("dj", "y"),
    ("dh", "d"),
    ("th", "t"),
    ("ts", "s"),
    ("tz", "s"),
    ("ks", "x"),
    ("ck", "k"),
    ("qu", "k"),
)
_LETTERS = str.maketrans({"q": "k", "c": "k", "z": "s", "v": "f", "w": "f", "j": "y", "p": "b", "g": "k", "d": "t"})
_SILENT = re.compile(r"[aeiouyhw]")
# The last letters of longer forms: S.A. de C.V., S. de R.L., Sp. z o.o.
_ENDS = frozenset({"cv", "rl", "oo"})
_LONG_FORMS = sorted(form for form in FORMS if len(form) >= 7)
_PHRASES_BEGIN = frozenset(phrase[0] for phrase, _ in FORM_PHRASES)
_VOWELS = frozenset("aeiouy")
# What is left of the likeness of two words that sound alike but for their end.
_OTHER_END = 0.7
_TWICE = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class PlainName:
    """A name in plain form. tokens: the words that tell; forms: classes of legal forms; is_latin: as it was written."""

    text: str
    tokens: tuple[str, ...]
    forms: frozenset[str]
    is_latin: bool

    @property
    def joined(self) -> str:
        """The words without spaces: what is left where writers part words otherwise."""
        return "".join(self.tokens)


@lru_cache(maxsize=65_536)
def plain_name(text: str, *, is_vessel: bool = False) -> PlainName:
    """The plain form of a name. A name of particles and titles alone keeps them."""
    latin, is_latin = anyascii(text), _is_latin(text)
    words, forms = _parted(latin.lower())
    if not is_latin:
        # In Arabic letters the article is a part of the word.
        words = [word[2:] if word.startswith("al") and len(word) > 4 else word for word in words]
    dull = TITLES | PARTICLES | (SHIP_PREFIXES if is_vessel else frozenset())
    tokens = words if _is_family(text, words) else [word for word in words if word not in dull] or words
    kept = tokens[:MAX_TOKENS] or _WORDS.findall(latin.lower())[:MAX_TOKENS]
    return PlainName(text, tuple(kept), frozenset(forms), is_latin)


def _is_family(text: str, words: list[str]) -> bool:
    """Whether the last of two words is a family, and no title: a title stands in front, or behind a comma."""
    return len(words) == 2 and words[1] in TITLES and words[0] not in TITLES | PARTICLES and "," not in text


def _is_latin(text: str) -> bool:
    """Whether most letters are Latin ones, with or without signs: below Ɇ (U+024F), or Vietnamese (U+1E00 and on)."""
    letters = [sign for sign in text if sign.isalpha()]
    return sum(sign < "\u0250" or "\u1e00" <= sign <= "\u1eff" for sign in letters) * 2 >= len(letters)


def _parted(text: str) -> tuple[list[str], set[str]]:
    plain = _QUOTES.sub("", text.replace("&", " and "))
    plain = _DOTTED.sub(_undotted, _SLASHED.sub(r"\1\2", plain))
    words = _WORDS.findall(_ARTICLE.sub("", plain))
    forms: set[str] = set()
    for phrase, form in _phrases_in(words):
        size = len(phrase)
        for start in range(len(words) - size, 0, -1):  # a name does not begin with its legal form
            if tuple(words[start : start + size]) == phrase:
                forms.add(form)
                del words[start : start + size]
    told = [word for word in words if _form(word) is None]
    if told:
        forms |= {known for word in words if (known := _form(word))}
        words = told
    return words, forms


def _phrases_in(words: list[str]) -> list[tuple[tuple[str, ...], str]]:
    """The phrases of legal forms that may be among the words, in their order; hardly a name has any."""
    if _PHRASES_BEGIN.isdisjoint(words):
        return []
    return [phrase for phrase in FORM_PHRASES if phrase[0][0] in words]


@lru_cache(maxsize=65_536)
def _form(word: str) -> str | None:
    """The class of a legal form; of a long one also with a slip of the pen."""
    if word in FORMS or len(word) < 6:
        return FORMS.get(word)
    slips = (FORMS[form] for form in _LONG_FORMS if DamerauLevenshtein.distance(word, form, score_cutoff=1) <= 1)
    return next(slips, None)


def _undotted(found: re.Match[str]) -> str:
    """Letters with dots as one word where they are a legal form, such as S.A.; apart where they are initials."""
    letters = re.sub(r"[.\s]", "", found[0])
    return f"{letters} " if letters in FORMS or letters in _ENDS or len(letters) > 3 else f"{' '.join(letters)} "


@lru_cache(maxsize=131_072)
def skeleton(token: str) -> str:
    """The consonants of a word by their sound, so that most ways of writing a foreign word in Latin letters agree."""
    for letters, sound in _SOUNDS:
        token = token.replace(letters, sound)
    # Letters written twice are one; consonants with a vowel between them are two, or Susan would sound as Shaheen.
    return _SILENT.sub("", _TWICE.sub(r"\1", token.translate(_LETTERS)))


@lru_cache(maxsize=131_072)
def sound(token: str) -> str:
    """How English would say a word (metaphone)."""
    return jellyfish.metaphone(token)


def deletions(token: str) -> list[str]:
    """The word with one letter left out, in every way: two words that one slip of the pen apart share one of these."""
    return [token[:place] + token[place + 1 :] for place in range(len(token))]


@lru_cache(maxsize=262_144)
def similarity(ours: str, theirs: str) -> float:
    """How alike two words are, 0 to 1. Numbers agree wholly or not; an initial agrees with a word of its letter."""
    if ours == theirs:
        return 1.0
    if not ours.isalpha() or not theirs.isalpha():
        return 0.0
    if len(ours) == 1 or len(theirs) == 1:
        return 0.8 if ours[0] == theirs[0] else 0.0
    for longer, shorter in ((ours, theirs), (theirs, ours)):
        if longer[:2] in {"al", "el"} and len(shorter) >= 4 and longer[2:] == shorter:
            return 0.95
    return max(_by_letters(ours, theirs), _by_sound(ours, theirs))


def _by_letters(ours: str, theirs: str) -> float:
    size = max(len(ours), len(theirs))
    allowed = 0 if size < 3 else 1 if size <= 5 else 2 if size <= 9 else 3
    distance = DamerauLevenshtein.distance(ours, theirs, score_cutoff=allowed)
    if distance > allowed:
        return 0.0
    if size == 3:
        return 0.62
    # Two slips in a short word are rarer than two names.
    return 1 - distance / size if distance < 2 or size > 7 else 0.62


def _by_sound(ours: str, theirs: str) -> float:
    bones = skeleton(ours)
    if len(bones) < 2 or bones != skeleton(theirs) or not _begin_alike(ours, theirs):
        return 0.0
    written = fuzz.ratio(ours, theirs) / 100
    if len(bones) == 2 and written < 0.5:
        return 0.0
    base = 0.55 if len(bones) > 2 or min(len(ours), len(theirs)) > 5 else 0.47
    return (base + 0.4 * written) * (1.0 if end_alike(ours, theirs) else _OTHER_END)


def end_alike(ours: str, theirs: str) -> bool:
    """Whether both end in a vowel or neither: Ahmad and Ahmadi, Salim and Salma are two names; Fatma is Fatimah."""
    return _ends_open(ours) == _ends_open(theirs)


def _ends_open(word: str) -> bool:
    return word.rstrip("hw")[-1:] in _VOWELS


def _begin_alike(ours: str, theirs: str) -> bool:
    if ours[0] == theirs[0]:
        return True
    first, other = skeleton(ours[0]), skeleton(theirs[0])
    return first == other if first or other else ours[0] in _VOWELS and theirs[0] in _VOWELS
