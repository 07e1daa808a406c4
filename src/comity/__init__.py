"""Comity: the node that a customs administration runs to cooperate with the others."""

__version__ = "0.1.0"
