"""A file of rules for bulk work: YAML, read whole or not at all.

profiles:
  - ref: P-SHOES
    expression: starts_with(hs_code, '6404') AND unit_price_per_kg < 5.00
    weight: 60      # 1 to 100; 30 where it is left out
    lane: yellow    # red, yellow, blue, green; yellow where it is left out
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from comity.risk.bulk.orders import RuleLine
from comity.risk.errors import RuleError, RulesFileError
from comity.risk.expression_parser import parse_rule
from comity.risk.rules import Lane

MAX_BYTES = 16 * 2**20
MAX_SHOWN = 20
# A longer rule is not drawn with the place of its error; line and column are told.
MAX_DRAWN = 1_000
_FIELDS = frozenset({"ref", "title", "expression", "weight", "lane"})
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read_rules(path: Path, schema: Mapping[str, str]) -> tuple[RuleLine, ...]:
    """The profiles of a file, in its order.

    Raises: RulesFileError naming every profile that is wrong, a rule that cannot be read with its place.
    """
    content = _load(path)
    entries = content.get("profiles") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not entries:
        raise RulesFileError(
            "The file holds no profiles", where=str(path), remedy="Write them as a list under the word profiles."
        )
    lines, wrong = [], []
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        try:
            line = _line(entry, number, schema)
            if line.ref in seen:
                raise RulesFileError("Two profiles have one reference", where=line.ref, remedy="Rename one of them.")
            seen.add(line.ref)
            lines.append(line)
        except RulesFileError as error:
            wrong.append(str(error))
    if wrong:
        more = f"\n\n… and {len(wrong) - MAX_SHOWN} more" if len(wrong) > MAX_SHOWN else ""
        raise RulesFileError(
            f"{len(wrong)} of {len(entries)} profiles cannot be used",
            where=str(path),
            remedy="\n\n" + "\n\n".join(wrong[:MAX_SHOWN]) + more,
        )
    return tuple(lines)


def _load(path: Path) -> object:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise RulesFileError(f"The file has {size:,} bytes; {MAX_BYTES:,} are the most", where=str(path))
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RulesFileError("The file cannot be read", where=str(path), remedy=str(error)) from error
    except (yaml.YAMLError, RecursionError) as error:
        shown = " ".join(str(error).split())[:300]
        raise RulesFileError("The file is no YAML", where=str(path), remedy=shown) from error


def _line(entry: object, number: int, schema: Mapping[str, str]) -> RuleLine:
    if not isinstance(entry, dict):
        raise RulesFileError("A profile is a list of fields", where=f"number {number}", remedy="Write ref: and so on.")
    ref = entry.get("ref")
    if not isinstance(ref, str) or not _REF.fullmatch(ref):
        raise RulesFileError(
            "A profile needs a ref of letters, digits, dots and hyphens", where=f"number {number}: {ref!r:.60}"
        )
    unknown = sorted(str(name) for name in entry if name not in _FIELDS)
    if unknown:
        raise RulesFileError(f"A profile has no field {unknown[0]!r}", where=ref, remedy=f"It has {_known()}.")
    weight, expression = entry.get("weight", 30), entry.get("expression")
    if isinstance(weight, bool) or not isinstance(weight, int) or not 1 <= weight <= 100:
        raise RulesFileError("The weight goes from 1 to 100", where=f"{ref}: weight = {weight!r:.40}")
    if not isinstance(expression, str):
        raise RulesFileError("A profile needs an expression that is text", where=ref)
    return RuleLine(ref, _rule(ref, expression, schema), weight, _lane(ref, entry))


def _rule(ref: str, expression: str, schema: Mapping[str, str]) -> Any:
    try:
        return parse_rule(expression.strip(), schema)
    except RuleError as error:
        shown = error.show()
        raise RulesFileError(f"{ref}: {shown if len(shown) <= MAX_DRAWN else error}") from error


def _lane(ref: str, entry: Mapping[Any, Any]) -> Lane:
    word = entry.get("lane", Lane.YELLOW.value)
    if word not in set(Lane):
        choices = ", ".join(lane.value for lane in Lane)
        raise RulesFileError("There is no such lane", where=f"{ref}: {word!r:.40}", remedy=f"Lanes are {choices}.")
    return Lane(cast(str, word))


def _known() -> str:
    return ", ".join(sorted(_FIELDS))
