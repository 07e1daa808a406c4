"""The tamper-evident record: append, prove, checkpoint, witness, bundle."""

from comity.ledger.bundle import Bundle, Leaf, Step, verify_bundle
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
    "Bundle",
    "BundleError",
    "CommitmentError",
    "Leaf",
    "LedgerError",
    "LogDamagedError",
    "NoCheckpointError",
    "NoEntryError",
    "NoTransactionError",
    "SplitViewError",
    "StaleHeadError",
    "Step",
    "WrongSignerError",
    "commit",
    "kind_of",
    "opens",
    "verify_bundle",
]
