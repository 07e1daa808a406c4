"""The tamper-evident record: append, prove, checkpoint, witness, bundle."""

from comity.ledger.errors import (
    BundleError,
    CommitmentError,
    LedgerError,
    LogDamagedError,
    NoCheckpointError,
    NoEntryError,
    NoTransactionError,
    SplitViewError,
    StaleHeadError,
    WrongSignerError,
)
from comity.ledger.rules import commit, kind_of, opens

__all__ = [
    "BundleError",
    "CommitmentError",
    "LedgerError",
    "LogDamagedError",
    "NoCheckpointError",
    "NoEntryError",
    "NoTransactionError",
    "SplitViewError",
    "StaleHeadError",
    "WrongSignerError",
    "commit",
    "kind_of",
    "opens",
]
