"""Steps R1 to R6: from bytes off the wire to an envelope whose sender, signature and root hold. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from comity.exchange.directory import Peer
from comity.exchange.envelope import (
    ENVELOPE_TYPE,
    Contents,
    Header,
    check_contents,
    open_envelope,
    read_contents,
)
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.limits import Limits
from comity.trust import HybridKey, Keyring, OpeningKey, SignedStatement, TrustError, sha256_hex, verify_statement


@dataclass(frozen=True, slots=True)
class Arrival:
    """An envelope that may be read. number: its place in the group. statement_sha256: hex, of the signed payload.

    is_hybrid: it was sealed with both KEMs. is_doubly_signed: its statement carries a second signature that holds.
    """

    number: int
    peer: Peer
    contents: Contents
    statement: bytes
    statement_sha256: str
    messages: tuple[bytes, ...]
    is_hybrid: bool = False
    is_doubly_signed: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes an envelope the same envelope: sender and envelope id."""
        return self.contents.sender, self.contents.envelope


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens the envelopes of one group."""

    keyring: Keyring
    peers: Mapping[str, Peer]
    limits: Limits
    at: datetime

    def open(self, number: int, data: bytes, header: Header) -> Arrival:
        """Steps R2 to R6.

        Raises: EnvelopeRefusedError.
        """
        peer = self._sender(header)  # R2
        key = self._opening_key(header)  # R3
        opened = open_envelope(data, header, key, limits=self.limits)  # R4
        try:
            verify_statement(opened.statement, peer.signing_keys(self.at), payload_type=ENVELOPE_TYPE)  # R5
        except TrustError as error:
            raise EnvelopeRefusedError(
                "wrong_signature", error.what, where=error.where or "statement", remedy=error.remedy
            ) from error
        contents = read_contents(opened.statement.payload)
        check_contents(contents, opened)  # R6
        return Arrival(
            number=number,
            peer=peer,
            contents=contents,
            statement=opened.statement.to_bytes(),
            statement_sha256=sha256_hex(opened.statement.payload),
            messages=opened.messages,
            is_hybrid=isinstance(key, HybridKey),
            is_doubly_signed=bool(contents.second_signature) and self._has_second(opened.statement, peer),
        )

    def _has_second(self, statement: SignedStatement, peer: Peer) -> bool:
        """Step R5, where the statement says so; whether it had to, the agreement of each message decides (R9)."""
        try:
            verify_statement(statement, peer.second_keys(self.at), payload_type=ENVELOPE_TYPE)
        except TrustError:
            return False
        return True

    def _sender(self, header: Header) -> Peer:
        peer = self.peers.get(header.sender)
        if peer is None:
            raise EnvelopeRefusedError(
                "unknown_sender",
                f"{header.sender} has not been introduced here",
                where="sender",
                remedy="Send an invitation (`comity partner invite`) and have it introduced.",
            )
        if peer.is_suspended:
            raise suspended(header.sender)
        return peer

    def _opening_key(self, header: Header) -> OpeningKey:
        if header.recipient != self.keyring.administration:
            raise EnvelopeRefusedError(
                "wrong_recipient",
                f"This is the node of {self.keyring.administration}, not of {header.recipient}",
                where="recipient",
                remedy="Check the endpoint of the partner.",
            )
        key = self.keyring.opening_key(header.key)
        if key is None:
            raise EnvelopeRefusedError(
                "unknown_key",
                "The envelope is sealed to a key that is not in use here",
                where="key",
                remedy="Take our present key document and seal it again.",
            )
        return key


def suspended(sender: str) -> EnvelopeRefusedError:
    """The refusal of what comes from a suspended partner."""
    return EnvelopeRefusedError(
        "suspended_sender",
        f"The exchange with {sender} is suspended here",
        where="sender",
        remedy="Nothing is lost: it is sent again. Ask the contact point why.",
    )
