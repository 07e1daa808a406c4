"""Tables of assessments with their reasons, and what officers judged against their lanes."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class Assessment(models.Model):
    """One assessment of one version of a record; earlier ones are kept."""

    record_id = models.UUIDField()
    version = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    is_current = models.BooleanField()
    score = models.FloatField()
    lane = models.CharField(max_length=WORD)
    is_mandatory = models.BooleanField()
    top_reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record_id", "number"], name="risk_assessment_number"),
            models.UniqueConstraint(
                fields=["record_id"], condition=models.Q(is_current=True), name="risk_one_current_assessment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} v{self.version} {self.score}"


class AssessmentReason(models.Model):
    """One reason of an assessment, with what was compared. administration: the node that it came from."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="reasons")
    position = models.PositiveIntegerField()
    source_kind = models.CharField(max_length=WORD)
    source_ref = models.CharField(max_length=REF)
    title = models.CharField(max_length=300)
    text = models.TextField()
    weight = models.FloatField()
    lane = models.CharField(max_length=WORD)
    is_mandatory = models.BooleanField(default=False)
    risk_type = models.CharField(max_length=32, blank=True)
    clause = models.CharField(max_length=300, blank=True)
    administration = models.CharField(max_length=WORD)
    evidence = models.JSONField()
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["source_kind", "source_ref"], name="risk_reason_source")]

    def __str__(self) -> str:
        return f"{self.source_kind}:{self.source_ref}"


class LaneOverride(models.Model):
    """An officer's judgement against the lane of an assessment. result: what a control then found; empty: none was."""

    record_id = models.UUIDField(db_index=True)
    assessment_number = models.PositiveIntegerField()
    from_lane = models.CharField(max_length=WORD)
    to_lane = models.CharField(max_length=WORD)
    is_raise = models.BooleanField()
    was_mandatory = models.BooleanField()
    reason = models.CharField(max_length=500)
    by = models.CharField(max_length=REF)
    approved_by = models.CharField(max_length=REF, blank=True)
    at = models.DateTimeField(db_index=True)
    result = models.CharField(max_length=WORD, blank=True)

    def __str__(self) -> str:
        return f"{self.record_id} {self.from_lane} {self.to_lane}"
