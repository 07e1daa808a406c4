"""Tables of what arrived: raw bytes, versioned records, their keys, and refusals."""

from __future__ import annotations

from django.db import models


class Arrival(models.Model):
    """A file or message as its bytes came in; the same bytes are kept once."""

    id = models.UUIDField(primary_key=True)
    sha256 = models.CharField(max_length=64, unique=True)
    data = models.BinaryField()
    size_bytes = models.BigIntegerField()
    source = models.CharField(max_length=200)
    name = models.CharField(max_length=255)
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class Record(models.Model):
    """One version of a declaration or manifest. record_id stays the same over all versions."""

    record_id = models.UUIDField()
    version = models.PositiveIntegerField()
    is_current = models.BooleanField()
    kind = models.CharField(max_length=16)
    reference = models.CharField(max_length=100)
    lodged_by = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64)
    ucr = models.CharField(max_length=100, blank=True)
    parsed = models.JSONField()
    problems = models.JSONField()
    arrival = models.ForeignKey(Arrival, on_delete=models.PROTECT, related_name="records")
    member = models.CharField(max_length=255, blank=True)
    line = models.PositiveIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record_id", "version"], name="intake_record_version"),
            models.UniqueConstraint(fields=["reference", "kind", "lodged_by", "version"], name="intake_ref_version"),
            models.UniqueConstraint(
                fields=["reference", "kind", "lodged_by"],
                condition=models.Q(is_current=True),
                name="intake_one_current",
            ),
        ]
        indexes = [
            models.Index(fields=["ucr"], name="intake_record_ucr"),
            models.Index(fields=["is_current", "received_at", "id"], name="intake_record_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference} v{self.version}"


class RecordKey(models.Model):
    """A name, number or place in a record by which others may ask for it, in normal form."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=16)
    value = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["value", "kind"], name="intake_key_value")]

    def __str__(self) -> str:
        return f"{self.kind}={self.value}"


class Refusal(models.Model):
    """A record that did not come in: why, and its own bytes where they are a part of the arrival's."""

    arrival = models.ForeignKey(Arrival, on_delete=models.PROTECT, related_name="refusals")
    member = models.CharField(max_length=255, blank=True)
    line = models.PositiveIntegerField()
    field = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=50)
    message = models.TextField()
    raw = models.BinaryField(default=bytes)
    refused_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.arrival_id}:{self.line} {self.code}"
