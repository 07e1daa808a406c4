"""Officers, tokens of systems, proposals under four eyes, the audit."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from comity.staff.rules import ProposalState


class OfficerManager(BaseUserManager["Officer"]):
    """Finds officers by their user name, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> Officer:
        """The officer of a user name."""
        return self.get(username=(username or "").strip().lower())


class Officer(AbstractBaseUser):
    """A person who signs in. Roles are the words of `Role`; nobody is above them."""

    username = models.CharField(max_length=64, unique=True)
    full_name = models.CharField(max_length=200)
    roles = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    needs_second_factor = models.BooleanField(default=False)
    language = models.CharField(max_length=8, blank=True, default="")
    created_at = models.DateTimeField()

    objects = OfficerManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["full_name"]

    def __str__(self) -> str:
        return self.username


class SystemToken(models.Model):
    """A token with which a program speaks to the node. Only the SHA-256 of its secret is kept."""

    name = models.CharField(max_length=64, unique=True)
    key = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    roles = models.JSONField(default=list)
    officer = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="tokens")
    issued_by = models.CharField(max_length=100)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class ProposalRow(models.Model):
    """A deed that waits for a second pair of eyes, with everything that it needs to be done."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    deed = models.CharField(max_length=64)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    handling = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, default=ProposalState.OPEN.value, db_index=True)
    proposed_by = models.CharField(max_length=100)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=100, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="")


class AuditEntry(models.Model):
    """Who did what to what, when. Written once, never changed."""

    at = models.DateTimeField(db_index=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=100)
    administration = models.CharField(max_length=8)
    deed = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=200, db_index=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["actor_kind", "actor_id"], name="staff_audit_actor")]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.actor_kind}:{self.actor_id} {self.deed} {self.subject}"
