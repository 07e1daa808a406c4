"""A deadline in words, English and French: from when, by whose days, which days did not count and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from comity.agreements.clocks.values import Deadline, Pause, Skipped, SkipReason, Term, Unit

_ENGLISH: Mapping[str, str] = {
    "hours": "hours",
    "calendar_days": "calendar days",
    "working_days": "working days",
    "months": "months",
    "years": "years",
    "hours_one": "hour",
    "calendar_days_one": "calendar day",
    "working_days_one": "working day",
    "months_one": "month",
    "years_one": "year",
    "term": "{clock}: {term} from {start}.",
    "extended": "Extended by {term}.",
    "of": "A day counts where {parties} works.",
    "of_both": "A day counts where {parties} both work.",
    "and": " and ",
    "silent": "No holidays are published for {party}: only weekends and the days that the agreement names are known.",
    "pause": "The clock stood still from {start} to {end}.",
    "standing_still": "The clock has stood still since {start}; this end is the earliest that is possible.",
    "weekend": "{count} days of a weekend did not count.",
    "weekend_one": "1 day of a weekend did not count.",
    "holiday": "{day} did not count: {name} ({party}).",
    "estimated": "{day} did not count: {name} ({party}); it follows the moon and may be announced for another day.",
    "closed": "{day} did not count: closed by the agreement ({party}).",
    "paused": "{count} days did not count because the clock stood still.",
    "paused_one": "1 day did not count because the clock stood still.",
    "end": "It ends on {end}.",
}
_FRENCH: Mapping[str, str] = {
    "hours": "heures",
    "calendar_days": "jours calendaires",
    "working_days": "jours ouvrables",
    "months": "mois",
    "years": "ans",
    "hours_one": "heure",
    "calendar_days_one": "jour calendaire",
    "working_days_one": "jour ouvrable",
    "months_one": "mois",
    "years_one": "an",
    "term": "{clock} : {term} à compter du {start}.",
    "extended": "Prolongé de {term}.",
    "of": "Un jour compte si {parties} travaille.",
    "of_both": "Un jour compte si {parties} travaillent toutes deux.",
    "and": " et ",
    "silent": "Aucun jour férié n’est publié pour {party} : seuls sont connus les fins de semaine et les jours nommés "
    "par l’accord.",
    "pause": "Le délai a été suspendu du {start} au {end}.",
    "standing_still": "Le délai est suspendu depuis le {start} ; cette échéance est la plus proche possible.",
    "weekend": "{count} jours de fin de semaine n’ont pas compté.",
    "weekend_one": "1 jour de fin de semaine n’a pas compté.",
    "holiday": "Le {day} n’a pas compté : {name} ({party}).",
    "estimated": "Le {day} n’a pas compté : {name} ({party}) ; la date dépend de la lune et peut être annoncée pour un "
    "autre jour.",
    "closed": "Le {day} n’a pas compté : fermé par l’accord ({party}).",
    "paused": "{count} jours n’ont pas compté parce que le délai était suspendu.",
    "paused_one": "1 jour n’a pas compté parce que le délai était suspendu.",
    "end": "Il expire le {end}.",
}
_WORDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "fr": _FRENCH}
EXPLAINED_LANGUAGES = tuple(_WORDS)


def explain(limit: Deadline, language: str = "en") -> tuple[str, ...]:
    """The deadline in sentences. language: one of EXPLAINED_LANGUAGES; another is answered in English."""
    words = _words(language)
    lines = [
        words["term"].format(clock=limit.clock, term=term_in_words(limit.term, language), start=_at(limit.started_at))
    ]
    if limit.extension:
        lines.append(words["extended"].format(term=term_in_words(limit.extension, language)))
    if limit.parties:
        key = "of_both" if len(limit.parties) > 1 else "of"
        lines.append(words[key].format(parties=words["and"].join(limit.parties)))
    lines += [words["silent"].format(party=party) for party in limit.unpublished]
    lines += [_pause(pause, words) for pause in limit.paused]
    lines += _skipped(limit, language)
    return (*lines, words["end"].format(end=_end(limit)))


def term_in_words(term: Term, language: str = "en") -> str:
    """A term for people: 90 calendar days, 1 mois."""
    key = term.unit.value if term.count > 1 else f"{term.unit.value}_one"
    return f"{term.count} {_words(language)[key]}"


def _skipped(limit: Deadline, language: str) -> list[str]:
    words = _words(language)
    weekend = {each.day for each in limit.skipped if each.reason is SkipReason.WEEKEND}
    paused = {each.day for each in limit.skipped if each.reason is SkipReason.PAUSED}
    named = [each for each in limit.skipped if each.reason in (SkipReason.HOLIDAY, SkipReason.CLOSED)]
    return [
        *_counted("weekend", weekend, words),
        *[_one(each, language) for each in sorted(named)],
        *_counted("paused", paused, words),
    ]


def _counted(key: str, days: set[date], words: Mapping[str, str]) -> list[str]:
    if not days:
        return []
    return [words[key if len(days) > 1 else f"{key}_one"].format(count=len(days))]


def _one(skipped: Skipped, language: str) -> str:
    key = "estimated" if skipped.is_estimated else skipped.reason.value
    return _words(language)[key].format(day=skipped.day, name=skipped.name_in(language), party=skipped.party)


def _pause(pause: Pause, words: Mapping[str, str]) -> str:
    if pause.until_at is None:
        return words["standing_still"].format(start=_at(pause.from_at))
    return words["pause"].format(start=_at(pause.from_at), end=_at(pause.until_at))


def _end(limit: Deadline) -> str:
    ends_in_hours = (limit.extension or limit.term).unit is Unit.HOURS
    return _at(limit.due_at) if ends_in_hours else limit.last_day.isoformat()


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _words(language: str) -> Mapping[str, str]:
    return _WORDS.get(language, _ENGLISH)
