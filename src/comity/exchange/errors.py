"""What may go wrong between two nodes, each with a stable code."""

from __future__ import annotations

from comity.common import ComityError


class ExchangeError(ComityError):
    """The root of this room's errors."""

    code = "exchange"


class MessageFormError(ExchangeError):
    """A message is not in the form of protocol step R8."""

    code = "bad_message"


class MessageRefusedError(MessageFormError):
    """A message that can be read is not taken.

    code: created_in_future, expired, unknown_kind, unknown_handling, unknown_origin, wrong_origin, consent_missing,
    not_origin, wrong_signature.
    """

    def __init__(self, code: str, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code


class EnvelopeRefusedError(ExchangeError):
    """An envelope is refused whole: nothing in it was read, and the sender still has it.

    code: bad_form, too_large, wrong_protocol, wrong_recipient, unknown_sender, suspended_sender, not_your_certificate,
    unknown_key, cannot_open, wrong_signature, mismatch, wrong_root, envelope_reused, too_many_gaps, too_fast.
    """

    code = "envelope_refused"

    def __init__(self, code: str, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code


class TooFastError(EnvelopeRefusedError):
    """The sender is far beyond the load limit that we published; nothing was taken. Code: too_fast."""

    def __init__(self, what: str, *, retry_after_seconds: int, where: str = "", remedy: str = "") -> None:
        super().__init__("too_fast", what, where=where, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds


class ReceiptRefusedError(ExchangeError):
    """An answer does not prove what it says: the messages stay in the outbox."""

    code = "bad_receipt"


class InvitationError(ExchangeError):
    """An invitation file cannot be read or does not hold what it says."""

    code = "bad_invitation"


class PartnerUnknownError(ExchangeError):
    """No partner of that administration has been introduced."""

    code = "unknown_partner"


class PartnerStateError(ExchangeError):
    """The partner is in a state that does not allow this."""

    code = "partner_state"


class FingerprintMismatchError(ExchangeError):
    """The key document is not the one whose fingerprint was read out."""

    code = "fingerprint_mismatch"


class MessageUnknownError(ExchangeError):
    """No message of that id was sent or received here."""

    code = "unknown_message"


class MessagePurgedError(ExchangeError):
    """What a message said is no longer here: its origin took it back, or its time ran out."""

    code = "message_purged"


class StrengthMissingError(ExchangeError):
    """An agreement asks for a stronger seal or a second signature, and one end has no key for it.

    code: weaker_seal, second_signature_missing.
    """

    code = "weaker_seal"

    def __init__(self, code: str, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code


class TransportError(ExchangeError):
    """The partner's node could not be reached, or it broke off: try again later."""

    code = "unreachable"


class CarriedFormError(ExchangeError):
    """What was fetched or carried is not in its form: nothing in it was taken."""

    code = "bad_file"
