"""Parsers of what strangers send, under random and under coverage-guided input."""
