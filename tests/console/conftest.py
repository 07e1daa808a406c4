"""Officers of every role, signed in; the French catalogue compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.db import transaction
from django.test import Client, override_settings
from django.utils import translation

from comity.common import Actor, ActorKind
from comity.console import sign_in
from comity.ledger.services import open_log
from comity.staff import Role
from comity.staff.models import Officer
from comity.staff.services import create_officer
from tests.console import accords
from tests.console import world as made
from tests.console.accords import Accords

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


@pytest.fixture(scope="module")
def xc(django_db_setup: None, django_db_blocker: pytest.FixtureRequest, tmp_path_factory) -> Iterator[datetime]:
    """The settings and the empty database of XC for the tests of a module, taken back at the end. The moment is now."""
    at, target = datetime.now(UTC), SimpleNamespace()
    made.live_at_xc(target, at)
    evidence: Path = tmp_path_factory.mktemp("evidence")
    with django_db_blocker.unblock(), override_settings(**vars(target), COMITY_EVIDENCE=evidence), transaction.atomic():
        yield at
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(xc: datetime) -> made.World:
    """One morning at XC for all tests of a module."""
    return made.build(xc)


@pytest.fixture(scope="module")
def known(xc: datetime) -> Accords:
    """XC with its officers, two partners and agreements of every standing."""
    born = xc - timedelta(days=30)
    open_log(signer=settings.COMITY_KEYRING.log, at=born)
    made._people(born)
    return accords.extend(made._partners_and_agreement(born), xc, born)


@pytest.fixture
def taken_back() -> Iterator[None]:
    """What a test changes is taken back after it; what its module made stays."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


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
