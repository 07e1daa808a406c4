"""A made-up world to learn and to test with: three invented administrations and a day of their trade."""

from comity.training.cast import ADMINISTRATIONS, EXPORTER, IMPORTER, TRANSIT, Administration
from comity.training.files import Expected, Part, TradeFile, defective_files, files_of
from comity.training.photo import photo
from comity.training.story import AlertText, Story
from comity.training.tables import MAPPING_NAME, mapping_yaml
from comity.training.world import FIRST_DAY, Day, Truth, day_of_trade

__all__ = [
    "ADMINISTRATIONS",
    "EXPORTER",
    "FIRST_DAY",
    "IMPORTER",
    "MAPPING_NAME",
    "TRANSIT",
    "Administration",
    "AlertText",
    "Day",
    "Expected",
    "Part",
    "Story",
    "TradeFile",
    "Truth",
    "day_of_trade",
    "defective_files",
    "files_of",
    "mapping_yaml",
    "photo",
]
