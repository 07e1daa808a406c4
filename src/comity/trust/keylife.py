"""The life of a node's keys: made, renewed, withdrawn, begun anew after a loss. Pure: each gives a new keyring.

Log and cosigner keys live as long as the log: a log is its key (C2SP tlog-checkpoint), and receipts on their way carry
proofs that it signed. Only `recover_keyring` changes them, and then partners compare the fingerprint again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from comity.trust.errors import KeyringError
from comity.trust.hybrid import HybridKey
from comity.trust.keydocument import MAX_KEYS, KeyDocument, KeyEntry, sign_key_document
from comity.trust.keyring import FormerKeys, Keyring
from comity.trust.keys import RecipientKey, Signer, SigningKey
from comity.trust.notes import LogSigner, NoteKind
from comity.trust.second import SecondSigningKey
from comity.trust.tls import PemPair, is_key_of, make_authority, make_certificate, split_pem

DOCUMENT_DAYS = 365
KEY_DAYS = 730
_Key = TypeVar("_Key")
_USES = ("signing_keys", "encryption_keys", "hybrid_keys", "second_signing_keys")


@dataclass(frozen=True, slots=True)
class Renewal:
    """What gives way to a new key: signing (Ed25519 and ML-DSA-44), sealing (X25519 and hybrid), the TLS authority."""

    signing: bool = False
    sealing: bool = False
    authority: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """What is begun anew after a loss. log: the log's key where it is left; None: a new log of the name `log_origin`.

    cosigner: as for the log. signing: a key that was made elsewhere, as in a token. opening: sealing keys that are
    left, to open what is on its way. listed: the former key document, whose keys are listed as withdrawn.
    """

    version: int = 1
    signing: Signer | None = None
    log: LogSigner | None = None
    cosigner: LogSigner | None = None
    log_origin: str = ""
    opening: FormerKeys = field(default_factory=FormerKeys)
    listed: KeyDocument | None = None


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
    return recover_keyring(administration, name, endpoint_url, hosts, at, loss=Loss(log_origin=log_origin))


def recover_keyring(
    administration: str, name: str, endpoint_url: str, hosts: Sequence[str], at: datetime, *, loss: Loss
) -> Keyring:
    """Fresh keys and a key document that no earlier one vouches for: partners compare its fingerprint.

    What is left of the log is kept; the entries of the former document are listed as withdrawn.
    Raises: TrustError as for make_keyring.
    """
    signing: Signer = loss.signing or SigningKey.generate()
    encryption = RecipientKey.generate()
    hybrid, second = HybridKey.generate(), SecondSigningKey.generate()
    origin = loss.log_origin or f"comity.{administration.lower()}/log"
    log = loss.log or LogSigner(origin, SigningKey.generate())
    cosigner = loss.cosigner or LogSigner(f"{log.name}/cosigner", SigningKey.generate(), NoteKind.COSIGNATURE)
    authority = make_authority(administration, at)
    certificate = make_certificate(authority, administration, hosts, at)
    until = at + timedelta(days=KEY_DAYS)
    document = KeyDocument(
        administration=administration,
        name=name,
        version=loss.version,
        issued_at=at,
        expires_at=at + timedelta(days=DOCUMENT_DAYS),
        endpoint_url=endpoint_url,
        signing_keys=(KeyEntry(signing.verify_key.raw.hex(), at, until), *_withdrawn(loss, "signing_keys", at)),
        encryption_keys=(KeyEntry(encryption.public.raw.hex(), at, until), *_withdrawn(loss, "encryption_keys", at)),
        hybrid_keys=(KeyEntry(hybrid.public.raw.hex(), at, until), *_withdrawn(loss, "hybrid_keys", at)),
        second_signing_keys=(
            KeyEntry(second.verify_key.raw.hex(), at, until),
            *_withdrawn(loss, "second_signing_keys", at),
        ),
        tls_authority_pem=authority.certificate,
        log_origin=log.name,
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
        hybrid=hybrid,
        second=second,
        former=loss.opening,
    )


def renew_keyring(
    keyring: Keyring, hosts: Sequence[str], at: datetime, *, renewal: Renewal = Renewal(), signing: Signer | None = None
) -> Keyring:
    """The keyring with the next version of its key document, new dates and a new TLS certificate.

    A key that gives way stays listed until its date, and signs the document too, so that partners follow; a hybrid and
    a second key are added where there were none. signing: a key that was made elsewhere, as in a token, instead of a
    new one. Raises: TrustError where a host cannot stand in a certificate; KeyringError for an authority's renewal
    while one is under way.
    """
    old, is_new = keyring.key_document, renewal.signing or signing is not None
    fresh: Signer = signing or (SigningKey.generate() if is_new else keyring.signing)
    second = SecondSigningKey.generate() if is_new or keyring.second is None else keyring.second
    encryption = RecipientKey.generate() if renewal.sealing else keyring.encryption
    hybrid = HybridKey.generate() if renewal.sealing or keyring.hybrid is None else keyring.hybrid
    document = replace(
        old,
        version=old.version + 1,
        issued_at=at,
        expires_at=at + timedelta(days=DOCUMENT_DAYS),
        signing_keys=_extended(old.signing_keys, fresh.verify_key.raw, at),
        encryption_keys=_extended(old.encryption_keys, encryption.public.raw, at),
        hybrid_keys=_extended(old.hybrid_keys, hybrid.public.raw, at),
        second_signing_keys=_extended(old.second_signing_keys, second.verify_key.raw, at),
    )
    former = FormerKeys(
        signing=_former(fresh, keyring.signing, keyring.former.signing),
        encryption=_former(encryption, keyring.encryption, keyring.former.encryption),
        hybrid=_former(hybrid, keyring.hybrid, keyring.former.hybrid),
        second=_former(second, keyring.second, keyring.former.second),
    )
    authority = _next_authority(keyring, at) if renewal.authority else _present_authority(keyring)
    return _with_certificate(
        _reissued(
            keyring,
            replace(document, tls_authority_pem=authority.certificate),
            signing=fresh,
            encryption=encryption,
            hybrid=hybrid,
            second=second,
            former=_still_needed(former, document, at),
            tls_next_key_pem=authority.key,
        ),
        hosts,
        at,
    )


def revoke_key(
    keyring: Keyring, keyid: str, hosts: Sequence[str], at: datetime, *, signing: Signer | None = None
) -> Keyring:
    """The keyring with the next key document, in which a key is withdrawn from now on; one in use gives way first.

    It goes on signing beside the others, since who has not heard yet knows no other; who has heard ignores it.
    signing: a successor that was made elsewhere.
    Raises: KeyringError where no key of this id is listed or it was withdrawn before.
    """
    document = keyring.key_document
    use = next((name for name in _USES if any(each.keyid == keyid for each in getattr(document, name))), "")
    if not use or any(each.keyid == keyid for each in document.revoked_keys(at)):
        raise KeyringError(
            "No key of this id is in use here", where=keyid[:64], remedy="`comity keys show` lists them with their ids."
        )
    is_present = keyid in _present_ids(keyring)
    is_signing = use in ("signing_keys", "second_signing_keys")
    renewal = Renewal(signing=is_present and is_signing, sealing=is_present and not is_signing)
    renewed = renew_keyring(keyring, hosts, at, renewal=renewal, signing=signing)
    entries = tuple(
        replace(each, revoked_at=at) if each.keyid == keyid else each for each in getattr(renewed.key_document, use)
    )
    return _reissued(renewed, replace(renewed.key_document, **{use: entries}))  # type: ignore[arg-type]  # a list of keys


def renew_certificate(keyring: Keyring, hosts: Sequence[str], at: datetime) -> Keyring:
    """The keyring with a new TLS certificate of the same authority; partners need no news of it.

    Raises: CertificateError where a host cannot stand in a certificate.
    """
    return _with_certificate(keyring, hosts, at)


def switch_authority(keyring: Keyring, hosts: Sequence[str], at: datetime) -> Keyring:
    """The keyring whose certificate is of the next authority, once every partner knows it.

    The former one stays named until the next renewal of the keys. Raises: KeyringError where none is announced.
    """
    if not keyring.tls_next_key_pem:
        raise KeyringError("No authority was announced", remedy="Begin with `comity keys renew --tls`.")
    return _with_certificate(
        replace(keyring, tls_authority_key_pem=keyring.tls_next_key_pem, tls_next_key_pem=""), hosts, at
    )


def _reissued(keyring: Keyring, document: KeyDocument, **changes: object) -> Keyring:
    """With another key document, signed by every key held, so that whoever knows one of them can follow."""
    former = changes.get("former", keyring.former)
    signing = changes.get("signing", keyring.signing)
    signers = (signing, *former.signing, *keyring.signers)  # type: ignore[attr-defined]  # a FormerKeys
    unique = {each.verify_key.keyid: each for each in signers}
    return replace(
        keyring,
        key_document=document,
        key_statement=sign_key_document(document, *unique.values()),
        tls_authority_pem=document.tls_authority_pem,
        **changes,  # type: ignore[arg-type]  # fields of Keyring
    )


def _with_certificate(keyring: Keyring, hosts: Sequence[str], at: datetime) -> Keyring:
    authority = PemPair(keyring.tls_authority_pem, keyring.tls_authority_key_pem)
    certificate = make_certificate(authority, keyring.administration, hosts, at)
    return replace(keyring, tls_certificate_pem=certificate.certificate, tls_key_pem=certificate.key)


def _present_authority(keyring: Keyring) -> PemPair:
    """What is named from now on, and the key of the next authority: the one that gave way is named no longer."""
    if keyring.tls_next_key_pem:
        return PemPair(keyring.tls_authority_pem, keyring.tls_next_key_pem)
    return PemPair(_issuing(keyring), "")


def _next_authority(keyring: Keyring, at: datetime) -> PemPair:
    if keyring.tls_next_key_pem:
        raise KeyringError(
            "A new authority is announced already", remedy="It takes over by itself once every partner knows it."
        )
    following = make_authority(keyring.administration, at)
    return PemPair(_issuing(keyring) + following.certificate, following.key)


def _issuing(keyring: Keyring) -> str:
    """The certificate of the authority whose key is in use."""
    for each in split_pem(keyring.tls_authority_pem):
        if is_key_of(each, keyring.tls_authority_key_pem):
            return each
    raise KeyringError("The authority's key does not belong to its certificate", where="authority.key")


def _present_ids(keyring: Keyring) -> set[str]:
    ids = {keyring.signing.verify_key.keyid, keyring.encryption.public.keyid}
    if keyring.hybrid is not None:
        ids.add(keyring.hybrid.public.keyid)
    if keyring.second is not None:
        ids.add(keyring.second.verify_key.keyid)
    return ids


def _extended(entries: Sequence[KeyEntry], public: bytes, at: datetime) -> tuple[KeyEntry, ...]:
    """The key in use first, with its new date, then what was listed: it says which signatures of the past count."""
    ends = at + timedelta(days=KEY_DAYS)
    present = next((each for each in entries if each.public == public.hex()), KeyEntry(public.hex(), at, ends))
    others = [each for each in entries if each.public != public.hex()]
    return (replace(present, not_after=ends), *others[: MAX_KEYS - 1])


def _former(present: _Key, before: _Key | None, former: tuple[_Key, ...]) -> tuple[_Key, ...]:
    return former if before is None or before is present else (before, *former)


def _still_needed(former: FormerKeys, document: KeyDocument, at: datetime) -> FormerKeys:
    """Without the keys that are past their dates: their private halves are not kept any longer."""
    alive = {each.public for use in _USES for each in getattr(document, use) if each.not_after > at}
    return FormerKeys(
        signing=tuple(each for each in former.signing if each.verify_key.raw.hex() in alive),
        encryption=tuple(each for each in former.encryption if each.public.raw.hex() in alive),
        hybrid=tuple(each for each in former.hybrid if each.public.raw.hex() in alive),
        second=tuple(each for each in former.second if each.verify_key.raw.hex() in alive),
    )


def _withdrawn(loss: Loss, use: str, at: datetime) -> tuple[KeyEntry, ...]:
    """What the former document listed, as withdrawn now unless it was before."""
    entries: tuple[KeyEntry, ...] = getattr(loss.listed, use) if loss.listed else ()
    return tuple(replace(each, revoked_at=each.revoked_at or at) for each in entries)[: MAX_KEYS - 1]
