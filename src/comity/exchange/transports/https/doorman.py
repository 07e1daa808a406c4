"""Who may say that he is whom: the certificate of a connection must come from the authority in the key document of the
sender that the header names."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from cryptography import x509

from comity.exchange.arrivals import suspended
from comity.exchange.directory import Peer, load_peers
from comity.exchange.envelope import read_header
from comity.exchange.errors import EnvelopeRefusedError
from comity.trust import CertificateError
from comity.trust import is_issued_by as is_certificate_of

logger = logging.getLogger(__name__)


class Doorman:
    """Knows the partners' authorities and adds those of new partners to the live TLS context. Any thread may ask it.

    An authority that is no longer in any key document can still shake hands, but speaks for nobody.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._peers: Mapping[str, Peer] = {}
        self._anchors: set[str] = set()
        self._read_at: datetime | None = None
        self._lock = threading.Lock()

    def refresh(self, at: datetime, seconds: float) -> None:
        """Read the partners anew where the last time is longer ago than this."""
        with self._lock:
            if self._read_at is not None and 0 <= (at - self._read_at).total_seconds() < seconds:
                return
            self._peers, self._read_at = load_peers(), at
            for peer in self._peers.values():
                authority = peer.keys.tls_authority_pem
                if authority not in self._anchors:
                    self._context.load_verify_locations(cadata=authority)
                    self._anchors.add(authority)

    def check(self, certificate: bytes, envelope: bytes, at: datetime) -> None:
        """Step R2: the header's sender is who connected.

        Raises: EnvelopeRefusedError (those of the header, unknown_sender, not_your_certificate).
        """
        self.check_sender(certificate, read_header(envelope).sender, at)

    def check_sender(self, certificate: bytes, sender: str, at: datetime) -> None:
        """As `check`, for a named sender."""
        if not self._is_bound(certificate, sender):
            self.refresh(at, 0)
            if not self._is_bound(certificate, sender):
                raise self._refused(sender)

    def identify(self, certificate: bytes, sender: str, at: datetime) -> Peer:
        """Who connected: the partner that he says he is; without a word, the only one whose certificate it is.

        Raises: EnvelopeRefusedError (unknown_sender, not_your_certificate, suspended_sender).
        """
        named = sender or self._owner(certificate, at)
        self.check_sender(certificate, named, at)
        peer = self._peers[named]
        if peer.is_suspended:
            raise suspended(named)
        return peer

    def _owner(self, certificate: bytes, at: datetime) -> str:
        owners = [code for code in self._peers if self._is_bound(certificate, code)]
        if not owners:
            self.refresh(at, 0)
            owners = [code for code in self._peers if self._is_bound(certificate, code)]
        # A partner might name another's authority as its own: then nobody is taken for it unasked.
        if len(owners) != 1:
            raise EnvelopeRefusedError(
                "not_your_certificate",
                "The TLS certificate of this connection does not say who asks",
                where="certificate",
                remedy="Name yourself in the query: ?sender=XA.",
            )
        return owners[0]

    def _is_bound(self, certificate: bytes, sender: str) -> bool:
        peer = self._peers.get(sender)
        return peer is not None and is_issued_by(certificate, peer.keys.tls_authority_pem)

    def _refused(self, sender: str) -> EnvelopeRefusedError:
        if sender not in self._peers:
            return EnvelopeRefusedError(
                "unknown_sender",
                f"{sender[:16]} has not been introduced here",
                where="sender",
                remedy="Send an invitation (`comity partner invite`) and have it introduced.",
            )
        return EnvelopeRefusedError(
            "not_your_certificate",
            f"The TLS certificate of this connection is not one of {sender}",
            where="sender",
            remedy="Connect with the certificate that the authority in your key document issued.",
        )


@lru_cache(maxsize=4096)
def is_issued_by(certificate: bytes, authority_pem: str) -> bool:
    """Whether this authority, or one of two, signed the certificate (DER). Its dates were checked in the handshake."""
    try:
        return is_certificate_of(x509.load_der_x509_certificate(certificate), authority_pem)
    except (ValueError, TypeError, CertificateError):
        return False
