"""One HTML page to print, that needs nothing else: no script, nothing from elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = (
    "body{font:11pt/1.45 serif;margin:2cm;color:#000;background:#fff;max-width:60em}"
    "h1{font-size:16pt}h2{font-size:13pt;margin-top:1.6em}h3{font-size:11pt;margin:1.2em 0 .2em}"
    "table{border-collapse:collapse;width:100%;margin:.4em 0}"
    "th,td{border:1px solid #555;padding:.25em .6em;text-align:left;vertical-align:top}"
    "thead th{background:#eee}td.number,th.number{text-align:right}"
    ".withheld{border-left:4px solid #000;padding-left:.6em}"
    "p.small{font-size:9pt}tr,section{break-inside:avoid}@page{size:A4;margin:15mm}@media print{body{margin:0}}"
)


def paper(title: str, language: str, blocks: Iterable[str]) -> str:
    """The page. blocks: markup made by the functions below."""
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n'
        f"<body><main><h1>{escape(title)}</h1>\n{''.join(blocks)}</main></body></html>\n"
    )


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{escape(text)}</h{level}>\n"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph. kind: withheld or small."""
    return f'<p class="{kind}">{escape(text)}</p>\n' if kind else f"<p>{escape(text)}</p>\n"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """A table of what and which; a row without a value is left out."""
    lines = (f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>\n' for name, value in rows if value)
    return f"<table><tbody>\n{''.join(lines)}</tbody></table>\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 99) -> str:
    """A table with a heading over each column. numbers_from: the first column of figures."""
    names = "".join(_cell("th", text, index, numbers_from) for index, text in enumerate(headings))
    lines = ("".join(_cell("td", text, index, numbers_from) for index, text in enumerate(row)) for row in rows)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f"<table><thead><tr>{names}</tr></thead>\n<tbody>\n{body}</tbody></table>\n"


def _cell(tag: str, text: str, index: int, numbers_from: int) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    kind = ' class="number"' if index >= numbers_from else ""
    return f"<{tag}{scope}{kind}>{escape(text)}</{tag}>"
