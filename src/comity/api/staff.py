"""Who am I: what a token stands for."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema

from comity.api.guard import actor_of, needs
from comity.common import Actor
from comity.staff import permissions_of

router = Router(tags=["staff"])


class Me(Schema):
    """The actor of a token, and everything that it may do."""

    kind: str
    id: str
    administration: str
    roles: list[str]
    permissions: list[str]


@router.get("/me", response=Me, summary="What this token stands for and may do", **needs(None))
def me(request: HttpRequest) -> Me:
    """The actor of the token, its roles and permissions. Any valid token may ask."""
    return me_of(actor_of(request))


def me_of(actor: Actor) -> Me:
    """The answer for an actor."""
    return Me(
        kind=actor.kind.value,
        id=actor.id,
        administration=actor.administration,
        roles=sorted(actor.roles),
        permissions=sorted(permission.value for permission in permissions_of(actor)),
    )
