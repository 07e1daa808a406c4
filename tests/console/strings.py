"""Every string of the console that is shown to people, found in its templates and modules.

Run `python -m tests.console.strings` to write what is new into the catalogues and to take out what is gone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "comity"
CONSOLE = PACKAGE / "console"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_EMPTY_HEADER = re.compile(rb'"(Report|POT|PO|Last|Language-Team|Generated|Project)')
_CALL = re.compile(
    r"""(?P<name>n?gettext|_)\(u?(?P<one>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?:,\s*u?(?P<many>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))?"""
)


def found() -> Iterator[tuple[str, str | tuple[str, str], str | None]]:
    """Place, text or (one, many), context."""
    for path in sorted(CONSOLE.rglob("*.html")):
        place = str(path.relative_to(PACKAGE))
        for call in _CALL.finditer(templatize(path.read_text(), origin=place)):
            one, many = _text(call["one"]), call["many"]
            yield place, (one, _text(many)) if many and call["name"] == "ngettext" else one, None
    for path in sorted(CONSOLE.rglob("*.py")):
        with path.open("rb") as readable:
            for _line, message, _comments, context in extract("python", readable, keywords=KEYWORDS):
                yield str(path.relative_to(PACKAGE)), message, context


def template() -> Catalog:
    """The catalogue of everything, untranslated."""
    catalogue = Catalog(project="comity", charset="utf-8", fuzzy=False)
    for place, text, context in found():
        catalogue.add(text, locations=[(place, 0)], context=context)
    return catalogue


def update(path: Path, locale: str) -> Catalog:
    """The catalogue at the path with what is new added, untranslated, and what is gone taken out."""
    catalogue = Catalog(locale=locale, charset="utf-8")
    if path.exists():
        with path.open("rb") as readable:
            catalogue = read_po(readable, locale=locale)
    catalogue.update(template(), no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    return catalogue


def write(catalogue: Catalog, path: Path) -> None:
    """The catalogue as a file; places without line numbers, so that it changes only when a text does."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=110, sort_by_file=True, omit_header=False, include_lineno=False)
    # Headers with dates and placeholders say nothing and would change with every run.
    kept = [line for line in buffer.getvalue().splitlines(keepends=True) if not _EMPTY_HEADER.match(line)]
    path.write_bytes(b"".join(kept))


def _text(literal: str) -> str:
    body = literal[1:-1]
    return re.sub(r"\\(.)", lambda escaped: {"n": "\n"}.get(escaped[1], escaped[1]), body)


if __name__ == "__main__":
    for source in sorted(CONSOLE.glob("locale/*/LC_MESSAGES/django.po")):
        write(update(source, source.parts[-3]), source)
