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
    priority = models.PositiveSmallIntegerField(default=5)
    expected_hit_rate = models.FloatField(null=True)
    tested_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"


class ProfileBacktest(models.Model):
    """What a profile's rule, named by its digest, would have found; found to spared: of the controlled records."""

    profile = models.ForeignKey(RuleProfile, on_delete=models.CASCADE, related_name="backtests")
    digest = models.CharField(max_length=64)
    since = models.DateTimeField()
    until = models.DateTimeField()
    at = models.DateTimeField()
    by = models.CharField(max_length=REF)
    records = models.PositiveIntegerField()
    is_cut = models.BooleanField()
    fired = models.PositiveIntegerField()
    found = models.PositiveIntegerField()
    vain = models.PositiveIntegerField()
    missed = models.PositiveIntegerField()
    spared = models.PositiveIntegerField()
    curve = models.JSONField()

    def __str__(self) -> str:
        return f"{self.profile_id} {self.at}"


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
    """A record in the targeting queue: where it stands, why it was selected, who has it, and what lists show of it.

    quota: the part of the day from which it was taken. control: the kind it was selected for. value: as declared, for
    comparing. lowered_number: of the assessment on which an officer lowered the lane.
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
    of those spent for risk, the ones taken for their value and for harm in themselves.
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
    set_by = models.CharField(max_length=REF)

    def __str__(self) -> str:
        return f"from {self.day}"


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


class IssuerReliability(models.Model):
    """How many alerts of an issuer were confirmed by a control here, and how many were not."""

    issuer = models.CharField(max_length=WORD, unique=True)
    confirmed = models.PositiveIntegerField(default=0)
    unconfirmed = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.issuer


class LearnedOutcome(models.Model):
    """An outcome that was learned from; the same one is never counted twice.

    score, lane, office, cause, control: of the record as it then stood; empty where the queue does not know it.
    """

    declaration_ref = models.CharField(max_length=REF)
    decided_at = models.DateTimeField()
    is_irregular = models.BooleanField()
    is_random = models.BooleanField()
    sources = models.JSONField()
    learned_at = models.DateTimeField()
    risk_type = models.CharField(max_length=32, blank=True)
    record_id = models.UUIDField(null=True)
    score = models.FloatField(null=True)
    lane = models.CharField(max_length=WORD, blank=True)
    office = models.CharField(max_length=REF, blank=True)
    cause = models.CharField(max_length=WORD, blank=True)
    control = models.CharField(max_length=WORD, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["declaration_ref", "decided_at"], name="risk_outcome_once"),
        ]
        indexes = [models.Index(fields=["decided_at"], name="risk_outcome_decided")]

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


class MirrorKey(models.Model):
    """A key by which a pair recognises references for a quarter. owner: whose exports; is_ours: made here."""

    owner = models.CharField(max_length=WORD)
    partner = models.CharField(max_length=WORD)
    period = models.CharField(max_length=WORD)
    name = models.CharField(max_length=32)
    secret = models.CharField(max_length=64)
    is_ours = models.BooleanField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "partner", "name"], name="risk_mirror_key_once")]

    def __str__(self) -> str:
        return f"{self.owner} {self.partner} {self.period}"


class MirrorExport(models.Model):
    """An export declaration of ours that a partner is told of. state: due, sent, refused, nothing. asked: of fields."""

    record_id = models.UUIDField()
    version = models.PositiveIntegerField()
    partner = models.CharField(max_length=WORD)
    state = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF, blank=True, db_index=True)
    agreement = models.CharField(max_length=64, blank=True)
    content_key = models.CharField(max_length=64, blank=True)
    asked = models.JSONField(default=list)
    request_id = models.CharField(max_length=REF, blank=True)
    answer_id = models.CharField(max_length=REF, blank=True)
    answer_state = models.CharField(max_length=WORD, blank=True)
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record_id", "version", "partner"], name="risk_mirror_export_once")
        ]
        indexes = [
            models.Index(fields=["state"], condition=models.Q(state="due"), name="risk_mirror_export_due"),
            models.Index(
                fields=["answer_state"], condition=models.Q(answer_state="due"), name="risk_mirror_answer_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} {self.record_id} v{self.version}"


class MirrorOffering(models.Model):
    """An export declaration that a partner told as commitments. body: as it came; empty once it is forgotten."""

    issuer = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF)
    agreement = models.CharField(max_length=64)
    article = models.CharField(max_length=REF)
    key = models.ForeignKey(MirrorKey, on_delete=models.CASCADE, related_name="offers")
    body = models.JSONField()
    is_replaced = models.BooleanField(default=False)
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "message_id"], name="risk_mirror_offer_once")]

    def __str__(self) -> str:
        return f"{self.issuer} {self.message_id}"


class MirrorTag(models.Model):
    """A tag under which an offer is found, with what it unlocks."""

    offer = models.ForeignKey(MirrorOffering, on_delete=models.CASCADE, related_name="tags")
    tag = models.CharField(max_length=64, db_index=True)
    wrapped = models.CharField(max_length=96)

    def __str__(self) -> str:
        return self.tag[:16]


class MirrorImportTag(models.Model):
    """A tag of an import declaration of ours under a partner's key, so that an offer that comes later finds it."""

    record_id = models.UUIDField(db_index=True)
    key = models.ForeignKey(MirrorKey, on_delete=models.CASCADE, related_name="imports")
    tag = models.CharField(max_length=64, db_index=True)
    joint = models.CharField(max_length=WORD)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.tag[:16]


class MirrorMatch(models.Model):
    """An offer and an import of one consignment. state: of risk.mirroring. agreed, differing, unknown: fields."""

    offer = models.OneToOneField(MirrorOffering, on_delete=models.CASCADE, related_name="match")
    record_id = models.UUIDField(db_index=True)
    version = models.PositiveIntegerField()
    joint = models.CharField(max_length=WORD)
    content_key = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=WORD)
    agreed = models.JSONField(default=list)
    differing = models.JSONField(default=list)
    unknown = models.JSONField(default=list)
    request_id = models.CharField(max_length=REF, blank=True)
    values_id = models.CharField(max_length=REF, blank=True, db_index=True)
    values_article = models.CharField(max_length=REF, blank=True)
    values = models.JSONField(default=dict)
    matched_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["state"], condition=models.Q(state="ask"), name="risk_mirror_match_ask")]

    def __str__(self) -> str:
        return f"{self.joint} {self.record_id} {self.state}"


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


class TradePair(models.Model):
    """An importer and an exporter as declarations named them here. recent: the last of them, the latest last."""

    importer = models.CharField(max_length=200)
    exporter = models.CharField(max_length=200)
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    recent = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["importer", "exporter"], name="risk_trade_pair_once")]

    def __str__(self) -> str:
        return f"{self.importer} {self.exporter}"


class TradeRoute(models.Model):
    """How often goods of an HS chapter came by a route to an office; with an empty route, how often at all."""

    chapter = models.CharField(max_length=2)
    origin = models.CharField(max_length=WORD)
    dispatch = models.CharField(max_length=WORD)
    office = models.CharField(max_length=REF)
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chapter", "origin", "dispatch", "office"], name="risk_trade_route_once")
        ]

    def __str__(self) -> str:
        return f"{self.chapter} {self.origin} {self.dispatch} {self.office}"


class TradePrice(models.Model):
    """The last prices per kg of goods of one HS subheading and origin, as natural logarithms, the latest last."""

    hs_code = models.CharField(max_length=WORD)
    origin = models.CharField(max_length=WORD)
    currency = models.CharField(max_length=WORD)
    logs = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hs_code", "origin", "currency"], name="risk_trade_price_once")]

    def __str__(self) -> str:
        return f"{self.hs_code} {self.origin} {self.currency}"


class TradeVolume(models.Model):
    """What an importer brought in by week. weeks: (ISO week, declarations, kg), the latest last."""

    importer = models.CharField(max_length=200, unique=True)
    count = models.PositiveIntegerField(default=0)
    weeks = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.importer
