"""The model card as a page: what it learned from, how good it was afterwards, how far its chances hold, its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def card_text(card: Mapping[str, Any]) -> str:
    """The card in Markdown."""
    learned, measured = card["learned_from"], card["measured_on"]
    quality = card["quality_at_5_percent"]
    lines = [
        f"# Model card: chance of a find, {card['administration']}, {card['variant']}",
        "",
        f"Learned from {_window(learned)}. Measured on {_window(measured)}, which the trees never saw.",
        "",
        "| of the 5 % ranked highest | share |",
        "|---|---|",
        *(f"| {name.replace('_', ' ')} | {_figure(value)} |" for name, value in quality.items()),
        "",
        "| chance told | declarations | mean told | share found |",
        "|---|---|---|---|",
        *(
            f"| {row['low']:.2f} to {row['high']:.2f} | {row['count']} | {row['told']:.3f} | {row['found']:.3f} |"
            for row in card["reliability"]
        ),
        "",
        *_amounts(card.get("revenue")),
        *_partners(card.get("as_told")),
        "Limits:",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
    ]
    return "\n".join(lines)


def _partners(told: Mapping[str, Any] | None) -> list[str]:
    """What partners' data it sees."""
    if not told:
        return []
    first = "Partners' data: what they committed to at export (mirror check) beside ours, where the article permits it."
    seen = f"{told['told_of']} of {told['declarations']} declarations, {told['had_arrived']} before they were assessed"
    lines = [f"{first} They told of {seen}; {told['differing']} of those differed.", ""]
    if "findings" in told:
        counts = f"{told['findings']} findings ({told['irregular']} irregular) and {told['alerts']} alerts"
        lines += [f"It also sees what partners' controls found: {counts}, of {told['issuers']} administrations.", ""]
    return lines


def _amounts(told: Mapping[str, Any] | None) -> list[str]:
    """What it learned of amounts, or how many are missing for it."""
    if not told:
        return []
    known = f"{told['with_amount']} of {told['irregular']} irregular findings have an amount"
    if "rows" not in told:
        (fitted, kept), (least, least_kept) = told["above_zero"], told["needed"]
        few = f"above 0 are {fitted} to learn from, {least} are needed, and {kept} of the last weeks, of {least_kept}"
        return [f"No revenue is told: {known}; {few}.", ""]
    money = f" ({told['currency']})" if told["currency"] else ""
    held = f"Of what was found, the 5 % told the most held {_figure(told['share_at_5_percent'])}."
    return [
        f"Revenue to expect: {known}. {held}",
        "",
        f"| declarations, by what was told | declarations | mean told{money} | mean found{money} |",
        "|---|---|---|---|",
        *(
            f"| {row['low']:.0%} to {row['high']:.0%} | {row['count']} | {row['told']:,.0f} | {row['found']:,.0f} |"
            for row in told["rows"]
        ),
        "",
    ]


def _figure(value: float | None) -> str:
    return "cannot be said" if value is None else f"{value:.3f}"


def _window(part: Mapping[str, Any]) -> str:
    count, illicit = part["declarations"], part["illicit"]
    return f"{part['first_day']} to {part['last_day']} ({count} controlled declarations, {illicit} illicit)"
