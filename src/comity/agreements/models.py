"""Tables of the agreements room."""

from __future__ import annotations

from django.db import models


class AgreementRow(models.Model):
    """An agreement as stored: its canonical bytes, the text it came from, and how far it has got.

    course: what became of it since, as comity.agreements.course writes it; empty: nothing.
    """

    agreement_id = models.CharField(max_length=64, primary_key=True)
    canonical = models.BinaryField()
    source = models.BinaryField(default=bytes, blank=True)
    title = models.CharField(max_length=300)
    version = models.CharField(max_length=30)
    imported_at = models.DateTimeField()
    adopted_at = models.DateTimeField(null=True, blank=True)
    course = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class AgreementSignatureRow(models.Model):
    """One signature over the canonical bytes that verified with a key of the party."""

    agreement = models.ForeignKey(AgreementRow, on_delete=models.CASCADE, related_name="signatures")
    keyid = models.CharField(max_length=64)
    signature = models.BinaryField()
    party = models.CharField(max_length=16)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement", "party", "keyid"], name="one_signature_once")]

    def __str__(self) -> str:
        return f"{self.party} {self.keyid[:12]}"


class AgreementMoveRow(models.Model):
    """A move in the life of an agreement. document: what its party signed; proof: those signatures, as JSON."""

    digest = models.CharField(max_length=64, primary_key=True)
    agreement_id = models.CharField(max_length=64, db_index=True)
    by = models.CharField(max_length=16)
    number = models.BigIntegerField()
    document = models.BinaryField()
    proof = models.BinaryField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.by} {self.digest[:12]}"


class PartnerStandingRow(models.Model):
    """What a partner last told of an agreement: canonical JSON.

    healed_at: when it was last sent what it lacked. asked_at: when it was last asked by the node itself.
    """

    agreement_id = models.CharField(max_length=64)
    partner = models.CharField(max_length=16)
    told = models.BinaryField()
    told_at = models.DateTimeField()
    healed_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement_id", "partner"], name="one_standing_of_a_partner")]

    def __str__(self) -> str:
        return f"{self.partner} {self.agreement_id[:12]}"


class DecisionReceiptRow(models.Model):
    """The receipt of one decision. document: its canonical bytes; digest: their SHA-256. No content of the body.

    salt, log_index: of the commitment to the digest in our log; the index is empty until it stands there.
    """

    receipt_id = models.UUIDField(primary_key=True)
    decided_at = models.DateTimeField()
    direction = models.CharField(max_length=8)
    sender = models.CharField(max_length=16)
    receiver = models.CharField(max_length=16)
    kind = models.CharField(max_length=48)
    purpose = models.CharField(max_length=40)
    is_permitted = models.BooleanField()
    agreement_id = models.CharField(max_length=64, blank=True)
    article_id = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=40)
    actor = models.CharField(max_length=120, blank=True)
    digest = models.CharField(max_length=64)
    document = models.BinaryField()
    salt = models.BinaryField()
    log_index = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["receipt_id"], name="receipt_unlogged", condition=models.Q(log_index=None)),
            models.Index(fields=["-decided_at"], name="receipt_by_time"),
            models.Index(fields=["agreement_id", "article_id"], name="receipt_by_article"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sender} to {self.receiver}: {'yes' if self.is_permitted else 'no'}"
