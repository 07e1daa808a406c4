"""Tables of insight: reminders of what is owed, who is named where, questions of persons, keys of pseudonyms."""

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


class Mention(models.Model):
    """That a message, a step or a decision on a hit names somebody. The name is not in it: key is a keyed hash of its
    normal form.

    source: received, sent, step or hit; row: the number of the row there. What it says is read from there, never here.
    """

    source = models.CharField(max_length=8)
    row = models.BigIntegerField()
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "row", "key"], name="insight_mention_once")]
        indexes = [models.Index(fields=["key"], name="insight_mention_key")]

    def __str__(self) -> str:
        return f"{self.source} {self.row}"


class ReadUpTo(models.Model):
    """How far a source was read for mentions."""

    source = models.CharField(max_length=8, unique=True)
    row = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.source} {self.row}"


class PeriodKey(models.Model):
    """The key of the pseudonyms of one period. Once it is deleted, nobody can tell whose pseudonym was whose."""

    period = models.CharField(max_length=16, unique=True)
    key = models.BinaryField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.period


class SubjectRequest(models.Model):
    """A person's or company's question what is held. asked: what it gave of itself; chosen: the spellings that an
    officer confirmed to be this person. answered_at: when the answer was printed for the person.
    """

    request_id = models.UUIDField(primary_key=True)
    reference = models.CharField(max_length=100)
    asked = models.JSONField()
    chosen = models.JSONField(default=list)
    opened_by = models.CharField(max_length=140)
    opened_at = models.DateTimeField()
    answered_by = models.CharField(max_length=140, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-opened_at"], name="insight_request_newest")]

    def __str__(self) -> str:
        return self.reference


class Disclosure(models.Model):
    """What was decided about one part of an answer: told, withheld on a ground, or neither confirmed nor denied."""

    request = models.ForeignKey(SubjectRequest, on_delete=models.PROTECT, related_name="decisions")
    item = models.CharField(max_length=200)
    decision = models.CharField(max_length=16)
    ground = models.CharField(max_length=40, blank=True)
    decided_by = models.CharField(max_length=140)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "item"], name="insight_disclosure_once")]

    def __str__(self) -> str:
        return f"{self.item} {self.decision}"
