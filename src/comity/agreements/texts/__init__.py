"""Tools on the text of agreements: what changed, what conflicts, what is missing, who would see what. Pure."""

from comity.agreements.texts.conflicts import Clause, Conflict, Rule, conflicts
from comity.agreements.texts.difference import Change, Difference, Property, Turn, difference
from comity.agreements.texts.dry_run import Column, Seen, Sight, dry_run
from comity.agreements.texts.errors import TooIntricateError
from comity.agreements.texts.gaps import Gap, GapKind, Shadow, ShadowKind, gaps, shadowed
from comity.agreements.texts.prose import obligation_sentence, prose, sentences, standing
from comity.agreements.texts.saying import say_box, say_change, say_conflict, say_gap, say_request, say_seen, say_shadow
from comity.agreements.texts.speech import SPOKEN

__all__ = [
    "SPOKEN",
    "Change",
    "Clause",
    "Column",
    "Conflict",
    "Difference",
    "Gap",
    "GapKind",
    "Property",
    "Rule",
    "Seen",
    "Shadow",
    "ShadowKind",
    "Sight",
    "TooIntricateError",
    "Turn",
    "conflicts",
    "difference",
    "dry_run",
    "gaps",
    "obligation_sentence",
    "prose",
    "say_box",
    "say_change",
    "say_conflict",
    "say_gap",
    "say_request",
    "say_seen",
    "say_shadow",
    "sentences",
    "shadowed",
    "standing",
]
