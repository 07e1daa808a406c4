"""Tables of what was learned: outcomes, how far issuers can be trusted, what partners found."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class IssuerReliability(models.Model):
    """How many alerts of an issuer were confirmed by a control here, and how many were not."""

    issuer = models.CharField(max_length=WORD, unique=True)
    confirmed = models.PositiveIntegerField(default=0)
    unconfirmed = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.issuer


class LearnedOutcome(models.Model):
    """An outcome that was learned from; the same one is never counted twice.

    score, lane, office, cause, control: of the record as it then stood; empty where the queue does not know it.
    """

    declaration_ref = models.CharField(max_length=REF)
    decided_at = models.DateTimeField()
    is_irregular = models.BooleanField()
    is_random = models.BooleanField()
    sources = models.JSONField()
    learned_at = models.DateTimeField()
    risk_type = models.CharField(max_length=32, blank=True)
    record_id = models.UUIDField(null=True)
    score = models.FloatField(null=True)
    lane = models.CharField(max_length=WORD, blank=True)
    office = models.CharField(max_length=REF, blank=True)
    cause = models.CharField(max_length=WORD, blank=True)
    control = models.CharField(max_length=WORD, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["declaration_ref", "decided_at"], name="risk_outcome_once"),
        ]
        indexes = [models.Index(fields=["decided_at"], name="risk_outcome_decided")]

    def __str__(self) -> str:
        return self.declaration_ref


class AlertFeedback(models.Model):
    """What a partner found where it followed an alert of this administration."""

    message_id = models.CharField(max_length=REF)
    alert_ref = models.CharField(max_length=REF, db_index=True)
    administration = models.CharField(max_length=WORD)
    finding_ref = models.CharField(max_length=REF)
    is_irregular = models.BooleanField()
    found_at = models.DateTimeField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["administration", "message_id"], name="risk_feedback_once")]

    def __str__(self) -> str:
        return f"{self.alert_ref} {self.administration}"
