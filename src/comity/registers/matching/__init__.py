"""Names and numbers against the entries of watch lists: pure, values in and values out."""

from comity.registers.matching.names import plain_name
from comity.registers.matching.scoring import FEATURES, compare_names
from comity.registers.matching.screening import THRESHOLD, Match, Part, Screener, Subject

__all__ = ["FEATURES", "THRESHOLD", "Match", "Part", "Screener", "Subject", "compare_names", "plain_name"]
