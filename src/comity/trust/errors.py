"""What trust refuses. Verification raises; it never returns False."""

from __future__ import annotations

from comity.common import ComityError


class TrustError(ComityError):
    """Something cannot be trusted."""

    code = "not_trusted"


class CanonicalFormError(TrustError):
    """A value has no canonical form: a float, a key that is not text, a number that other programs would round."""

    code = "no_canonical_form"


class KeyRefusedError(TrustError):
    """Bytes that are no key, or a key that would prove nothing."""

    code = "key_refused"


class SignatureError(TrustError):
    """A signature is missing, wrong, or made by a key that is not trusted here."""

    code = "bad_signature"


class StatementError(SignatureError):
    """Bytes that are no signed statement (DSSE envelope)."""

    code = "bad_statement"


class UnsealError(TrustError):
    """A sealed text was changed, or sealed for someone else or for another use."""

    code = "cannot_unseal"


class KeyDocumentError(TrustError):
    """A key document is malformed, not newer, or not the right administration's."""

    code = "bad_key_document"


class KeyringError(TrustError):
    """A node's own keys are incomplete or do not belong together."""

    code = "bad_keyring"


class CertificateError(TrustError):
    """A TLS certificate or its key cannot be made or read."""

    code = "bad_certificate"


class ProofError(TrustError):
    """A proof of inclusion or consistency does not hold."""

    code = "bad_proof"


class NoteError(TrustError):
    """A signed note or checkpoint is malformed or not signed by a trusted key."""

    code = "bad_note"


class ChunkError(TrustError):
    """A chunk of a file is not the one that was signed, or a file has not the shape that was told."""

    code = "bad_chunk"
