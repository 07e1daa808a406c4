"""Need to know: how much of a partner's information a role sees, by its handling level. Pure.

One table, repeated in docs/guide/privacy.md with its reasons. A permission says what may be done at all; this says how
much of one thing is shown to whoever may look at things of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from comity.common import Actor, ActorKind
from comity.staff.errors import SightRefusedError
from comity.staff.rules import Role

# The words of the handling levels, as trade.Handling numbers them; `trade` is a neighbour and cannot be asked.
LEVELS: tuple[str, ...] = ("open", "official", "restricted", "confidential")
RESTRICTED = LEVELS.index("restricted")
_STRICTEST = len(LEVELS) - 1


class Sight(StrEnum):
    """How much is shown. existence: that it is there, from whom and when, and nothing of what it says."""

    WHOLE = "whole"
    EXISTENCE = "existence"
    NOTHING = "nothing"

    @property
    def width(self) -> int:
        """0 for the narrowest."""
        return (Sight.NOTHING, Sight.EXISTENCE, Sight.WHOLE).index(self)


_W, _E, _N = Sight.WHOLE, Sight.EXISTENCE, Sight.NOTHING

# role -> what it sees of open, official, restricted, confidential
SIGHT_OF_ROLE: Mapping[Role, tuple[Sight, Sight, Sight, Sight]] = {
    Role.ANALYST: (_W, _W, _E, _N),
    Role.OFFICER: (_W, _W, _E, _N),
    Role.SUPERVISOR: (_W, _W, _W, _W),
    Role.LIAISON: (_W, _W, _W, _W),
    Role.ADMINISTRATOR: (_W, _E, _E, _E),
    Role.AUDITOR: (_W, _W, _W, _E),
    Role.DATA_PROTECTION: (_E, _E, _E, _E),
    Role.SYSTEM: (_W, _W, _N, _N),
}


def sight_of(actor: Actor, handling: int | str, *, is_given: bool = False) -> Sight:
    """How much of a thing of this handling level the actor sees: the widest that any of the actor's roles allows.

    handling: the level's number or word; one that is not known counts as confidential. is_given: the matter was given
    to this officer, as a consignment to inspect is; that opens what is restricted, and never what is confidential.
    """
    if actor.kind is ActorKind.PARTNER:
        return Sight.NOTHING
    if actor.kind is ActorKind.NODE:
        return Sight.WHOLE
    level = level_of(handling)
    words = {role.value: role for role in SIGHT_OF_ROLE}
    found = [SIGHT_OF_ROLE[words[word]][level] for word in actor.roles if word in words]
    widest = max(found, key=lambda each: each.width, default=Sight.NOTHING)
    if is_given and found and level <= RESTRICTED:
        return Sight.WHOLE
    return widest


def sees_whole(actor: Actor, handling: int | str, *, is_given: bool = False) -> bool:
    """Whether the actor sees all of it."""
    return sight_of(actor, handling, is_given=is_given) is Sight.WHOLE


def require_sight(actor: Actor, handling: int | str, *, where: str = "") -> None:
    """Let a look pass only where the actor may see the thing whole.

    Raises: SightRefusedError. Where not even its existence may be told, the caller says that there is no such thing.
    """
    if sees_whole(actor, handling):
        return
    raise SightRefusedError(
        f"It exists and is handled as {LEVELS[level_of(handling)]}; your roles do not need to know what it says",
        where=where,
        remedy="Ask a liaison officer.",
    )


def level_of(handling: int | str) -> int:
    """The number of a handling level; what is not known counts as the strictest."""
    if isinstance(handling, str):
        return LEVELS.index(handling) if handling in LEVELS else _STRICTEST
    return int(handling) if 0 <= int(handling) <= _STRICTEST else _STRICTEST
