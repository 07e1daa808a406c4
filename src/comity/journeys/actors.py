"""Who does what no person does."""

from __future__ import annotations

from django.conf import settings

from comity.common import Actor, ActorKind
from comity.staff import Role


def this_node() -> Actor:
    """The node itself: takes in, assesses, selects."""
    return Actor(ActorKind.NODE, settings.COMITY_ADMINISTRATION, settings.COMITY_ADMINISTRATION)


def standing_rule(name: str) -> Actor:
    """A standing rule of the administration that shares by itself, such as answering a partner's alert.

    It has the roles of a liaison officer and is named in the audit; what may leave, the agreement alone decides.
    """
    return Actor(
        ActorKind.NODE, f"standing-rule:{name}", settings.COMITY_ADMINISTRATION, frozenset({Role.LIAISON.value})
    )
