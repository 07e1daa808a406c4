"""TLS contexts. A partner's own authority, from its signed key document, is the only anchor for that partner."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

from comity.trust import Keyring


class OwnContext(ssl.SSLContext):
    """Shows our certificate as the keyring has it at each handshake: one that was renewed needs no restart."""

    _keyring: Keyring
    _shown = ""

    def show(self, keyring: Keyring) -> None:
        """Show the certificate of this keyring, which may change under our hands."""
        self._keyring = keyring
        self._load()

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Called by the loop for each connection."""
        self._load()
        return super().wrap_bio(*arguments, **options)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As `wrap_bio`, for connections outside of a loop."""
        self._load()
        return super().wrap_socket(*arguments, **options)

    def _load(self) -> None:
        certificate, key = self._keyring.tls_certificate_pem, self._keyring.tls_key_pem
        if certificate != self._shown:
            _load_own(self, certificate + key)
            self._shown = certificate


def client_context(keyring: Keyring, authority_pem: str) -> ssl.SSLContext:
    """For connecting to the partner that this authority certifies. Host names are checked."""
    context = OwnContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=authority_pem)
    context.show(keyring)
    return context


def server_context(keyring: Keyring) -> ssl.SSLContext:
    """For the partner port: nobody connects without a certificate of a known authority. Anchors are added later."""
    context = OwnContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    # Partners keep their connections; tickets would only cost them.
    context.num_tickets = 0
    context.show(keyring)
    return context


def _load_own(context: ssl.SSLContext, pem: str) -> None:
    """The ssl module takes a certificate only from a file: it lives for this call, readable by us alone."""
    handle, name = tempfile.mkstemp(prefix="comity-", suffix=".pem")
    try:
        with os.fdopen(handle, "w") as target:
            target.write(pem)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
