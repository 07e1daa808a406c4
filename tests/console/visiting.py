"""An officer who is signed in, and what a page says."""

from __future__ import annotations

import re

from django.test import Client

from comity.staff.models import Officer


def enter(username: str, *, purpose: str = "control") -> Client:
    client = Client()
    client.force_login(Officer.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    if purpose:
        client.post("/purpose", {"purpose": purpose})
    return client


def text_of(answer) -> str:
    """What a page says, without its markup."""
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", plain).replace("&#x27;", "'").replace("&amp;", "&").replace("&quot;", '"')
