"""Tables of how many controls there may be, and how many were selected."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class ControlBudget(models.Model):
    """So many controls of a kind at an office, by day or week, from a day on; rows are locked while they are spent."""

    office = models.CharField(max_length=REF, blank=True)
    control = models.CharField(max_length=WORD, blank=True)
    period = models.CharField(max_length=WORD)
    amount = models.PositiveIntegerField()
    open_days = models.CharField(max_length=7)
    valid_from = models.DateField()
    set_by = models.CharField(max_length=REF)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["office", "control", "valid_from"], name="risk_budget_once"),
        ]

    def __str__(self) -> str:
        return f"{self.office or '*'} {self.control or '*'} {self.amount}/{self.period}"


class ControlUse(models.Model):
    """How many controls of a kind were selected at an office on a day."""

    day = models.DateField()
    office = models.CharField(max_length=REF, blank=True)
    control = models.CharField(max_length=WORD)
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "office", "control"], name="risk_use_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.office} {self.control} {self.used}"
