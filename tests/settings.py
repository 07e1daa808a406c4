"""The node's settings for tests: no home folder, keys made for each run, quick password hashing."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from django.utils.functional import SimpleLazyObject

if "COMITY_HOME" not in os.environ:
    os.environ["COMITY_HOME"] = tempfile.mkdtemp(prefix="comity-tests-")
    atexit.register(shutil.rmtree, os.environ["COMITY_HOME"], ignore_errors=True)
# A browser that is driven leaves its event loop in the thread where the next tests use the database as ever.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from comity.node.settings import *  # noqa: F403
from comity.trust import make_keyring

if DATABASES["default"]["ENGINE"] == "comity.node.sqlite":  # noqa: F405  # pytest-django knows only Django's own name
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # noqa: F405
COMITY_ADMINISTRATION = "XA"
COMITY_NAME = "Customs of Alfa"
COMITY_EVIDENCE = Path(os.environ["COMITY_HOME"]) / "evidence"
COMITY_BORN_AT = datetime(2026, 1, 1, tzinfo=UTC)
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
COMITY_KEYRING = SimpleLazyObject(
    lambda: make_keyring(
        administration=COMITY_ADMINISTRATION,
        name=COMITY_NAME,
        endpoint_url="https://127.0.0.1:8200",
        hosts=("127.0.0.1", "localhost"),
        at=COMITY_BORN_AT,
    )
)
