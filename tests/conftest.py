"""Fixtures that every room may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from hypothesis import settings

from tests.scale import IS_LONG

# Machines are shared: how long an example takes says nothing about the code. The short run tries the same examples each
# time, so that a change is judged by what it changed; the long run draws new ones.
settings.register_profile("house", deadline=None, derandomize=not IS_LONG)
settings.load_profile("house")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


# What asks for a database, of the run or of nodes in processes of their own.
_OF_DATABASES = {"db", "transactional_db", "database_url", "nodes", "world"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests are left to `make test-long`; what needs no database is not done again on PostgreSQL."""
    is_again = "postgresql" in django_settings.DATABASES["default"]["ENGINE"]
    kept = [each for each in items if _is_wanted(each, is_again=is_again)]
    config.hook.pytest_deselected(items=[each for each in items if each not in kept])
    items[:] = kept


def _is_wanted(item: pytest.Item, *, is_again: bool) -> bool:
    if not IS_LONG and (item.get_closest_marker("long") or (is_again and item.get_closest_marker("once"))):
        return False
    needs = set(getattr(item, "fixturenames", ())) & _OF_DATABASES
    return not is_again or bool(needs or item.get_closest_marker("django_db"))


# What Django writes by itself after a migration, and would write again after each test.
_STAYS = {"django_content_type", "auth_permission", "django_migrations"}


@pytest.fixture(scope="session", autouse=True)
def _rows_alone_are_emptied() -> Iterator[None]:
    """After a test of committed rows: only tables that have some are emptied, which is quicker by far than them all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: _empty_tables())
        yield


def _empty_tables() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        names = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - _STAYS
        asked = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in sorted(names))
        cursor.execute(" UNION ALL ".join(asked))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")  # our own tables


@pytest.fixture
def at() -> datetime:
    """The time at which the tests of the cast take place."""
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public data sets beside the checkout; skips where a plain clone has none."""
    if not SHARED.is_dir():
        pytest.skip("the public data sets are not beside this checkout (../shared/data)")
    return SHARED
