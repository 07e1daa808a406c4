"""Who does a deed: an officer, a system with a token, a partner's node, or this node itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What stands behind a deed."""

    OFFICER = "officer"
    SYSTEM = "system"
    PARTNER = "partner"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Actor:
    """The doer of a deed, first argument of every service.

    id: user name, token name, or administration code, unique within its kind.
    administration: the code of the administration that the actor belongs to.
    """

    kind: ActorKind
    id: str
    administration: str
    roles: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id}"
