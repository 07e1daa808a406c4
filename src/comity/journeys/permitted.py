"""Whom an article in force lets this node tell something of a kind by itself."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from comity.agreements.selectors import engine, is_in_force

# For which purpose partners' knowledge is shared, the first that an article permits.
_PURPOSES = ("risk_assessment", "control")


def permitted_partners(kind: str, at: datetime) -> dict[str, str]:
    """The partners to whom an article in force permits messages of this kind, and for which purpose."""
    us = settings.COMITY_ADMINISTRATION
    found: dict[str, str] = {}
    for agreement in engine(at).agreements:
        for article in agreement.binding_articles if is_in_force(agreement, at) else ():
            purpose = next((each for each in _PURPOSES if each in article.purposes), "")
            if article.is_permit and kind in article.kinds and us in article.senders and purpose:
                found |= {each: purpose for each in article.receivers if each != us and each not in found}
    return found
