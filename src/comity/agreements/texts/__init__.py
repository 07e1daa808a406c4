"""Tools on the text of agreements: what changed, what conflicts, what is missing, who would see what. Pure."""

from comity.agreements.texts.difference import Change, Difference, Property, Turn, difference
from comity.agreements.texts.errors import TooIntricateError

__all__ = ["Change", "Difference", "Property", "TooIntricateError", "Turn", "difference"]
