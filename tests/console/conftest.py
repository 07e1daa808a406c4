"""Officers of every role, signed in; the French catalogue compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.utils import translation

from comity.common import Actor, ActorKind
from comity.console import sign_in
from comity.staff import Role
from comity.staff.models import Officer
from comity.staff.services import create_officer

LOCALE = Path(sign_in.__file__).parent / "locale"
PASSWORD = "a long and quiet river"
CHIEF = Actor(ActorKind.SYSTEM, "terminal", "XA", frozenset(role.value for role in Role))


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """`make` compiles them; a bare pytest run does it here."""
    for source in LOCALE.glob("*/LC_MESSAGES/django.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            with source.open("rb") as readable:
                catalogue = read_po(readable, locale=source.parts[-3])
            with compiled.open("wb") as writable:
                write_mo(writable, catalogue)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test begins in English, whatever language the one before asked for."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def make_officer(db: None, at: datetime) -> Callable[..., Officer]:
    def make(username: str, *roles: str) -> Officer:
        return create_officer(
            CHIEF, username=username, full_name=username.capitalize(), roles=roles, password=PASSWORD, at=at
        )

    return make


@pytest.fixture
def as_role(make_officer: Callable[..., Officer]) -> Callable[..., Client]:
    """A browser in which an officer with these roles is signed in."""

    def sign(*roles: str) -> Client:
        client = Client()
        officer = make_officer(f"the-{'-'.join(roles)}", *roles)
        client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign
