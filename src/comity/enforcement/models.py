"""Tables of enforcement: inspections, findings, exhibits, seizures, decisions."""

from __future__ import annotations

from django.db import models

WORD = 16
REF = 100


class Series(models.Model):
    """The last number given in a series of references: one series for each letter and year."""

    letter = models.CharField(max_length=1)
    year = models.PositiveIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["letter", "year"], name="enforcement_series_once")]

    def __str__(self) -> str:
        return f"{self.letter}-{self.year}-{self.last}"


class InspectionRow(models.Model):
    """An inspection: ordered, started, then completed or dropped. reasons: [code, text, clause] each.

    is_after_release: a check of the documents of goods that have left, until due_on, by assigned_to or by anybody.
    completed_by, completed_at: who ended it, also by dropping it; dropped_because: why.
    """

    inspection_id = models.UUIDField(primary_key=True)
    reference = models.CharField(max_length=REF, unique=True)
    record_id = models.UUIDField(db_index=True)
    state = models.CharField(max_length=WORD)
    reasons = models.JSONField()
    place = models.CharField(max_length=200, blank=True)
    ordered_by = models.CharField(max_length=REF)
    ordered_at = models.DateTimeField()
    started_by = models.CharField(max_length=REF, blank=True)
    started_at = models.DateTimeField(null=True)
    completed_by = models.CharField(max_length=REF, blank=True)
    completed_at = models.DateTimeField(null=True)
    case_ref = models.CharField(max_length=REF, blank=True)
    is_after_release = models.BooleanField(default=False)
    office = models.CharField(max_length=REF, blank=True)
    due_on = models.DateField(null=True)
    assigned_to = models.CharField(max_length=REF, blank=True)
    dropped_because = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record_id"],
                condition=models.Q(state__in=["ordered", "started"]),
                name="enforcement_one_open_inspection",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "ordered_at"], name="enforcement_inspection_state"),
            models.Index(fields=["is_after_release", "state", "due_on"], name="enforcement_checks_due"),
        ]

    def __str__(self) -> str:
        return self.reference


class FindingRow(models.Model):
    """What an inspection came to. notice: the finding as its JSON form, without the seizure reference.

    revenue_amount: duties and taxes assessed in addition, as stated last; empty: not assessed. It is no part of the
    notice, so no partner is told.
    """

    reference = models.CharField(max_length=REF, unique=True)
    inspection = models.OneToOneField(InspectionRow, on_delete=models.PROTECT, related_name="finding")
    record_id = models.UUIDField(db_index=True)
    result = models.CharField(max_length=WORD)
    risk_type = models.CharField(max_length=32, blank=True)
    alert_ref = models.CharField(max_length=REF, blank=True, db_index=True)
    notice = models.JSONField()
    found_by = models.CharField(max_length=REF)
    found_at = models.DateTimeField()
    revenue_amount = models.CharField(max_length=64, blank=True)
    revenue_currency = models.CharField(max_length=3, blank=True)
    revenue_by = models.CharField(max_length=REF, blank=True)
    revenue_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.reference


class ExhibitFile(models.Model):
    """A photo or document of a finding; its bytes lie in the evidence folder under their SHA-256."""

    finding = models.ForeignKey(FindingRow, on_delete=models.PROTECT, related_name="exhibits")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, db_index=True)
    media_type = models.CharField(max_length=100)
    size_bytes = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.name


class SeizureRow(models.Model):
    """Goods that were taken."""

    reference = models.CharField(max_length=REF, unique=True)
    inspection = models.ForeignKey(InspectionRow, on_delete=models.PROTECT, related_name="seizures")
    record_id = models.UUIDField(db_index=True)
    legal_basis = models.CharField(max_length=300)
    goods = models.TextField()
    hs_code = models.CharField(max_length=WORD, blank=True)
    quantity = models.CharField(max_length=64, blank=True)
    unit = models.CharField(max_length=WORD, blank=True)
    amount = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    place = models.CharField(max_length=200, blank=True)
    is_total = models.BooleanField()
    case_ref = models.CharField(max_length=REF, blank=True)
    seized_by = models.CharField(max_length=REF)
    seized_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference


class DecisionRow(models.Model):
    """Goods released or held, with the reason. Goods are released once."""

    record_id = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=WORD)
    reason = models.TextField()
    decided_by = models.CharField(max_length=REF)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record_id"], condition=models.Q(kind="released"), name="enforcement_released_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.kind}"
