"""Tables of models: each with its state, every move of its life, what it told, and when to train anew."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class LearnedModel(models.Model):
    """A model that lies in the home under its id, the SHA-256 of its manifest. card, reference: as it was made."""

    model_id = models.CharField(max_length=64, unique=True)
    administration = models.CharField(max_length=WORD)
    variant = models.CharField(max_length=WORD)
    first_day = models.DateField()
    last_day = models.DateField()
    card = models.JSONField()
    reference = models.JSONField(default=dict)
    state = models.CharField(max_length=WORD)
    proposed_by = models.CharField(max_length=REF)
    proposed_at = models.DateTimeField()
    approved_by = models.CharField(max_length=REF, blank=True)
    approved_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["administration"], condition=models.Q(state="champion"), name="risk_one_champion"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_id[:12]} {self.state}"


class ModelMove(models.Model):
    """A move in the life of a model. log_index, salt: of the entry of the log that commits to it."""

    model = models.ForeignKey(LearnedModel, on_delete=models.PROTECT, related_name="moves")
    from_state = models.CharField(max_length=WORD, blank=True)
    to_state = models.CharField(max_length=WORD)
    by = models.CharField(max_length=REF)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    log_index = models.BigIntegerField()
    salt = models.CharField(max_length=128)

    def __str__(self) -> str:
        return f"{self.model_id} {self.from_state} {self.to_state}"


class ModelScore(models.Model):
    """What a model told of a record. is_used: it was the champion. main: its main features, as `reference` has them."""

    model = models.ForeignKey(LearnedModel, on_delete=models.CASCADE, related_name="scores")
    record_id = models.UUIDField()
    version = models.PositiveIntegerField()
    chance = models.FloatField()
    revenue = models.FloatField(null=True)
    is_used = models.BooleanField()
    main = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "record_id"], name="risk_model_score_once")]
        indexes = [
            models.Index(fields=["model", "at"], name="risk_model_score_at"),
            models.Index(fields=["record_id"], name="risk_model_score_record"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.record_id} {self.chance:.3f}"


class ModelSetting(models.Model):
    """When the node trains by itself, from a time on, and what models see. every_days: 0 for never."""

    every_days = models.PositiveIntegerField()
    variant = models.CharField(max_length=WORD, default="local")
    set_by = models.CharField(max_length=REF)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"every {self.every_days} days"


class ModelTraining(models.Model):
    """A training that was asked for. state: due, running, done, failed. variant: what the model sees.

    note: in one sentence why it failed, or what to know of the model that came of it.
    """

    state = models.CharField(max_length=WORD, db_index=True)
    variant = models.CharField(max_length=WORD, default="local")
    asked_by = models.CharField(max_length=REF)
    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    model_id = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.asked_at} {self.state}"
