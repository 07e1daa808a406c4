"""Agreements of every standing at XC, made by real moves of the parties with their own keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from comity.agreements import Agreement, parse_agreement
from comity.agreements.library import Composition, compose, shipped_library
from comity.agreements.life import MoveKind
from comity.agreements.moves import Wish, keep_standing, make_move
from comity.agreements.moving import our_standing
from comity.common import Actor, ActorKind
from comity.staff import Role
from tests.console import world

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Accords:
    """Ids. in_force: of the demo, by files. proposed: amends it, waits for us. suspended: by XA. ours: proposed by us.

    left: by us.
    """

    in_force: str
    proposed: str
    suspended: str
    ours: str
    left: str


def demo() -> Agreement:
    return parse_agreement(world.agreement_yaml())


def demo_yaml(version: str, *changes: tuple[str, str]) -> str:
    """The demo's agreement as another version, with some words changed."""
    text = world.agreement_yaml().decode().replace("version: 1.0", f"version: {version}")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


@cache
def bilateral(other: str, version: str = "1.0") -> Agreement:
    """A memorandum of the library between XC and another."""
    parties = {"first": ("XC",), "second": (other,)}
    text = compose(shipped_library(), Composition("bilateral-mou", parties, {"from": "2026-01-01"}))
    return parse_agreement(
        text.replace('version: "1.0"', f'version: "{version}"').replace("version: 1.0", f"version: {version}").encode()
    )


def move(code: str, kind: MoveKind, agreement: Agreement, at: datetime, born: datetime, **more: str) -> None:
    """A move of a party, signed with its own key."""
    actor = Actor(ActorKind.OFFICER, f"of-{code}", code, frozenset({Role.ADMINISTRATOR.value}))
    wish = Wish(kind, agreement.id, agreement, **more)  # type: ignore[arg-type]  # names of texts
    make_move(actor, wish=wish, key=world.keys_of(code, born).signing, at=at)


def extend(in_force: str, at: datetime, born: datetime) -> Accords:
    """Add to XC's one agreement in force others of every standing."""
    start = at - 9 * DAY
    wider = parse_agreement(
        (demo_yaml("2.0", ("retention_days: 1095", "retention_days: 1460")) + f"supersedes: {in_force}\n").encode()
    )
    move("XA", MoveKind.PROPOSE, wider, start, born, predecessor=in_force)
    move("XB", MoveKind.SIGN, wider, start + DAY, born)
    suspended = bilateral("XA")
    move("XA", MoveKind.PROPOSE, suspended, start, born)
    move("XC", MoveKind.SIGN, suspended, start + DAY, born)
    move("XA", MoveKind.SUSPEND, suspended, start + 2 * DAY, born, reason="No answer since March")
    ours = bilateral("XB", "3.0")
    move("XC", MoveKind.PROPOSE, ours, start, born)
    left = bilateral("XB", "1.0")
    move("XB", MoveKind.PROPOSE, left, start, born)
    move("XC", MoveKind.SIGN, left, start + DAY, born)
    move("XC", MoveKind.LEAVE, left, start + 2 * DAY, born, reason="Note of 3 May")
    told = our_standing(wider.id, at=at).form()
    keep_standing(partner="XB", agreement_id=wider.id, told=told, at=at)
    behind = {**told, "stage": "proposed", "signed_by": ["XA"], "moves": told["moves"][:1], "fold": "0" * 64}  # type: ignore[index]
    keep_standing(partner="XA", agreement_id=wider.id, told=behind, at=at)
    return Accords(in_force, wider.id, suspended.id, ours.id, left.id)
