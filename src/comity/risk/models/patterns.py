"""Tables of how trade was until now: who with whom, which way, at what price, how much."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import REF, WORD


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
