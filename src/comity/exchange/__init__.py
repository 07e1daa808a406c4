"""The exchange with partners: messages, envelopes, receipts. Writes in `services`, reads in `selectors`, the two ends
in `inbox` and `delivery`, one exchange as a file in `bundles`."""

from comity.exchange.errors import (
    EnvelopeRefusedError,
    ExchangeError,
    FingerprintMismatchError,
    InvitationError,
    MessageFormError,
    MessageUnknownError,
    PartnerStateError,
    PartnerUnknownError,
    ReceiptRefusedError,
    TransportError,
)
from comity.exchange.invitation import Invitation, read_invitation, write_invitation
from comity.exchange.limits import LIMITS, Limits, LoadLimits, Priority
from comity.exchange.message import Message, ReceivedMessage, read_message

__all__ = [
    "LIMITS",
    "EnvelopeRefusedError",
    "ExchangeError",
    "FingerprintMismatchError",
    "Invitation",
    "InvitationError",
    "Limits",
    "LoadLimits",
    "Message",
    "MessageFormError",
    "MessageUnknownError",
    "PartnerStateError",
    "PartnerUnknownError",
    "Priority",
    "ReceiptRefusedError",
    "ReceivedMessage",
    "TransportError",
    "read_invitation",
    "read_message",
    "write_invitation",
]
