"""Values of parameters: what may stand, within which bounds, and how it reads in English and French. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from comity.agreements.library.errors import CompositionError
from comity.agreements.library.values import Parameter, ParameterType, Plain, Value
from comity.agreements.vocabulary import (
    CATEGORIES,
    HANDLINGS,
    HS_PREFIX,
    KINDS,
    LANGUAGES,
    PARTY,
    PURPOSES,
    RISK_TYPES,
    Onward,
    meant,
)

_WORDS: Mapping[ParameterType, tuple[str, ...]] = {
    ParameterType.HANDLING: HANDLINGS,
    ParameterType.ONWARD: tuple(Onward),
    ParameterType.KINDS: KINDS,
    ParameterType.PURPOSES: PURPOSES,
    ParameterType.CATEGORIES: CATEGORIES,
    ParameterType.RISK_TYPES: RISK_TYPES,
    ParameterType.LANGUAGES: LANGUAGES,
}
_FORMS: Mapping[ParameterType, tuple[re.Pattern[str], str]] = {
    ParameterType.NUMBER: (re.compile(r"\d{1,15}", re.ASCII), "a whole number"),
    ParameterType.SIZE: (re.compile(r"\d{1,15}|\d{1,6} ?[KMG]iB", re.ASCII), "bytes, such as 1048576 or 1MiB"),
    ParameterType.DAY: (re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), "a day as 2026-12-31"),
    ParameterType.TERM: (
        re.compile(r"[1-9]\d{0,4} (hours|calendar_days|working_days|months|years)", re.ASCII),
        "a term such as 90 calendar_days",
    ),
    ParameterType.PARTIES: (PARTY, "codes of two capital letters, such as XA"),
    ParameterType.GOODS: (HS_PREFIX, "2, 4 or 6 digits of HS codes"),
    ParameterType.TEXT: (re.compile(r"[^\x00-\x1f{}$]{1,500}"), "a text without braces and dollar signs"),
}
_BYTES = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
# To compare a term with a bound in another unit: about how many hours it has.
_HOURS = {"hours": 1, "calendar_days": 24, "working_days": 34, "months": 730, "years": 8766}

_AND = {"en": "and", "fr": "et"}
_EACH = {"en": "each of", "fr": "chacune de"}
_ANY = {"en": "any", "fr": "quelconque"}
_UNITS = {
    "hours": ("hours", "heures"),
    "calendar_days": ("calendar days", "jours calendaires"),
    "working_days": ("working days", "jours ouvrables"),
    "months": ("months", "mois"),
    "years": ("years", "ans"),
}
_ONE_UNIT = {
    "hours": ("hour", "heure"),
    "calendar_days": ("calendar day", "jour calendaire"),
    "working_days": ("working day", "jour ouvrable"),
    "months": ("month", "mois"),
    "years": ("year", "an"),
}
_FRENCH = {
    "open": "ouvert",
    "official": "officiel",
    "restricted": "restreint",
    "confidential": "confidentiel",
    "risk_assessment": "l'analyse des risques",
    "control": "le contrôle",
    "investigation": "l'enquête",
    "evidence": "la preuve",
    "statistics": "la statistique",
    "training": "la formation",
    "alert/1": "les alertes",
    "finding/1": "les constatations",
    "evidence/1": "les pièces",
    "step/1": "les étapes de procédure",
    "mirror/1": "les exportations sous engagement",
    "mirror_request/1": "les demandes de chiffres",
    "mirror_values/1": "les chiffres demandés",
    "profile/1": "les profils de risque",
    "hit_question/1": "les questions sur des correspondances",
    "hit_decision/1": "les décisions sur des correspondances",
    "signal_report/1": "les rapports sur la suite des alertes et des profils",
    "commodities": "marchandises",
    "means_of_transport": "moyens de transport",
    "businesses": "entreprises",
    "persons": "personnes",
    "fraud_trends": "tendances de la fraude",
    "expertise": "compétences",
    "goods_seized": "marchandises saisies",
    "cash_seized": "argent liquide saisi",
    "counterfeit": "contrefaçon",
    "undervaluation": "sous-évaluation",
    "misclassification": "mauvais classement",
    "false_origin": "fausse origine",
    "wrong_quantity": "quantité inexacte",
    "prohibited": "prohibition",
    "smuggling": "contrebande",
    "safety": "sécurité",
    "other": "autre",
}
_ENGLISH = {
    "alert/1": "alerts",
    "finding/1": "findings",
    "evidence/1": "files of evidence",
    "step/1": "steps of a procedure",
    "mirror/1": "exports as commitments",
    "mirror_request/1": "requests for figures",
    "mirror_values/1": "figures that were asked for",
    "profile/1": "risk profiles",
    "hit_question/1": "questions about hits of the screening",
    "hit_decision/1": "decisions on hits of the screening",
    "signal_report/1": "reports of what came of alerts and profiles",
}


def check_value(parameter: Parameter, given: Plain) -> Value:
    """The value in its one form: of a list a tuple, of a size its bytes.

    Raises: CompositionError naming the parameter and what may stand.
    """
    if parameter.type.is_list:
        words = tuple(_word(parameter, word) for word in _split(given))
        _check_bounds(parameter, words, len(words))
        if len(set(words)) != len(words):
            raise _refused(parameter, "names one thing twice", "Name it once.")
        return words
    if not isinstance(given, str):
        raise _refused(parameter, "is a list", "Write one value.")
    if not given.strip():
        return ""
    word = _word(parameter, given.strip())
    _check_bounds(parameter, word, _measure(parameter.type, word))
    return word


def show_value(kind: ParameterType, value: Value, language: str) -> str:
    """The value as it reads in the text of an article."""
    if isinstance(value, tuple):
        words = [_shown(kind, word, language) for word in value]
        if not words:
            return _ANY[language]
        if len(words) == 1:
            return words[0]
        listed = f"{', '.join(words[:-1])} {_AND[language]} {words[-1]}"
        # "each of": so that the verb of a sentence fits one party and several.
        return f"{_EACH[language]} {listed}" if kind is ParameterType.PARTIES else listed
    return _shown(kind, value, language)


def _split(given: Plain) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(word for word in re.split(r"[,\s]+", given) if word)
    return tuple(str(word).strip() for word in given)


def _word(parameter: Parameter, word: str) -> str:
    if parameter.type is ParameterType.DAY and _is_no_day(word):
        raise _refused(parameter, f"is {word[:60]!r}", "Write a day of the calendar as 2026-12-31.")
    words = parameter.among or _WORDS.get(parameter.type, ())
    if words:
        if word not in words:
            raise _refused(parameter, f"is {word[:60]!r}", meant(word, words))
        return word
    pattern, form = _FORMS[parameter.type]
    if not pattern.fullmatch(word):
        raise _refused(parameter, f"is {word[:60]!r}", f"Write {form}.")
    if parameter.type is ParameterType.SIZE and word[-1] == "B":
        return str(int(word[:-3]) * _BYTES[word[-3:]])
    return word


def _is_no_day(word: str) -> bool:
    try:
        date.fromisoformat(word)
    except ValueError:
        return True
    return False


def _check_bounds(parameter: Parameter, value: Value, measure: int) -> None:
    count = ParameterType.NUMBER
    kind = count if parameter.type.is_list else parameter.type
    low, high = parameter.least, parameter.most
    shown = value if isinstance(value, str) else f"{len(value)} of them"
    if low and measure < _measure(kind, low):
        raise _refused(parameter, f"is {shown}", f"At least {low} is asked for.")
    if high and measure > _measure(kind, high):
        raise _refused(parameter, f"is {shown}", f"At most {high} is allowed.")


def _measure(kind: ParameterType, word: str) -> int:
    if kind is ParameterType.SIZE and word[-1] == "B":
        return int(word[:-3]) * _BYTES[word[-3:]]
    if kind in (ParameterType.NUMBER, ParameterType.SIZE):
        return int(word)
    if kind is ParameterType.HANDLING:
        return HANDLINGS.index(word)
    if kind is ParameterType.ONWARD:
        return Onward(word).looseness
    if kind is ParameterType.DAY:
        return date.fromisoformat(word).toordinal()
    if kind is ParameterType.TERM:
        number, unit = word.split()
        return int(number) * _HOURS[unit]
    return 0


def _refused(parameter: Parameter, what: str, remedy: str) -> CompositionError:
    return CompositionError(f"The parameter {parameter.name!r} {what}", remedy=remedy)


def _shown(kind: ParameterType, word: str, language: str) -> str:
    return _SHOWN.get(kind, _as_it_is)(word, language)


def _as_it_is(word: str, _language: str) -> str:
    return word


def _number(word: str, language: str) -> str:
    grouped = f"{int(word):,}"
    return grouped if language == "en" else grouped.replace(",", " ")


def _size(word: str, language: str) -> str:
    return f"{_number(word, language)} {'bytes' if language == 'en' else 'octets'}"


def _term(word: str, language: str) -> str:
    number, unit = word.split()
    words = _ONE_UNIT if number == "1" else _UNITS
    return f"{number} {words[unit][0 if language == 'en' else 1]}"


def _goods(word: str, language: str) -> str:
    return f"HS {word}" if language == "en" else f"SH {word}"


def _vocabulary(word: str, language: str) -> str:
    if language == "en":
        return _ENGLISH.get(word, word.replace("_", " "))
    return _FRENCH.get(word, word.replace("_", " "))


_SHOWN: Mapping[ParameterType, Callable[[str, str], str]] = {
    ParameterType.NUMBER: _number,
    ParameterType.SIZE: _size,
    ParameterType.TERM: _term,
    ParameterType.GOODS: _goods,
} | dict.fromkeys(
    (
        ParameterType.HANDLING,
        ParameterType.KINDS,
        ParameterType.PURPOSES,
        ParameterType.CATEGORIES,
        ParameterType.RISK_TYPES,
    ),
    _vocabulary,
)
