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
    is_after_release: the goods had left, and documents alone were checked.
    revenue: assessed in addition, in the currency of account of then; None: not assessed. revenue_at: when it was
    stated, which may be later.
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
    is_after_release = models.BooleanField(default=False)
    revenue = models.FloatField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    revenue_at = models.DateTimeField(null=True)

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


class ReportTold(models.Model):
    """What a partner was told last of what came of its alert or profile. about: the id of its message."""

    told = models.CharField(max_length=WORD)
    issuer = models.CharField(max_length=WORD)
    about = models.CharField(max_length=REF)
    fired = models.PositiveIntegerField()
    examined = models.PositiveIntegerField()
    found = models.PositiveIntegerField()
    is_closed = models.BooleanField()
    message_id = models.CharField(max_length=REF)
    told_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "about"], name="risk_report_told_once")]

    def __str__(self) -> str:
        return f"{self.issuer} {self.about}"


class ReportTaken(models.Model):
    """What a partner told of what came of an alert or a profile of ours. kinds: [irregularity, how many] each."""

    administration = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF)
    article = models.CharField(max_length=REF)
    told = models.CharField(max_length=WORD)
    ref = models.CharField(max_length=REF, db_index=True)
    about = models.CharField(max_length=REF, db_index=True)
    fired = models.PositiveIntegerField(null=True)
    examined = models.PositiveIntegerField()
    found = models.PositiveIntegerField()
    kinds = models.JSONField()
    is_closed = models.BooleanField()
    counted_until = models.DateTimeField()
    taken_at = models.DateTimeField()
    is_latest = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["administration", "message_id"], name="risk_report_taken_once")]

    def __str__(self) -> str:
        return f"{self.administration} {self.ref}"
