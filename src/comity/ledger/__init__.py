"""The tamper-evident record: append, prove, checkpoint, witness, bundle."""

from comity.ledger.bundle import Bundle, Leaf, Step, verify_bundle
from comity.ledger.errors import (
    BundleError,
    CommitmentError,
    LedgerError,
    LogBehindError,
    LogDamagedError,
    NoCheckpointError,
    NoEntryError,
    NoTransactionError,
    SplitViewError,
    StaleHeadError,
    WrongSignerError,
)
from comity.ledger.quorum import Quorum, QuorumStanding
from comity.ledger.remote import RemoteTree, TilesError
from comity.ledger.rules import LookState, commit, kind_of, opens

__all__ = [
    "Bundle",
    "BundleError",
    "CommitmentError",
    "Leaf",
    "LedgerError",
    "LogBehindError",
    "LogDamagedError",
    "LookState",
    "NoCheckpointError",
    "NoEntryError",
    "NoTransactionError",
    "Quorum",
    "QuorumStanding",
    "RemoteTree",
    "SplitViewError",
    "StaleHeadError",
    "Step",
    "TilesError",
    "WrongSignerError",
    "commit",
    "kind_of",
    "opens",
    "verify_bundle",
]
