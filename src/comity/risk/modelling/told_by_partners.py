"""What partners told of declarations here, as far as a model may see it: mirror checks, under articles that permit it.

An article permits it where risk assessment is among its purposes, and where it is the only one if the receiver is bound
to the stated purpose (after WTO TFA Art. 12.5.1(c)). Nothing above the level official is seen: a model is read by all.
What was taken back or has run out is not there any more, and so is not in the next histories or training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from comity.agreements.selectors import adopted_agreement
from comity.agreements.vocabulary import Purpose, UseLimit
from comity.risk.mirror_locks import compare, figures_of
from comity.risk.mirroring import SHARED
from comity.risk.models import MirrorMatch, MirrorOffering
from comity.trade import Declaration, Handling
from comity.trade.mirror import offer_from_body

# Field of the mirror check -> what models call it. Both masses are one matter.
FIELDS: Mapping[str, str] = {
    "value": "value",
    "gross_mass_kg": "mass",
    "net_mass_kg": "mass",
    "packages": "packages",
    "hs_codes": "hs_codes",
    "origins": "origins",
}
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Heard:
    """What one partner's offer said of one declaration. differs: by matter; what cannot be compared is left out."""

    issuer: str
    known_at: datetime
    differs: Mapping[str, bool]


def heard_of(declarations: Mapping[UUID, Declaration]) -> dict[UUID, list[Heard]]:
    """What partners told of each declaration as it is given here, corrected later or not; the earliest first."""
    found: dict[UUID, list[Heard]] = {}
    allowed: dict[tuple[str, str], bool] = {}
    ids = list(declarations)
    for start in range(0, len(ids), _AT_ONCE):
        rows = MirrorMatch.objects.filter(record_id__in=ids[start : start + _AT_ONCE]).exclude(state=SHARED)
        for match in rows.select_related("offer").order_by("matched_at", "pk"):
            by = (match.offer.agreement, match.offer.article)
            if by not in allowed:
                allowed[by] = may_be_learned(*by)
            if allowed[by] and _is_open(match.offer):
                found.setdefault(match.record_id, []).append(_heard(match, declarations[match.record_id]))
    return found


def may_be_learned(agreement_id: str, article_id: str) -> bool:
    """Whether the article under which something was shared lets a model of risk see it."""
    agreement = adopted_agreement(agreement_id) if agreement_id else None
    article = agreement.article(article_id) if agreement else None
    if article is None or Purpose.RISK_ASSESSMENT.value not in article.purposes:
        return False
    return UseLimit.STATED_PURPOSE_ONLY.value not in article.use_limits or len(article.purposes) == 1


def _is_open(offer: MirrorOffering) -> bool:
    return bool(offer.body) and offer_from_body(offer.body).handling <= Handling.OFFICIAL


def _heard(match: MirrorMatch, declaration: Declaration) -> Heard:
    compared = compare(match.content_key, offer_from_body(match.offer.body).commitments, figures_of(declaration))
    differs = dict.fromkeys((FIELDS[name] for name in compared.agreed), False)
    differs |= dict.fromkeys((FIELDS[name] for name in compared.differing), True)
    return Heard(match.offer.issuer, max(match.matched_at, match.offer.taken_at), differs)


def together(heard: Iterable[Heard]) -> dict[str, bool]:
    """What several offers come to: what differs from one of them differs."""
    found: dict[str, bool] = {}
    for each in heard:
        found |= {matter: found.get(matter, False) or differs for matter, differs in each.differs.items()}
    return found


def columns_of(heard: Sequence[Heard], *, week: float | None, had_arrived: bool) -> dict[str, object]:
    """The columns of a row. week: in which the last of it came; had_arrived: before the row was first assessed."""
    differs = together(heard)
    matters = dict.fromkeys(FIELDS.values())
    columns: dict[str, object] = {f"offer_{matter}": _number(differs.get(matter)) for matter in matters}
    return columns | {"offer_week": week, "offer_first": float(had_arrived)}


def _number(differs: bool | None) -> float | None:
    return None if differs is None else float(differs)
