"""How long the words of the tables may be, in characters."""

from __future__ import annotations

WORD = 16
REF = 100
