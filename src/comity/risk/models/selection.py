"""Tables of the targeting queue: plans of days, how it is selected, and what chance was asked."""

from __future__ import annotations

from django.db import models

from comity.risk.models.assessments import Assessment
from comity.risk.models.sizes import REF, WORD


class Selection(models.Model):
    """A record in the targeting queue: where it stands, why it was selected, who has it, and what lists show of it.

    quota: the part of the day from which it was taken. control: the kind it was selected for. value: as declared, for
    comparing. lowered_number: of the assessment on which an officer lowered the lane. after: what became of the check
    after release, for goods that left in the blue lane.
    """

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
    quota = models.CharField(max_length=WORD, blank=True)
    control = models.CharField(max_length=WORD, blank=True)
    value = models.FloatField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    lowered_number = models.PositiveIntegerField(null=True)
    after = models.CharField(max_length=WORD, blank=True)
    assigned_to = models.CharField(max_length=REF, blank=True, db_index=True)
    changed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "received_at"], name="risk_selection_state"),
            models.Index(fields=["released_at"], name="risk_selection_released"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.state}"


class SelectionPlan(models.Model):
    """How many inspections a day has, how they are spent, and how many are spent already.

    extra_share: what measured drift adds to exploration that day; null: not measured yet. used_value, used_critical:
    of those spent for risk, the ones taken for their value and for harm in themselves. used_after: checks after
    release.
    """

    day = models.DateField(unique=True)
    capacity = models.PositiveIntegerField()
    random_share = models.FloatField()
    score_threshold = models.FloatField()
    expected_arrivals = models.PositiveIntegerField(null=True)
    set_by = models.CharField(max_length=REF, blank=True)
    used_mandatory = models.PositiveIntegerField(default=0)
    used_risk = models.PositiveIntegerField(default=0)
    used_random = models.PositiveIntegerField(default=0)
    used_learning = models.PositiveIntegerField(default=0)
    used_value = models.PositiveIntegerField(default=0)
    used_critical = models.PositiveIntegerField(default=0)
    used_after = models.PositiveIntegerField(default=0)
    extra_share = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"{self.day} {self.capacity}"


class SelectionPolicy(models.Model):
    """How the administration selects from a day on: see `goals.Policy`."""

    day = models.DateField(unique=True)
    revenue = models.FloatField()
    security = models.FloatField()
    ipr = models.FloatField()
    share_critical = models.FloatField()
    share_value = models.FloatField()
    share_learning = models.FloatField()
    explore_at_most = models.FloatField()
    random_control = models.CharField(max_length=WORD)
    currency = models.CharField(max_length=3, blank=True)
    green_leaves = models.BooleanField()
    green_delay_minutes = models.PositiveIntegerField()
    blue_after_days = models.PositiveIntegerField()
    checks_at_most = models.FloatField()
    check_due_days = models.PositiveIntegerField()
    set_by = models.CharField(max_length=REF)

    def __str__(self) -> str:
        return f"from {self.day}"


class ChanceRow(models.Model):
    """What chance was asked once, and what it answered: never changed, so that it can be recomputed.

    way: arrival or run. log_size: of the checkpoint from which the seed comes; null where the log had not begun.
    bound: on arrival, a draw below it is chosen. slots: in a run, so many smallest draws are chosen. asked: [record id
    in hex, whether an inspection was open to it] each, in order. chosen: record ids in hex. log_index: of the entry by
    which a run's candidates were fixed before its seed was known. salt: of that entry.
    """

    day = models.DateField(db_index=True)
    at = models.DateTimeField()
    way = models.CharField(max_length=WORD)
    seed = models.CharField(max_length=128)
    log_size = models.BigIntegerField(null=True)
    bound = models.FloatField(null=True)
    slots = models.PositiveIntegerField(default=0)
    asked = models.JSONField()
    chosen = models.JSONField()
    log_index = models.BigIntegerField(null=True)
    salt = models.CharField(max_length=128, blank=True)
    candidates = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.day} {self.way} {len(self.asked)}"
