"""Tables of what officers decided of a subject and an entry of a watch list, and of what partners decided."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class ScreeningDecision(models.Model):
    """What an officer decided of a subject and an entry of a watch list. ref: names both as they were compared.

    ours, theirs, parts: what was compared, as it was shown. ground: the reason as a word, which may be told partners.
    unused_since: since when another decision stands in its place, or no declaration that is held has the hit.
    """

    ref = models.CharField(max_length=REF)
    list_code = models.CharField(max_length=40)
    entry_ref = models.CharField(max_length=REF)
    subject_key = models.CharField(max_length=64)
    verdict = models.CharField(max_length=WORD)
    ground = models.CharField(max_length=WORD, default="other")
    reason = models.CharField(max_length=500)
    ours = models.JSONField()
    theirs = models.JSONField()
    parts = models.JSONField()
    decided_by = models.CharField(max_length=REF)
    decided_at = models.DateTimeField()
    is_current = models.BooleanField()
    unused_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ref"], condition=models.Q(is_current=True), name="risk_one_screening_decision"
            )
        ]
        indexes = [models.Index(fields=["list_code", "entry_ref", "subject_key"], name="risk_screening_entry")]

    def __str__(self) -> str:
        return f"{self.ref} {self.verdict}"


class HitAsked(models.Model):
    """A hit of ours about which a partner was asked. ref: of the hit."""

    ref = models.CharField(max_length=REF, db_index=True)
    partner = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF)
    asked_by = models.CharField(max_length=REF)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.ref} {self.partner}"


class HitQuestionTaken(models.Model):
    """A partner's question about a hit. tags: [by, keyed hash] each. answer_id: of the message that answered it."""

    issuer = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF)
    agreement = models.CharField(max_length=64)
    list_code = models.CharField(max_length=40)
    publisher = models.CharField(max_length=200)
    entry_ref = models.CharField(max_length=REF)
    key = models.CharField(max_length=64)
    tags = models.JSONField()
    taken_at = models.DateTimeField()
    answer_id = models.CharField(max_length=REF, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "message_id"], name="risk_hit_question_once")]
        indexes = [models.Index(fields=["answer_id", "taken_at"], name="risk_hit_question_open")]

    def __str__(self) -> str:
        return f"{self.issuer} {self.entry_ref}"


class HitTold(models.Model):
    """A decision of ours that was told a partner. ended_at: when it was taken back, since another took its place."""

    decision = models.ForeignKey(ScreeningDecision, on_delete=models.CASCADE, related_name="told")
    recipient = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF, unique=True)
    told_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.decision_id} {self.recipient}"


class HitAdvice(models.Model):
    """What a partner decided of a party, which its tags recognise, and an entry of a list. Shown, never applied."""

    issuer = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF)
    article = models.CharField(max_length=REF)
    list_code = models.CharField(max_length=40)
    publisher = models.CharField(max_length=200)
    entry_ref = models.CharField(max_length=REF, db_index=True)
    list_of = models.CharField(max_length=WORD, blank=True)
    key = models.CharField(max_length=64)
    tags = models.JSONField()
    verdict = models.CharField(max_length=WORD)
    ground = models.CharField(max_length=WORD)
    reason = models.CharField(max_length=500, blank=True)
    handling = models.CharField(max_length=WORD)
    decided_at = models.DateTimeField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "message_id"], name="risk_hit_advice_once")]

    def __str__(self) -> str:
        return f"{self.issuer} {self.entry_ref} {self.verdict}"
