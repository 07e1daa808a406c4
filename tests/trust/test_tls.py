"""Certificates: real handshakes in memory, path validation by `cryptography`, a foreign authority refused."""

from __future__ import annotations

import contextlib
import ssl
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import given

from comity.common import utc_now
from comity.trust import CertificateError, PemPair, make_authority, make_certificate
from comity.trust.tls import check_issued_by, check_key_pair, read_certificate
from tests.trust.strategies import AT, changed, differences, positions

AUTHORITY = make_authority("XA", AT)
NODE = make_certificate(AUTHORITY, "XA", ["alfa.example", "127.0.0.1", "::1"], AT)
NODE_NUMBERS = load_pem_private_key(NODE.key.encode(), None).private_numbers()


def load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def builder(at: datetime, authority: str = AUTHORITY.certificate) -> PolicyBuilder:
    return PolicyBuilder().store(Store([load(authority)])).time(at)


@pytest.mark.parametrize("host", [x509.DNSName("alfa.example"), x509.IPAddress(ip_address("127.0.0.1"))])
def test_valid_as_server(host: x509.DNSName | x509.IPAddress) -> None:
    chain = builder(AT).build_server_verifier(host).verify(load(NODE.certificate), [])
    assert chain[-1] == load(AUTHORITY.certificate)


def test_valid_as_client_and_bound_to_its_hosts() -> None:
    verified = builder(AT).build_client_verifier().verify(load(NODE.certificate), [])
    assert verified.subjects is not None
    assert [str(subject.value) for subject in verified.subjects] == ["alfa.example", "127.0.0.1", "::1"]


def test_other_host_and_other_authority_are_refused() -> None:
    with pytest.raises(VerificationError):
        builder(AT).build_server_verifier(x509.DNSName("bravo.example")).verify(load(NODE.certificate), [])
    foreign = make_authority("XA", AT)
    with pytest.raises(VerificationError):
        builder(AT, foreign.certificate).build_client_verifier().verify(load(NODE.certificate), [])


@pytest.mark.parametrize(
    ("days", "is_valid"), [(-2, False), (-1, True), (0, True), (729, True), (731, False), (4000, False)]
)
def test_dates(days: int, is_valid: bool) -> None:
    verifier = builder(AT + timedelta(days=days)).build_client_verifier()
    if is_valid:
        verifier.verify(load(NODE.certificate), [])
    else:
        with pytest.raises(VerificationError):
            verifier.verify(load(NODE.certificate), [])


def test_keys_are_p256_and_serials_differ() -> None:
    key = load(NODE.certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    again = make_certificate(AUTHORITY, "XA", ["alfa.example"], AT)
    assert load(again.certificate).serial_number != load(NODE.certificate).serial_number


def test_authority_issues_no_other_authority() -> None:
    constraints = load(AUTHORITY.certificate).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    leaf = load(NODE.certificate).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not leaf.ca


def test_mutual_handshake(tmp_path: Path) -> None:
    at = utc_now()  # OpenSSL reads the system clock itself
    alfa, bravo = make_authority("XA", at), make_authority("XB", at)
    server = context(tmp_path, make_certificate(alfa, "XA", ["localhost"], at), bravo, ssl.PROTOCOL_TLS_SERVER)
    client = context(tmp_path, make_certificate(bravo, "XB", ["localhost"], at), alfa, ssl.PROTOCOL_TLS_CLIENT)
    seen_by_server, seen_by_client = shake_hands(server, client)
    assert ("commonName", "Comity node of XB") in names(seen_by_server)
    assert ("commonName", "Comity node of XA") in names(seen_by_client)


def test_client_of_another_authority_is_refused(tmp_path: Path) -> None:
    at = utc_now()
    alfa, bravo = make_authority("XA", at), make_authority("XB", at)
    server = context(tmp_path, make_certificate(alfa, "XA", ["localhost"], at), bravo, ssl.PROTOCOL_TLS_SERVER)
    stranger = trustme.CA()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=alfa.certificate)
    stranger.issue_cert("localhost").configure_cert(client)
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate"):
        shake_hands(server, client)


def test_server_of_another_authority_is_refused(tmp_path: Path) -> None:
    at = utc_now()
    alfa, bravo = make_authority("XA", at), make_authority("XB", at)
    server = context(tmp_path, make_certificate(alfa, "XA", ["localhost"], at), bravo, ssl.PROTOCOL_TLS_SERVER)
    client = context(tmp_path, make_certificate(bravo, "XB", ["localhost"], at), bravo, ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client)


def test_authority_parts_must_belong_together() -> None:
    mixed = PemPair(AUTHORITY.certificate, make_authority("XA", AT).key)
    with pytest.raises(CertificateError, match="does not belong"):
        make_certificate(mixed, "XA", ["a.example"], AT)


def test_authority_must_be_readable() -> None:
    for broken in (PemPair("", AUTHORITY.key), PemPair("\ud800", AUTHORITY.key), PemPair(AUTHORITY.certificate, "x")):
        with pytest.raises(CertificateError):
            make_certificate(broken, "XA", ["a.example"], AT)


def test_rsa_authority_key_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(CertificateError, match="not on P-256"):
        make_certificate(PemPair(AUTHORITY.certificate, key.decode()), "XA", ["a.example"], AT)


def test_certificate_of_another_curve_is_refused() -> None:
    stranger = trustme.CA(key_type=trustme.KeyType.RSA).cert_pem.bytes().decode()
    with pytest.raises(CertificateError, match="not of a P-256 key"):
        read_certificate(stranger)


@given(positions, differences)
def test_changed_certificate_is_read_or_refused_and_never_crashes(position: int, difference: int) -> None:
    false = changed(AUTHORITY.certificate.encode(), position, difference).decode("latin-1")
    with contextlib.suppress(CertificateError):
        assert read_certificate(false).public_key()
    with contextlib.suppress(CertificateError):
        check_issued_by(NODE.certificate, false)


@given(positions, differences)
def test_changed_key_does_not_fit_its_certificate(position: int, difference: int) -> None:
    false = changed(NODE.key.encode(), position, difference).decode("latin-1")
    try:
        check_key_pair(PemPair(NODE.certificate, false), "test")
    except CertificateError:
        return
    assert load_pem_private_key(false.encode(), None).private_numbers() == NODE_NUMBERS


@pytest.mark.parametrize(("hosts", "message"), [([], "at least one host"), (["zoll-ä.example"], "Not a host name")])
def test_wrong_hosts_are_named(hosts: list[str], message: str) -> None:
    with pytest.raises(CertificateError, match=message):
        make_certificate(AUTHORITY, "XA", hosts, AT)


@pytest.mark.parametrize("administration", ["X" * 70, "\ud800"])
def test_name_that_no_certificate_can_carry(administration: str) -> None:
    with pytest.raises(CertificateError, match="cannot carry"):
        make_authority(administration, AT)


def context(folder: Path, own: PemPair, trusted: PemPair, protocol: int) -> ssl.SSLContext:
    made = ssl.SSLContext(protocol)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=trusted.certificate)
    path = folder / f"{protocol}.pem"
    path.write_text(own.certificate + own.key)
    made.load_cert_chain(path)
    return made


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[dict[str, object], dict[str, object]]:
    """A TLS handshake between two contexts over memory; the certificates that server and client saw."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = server.wrap_bio(to_server, to_client, server_side=True)
    there = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(4):
        for end in (there, here):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    seen_by_server, seen_by_client = here.getpeercert(), there.getpeercert()
    assert seen_by_server is not None
    assert seen_by_client is not None
    return seen_by_server, seen_by_client


def names(certificate: dict[str, object]) -> list[object]:
    subject = certificate["subject"]
    assert isinstance(subject, tuple)
    return [pair for group in subject for pair in group]
