"""Tables of what officers decided of a subject and an entry of a watch list."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class ScreeningDecision(models.Model):
    """What an officer decided of a subject and an entry of a watch list. ref: names both as they were compared.

    ours, theirs, parts: what was compared, as it was shown; with the reason it is what may be shared on request.
    """

    ref = models.CharField(max_length=REF)
    list_code = models.CharField(max_length=40)
    entry_ref = models.CharField(max_length=REF)
    subject_key = models.CharField(max_length=64)
    verdict = models.CharField(max_length=WORD)
    reason = models.CharField(max_length=500)
    ours = models.JSONField()
    theirs = models.JSONField()
    parts = models.JSONField()
    decided_by = models.CharField(max_length=REF)
    decided_at = models.DateTimeField()
    is_current = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ref"], condition=models.Q(is_current=True), name="risk_one_screening_decision"
            )
        ]
        indexes = [models.Index(fields=["list_code", "entry_ref", "subject_key"], name="risk_screening_entry")]

    def __str__(self) -> str:
        return f"{self.ref} {self.verdict}"
