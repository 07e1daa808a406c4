"""What is remembered of a trader beside the records themselves: histories of models, past trade, what models told.

Histories and past trade are kept by a trader's number, else by name and country. A trader who asks by name is found by
the numbers that the records found bear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from uuid import UUID

from comity.insight.mentions import mark_of
from comity.insight.naming import Named
from comity.insight.subjects import Item
from comity.risk import trader_key
from comity.risk.anomaly_history import Habits, habits_held
from comity.risk.modelling.held import HeldHistories, TraderHistory, held_histories, scores_of
from comity.trade import Handling

PURPOSE, LEGAL = "risk_assessment", "national"
Figures = tuple[tuple[str, str], ...]


def remembered_of(items: Iterable[Item], names: frozenset[str], ids: frozenset[str], us: str) -> list[Item]:
    """The histories and the past trade of those who are named in items, or by these normal forms.

    us: whose information it is. Raises: ModelStoreError where the histories cannot be read.
    """
    known: dict[str, dict[Named, None]] = {}
    for item in items:
        for named in item.named:
            known.setdefault(trader_key(named.id, named.name, named.country), {})[named] = None
    plain = names | {trader_key("", name, "").removesuffix("|") for name in names}

    def is_wanted(key: str) -> bool:
        return key in known or key in ids or ("|" in key and key.rpartition("|")[0] in plain)

    held = held_histories(is_wanted)
    found = list(_histories(held, known, us)) if held else []
    return found + list(_habits({*known, *ids} - {""}, known, us))


def told_by_models(record_id: UUID) -> Figures:
    """What each model told of a record, as a figure of its assessment."""
    told = ", ".join(f"{chance:.1%} ({name})" for name, chance in scores_of(record_id))
    return (("told", told),) if told else ()


def _histories(held: HeldHistories, known: dict[str, dict[Named, None]], us: str) -> Iterator[Item]:
    models = ", ".join(name for name, _ in held.models) or "no_models"
    for each in held.traders:
        yield Item(
            ref=f"history:{each.role}:{mark_of(each.key)}",
            what="history",
            title=", ".join(name for name, _ in held.models),
            named=_named(each.role, each.key, known),
            origin=us,
            since=datetime.combine(each.since, time.min, UTC) if each.since else held.made_at,
            purpose=PURPOSE,
            legal=LEGAL,
            handling=Handling.RESTRICTED,
            figures=(("models", models), *_counts(each)),
            ends="histories",
        )


def _counts(history: TraderHistory) -> Figures:
    if history.controls is None:
        return (("counted", "uncounted"),)
    counted = (
        ("declarations", history.declarations),
        ("controls", history.controls),
        ("irregular", history.irregular),
        ("partners_told", history.told),
        ("differing", history.differing),
        ("partners_found", history.found),
        ("partners_irregular", history.found_irregular),
        ("partners_alerts", history.alerts),
    )
    figures = tuple((name, f"{value:.1f}") for name, value in counted if value is not None)
    return (*figures, ("counted", "halved"), ("also", "also"), ("beside", str(history.beside)))


def _habits(keys: set[str], known: dict[str, dict[Named, None]], us: str) -> Iterator[Item]:
    for key, habits in habits_held(keys).items():
        yield Item(
            ref=f"habits:{mark_of(key)}",
            what="habits",
            title="",
            named=_named("", key, known),
            origin=us,
            since=habits.since,
            purpose=PURPOSE,
            legal=LEGAL,
            handling=Handling.RESTRICTED,
            figures=(("partners", str(habits.partners)), *_weeks(habits)),
        )


def _weeks(habits: Habits) -> Figures:
    if not habits.weeks:
        return ()
    return (("imports", str(habits.declarations)), ("weeks", str(habits.weeks)), ("mass", f"{habits.mass_kg:.0f} kg"))


def _named(role: str, key: str, known: dict[str, dict[Named, None]]) -> tuple[Named, ...]:
    """Who is remembered so: as the records name them in this role or any, else as the key does."""
    named = tuple(known.get(key, {}))
    if named:
        return tuple(each for each in named if each.role == role) or named
    name, mark, country = key.rpartition("|")
    return (Named(role or "importer", name=name, country=country),) if mark else (Named(role or "importer", id=key),)
