"""Tables of forecasts: what was declared and found week by week, what was foretold of it, what came."""

from __future__ import annotations

from django.db import models

from comity.risk.models.sizes import WORD


class RouteWeek(models.Model):
    """What of a heading was declared on a route in a week, what was controlled then, what was found. Counts alone.

    by_reason, by_chance: how many controls. found: {kind: [found by reason, found by chance]}. The row without a
    heading says that the week was counted, with all of its import declarations.
    """

    first_day = models.DateField()
    heading = models.CharField(max_length=4, blank=True)
    origin = models.CharField(max_length=WORD, blank=True)
    departure = models.CharField(max_length=WORD, blank=True)
    declared = models.PositiveIntegerField(default=0)
    by_reason = models.PositiveIntegerField(default=0)
    by_chance = models.PositiveIntegerField(default=0)
    found = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first_day", "heading", "origin", "departure"], name="risk_route_week_once")
        ]

    def __str__(self) -> str:
        return f"{self.first_day} {self.heading} {self.origin} {self.departure}"


class RouteForecast(models.Model):
    """A forecast of one kind as it was made, by the past before `first_day` alone.

    is_later: made afterwards for weeks gone by. silence: why it tells nothing, or empty. digest: SHA-256 of the counts
    it was made from. worth, held: when its weeks were over, of so many intervals so many held.
    """

    kind = models.CharField(max_length=WORD)
    first_day = models.DateField()
    weeks = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    is_later = models.BooleanField(default=False)
    method = models.CharField(max_length=WORD)
    digest = models.CharField(max_length=64)
    past_from = models.DateField(null=True)
    declared = models.PositiveIntegerField(default=0)
    controlled = models.PositiveIntegerField(default=0)
    by_chance = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    silence = models.CharField(max_length=WORD, blank=True)
    checked_at = models.DateTimeField(null=True)
    worth = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    promised = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "first_day"], name="risk_route_forecast_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_day}"


class RouteOutlook(models.Model):
    """What a forecast tells of a heading on a route, and what came.

    controls, expected, low, high: of the controls to come, at as many as lately. all_*: of everything declared, where
    random controls allow it. history: [declared, controlled, found] of each week before, the latest last.
    """

    forecast = models.ForeignKey(RouteForecast, on_delete=models.CASCADE, related_name="outlooks")
    heading = models.CharField(max_length=4)
    origin = models.CharField(max_length=WORD, blank=True)
    departure = models.CharField(max_length=WORD, blank=True)
    controls = models.FloatField()
    expected = models.FloatField()
    low = models.PositiveIntegerField()
    high = models.PositiveIntegerField()
    promised = models.FloatField()
    all_expected = models.FloatField(null=True)
    all_low = models.PositiveIntegerField(null=True)
    all_high = models.PositiveIntegerField(null=True)
    history = models.JSONField(default=list)
    came_controls = models.PositiveIntegerField(null=True)
    came_found = models.PositiveIntegerField(null=True)
    is_inside = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["forecast", "heading", "origin", "departure"], name="risk_route_outlook_once"
            )
        ]
        indexes = [models.Index(fields=["heading", "origin", "departure"], name="risk_route_outlook_route")]

    def __str__(self) -> str:
        return f"{self.heading} {self.origin} {self.departure}"
