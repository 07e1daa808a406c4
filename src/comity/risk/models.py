"""Tables of risk: profiles, partners' signals, assessments with their reasons, the queue, plans, what was learned."""

from __future__ import annotations

from django.db import models

WORD = 16
REF = 100


class RuleProfile(models.Model):
    """A rule with its owner, its law and its dates. state: draft, approved or retired; dates make it active."""

    ref = models.CharField(max_length=REF, unique=True)
    title = models.CharField(max_length=200)
    owner = models.CharField(max_length=200)
    legal_basis = models.CharField(max_length=300)
    expression = models.TextField()
    weight = models.PositiveSmallIntegerField()
    risk_type = models.CharField(max_length=32)
    lane = models.CharField(max_length=WORD)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=WORD, db_index=True)
    drafted_by = models.CharField(max_length=REF)
    drafted_at = models.DateTimeField()
    approved_by = models.CharField(max_length=REF, blank=True)
    approved_at = models.DateTimeField(null=True)
    retired_by = models.CharField(max_length=REF, blank=True)
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(max_length=300, blank=True)
    hits = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)
    unconfirmed = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"


class PartnerSignal(models.Model):
    """An alert from a partner that targets goods here. body: the alert as it was released to this administration."""

    message_id = models.CharField(max_length=REF)
    ref = models.CharField(max_length=REF)
    issuer = models.CharField(max_length=WORD)
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


class Selection(models.Model):
    """A record in the targeting queue: where it stands, why it was selected, who has it, and what lists show of it."""

    record_id = models.UUIDField(unique=True)
    assessment = models.OneToOneField(Assessment, on_delete=models.PROTECT, related_name="selection")
    kind = models.CharField(max_length=WORD)
    reference = models.CharField(max_length=REF)
    office = models.CharField(max_length=REF, blank=True)
    exporter = models.CharField(max_length=300, blank=True)
    importer = models.CharField(max_length=300, blank=True)
    hs_code = models.CharField(max_length=WORD, blank=True)
    origin = models.CharField(max_length=WORD, blank=True)
    search_text = models.TextField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=WORD)
    cause = models.CharField(max_length=WORD, blank=True)
    day = models.DateField(null=True)
    seed = models.CharField(max_length=128, blank=True)
    draw = models.FloatField(null=True)
    assigned_to = models.CharField(max_length=REF, blank=True, db_index=True)
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["state", "received_at"], name="risk_selection_state")]

    def __str__(self) -> str:
        return f"{self.reference} {self.state}"


class SelectionPlan(models.Model):
    """How many inspections a day has, how they are spent, and how many are spent already."""

    day = models.DateField(unique=True)
    capacity = models.PositiveIntegerField()
    random_share = models.FloatField()
    score_threshold = models.FloatField()
    expected_arrivals = models.PositiveIntegerField(null=True)
    set_by = models.CharField(max_length=REF, blank=True)
    used_mandatory = models.PositiveIntegerField(default=0)
    used_risk = models.PositiveIntegerField(default=0)
    used_random = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day} {self.capacity}"


class IssuerReliability(models.Model):
    """How many alerts of an issuer were confirmed by a control here, and how many were not."""

    issuer = models.CharField(max_length=WORD, unique=True)
    confirmed = models.PositiveIntegerField(default=0)
    unconfirmed = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.issuer


class LearnedOutcome(models.Model):
    """An outcome that was learned from; the same one is never counted twice."""

    declaration_ref = models.CharField(max_length=REF)
    decided_at = models.DateTimeField()
    is_irregular = models.BooleanField()
    is_random = models.BooleanField()
    sources = models.JSONField()
    learned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["declaration_ref", "decided_at"], name="risk_outcome_once"),
        ]

    def __str__(self) -> str:
        return self.declaration_ref


class AlertFeedback(models.Model):
    """What a partner found where it followed an alert of this administration."""

    message_id = models.CharField(max_length=REF)
    alert_ref = models.CharField(max_length=REF, db_index=True)
    administration = models.CharField(max_length=WORD)
    finding_ref = models.CharField(max_length=REF)
    is_irregular = models.BooleanField()
    found_at = models.DateTimeField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["administration", "message_id"], name="risk_feedback_once")]

    def __str__(self) -> str:
        return f"{self.alert_ref} {self.administration}"
