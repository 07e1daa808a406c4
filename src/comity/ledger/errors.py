"""What the ledger refuses."""

from __future__ import annotations

from comity.common import ComityError


class LedgerError(ComityError):
    """The ledger cannot do what was asked."""

    code = "ledger"


class NoTransactionError(LedgerError):
    """An append was asked for outside a transaction: its entry could outlive the deed that it proves."""

    code = "no_transaction"


class WrongSignerError(LedgerError):
    """A key for another log's name was given."""

    code = "wrong_log_signer"


class NoCheckpointError(LedgerError):
    """The log has no such checkpoint."""

    code = "no_checkpoint"


class NoEntryError(LedgerError):
    """The log has no such entry."""

    code = "no_entry"


class LogDamagedError(LedgerError):
    """The stored rows do not give the tree that was signed."""

    code = "log_damaged"


class CommitmentError(LedgerError):
    """An entry of the log is no commitment, or not to what is shown."""

    code = "bad_commitment"


class StaleHeadError(LedgerError):
    """A partner's checkpoint was offered with a proof from another size than the last one seen.

    known_size: the size to prove from.
    """

    code = "stale_head"

    def __init__(self, what: str, *, where: str, known_size: int) -> None:
        super().__init__(what, where=where, remedy=f"Send a consistency proof from size {known_size}.")
        self.known_size = known_size


class SplitViewError(LedgerError):
    """A log shows two histories: both signed notes are kept as evidence.

    seen, shown: the note accepted before, and the one that contradicts it.
    """

    code = "split_view"

    def __init__(self, what: str, *, where: str, seen: str, shown: str) -> None:
        super().__init__(what, where=where, remedy="Keep both notes; tell the partner and the other parties.")
        self.seen = seen
        self.shown = shown


class LogBehindError(LedgerError):
    """The log has fewer entries than a partner has seen, or that is not known yet: appending would begin a second
    history.

    size: of the log. seen_size: of the largest checkpoint with our signature that a partner holds. witness: which one.
    """

    code = "log_behind"

    def __init__(self, what: str, *, size: int, seen_size: int, witness: str = "") -> None:
        super().__init__(
            what,
            where=f"{size} entries here, {seen_size} seen by {witness}" if witness else f"{size} entries here",
            remedy="Nothing was appended. Restore a newer backup, or run `comity ledger monitor --once` to ask the"
            " partners; see docs/guide/witnesses.md.",
        )
        self.size, self.seen_size, self.witness = size, seen_size, witness


class BundleError(ComityError):
    """A file is no bundle of one exchange."""

    code = "bad_bundle"
