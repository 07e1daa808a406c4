"""Formats in which records arrive and leave; one folder each, over the same flat fields."""
