"""Tables of the agreements room."""

from __future__ import annotations

from django.db import models


class AgreementRow(models.Model):
    """An agreement as stored: its canonical bytes, the text it came from, and how far it has got."""

    agreement_id = models.CharField(max_length=64, primary_key=True)
    canonical = models.BinaryField()
    source = models.BinaryField(default=bytes, blank=True)
    title = models.CharField(max_length=300)
    version = models.CharField(max_length=30)
    imported_at = models.DateTimeField()
    adopted_at = models.DateTimeField(null=True, blank=True)

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
