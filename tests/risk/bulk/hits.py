"""What the screening of single records finds, in the form of a run's answer."""

from __future__ import annotations

from functools import lru_cache

from comity.registers import EntryKind, Identifier
from comity.registers.matching import Screener, Subject
from tests.risk.bulk.runs import LISTED, used_lists


@lru_cache(maxsize=1)
def _screener() -> Screener:
    return Screener(LISTED)


def subjects(row: dict[str, object]) -> list[tuple[str, tuple[str, str, str], Subject]]:
    """Whom a row names: role; name, country and number as told; who is screened."""
    told = {name: str(value or "") for name, value in row.items()}
    found = []
    if told["exporter_name"] or told["exporter_id"]:
        numbers = (Identifier("trader", told["exporter_id"]),) if told["exporter_id"] else ()
        subject = Subject(told["exporter_name"], country=told["exporter_country"], identifiers=numbers)
        found.append(("exporter", (subject.name, subject.country, told["exporter_id"]), subject))
    if told["importer_name"]:
        found.append(("importer", (told["importer_name"], "", ""), Subject(told["importer_name"])))
    if means := told["means_id"]:
        number = Identifier("imo", means.removeprefix("IMO "))
        is_number = number.number.isdigit()
        ship = Subject("" if is_number else means, EntryKind.VESSEL, identifiers=(number,) if is_number else ())
        found.append(("means of transport", (means, "", ""), ship))
    if box := told["container"]:
        subject = Subject("", EntryKind.CONTAINER, identifiers=(Identifier("container", box),))
        found.append(("container", ("", "", box), subject))
    return found


def expected_hits(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The hits of each row, screened by itself."""
    codes = [used.code for used in used_lists() for _ in used.entries]
    return [
        {"lrn": row["lrn"], "item_no": row["item_no"], "role": role}
        | dict(zip(("name", "country", "number"), told, strict=True))
        | {"list": codes[match.place], "entry": match.entry.ref, "listed": match.listed, "score": match.score}
        | {
            "parts": [
                {"feature": part.feature, "verdict": part.verdict, "ours": part.ours, "listed": part.theirs}
                | {"effect": part.effect}
                for part in match.parts
            ]
        }
        for row in rows
        for role, told, subject in subjects(row)
        for match in _screener().screen(subject)
    ]
