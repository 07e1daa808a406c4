"""Delimited text: CSV and its kin, read by a declared column mapping."""

from comity.trade.formats.delimited.mapping import ColumnMapping, MappingError, read_mapping
from comity.trade.formats.delimited.reader import read_csv

__all__ = ["ColumnMapping", "MappingError", "read_csv", "read_mapping"]
