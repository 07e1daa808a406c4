"""Tables of operations: cases and the steps that make them.

A case is what its steps make it: the columns of Case repeat their fold, so that lists and jobs need not fold.
"""

from __future__ import annotations

from django.db import models

WORD = 16
ID = 36


class Case(models.Model):
    """A case between administrations. agreement: its id; purpose, handling: of its messages.

    parties: code -> role. state, kind, flags, turn, next_due: as folded last, at folded_at. missing: how many steps
    others have seen that did not come yet.
    """

    case_id = models.CharField(max_length=ID, unique=True)
    procedure = models.CharField(max_length=60)
    edition = models.CharField(max_length=30)
    agreement = models.CharField(max_length=64)
    purpose = models.CharField(max_length=40)
    handling = models.CharField(max_length=WORD)
    parties = models.JSONField()
    state = models.CharField(max_length=60)
    kind = models.CharField(max_length=WORD)
    flags = models.JSONField(default=list)
    turn = models.JSONField(default=list)
    is_our_turn = models.BooleanField(default=False)
    next_due = models.DateTimeField(null=True)
    missing = models.IntegerField(default=0)
    opened_at = models.DateTimeField()
    folded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "next_due"], name="case_due"),
            models.Index(fields=["is_our_turn", "next_due"], name="case_tasks"),
            models.Index(fields=["-opened_at"], name="case_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.procedure} {self.case_id}: {self.state}"


class CaseStep(models.Model):
    """One step, as its author signed it, with the fields that are shown here.

    body: canonical JSON. article, message_id: under which and in which it came; empty for our own. taken_by: the
    officer of ours. trouble: the code of what did not fit when it came, although it was let in. purge: what stays of a
    step whose content is gone; None: it is here.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="steps")
    digest = models.CharField(max_length=64)
    number = models.IntegerField()
    event = models.CharField(max_length=60)
    by = models.CharField(max_length=WORD)
    made_at = models.DateTimeField()
    kept_at = models.DateTimeField()
    body = models.BinaryField()
    article = models.CharField(max_length=200, blank=True)
    message_id = models.CharField(max_length=ID, blank=True)
    taken_by = models.CharField(max_length=140, blank=True)
    trouble = models.CharField(max_length=400, blank=True)
    purge = models.JSONField(null=True, default=None)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "digest"], name="case_step_once")]
        indexes = [
            models.Index(fields=["case", "number"], name="case_step_order"),
            models.Index(fields=["message_id"], name="case_step_message"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.event} by {self.by}"


class CaseSending(models.Model):
    """One step of ours on its way to one party: under which article, and which fields that withheld.

    recall: how it was taken back, and on which ground; empty: it was not.
    """

    step = models.ForeignKey(CaseStep, on_delete=models.PROTECT, related_name="sendings")
    recipient = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=ID)
    article = models.CharField(max_length=200)
    withheld = models.JSONField(default=list)
    recall = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "recipient"], name="case_sending_once")]

    def __str__(self) -> str:
        return f"to {self.recipient}"
