"""The reciprocity ledger on paper: a text table, and one HTML page that needs nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape

from comity.insight.reciprocity import Balance, Ledger, Side

Row = tuple[str, str, str]

_ENGLISH: Mapping[str, str] = {
    "title": "Reciprocity between {us} and {partner}",
    "time": "From {since} until {until}",
    "what": "What",
    "all": "All agreements",
    "agreement": "Agreement {agreement}",
    "asked": "Requests made",
    "answered": "Answered by the other",
    "refused": "of these refused",
    "withdrawn": "Withdrawn",
    "waiting": "Still without an answer",
    "median": "Median days to the answer",
    "longest": "Longest days to the answer",
    "ground": "Refused on the ground {name}",
    "given": "Messages sent: {name}",
}
_FRENCH: Mapping[str, str] = {
    "title": "Réciprocité entre {us} et {partner}",
    "time": "Du {since} au {until}",
    "what": "Objet",
    "all": "Tous les accords",
    "agreement": "Accord {agreement}",
    "asked": "Demandes présentées",
    "answered": "Ayant reçu une réponse de l’autre",
    "refused": "dont refusées",
    "withdrawn": "Retirées",
    "waiting": "Encore sans réponse",
    "median": "Délai médian de réponse, en jours",
    "longest": "Délai le plus long de réponse, en jours",
    "ground": "Refusées pour le motif {name}",
    "given": "Messages envoyés : {name}",
}
_WORDS = {"en": _ENGLISH, "fr": _FRENCH}
_STYLE = (
    "body{font:11pt/1.4 serif;margin:2cm;color:#000;background:#fff}"
    "h1{font-size:16pt}h2{font-size:12pt;margin-top:1.5em}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #555;padding:.25em .6em;text-align:right}"
    "th:first-child,td:first-child{text-align:left;font-weight:normal}thead th{background:#eee;font-weight:bold}"
    "tr{break-inside:avoid}@page{size:A4;margin:15mm}@media print{body{margin:0}}"
)
_FIGURES: tuple[tuple[str, Callable[[Side], str]], ...] = (
    ("asked", lambda side: str(side.asked)),
    ("answered", lambda side: str(side.answered)),
    ("refused", lambda side: str(side.refused)),
    ("withdrawn", lambda side: str(side.withdrawn)),
    ("waiting", lambda side: str(side.waiting)),
    ("median", lambda side: _days(side.median_days)),
    ("longest", lambda side: _days(side.longest_days)),
)


def rows_of(balance: Balance, language: str = "en") -> tuple[Row, ...]:
    """What is counted, ours, theirs: every line of one balance."""
    words = _words(language)
    figures = [(words[key], read(balance.ours), read(balance.theirs)) for key, read in _FIGURES]
    grounds = _named(balance.ours.grounds, balance.theirs.grounds)
    given = _named(balance.ours.given, balance.theirs.given)
    return (
        *figures,
        *((words["ground"].format(name=name), ours, theirs) for name, ours, theirs in grounds),
        *((words["given"].format(name=name), ours, theirs) for name, ours, theirs in given),
    )


def text_of(ledger: Ledger, language: str = "en") -> str:
    """The ledger as a text of columns."""
    words = _words(language)
    blocks = [f"{_title(ledger, words)}\n{_time(ledger, words)}"]
    for heading, balance in _balances(ledger, words):
        rows = [(heading, ledger.us, ledger.partner), *rows_of(balance, language)]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def page_of(ledger: Ledger, language: str = "en") -> str:
    """The ledger as one HTML page to print: no script, nothing from elsewhere."""
    words, code = _words(language), language if language in _WORDS else "en"
    title = escape(_title(ledger, words))
    tables = "".join(_table(heading, balance, ledger, language) for heading, balance in _balances(ledger, words))
    return (
        f'<!doctype html>\n<html lang="{code}"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><main><h1>{title}</h1><p>{escape(_time(ledger, words))}</p>\n{tables}</main></body></html>\n"
    )


def _table(heading: str, balance: Balance, ledger: Ledger, language: str) -> str:
    columns = "".join(
        f'<th scope="col">{escape(each)}</th>' for each in (_words(language)["what"], ledger.us, ledger.partner)
    )
    lines = "".join(
        f'<tr><th scope="row">{escape(what)}</th><td>{escape(ours)}</td><td>{escape(theirs)}</td></tr>\n'
        for what, ours, theirs in rows_of(balance, language)
    )
    return f"<h2>{escape(heading)}</h2>\n<table><thead><tr>{columns}</tr></thead>\n<tbody>\n{lines}</tbody></table>\n"


def _balances(ledger: Ledger, words: Mapping[str, str]) -> Iterable[tuple[str, Balance]]:
    yield words["all"], ledger.total
    for each in ledger.by_agreement:
        yield words["agreement"].format(agreement=each.agreement[:12]), each


def _named(ours: tuple[tuple[str, int], ...], theirs: tuple[tuple[str, int], ...]) -> Iterable[Row]:
    here, there = dict(ours), dict(theirs)
    for name in sorted(here | there):
        yield name, str(here.get(name, 0)), str(there.get(name, 0))


def _title(ledger: Ledger, words: Mapping[str, str]) -> str:
    return words["title"].format(us=ledger.us, partner=ledger.partner)


def _time(ledger: Ledger, words: Mapping[str, str]) -> str:
    return words["time"].format(since=ledger.since.date(), until=ledger.until.date())


def _days(days: float | None) -> str:
    return "–" if days is None else f"{days:.1f}"


def _words(language: str) -> Mapping[str, str]:
    return _WORDS.get(language, _ENGLISH)
