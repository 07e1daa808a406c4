"""Tables of insight: reminders of what is owed."""

from __future__ import annotations

from django.db import models

PARTY = 16


class Reminder(models.Model):
    """A notice to our officers that something is owed, by us or to us. One for each level of escalation.

    key: names what is owed, the same at all times. level: of agreements.obligations.Level. settled_at: when it was
    done, or was no longer owed. seen_by, seen_at: the first officer who took note of it.
    """

    key = models.CharField(max_length=300)
    agreement_id = models.CharField(max_length=64)
    obligation = models.CharField(max_length=60)
    what = models.CharField(max_length=32)
    owed_by = models.CharField(max_length=PARTY)
    owed_to = models.CharField(max_length=PARTY)
    ref = models.CharField(max_length=100)
    level = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    told_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    seen_by = models.CharField(max_length=140, blank=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "level"], name="insight_reminder_once")]
        indexes = [models.Index(fields=["settled_at", "-level", "due_at"], name="insight_reminder_open")]

    def __str__(self) -> str:
        return f"{self.key} {self.level}"
