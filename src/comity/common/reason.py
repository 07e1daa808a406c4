"""Why something was decided as it was."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a decision.

    code: a stable word. text: a sentence for people. clause: article, rule or paper it rests on.
    """

    code: str
    text: str
    clause: str = ""
