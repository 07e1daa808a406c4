"""Rules over tables: the bulk evaluator, and runs over Parquet.

What is here needs no library beyond the base; the modules that compute need the extra `learning`, and are loaded by
`comity.risk.bulk.libraries` so that a missing one is said clearly.
"""

from comity.risk.bulk.orders import (
    BATCH_ROWS,
    Engine,
    Order,
    Progress,
    RuleLine,
    Summary,
    UsedList,
    UsedModel,
)

__all__ = ["BATCH_ROWS", "Engine", "Order", "Progress", "RuleLine", "Summary", "UsedList", "UsedModel"]
