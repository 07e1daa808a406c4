"""Tokens and a client that speaks JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from comity.common import Actor, ActorKind, utc_now
from comity.staff import Role
from comity.staff.services import create_officer, issue_token

ADMINISTRATOR = Actor(ActorKind.OFFICER, "root", "XA", frozenset({"administrator"}))


@dataclass
class Caller:
    """A program with a token."""

    client: Client
    token: str

    def _headers(self, extra: dict[str, str] | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | (extra or {})

    def get(self, path: str, **query: object) -> HttpResponse:
        return self.client.get(f"/api/v1{path}", query, headers=self._headers(None))

    def post(self, path: str, body: object = None, **extra: str) -> HttpResponse:
        return self.client.post(
            f"/api/v1{path}", json.dumps(body or {}), content_type="application/json", headers=self._headers(extra)
        )

    def send(self, path: str, data: bytes, media_type: str) -> HttpResponse:
        return self.client.post(f"/api/v1{path}", data, content_type=media_type, headers=self._headers(None))

    def upload(self, path: str, fields: dict[str, object]) -> HttpResponse:
        return self.client.post(f"/api/v1{path}", fields, headers=self._headers(None))


MakeCaller = Callable[..., Caller]


@pytest.fixture
def caller(db: None) -> MakeCaller:
    """Makes callers: a system with roles, or a program of an officer."""

    def make(*roles: str, name: str = "system", officer: bool = False) -> Caller:
        now = utc_now()
        username = None
        if officer:
            username = name
            create_officer(
                ADMINISTRATOR, username=name, full_name=name.title(), roles=roles, password="long enough pass", at=now
            )
        token = issue_token(
            ADMINISTRATOR, name=f"token-{name}", roles=roles, officer=username, at=now - timedelta(seconds=1)
        )
        return Caller(Client(raise_request_exception=False), token)

    return make


def every_role() -> Iterable[str]:
    """The words of all roles."""
    return [role.value for role in Role]


@pytest.fixture
def all_mighty(caller: MakeCaller) -> Caller:
    """An officer's program with every role."""
    return caller(*every_role(), name="boris", officer=True)
