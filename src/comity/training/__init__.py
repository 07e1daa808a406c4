"""A made-up world to learn and to test with: three invented administrations and a day of their trade."""

from comity.training.cast import ADMINISTRATIONS, EXPORTER, IMPORTER, TRANSIT, Administration
from comity.training.photo import photo
from comity.training.story import AlertText, Story
from comity.training.world import FIRST_DAY, Day, Truth, day_of_trade

__all__ = [
    "ADMINISTRATIONS",
    "EXPORTER",
    "FIRST_DAY",
    "IMPORTER",
    "TRANSIT",
    "Administration",
    "AlertText",
    "Day",
    "Story",
    "Truth",
    "day_of_trade",
    "photo",
]
