"""Tables of partners' signals, and the keys under which records find them."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class PartnerSignal(models.Model):
    """An alert from a partner that targets goods here. body: the alert as it was released to this administration."""

    message_id = models.CharField(max_length=REF)
    ref = models.CharField(max_length=REF)
    issuer = models.CharField(max_length=WORD)
    agreement = models.CharField(max_length=64, blank=True)
    article = models.CharField(max_length=REF, blank=True)
    title = models.CharField(max_length=300)
    body = models.JSONField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    taken_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_because = models.CharField(max_length=300, blank=True)
    hits = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)
    unconfirmed = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["ref", "issuer"], name="risk_signal_ref")]
        # A message id is unique for its sender only.
        constraints = [models.UniqueConstraint(fields=["issuer", "message_id"], name="risk_signal_once")]

    def __str__(self) -> str:
        return f"{self.issuer} {self.ref}"


class SignalKey(models.Model):
    """A key under which a signal is filed, so that a record finds it without reading all signals."""

    signal = models.ForeignKey(PartnerSignal, on_delete=models.CASCADE, related_name="keys")
    key = models.CharField(max_length=255, db_index=True)

    def __str__(self) -> str:
        return self.key
