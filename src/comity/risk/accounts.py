"""The currency of account: that of the administration's policy, in which values and amounts compare with each other."""

from __future__ import annotations

from datetime import datetime

from comity.risk.budgets import policy_on
from comity.risk.today import local_day


def currency_of_account(at: datetime) -> str:
    """The ISO 4217 code that the policy of the day states; empty where it states none."""
    return policy_on(local_day(at)).currency
