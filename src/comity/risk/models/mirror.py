"""Tables of the mirror check: keys of pairs, exports told and heard of, and what they matched."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


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
