"""Tables of profiles: rules with their owners, and what they would have found."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class RuleProfile(models.Model):
    """A rule with its owner, its law and its dates. state: draft, received, approved or retired; dates make it active.

    issuer to handling: of a partner's profile, how it came; empty of our own. digest: names what runs.
    legal_basis_here: of a partner's profile, by which law of ours it runs here.
    """

    ref = models.CharField(max_length=REF, unique=True)
    title = models.CharField(max_length=200)
    owner = models.CharField(max_length=200)
    legal_basis = models.CharField(max_length=300)
    expression = models.TextField()
    weight = models.PositiveSmallIntegerField()
    risk_type = models.CharField(max_length=32)
    lane = models.CharField(max_length=WORD)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=WORD, db_index=True)
    drafted_by = models.CharField(max_length=REF)
    drafted_at = models.DateTimeField()
    approved_by = models.CharField(max_length=REF, blank=True)
    approved_at = models.DateTimeField(null=True)
    retired_by = models.CharField(max_length=REF, blank=True)
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(max_length=300, blank=True)
    hits = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)
    unconfirmed = models.PositiveIntegerField(default=0)
    priority = models.PositiveSmallIntegerField(default=5)
    expected_hit_rate = models.FloatField(null=True)
    tested_at = models.DateTimeField(null=True)
    issuer = models.CharField(max_length=WORD, blank=True)
    issuer_ref = models.CharField(max_length=REF, blank=True)
    message_id = models.CharField(max_length=REF, blank=True)
    article = models.CharField(max_length=REF, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    handling = models.CharField(max_length=WORD, blank=True)
    legal_basis_here = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "message_id"], condition=~models.Q(issuer=""), name="risk_profile_received_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"


class ProfileBacktest(models.Model):
    """What a profile's rule, named by its digest, would have found; found to spared: of the controlled records."""

    profile = models.ForeignKey(RuleProfile, on_delete=models.CASCADE, related_name="backtests")
    digest = models.CharField(max_length=64)
    since = models.DateTimeField()
    until = models.DateTimeField()
    at = models.DateTimeField()
    by = models.CharField(max_length=REF)
    records = models.PositiveIntegerField()
    is_cut = models.BooleanField()
    fired = models.PositiveIntegerField()
    found = models.PositiveIntegerField()
    vain = models.PositiveIntegerField()
    missed = models.PositiveIntegerField()
    spared = models.PositiveIntegerField()
    curve = models.JSONField()

    def __str__(self) -> str:
        return f"{self.profile_id} {self.at}"


class ProfileShare(models.Model):
    """A profile of ours that was given to a partner. ended_at: when it was taken back."""

    profile = models.ForeignKey(RuleProfile, on_delete=models.CASCADE, related_name="shares")
    recipient = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF, unique=True)
    shared_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.profile_id} {self.recipient}"
