"""The files that a node's keys are kept in. Pure: the node reads and writes them, this module knows their contents.

A key that gave way lies under the name of its use with its id: former-encryption-<keyid>.key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from comity.trust.dsse import SignedStatement
from comity.trust.errors import KeyringError
from comity.trust.hybrid import HybridKey
from comity.trust.keydocument import MAX_KEY_DOCUMENT_BYTES, KeyDocument
from comity.trust.keyring import FormerKeys, Keyring
from comity.trust.keys import RecipientKey, Signer, SigningKey
from comity.trust.notes import LogSigner, LogVerifier, NoteKind
from comity.trust.second import SecondSigningKey
from comity.trust.tls import PemPair, check_issued_by, check_key_pair

SIGNING, ENCRYPTION, LOG, COSIGNER = "signing.key", "encryption.key", "log.key", "cosigner.key"
HYBRID, SECOND = "hybrid.key", "second.key"
_TLS_CERTIFICATE, _TLS_KEY = "tls.crt", "tls.key"
_AUTHORITY_CERTIFICATE, _AUTHORITY_KEY, _NEXT_KEY = "authority.crt", "authority.key", "authority-next.key"
DOCUMENT = "node.keydoc.json"
FILE_NAMES = (
    SIGNING,
    ENCRYPTION,
    LOG,
    COSIGNER,
    _TLS_CERTIFICATE,
    _TLS_KEY,
    _AUTHORITY_CERTIFICATE,
    _AUTHORITY_KEY,
    DOCUMENT,
)
_RESTORE = "Restore the whole keys folder from one backup."
_SEED = re.compile(r"[0-9a-f]{64}\n")
_Key = TypeVar("_Key")


def keyring_files(keyring: Keyring) -> dict[str, bytes]:
    """The contents of each file by its name; all are secret except the certificates and the key document.

    A key that a token holds has no file.
    """
    files = {
        SIGNING: _signing_pem(keyring.signing),
        ENCRYPTION: _recipient_pem(keyring.encryption),
        LOG: _signing_pem(keyring.log.key),
        COSIGNER: _signing_pem(keyring.cosigner.key),
        _TLS_CERTIFICATE: keyring.tls_certificate_pem.encode(),
        _TLS_KEY: keyring.tls_key_pem.encode(),
        _AUTHORITY_CERTIFICATE: keyring.tls_authority_pem.encode(),
        _AUTHORITY_KEY: keyring.tls_authority_key_pem.encode(),
        DOCUMENT: keyring.key_statement.to_bytes(),
        HYBRID: _hybrid_text(keyring.hybrid) if keyring.hybrid else b"",
        SECOND: _second_pem(keyring.second) if keyring.second else b"",
        _NEXT_KEY: keyring.tls_next_key_pem.encode(),
    }
    former = keyring.former
    files |= {_former_name(SIGNING, key.verify_key.keyid): _signing_pem(key) for key in former.signing}
    files |= {_former_name(ENCRYPTION, key.public.keyid): _recipient_pem(key) for key in former.encryption}
    files |= {_former_name(HYBRID, key.public.keyid): _hybrid_text(key) for key in former.hybrid}
    files |= {_former_name(SECOND, key.verify_key.keyid): _second_pem(key) for key in former.second}
    return {name: content for name, content in files.items() if content}


def keyring_from_files(files: Mapping[str, bytes], *, held: Mapping[str, Signer] | None = None) -> Keyring:
    """The keyring of the files; other names are left alone.

    held: keys that a token holds, by the name of the file that they have no need of.
    Raises: KeyringError where a file is missing or is not what its name says; other TrustErrors for the key document.
    """
    held = held or {}
    statement = SignedStatement.from_bytes(_file(files, DOCUMENT), limit=MAX_KEY_DOCUMENT_BYTES)
    document = KeyDocument.from_payload(statement.payload)
    certificate = PemPair(_text_file(files, _TLS_CERTIFICATE), _text_file(files, _TLS_KEY))
    authority = PemPair(_text_file(files, _AUTHORITY_CERTIFICATE), _text_file(files, _AUTHORITY_KEY))
    next_key = _text_file(files, _NEXT_KEY) if _NEXT_KEY in files else ""
    check_key_pair(certificate, "TLS certificate (tls.crt, tls.key)")
    check_key_pair(authority, "authority (authority.crt, authority.key)")
    check_issued_by(certificate.certificate, authority.certificate)
    if next_key:
        check_key_pair(PemPair(authority.certificate, next_key), "next authority (authority.crt, authority-next.key)")
    cosigner_name = LogVerifier.from_vkey(document.cosigner_vkey).name
    return Keyring(
        administration=document.administration,
        name=document.name,
        signing=held.get(SIGNING) or _read_signing_key(files, SIGNING),
        encryption=_read_recipient_key(files, ENCRYPTION),
        log=LogSigner(document.log_origin, held.get(LOG) or _read_signing_key(files, LOG)),
        cosigner=LogSigner(
            cosigner_name, held.get(COSIGNER) or _read_signing_key(files, COSIGNER), NoteKind.COSIGNATURE
        ),
        tls_certificate_pem=certificate.certificate,
        tls_key_pem=certificate.key,
        tls_authority_pem=authority.certificate,
        tls_authority_key_pem=authority.key,
        key_document=document,
        key_statement=statement,
        hybrid=_read_hybrid_key(files, HYBRID) if HYBRID in files else None,
        second=_read_second_key(files, SECOND) if SECOND in files else None,
        former=_read_former(files, held, document),
        tls_next_key_pem=next_key,
    )


def read_former_keys(files: Mapping[str, bytes]) -> FormerKeys:
    """The sealing keys in these files that can be read, present ones too: after a loss they open what is on its way."""
    return FormerKeys(
        encryption=_readable(files, ENCRYPTION, _read_recipient_key),
        hybrid=_readable(files, HYBRID, _read_hybrid_key),
    )


def read_log_key(files: Mapping[str, bytes], name: str) -> SigningKey | None:
    """The log's or cosigner's key in these files, None where it is gone or cannot be read."""
    try:
        return _read_signing_key(files, name)
    except KeyringError:
        return None


def _readable(
    files: Mapping[str, bytes], name: str, read: Callable[[Mapping[str, bytes], str], _Key]
) -> tuple[_Key, ...]:
    found = []
    for each in (name, *_former_names(files, name)):
        try:
            found.append(read(files, each))
        except KeyringError:
            continue
    return tuple(found)


def _read_former(files: Mapping[str, bytes], held: Mapping[str, Signer], document: KeyDocument) -> FormerKeys:
    """In the order of the key document: the latest first."""
    signing = [_former_name(SIGNING, each.keyid) for each in document.signing_keys]
    encryption = [_former_name(ENCRYPTION, each.keyid) for each in document.encryption_keys]
    hybrid = [_former_name(HYBRID, each.keyid) for each in document.hybrid_keys]
    second = [_former_name(SECOND, each.keyid) for each in document.second_signing_keys]
    return FormerKeys(
        signing=tuple(
            held.get(name) or _read_signing_key(files, name) for name in signing if name in held or name in files
        ),
        encryption=tuple(_read_recipient_key(files, name) for name in encryption if name in files),
        hybrid=tuple(_read_hybrid_key(files, name) for name in hybrid if name in files),
        second=tuple(_read_second_key(files, name) for name in second if name in files),
    )


def _former_names(files: Mapping[str, bytes], name: str) -> list[str]:
    return sorted(each for each in files if each.startswith(f"former-{name.removesuffix('.key')}-"))


def _former_name(name: str, keyid: str) -> str:
    return f"former-{name.removesuffix('.key')}-{keyid}.key"


def _signing_pem(key: Signer) -> bytes:
    return _to_pem(Ed25519PrivateKey.from_private_bytes(key.seed)) if isinstance(key, SigningKey) else b""


def _recipient_pem(key: RecipientKey) -> bytes:
    return _to_pem(X25519PrivateKey.from_private_bytes(key.raw))


def _second_pem(key: SecondSigningKey) -> bytes:
    return _to_pem(MLDSA44PrivateKey.from_seed_bytes(key.seed))


def _hybrid_text(key: HybridKey) -> bytes:
    """PKCS#8 has no form for X-Wing yet: its seed in hex."""
    return key.seed.hex().encode() + b"\n"


def _to_pem(key: Ed25519PrivateKey | X25519PrivateKey | MLDSA44PrivateKey) -> bytes:
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


def _read_second_key(files: Mapping[str, bytes], name: str) -> SecondSigningKey:
    key = _from_pem(files, name)
    if not isinstance(key, MLDSA44PrivateKey):
        raise KeyringError("Not an ML-DSA-44 private key", where=name, remedy=_RESTORE)
    return SecondSigningKey.from_seed(key.private_bytes_raw())


def _read_hybrid_key(files: Mapping[str, bytes], name: str) -> HybridKey:
    text = _text_file(files, name)
    if not _SEED.fullmatch(text):
        raise KeyringError("Not the seed of a hybrid key in hex", where=name, remedy=_RESTORE)
    return HybridKey.from_seed(bytes.fromhex(text))


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
