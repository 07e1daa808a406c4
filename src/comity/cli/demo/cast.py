"""Who works at the three administrations, and who may do what."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from comity.staff import Role

# No vowels but one, so that no word comes out by chance; at least the twelve characters that every officer needs.
_LETTERS = "bcdfghjkmnpqrstvwxz23456789"


@dataclass(frozen=True, slots=True)
class Person:
    """An officer of the demo."""

    username: str
    full_name: str
    roles: tuple[Role, ...]
    does: str


OFFICER = (Role.ANALYST, Role.OFFICER, Role.LIAISON)
SECOND = (Role.SUPERVISOR, Role.AUDITOR)
STAFF: dict[str, tuple[Person, Person]] = {
    "XA": (
        Person("ana", "Ana Abara", OFFICER, "targets, inspects and shares"),
        Person("amadou", "Amadou Adeyemi", SECOND, "supervises and audits"),
    ),
    "XB": (
        Person("boris", "Boris Brandt", OFFICER, "targets, inspects and shares"),
        Person("beatriz", "Beatriz Bravo", SECOND, "supervises and audits"),
    ),
    "XC": (
        Person("chipo", "Chipo Chen", OFFICER, "targets, inspects and shares"),
        Person("clara", "Clara Costa", SECOND, "supervises and audits"),
    ),
}


def new_password() -> str:
    """A password for this run of the demo: three groups of five letters and digits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a person at one administration needs: a password for the console, a token for programs."""

    person: Person
    password: str = field(repr=False)
    token: str = field(repr=False)
