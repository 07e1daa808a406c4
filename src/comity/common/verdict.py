"""A decision and its reasons."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a decision.

    code: a stable word. text: a sentence for people. clause: article, rule or paper it rests on.
    """

    code: str
    text: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes or no, with every reason."""

    is_permitted: bool
    reasons: tuple[Reason, ...] = field(default=())
