"""Every private key of a node in one value, and the files it is kept in.

Pure: the node reads and writes the files, this module only knows their names and contents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from comity.trust.dsse import SignedStatement, verify_statement
from comity.trust.errors import KeyringError
from comity.trust.keydocument import KEY_DOCUMENT_TYPE, MAX_KEY_DOCUMENT_BYTES, KeyDocument, KeyEntry, sign_key_document
from comity.trust.keys import RecipientKey, SigningKey
from comity.trust.notes import LogSigner, LogVerifier, NoteKind
from comity.trust.tls import PemPair, check_issued_by, check_key_pair, make_authority, make_certificate

DOCUMENT_DAYS = 365
KEY_DAYS = 730

_SIGNING, _ENCRYPTION, _LOG, _COSIGNER = "signing.key", "encryption.key", "log.key", "cosigner.key"
_TLS_CERTIFICATE, _TLS_KEY = "tls.crt", "tls.key"
_AUTHORITY_CERTIFICATE, _AUTHORITY_KEY = "authority.crt", "authority.key"
_DOCUMENT = "node.keydoc.json"
FILE_NAMES = (
    _SIGNING,
    _ENCRYPTION,
    _LOG,
    _COSIGNER,
    _TLS_CERTIFICATE,
    _TLS_KEY,
    _AUTHORITY_CERTIFICATE,
    _AUTHORITY_KEY,
    _DOCUMENT,
)
_RESTORE = "Restore the whole keys folder from one backup."


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one node; the private ones never show in a repr.

    signing: for statements. encryption: opens seals. log: signs the own checkpoints. cosigner: cosigns partners'.
    key_statement: the key document as signed, which is what partners are given.

    Raises: KeyringError where a key is not the one that the key document names, SignatureError where the present key
    did not sign the document.
    """

    administration: str
    name: str
    signing: SigningKey = field(repr=False)
    encryption: RecipientKey = field(repr=False)
    log: LogSigner = field(repr=False)
    cosigner: LogSigner = field(repr=False)
    tls_certificate_pem: str = field(repr=False)
    tls_key_pem: str = field(repr=False)
    tls_authority_pem: str = field(repr=False)
    tls_authority_key_pem: str = field(repr=False)
    key_document: KeyDocument = field(repr=False)
    key_statement: SignedStatement = field(repr=False)

    def __post_init__(self) -> None:
        document = self.key_document
        claims = (
            ("administration", self.administration == document.administration),
            ("name", self.name == document.name),
            (_SIGNING, self.signing.verify_key.raw.hex() in {each.public for each in document.signing_keys}),
            (_ENCRYPTION, self.encryption.public.raw.hex() in {each.public for each in document.encryption_keys}),
            (_LOG, self.log.vkey == document.log_vkey),
            (_COSIGNER, self.cosigner.vkey == document.cosigner_vkey),
            (_AUTHORITY_CERTIFICATE, self.tls_authority_pem == document.tls_authority_pem),
            ("key_statement", self.key_statement.payload == document.to_payload()),
        )
        for what, is_same in claims:
            if not is_same:
                raise KeyringError("The key document names another key than the one held", where=what, remedy=_RESTORE)
        verify_statement(self.key_statement, [self.signing.verify_key], payload_type=KEY_DOCUMENT_TYPE)


def make_keyring(
    administration: str,
    name: str,
    endpoint_url: str,
    hosts: Sequence[str],
    at: datetime,
    *,
    log_origin: str = "",
) -> Keyring:
    """Fresh keys and the first key document of a node.

    hosts: names and addresses for the TLS certificate. log_origin: `comity.xa/log` for XA unless given.
    Raises: TrustError where a name, URL or host cannot stand in a document or certificate.
    """
    signing, encryption = SigningKey.generate(), RecipientKey.generate()
    origin = log_origin or f"comity.{administration.lower()}/log"
    log = LogSigner(origin, SigningKey.generate())
    cosigner = LogSigner(f"{origin}/cosigner", SigningKey.generate(), NoteKind.COSIGNATURE)
    authority = make_authority(administration, at)
    certificate = make_certificate(authority, administration, hosts, at)
    document = KeyDocument(
        administration=administration,
        name=name,
        version=1,
        issued_at=at,
        expires_at=at + timedelta(days=DOCUMENT_DAYS),
        endpoint_url=endpoint_url,
        signing_keys=(KeyEntry(signing.verify_key.raw.hex(), at, at + timedelta(days=KEY_DAYS)),),
        encryption_keys=(KeyEntry(encryption.public.raw.hex(), at, at + timedelta(days=KEY_DAYS)),),
        tls_authority_pem=authority.certificate,
        log_origin=origin,
        log_vkey=log.vkey,
        cosigner_vkey=cosigner.vkey,
    )
    return Keyring(
        administration=administration,
        name=name,
        signing=signing,
        encryption=encryption,
        log=log,
        cosigner=cosigner,
        tls_certificate_pem=certificate.certificate,
        tls_key_pem=certificate.key,
        tls_authority_pem=authority.certificate,
        tls_authority_key_pem=authority.key,
        key_document=document,
        key_statement=sign_key_document(document, signing),
    )


def renew_keyring(
    keyring: Keyring, hosts: Sequence[str], at: datetime, *, has_new_signing_key: bool = False
) -> Keyring:
    """The keyring with the next version of its key document, new dates and a new TLS certificate.

    With a new signing key the old one stays listed until its date, so that what is on its way still verifies; both
    sign the document, so that partners follow. Raises: TrustError where a host cannot stand in a certificate.
    """
    old, ends = keyring.key_document, at + timedelta(days=KEY_DAYS)
    signing = SigningKey.generate() if has_new_signing_key else keyring.signing
    document = replace(
        old,
        version=old.version + 1,
        issued_at=at,
        expires_at=at + timedelta(days=DOCUMENT_DAYS),
        signing_keys=_extended(old.signing_keys, signing.verify_key.raw.hex(), at, ends),
        encryption_keys=_extended(old.encryption_keys, keyring.encryption.public.raw.hex(), at, ends),
    )
    authority = PemPair(keyring.tls_authority_pem, keyring.tls_authority_key_pem)
    certificate = make_certificate(authority, keyring.administration, hosts, at)
    signers = (keyring.signing, signing) if has_new_signing_key else (signing,)
    return replace(
        keyring,
        signing=signing,
        tls_certificate_pem=certificate.certificate,
        tls_key_pem=certificate.key,
        key_document=document,
        key_statement=sign_key_document(document, *signers),
    )


def keyring_files(keyring: Keyring) -> dict[str, bytes]:
    """The contents of each file by its name; all are secret except the certificates and the key document."""
    return {
        _SIGNING: _signing_pem(keyring.signing),
        _ENCRYPTION: _to_pem(X25519PrivateKey.from_private_bytes(keyring.encryption.raw)),
        _LOG: _signing_pem(keyring.log.key),
        _COSIGNER: _signing_pem(keyring.cosigner.key),
        _TLS_CERTIFICATE: keyring.tls_certificate_pem.encode(),
        _TLS_KEY: keyring.tls_key_pem.encode(),
        _AUTHORITY_CERTIFICATE: keyring.tls_authority_pem.encode(),
        _AUTHORITY_KEY: keyring.tls_authority_key_pem.encode(),
        _DOCUMENT: keyring.key_statement.to_bytes(),
    }


def keyring_from_files(files: Mapping[str, bytes]) -> Keyring:
    """The keyring of the files; other names are left alone.

    Raises: KeyringError where a file is missing or is not what its name says; other TrustErrors for the key document.
    """
    statement = SignedStatement.from_bytes(_file(files, _DOCUMENT), limit=MAX_KEY_DOCUMENT_BYTES)
    document = KeyDocument.from_payload(statement.payload)
    certificate = PemPair(_text_file(files, _TLS_CERTIFICATE), _text_file(files, _TLS_KEY))
    authority = PemPair(_text_file(files, _AUTHORITY_CERTIFICATE), _text_file(files, _AUTHORITY_KEY))
    check_key_pair(certificate, "TLS certificate (tls.crt, tls.key)")
    check_key_pair(authority, "authority (authority.crt, authority.key)")
    check_issued_by(certificate.certificate, authority.certificate)
    cosigner_name = LogVerifier.from_vkey(document.cosigner_vkey).name
    return Keyring(
        administration=document.administration,
        name=document.name,
        signing=_read_signing_key(files, _SIGNING),
        encryption=_read_recipient_key(files, _ENCRYPTION),
        log=LogSigner(document.log_origin, _read_signing_key(files, _LOG)),
        cosigner=LogSigner(cosigner_name, _read_signing_key(files, _COSIGNER), NoteKind.COSIGNATURE),
        tls_certificate_pem=certificate.certificate,
        tls_key_pem=certificate.key,
        tls_authority_pem=authority.certificate,
        tls_authority_key_pem=authority.key,
        key_document=document,
        key_statement=statement,
    )


def _extended(entries: Sequence[KeyEntry], public: str, at: datetime, ends: datetime) -> tuple[KeyEntry, ...]:
    """The entries that are not past yet, and the key in use first with its new date."""
    present = next((each for each in entries if each.public == public), KeyEntry(public, at, ends))
    others = tuple(each for each in entries if each.public != public and each.not_after > at)
    return (replace(present, not_after=ends), *others)


def _signing_pem(key: SigningKey) -> bytes:
    return _to_pem(Ed25519PrivateKey.from_private_bytes(key.seed))


def _to_pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_signing_key(files: Mapping[str, bytes], name: str) -> SigningKey:
    key = _from_pem(files, name)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyringError("Not an Ed25519 private key", where=name, remedy=_RESTORE)
    return SigningKey.from_seed(key.private_bytes_raw())


def _read_recipient_key(files: Mapping[str, bytes], name: str) -> RecipientKey:
    key = _from_pem(files, name)
    if not isinstance(key, X25519PrivateKey):
        raise KeyringError("Not an X25519 private key", where=name, remedy=_RESTORE)
    return RecipientKey.from_raw(key.private_bytes_raw())


def _from_pem(files: Mapping[str, bytes], name: str) -> object:
    try:
        return serialization.load_pem_private_key(_file(files, name), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        # InternalError: OpenSSL's answer to a key whose length is another algorithm's.
        raise KeyringError("Not an unencrypted PKCS#8 private key in PEM", where=name, remedy=_RESTORE) from error


def _text_file(files: Mapping[str, bytes], name: str) -> str:
    try:
        return _file(files, name).decode("ascii")
    except UnicodeDecodeError as error:
        raise KeyringError("Not PEM text", where=name, remedy=_RESTORE) from error


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise KeyringError("A key file is missing", where=name, remedy=_RESTORE)
    return files[name]
