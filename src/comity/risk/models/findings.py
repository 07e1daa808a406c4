"""What partners' controls found, as far as a model may learn from it."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


class PartnerFinding(models.Model):
    """A finding that a partner told, whether it answers an alert or not; deleted when it is taken back or has run out.

    parties: [column of a declaration, number, name|country] each, in normal form. references: of the consignment, in
    normal form. handling: the level, as the issuer may have raised it since.
    """

    issuer = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=REF)
    agreement = models.CharField(max_length=64)
    article = models.CharField(max_length=REF)
    ref = models.CharField(max_length=REF)
    handling = models.PositiveSmallIntegerField()
    is_irregular = models.BooleanField()
    hs_code = models.CharField(max_length=WORD, blank=True)
    parties = models.JSONField()
    references = models.JSONField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "message_id"], name="risk_partner_finding_once")]

    def __str__(self) -> str:
        return f"{self.issuer} {self.ref}"
