"""Every private key of a node in one value.

A key that gave way stays in it while it may be needed: a sealing key opens what was sealed before the news of the next
one had arrived, a signing key goes on signing beside the next one so that who has not heard yet can still verify.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from comity.trust.dsse import SignedStatement, verify_statement
from comity.trust.errors import KeyringError
from comity.trust.hpke import OpeningKey
from comity.trust.hybrid import HybridKey
from comity.trust.keydocument import KEY_DOCUMENT_TYPE, KeyDocument, KeyEntry
from comity.trust.keys import RecipientKey, Signer, StatementSigner
from comity.trust.notes import LogSigner
from comity.trust.second import SecondSigningKey

_RESTORE = "Restore the whole keys folder from one backup."


@dataclass(frozen=True, slots=True)
class FormerKeys:
    """The keys that gave way to others, the latest first; each is still listed in the key document."""

    signing: tuple[Signer, ...] = ()
    encryption: tuple[RecipientKey, ...] = ()
    hybrid: tuple[HybridKey, ...] = ()
    second: tuple[SecondSigningKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one node; the private ones never show in a repr.

    signing: for statements. encryption: opens seals. log: signs the own checkpoints. cosigner: cosigns partners'.
    hybrid, second: for agreements that ask for them; None in a keyring that was made before them.
    tls_authority_pem: one certificate, or two while an authority gives way; tls_authority_key_pem belongs to the one
    that issues now, tls_next_key_pem to the one that will. key_statement: the key document as signed.

    Raises: KeyringError where a key is not the one that the key document names, SignatureError where the present key
    did not sign the document.
    """

    administration: str
    name: str
    signing: Signer = field(repr=False)
    encryption: RecipientKey = field(repr=False)
    log: LogSigner = field(repr=False)
    cosigner: LogSigner = field(repr=False)
    tls_certificate_pem: str = field(repr=False)
    tls_key_pem: str = field(repr=False)
    tls_authority_pem: str = field(repr=False)
    tls_authority_key_pem: str = field(repr=False)
    key_document: KeyDocument = field(repr=False)
    key_statement: SignedStatement = field(repr=False)
    hybrid: HybridKey | None = field(default=None, repr=False)
    second: SecondSigningKey | None = field(default=None, repr=False)
    former: FormerKeys = field(default_factory=FormerKeys, repr=False)
    tls_next_key_pem: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        document = self.key_document
        claims = (
            ("administration", self.administration == document.administration),
            ("name", self.name == document.name),
            ("signing.key", _lists(document.signing_keys, (each.verify_key.raw for each in self.signers))),
            (
                "encryption.key",
                _lists(document.encryption_keys, _opening_keys(self.encryption, self.former.encryption)),
            ),
            ("hybrid.key", _lists(document.hybrid_keys, _opening_keys(self.hybrid, self.former.hybrid))),
            ("second.key", _lists(document.second_signing_keys, (each.verify_key.raw for each in self.second_signers))),
            ("log.key", self.log.vkey == document.log_vkey),
            ("cosigner.key", self.cosigner.vkey == document.cosigner_vkey),
            ("authority.crt", self.tls_authority_pem == document.tls_authority_pem),
            ("key_statement", self.key_statement.payload == document.to_payload()),
        )
        for what, is_same in claims:
            if not is_same:
                raise KeyringError("The key document names another key than the one held", where=what, remedy=_RESTORE)
        verify_statement(self.key_statement, [self.signing.verify_key], payload_type=KEY_DOCUMENT_TYPE)

    @property
    def signers(self) -> tuple[Signer, ...]:
        """What signs each statement: the present key, and those before it for partners that know no later one."""
        return (self.signing, *self.former.signing)

    @property
    def second_signers(self) -> tuple[SecondSigningKey, ...]:
        """The ML-DSA-44 keys that sign where a second signature is asked for; none in a keyring without."""
        return () if self.second is None else (self.second, *self.former.second)

    def signers_for(self, *, is_doubled: bool) -> tuple[StatementSigner, ...]:
        """What signs a statement, with the second signatures where they are wanted."""
        return (*self.signers, *self.second_signers) if is_doubled else self.signers

    def opening_key(self, keyid: str) -> OpeningKey | None:
        """The key of this id that opens seals, present or former; None where it is none of ours."""
        keys: tuple[OpeningKey | None, ...] = (
            self.encryption,
            self.hybrid,
            *self.former.encryption,
            *self.former.hybrid,
        )
        return next((key for key in keys if key is not None and key.public.keyid == keyid), None)


def _opening_keys(present: OpeningKey | None, former: tuple[OpeningKey, ...]) -> Iterator[bytes]:
    return (each.public.raw for each in (present, *former) if each is not None)


def _lists(entries: tuple[KeyEntry, ...], publics: Iterator[bytes]) -> bool:
    listed = {each.public for each in entries}
    return all(public.hex() in listed for public in publics)
