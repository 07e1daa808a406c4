"""TLS contexts. A partner's own authority, from its signed key document, is the only anchor for that partner."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from comity.trust import Keyring


def client_context(keyring: Keyring, authority_pem: str) -> ssl.SSLContext:
    """For connecting to the partner that this authority certifies. Host names are checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=authority_pem)
    _load_own(context, keyring)
    return context


def server_context(keyring: Keyring) -> ssl.SSLContext:
    """For the partner port: nobody connects without a certificate of a known authority. Anchors are added later."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    # Partners keep their connections; tickets would only cost them.
    context.num_tickets = 0
    _load_own(context, keyring)
    return context


def _load_own(context: ssl.SSLContext, keyring: Keyring) -> None:
    """The ssl module takes a certificate only from a file: it lives for this call, readable by us alone."""
    handle, name = tempfile.mkstemp(prefix="comity-", suffix=".pem")
    try:
        with os.fdopen(handle, "w") as target:
            target.write(keyring.tls_certificate_pem + keyring.tls_key_pem)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
