"""Officers."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class Officer(AbstractUser):
    """A person who signs in."""
