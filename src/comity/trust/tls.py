"""Certificates for mutual TLS: one small authority for each node, P-256, by `cryptography`.

Partners learn the authority from the signed key document, so no public certification authority takes part. Ed25519
certificates are refused by common path validation, so TLS keys are P-256 while statements are signed with Ed25519.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from comity.trust.errors import CertificateError

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 730
# While an authority gives way to the next one, both are named.
MAX_AUTHORITIES = 2
# A partner whose clock is behind must not find a fresh certificate not yet valid.
CLOCK_TOLERANCE = timedelta(days=1)

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_PEM = re.compile(f"{_BEGIN}(.*?){_END}", re.DOTALL)

# What `cryptography` raises for bytes that are no certificate or key: a key of another algorithm's length is an
# InternalError, a serial number that RFC 5280 forbids is a warning, which refuses where warnings are errors.
_UNREADABLE = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    UnsupportedAlgorithm,
    InternalError,
    CryptographyDeprecationWarning,
)


class PemPair(NamedTuple):
    """A certificate and its private key, both PEM text; the key is unencrypted PKCS#8."""

    certificate: str
    key: str


def make_authority(administration: str, at: datetime) -> PemPair:
    """The self-signed authority that issues a node's TLS certificates; it can issue no other authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Comity authority of {administration}", administration)
    builder = _builder(name, name, key.public_key(), at, AUTHORITY_DAYS)
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def make_certificate(authority: PemPair, administration: str, hosts: Sequence[str], at: datetime) -> PemPair:
    """A certificate of a node, for its server and its client side.

    hosts: DNS names and IP addresses by which partners reach the node. Raises: CertificateError.
    """
    if not hosts:
        raise CertificateError(
            "A certificate needs at least one host", remedy="Name the host that partners connect to."
        )
    issuer_key = _read_key(authority.key)
    issuer = next((each for each in read_authorities(authority.certificate) if _is_pair(each, issuer_key)), None)
    if issuer is None:
        raise CertificateError(
            "The authority's key does not belong to its certificate",
            remedy="Restore authority.crt and authority.key from the same backup.",
        )
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Comity node of {administration}", administration)
    builder = _builder(name, issuer.subject, key.public_key(), at, CERTIFICATE_DAYS)
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([_host_name(host) for host in hosts]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return _pair(builder.sign(issuer_key, hashes.SHA256()), key)


def read_certificate(pem: str) -> x509.Certificate:
    """Parse one PEM certificate of a P-256 key.

    Raises: CertificateError.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        public = certificate.public_key()
    except _UNREADABLE as error:
        raise CertificateError(
            "Not a certificate in PEM", remedy="Copy it whole, with its BEGIN and END lines."
        ) from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise CertificateError("The certificate is not of a P-256 key", remedy="Use the certificate that Comity made.")
    return certificate


def read_authorities(pem: str) -> tuple[x509.Certificate, ...]:
    """Parse the PEM certificates of a node's authorities: one, or two while the first gives way to the second.

    Raises: CertificateError.
    """
    parts = split_pem(pem)
    if len(parts) > MAX_AUTHORITIES:
        raise CertificateError("Too many authorities", where=f"{len(parts)}", remedy=f"At most {MAX_AUTHORITIES}.")
    return tuple(read_certificate(part) for part in parts or ("",))


def split_pem(pem: str) -> tuple[str, ...]:
    """The certificates in a PEM text, each as a text of its own; what stands between them is left out."""
    return tuple(f"{_BEGIN}{body}{_END}\n" for body in _PEM.findall(pem))


def is_key_of(certificate_pem: str, key_pem: str) -> bool:
    """Whether a private key belongs to a certificate.

    Raises: CertificateError.
    """
    return _is_pair(read_certificate(certificate_pem), _read_key(key_pem))


def certificate_ends(pem: str) -> datetime:
    """When a certificate is no longer valid; of several, the first.

    Raises: CertificateError.
    """
    return read_certificate(pem).not_valid_after_utc


def check_key_pair(pair: PemPair, what: str) -> None:
    """Check that a certificate and a key are readable and belong together; of two certificates, one of them.

    Raises: CertificateError naming `what`.
    """
    key = _read_key(pair.key)
    if not any(_is_pair(each, key) for each in read_authorities(pair.certificate)):
        raise CertificateError(
            f"The key of the {what} does not belong to its certificate",
            remedy="Restore both files from the same backup.",
        )


def check_issued_by(certificate_pem: str, authority_pem: str) -> None:
    """Check that the key of an authority, or of one of two, signed a certificate.

    Raises: CertificateError.
    """
    if not is_issued_by(read_certificate(certificate_pem), authority_pem):
        raise CertificateError(
            "The TLS certificate was not issued by this authority",
            where="tls.crt",
            remedy="Restore both from the same backup, or issue the certificate again.",
        )


def is_issued_by(certificate: x509.Certificate, authority_pem: str) -> bool:
    """Whether the key of an authority, or of one of two, signed a certificate. Its dates are not looked at.

    Raises: CertificateError where an authority cannot be read.
    """
    return any(_has_signed(issuer, certificate) for issuer in read_authorities(authority_pem))


def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    return certificate.public_key() == key.public_key()


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, at: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - CLOCK_TOLERANCE)
        .not_valid_after(at + timedelta(days=days))
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str, administration: str) -> x509.Name:
    try:
        organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, administration)
        return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    except ValueError as error:
        raise CertificateError(
            "A certificate cannot carry this administration",
            where=ascii(administration)[:80],
            remedy="Use its two-letter code, as XA.",
        ) from error


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise CertificateError(
            "Not a host name", where=ascii(host)[:80], remedy="Write international names in their xn-- form."
        ) from error


def _read_key(pem: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except _UNREADABLE as error:
        raise CertificateError(
            "Not an unencrypted private key in PEM", remedy="Copy it whole, with its BEGIN and END lines."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError("The private key is not on P-256", remedy="Use the key that Comity made for TLS.")
    return key


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> PemPair:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return PemPair(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())
