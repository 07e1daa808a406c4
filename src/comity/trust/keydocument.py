"""Key documents: what an administration says about its own keys, signed by itself.

The first one is believed because a person compared its fingerprint by another channel; each later one because a key
of the one before signed it. Expiry warns and narrows but never silences a partner: revocation does that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from comity.common import ComityError, Reason, parse_instant, show_instant
from comity.trust.canonical import canonical_json, sha256_hex
from comity.trust.dsse import SignedStatement, sign_statement, verify_statement
from comity.trust.errors import CanonicalFormError, KeyDocumentError
from comity.trust.hybrid import HYBRID_PUBLIC_BYTES, HybridPublicKey
from comity.trust.keys import KEY_BYTES, RecipientPublicKey, StatementSigner, VerifyKey, key_id
from comity.trust.notes import LogVerifier, NoteKind
from comity.trust.second import SECOND_PUBLIC_BYTES, SecondVerifyKey
from comity.trust.tls import read_authorities

KEY_DOCUMENT_TYPE = "application/vnd.comity.key-document.v1+json"
MAX_KEY_DOCUMENT_BYTES = 256 * 1024
MAX_KEYS = 16
# A partner whose clock is behind must not refuse a key that was made this minute.
CLOCK_TOLERANCE = timedelta(days=1)
# How many days before an end it is said, once in each.
WARNING_DAYS = (1, 7, 30)

_ADMINISTRATION = re.compile(r"[A-Z]{2}")
_HEX = re.compile(r"[0-9a-f]*")
_TEXT_MEMBERS = (
    "administration",
    "name",
    "endpoint_url",
    "tls_authority_pem",
    "log_origin",
    "log_vkey",
    "cosigner_vkey",
)
_INSTANT_MEMBERS = ("issued_at", "expires_at")
_KEY_MEMBERS = ("signing_keys", "encryption_keys")
_ENTRY_MEMBERS = frozenset({"public", "not_before", "not_after", "revoked_at"})
_ASK_AGAIN = "Ask the partner for its key document again."
# Left out where there are none: a reader that does not know them keeps them unread.
_OPTIONAL_KEY_MEMBERS = ("hybrid_keys", "second_signing_keys")
_MEMBERS = frozenset({*_TEXT_MEMBERS, *_INSTANT_MEMBERS, *_KEY_MEMBERS, *_OPTIONAL_KEY_MEMBERS, "version"})


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One public key and when it is used. public: its raw bytes in hex. revoked_at: from then on it proves nothing."""

    public: str
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None

    @property
    def keyid(self) -> str:
        """The short name of the key."""
        return key_id(bytes.fromhex(self.public))

    def is_revoked(self, at: datetime) -> bool:
        """Whether the owner had withdrawn the key by then."""
        return self.revoked_at is not None and self.revoked_at <= at


@dataclass(frozen=True, slots=True)
class KeyDocument:
    """The keys, the address and the log of one administration's node.

    version: rises by each issue. tls_authority_pem: one or two certificates that issue the node's TLS certificates.
    log_vkey, cosigner_vkey: verifier keys of its log and of its cosignatures. hybrid_keys, second_signing_keys: for
    agreements that ask for them. unread: members not known here, as canonical JSON text.

    Raises: KeyDocumentError or KeyRefusedError where a member is wrong.
    """

    administration: str
    name: str
    version: int
    issued_at: datetime
    expires_at: datetime
    endpoint_url: str
    signing_keys: tuple[KeyEntry, ...]
    encryption_keys: tuple[KeyEntry, ...]
    tls_authority_pem: str
    log_origin: str
    log_vkey: str
    cosigner_vkey: str
    hybrid_keys: tuple[KeyEntry, ...] = ()
    second_signing_keys: tuple[KeyEntry, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        _check_identity(self)
        for name, (least, length, register) in _USES.items():
            _check_count(getattr(self, name), name, least)
            _check_keys(getattr(self, name), name, length, register)
        read_authorities(self.tls_authority_pem)

    def to_payload(self) -> bytes:
        """The canonical bytes that are signed and whose hash is the fingerprint."""
        members: dict[str, object] = {name: json.loads(text) for name, text in self.unread}
        members |= {name: getattr(self, name) for name in _TEXT_MEMBERS}
        members |= {name: show_instant(getattr(self, name)) for name in _INSTANT_MEMBERS}
        members |= {name: [_entry_to_json(each) for each in getattr(self, name)] for name in _KEY_MEMBERS}
        for name in _OPTIONAL_KEY_MEMBERS:
            if getattr(self, name):
                members[name] = [_entry_to_json(each) for each in getattr(self, name)]
        return canonical_json(members | {"version": self.version})

    @classmethod
    def from_payload(cls, payload: bytes) -> KeyDocument:
        """Read the signed bytes; they must be in canonical form.

        Raises: KeyDocumentError or KeyRefusedError.
        """
        document = _read_members(_read_object(payload))
        if document.to_payload() != payload:
            raise _refused("The key document is not in canonical form", "", _ASK_AGAIN)
        return document

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the payload in groups of four hex digits, for reading aloud."""
        digest = sha256_hex(self.to_payload())
        return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))

    def active_signing_keys(self, at: datetime) -> tuple[VerifyKey, ...]:
        """The keys whose signatures count at that time."""
        return tuple(VerifyKey.from_raw(bytes.fromhex(each.public)) for each in _active(self.signing_keys, at))

    def active_encryption_keys(self, at: datetime) -> tuple[RecipientPublicKey, ...]:
        """The keys to seal for at that time, the one that lasts longest first."""
        entries = _longest_first(self.encryption_keys, at)
        return tuple(RecipientPublicKey.from_raw(bytes.fromhex(each.public)) for each in entries)

    def active_hybrid_keys(self, at: datetime) -> tuple[HybridPublicKey, ...]:
        """The hybrid keys to seal for at that time, the one that lasts longest first; none where it has none."""
        entries = _longest_first(self.hybrid_keys, at)
        return tuple(HybridPublicKey.from_raw(bytes.fromhex(each.public)) for each in entries)

    def active_second_keys(self, at: datetime) -> tuple[SecondVerifyKey, ...]:
        """The ML-DSA-44 keys whose signatures count at that time; none where it has none."""
        entries = _active(self.second_signing_keys, at)
        return tuple(SecondVerifyKey.from_raw(bytes.fromhex(each.public)) for each in entries)

    def revoked_keys(self, at: datetime) -> tuple[KeyEntry, ...]:
        """Every key, of whatever use, that the owner had withdrawn by then."""
        listed = (each for name in _USES for each in getattr(self, name))
        return tuple(each for each in listed if each.is_revoked(at))

    def require_current(self, at: datetime) -> None:
        """Check that new ties may be made with these keys: a past document still exchanges, and binds nobody anew.

        Raises: KeyDocumentError.
        """
        _check_date(self, at)

    def is_expired(self, at: datetime) -> bool:
        """Whether the document is past its date: nobody new is introduced by it, known partners go on."""
        return at >= self.expires_at

    def warnings(self, at: datetime) -> tuple[Reason, ...]:
        """What an officer should see about this document at that time."""
        owner = self.administration
        doubts = (
            (
                self.issued_at > at + CLOCK_TOLERANCE,
                "key_document_ahead",
                f"The key document of {owner} is dated ahead: compare the clocks",
            ),
            _ending("key_document", f"The key document of {owner}", self.expires_at, at),
            _ending("signing_key", f"The last signing key of {owner}", _last_day(self.signing_keys, at), at),
            _ending("sealing_key", f"The last sealing key of {owner}", _last_day(self.encryption_keys, at), at),
        )
        return tuple(Reason(code, f"{text}.") for is_so, code, text in doubts if is_so)


def sign_key_document(document: KeyDocument, *keys: StatementSigner) -> SignedStatement:
    """The signed form. For the first issue sign with a key in it; for a later one also with a key of the one before."""
    return sign_statement(KEY_DOCUMENT_TYPE, document.to_payload(), *keys)


def read_key_document(data: bytes, *, trusted: KeyDocument | None, at: datetime) -> KeyDocument:
    """Verify a signed key document.

    Without `trusted` it must be signed by a key in it and be within its date: then it is consistent, and trusted only
    once its fingerprint was compared. With `trusted`, the document held so far, one of that one's keys must have signed
    it, the version must rise, and administration, log and cosigner must stay.

    Raises: TrustError.
    """
    statement = SignedStatement.from_bytes(data, limit=MAX_KEY_DOCUMENT_BYTES)
    if trusted is None:
        document = KeyDocument.from_payload(statement.payload)
        # A bundle asks about a time before the document was issued: it was signed by whoever signed then.
        signers = document.active_signing_keys(max(at, document.issued_at))
        verify_statement(statement, signers, payload_type=KEY_DOCUMENT_TYPE)
        _check_date(document, at)
        return document
    verify_statement(statement, trusted.active_signing_keys(at), payload_type=KEY_DOCUMENT_TYPE)
    document = KeyDocument.from_payload(statement.payload)
    _check_successor(document, trusted)
    return document


def _check_date(document: KeyDocument, at: datetime) -> None:
    if document.is_expired(at):
        raise _refused(
            f"The key document of {document.administration} expired on {show_instant(document.expires_at)}",
            "expires_at",
            "Use a newer one (`comity keys renew`): past its date nobody new is introduced, no agreement signed.",
        )


def _check_successor(document: KeyDocument, trusted: KeyDocument) -> None:
    if document.administration != trusted.administration:
        raise _refused(
            f"A key document of {document.administration} cannot follow one of {trusted.administration}",
            "administration",
            "Introduce the other administration by its own invitation.",
        )
    if document.version <= trusted.version:
        raise _refused(
            f"Version {document.version} does not follow version {trusted.version}, which is held already",
            "version",
            "Nothing is lost: the newer document stays. Ask the partner for its present one.",
        )
    if document.log_origin != trusted.log_origin:
        raise _refused(
            f"The log would change from {trusted.log_origin} to {document.log_origin}",
            "log_origin",
            "A new log hides the history of the old one: introduce the partner again, by fingerprint.",
        )
    for name in ("log_vkey", "cosigner_vkey"):
        if getattr(document, name) != getattr(trusted, name):
            raise _refused(
                "The key of the log or of its cosigner would change",
                name,
                "Receipts on their way could no longer be proved: introduce the partner again, by fingerprint.",
            )


def _active(entries: Sequence[KeyEntry], at: datetime) -> tuple[KeyEntry, ...]:
    """The entries within their dates; where all are past, those that lasted longest. Never a revoked one."""
    usable = [each for each in entries if each.not_before <= at + CLOCK_TOLERANCE and not each.is_revoked(at)]
    current = tuple(each for each in usable if at < each.not_after)
    if current or not usable:
        return current
    latest = max(each.not_after for each in usable)
    return tuple(each for each in usable if each.not_after == latest)


def _longest_first(entries: Sequence[KeyEntry], at: datetime) -> list[KeyEntry]:
    return sorted(_active(entries, at), key=lambda each: each.not_after, reverse=True)


def _last_day(entries: Sequence[KeyEntry], at: datetime) -> datetime:
    """When the last key that may be used ends; now, where every one is revoked."""
    return max((each.not_after for each in _active(entries, at)), default=at)


def _ending(what: str, name: str, ends: datetime, at: datetime) -> tuple[bool, str, str]:
    """Whether the end is near or past, with a word and a sentence for how near."""
    if at >= ends:
        return True, f"{what}_expired", f"{name} is past its date: exchange goes on, but nobody new is taken by it"
    for days in WARNING_DAYS:
        if ends - at <= timedelta(days=days):
            return True, f"{what}_ends_in_{days}", f"{name} ends on {show_instant(ends)}: a new one is due"
    return False, "", ""


def _check_identity(document: KeyDocument) -> None:
    if not _ADMINISTRATION.fullmatch(document.administration):
        raise _refused("The administration is not a two-letter code", "administration", "Use ISO 3166 alpha-2, as XA.")
    if not document.name.isprintable() or not 1 <= len(document.name) <= 200:
        raise _refused("The name is not 1 to 200 printable characters", "name", "Give the node a plain name.")
    if not 1 <= document.version < 2**31:
        raise _refused("The version is not a positive number", "version", "Begin at 1 and count up.")
    if document.expires_at <= document.issued_at:
        raise _refused("The document expires before it is issued", "expires_at", "Give it a later date.")
    if not _is_https(document.endpoint_url):
        raise _refused("The endpoint is not an https:// address", "endpoint_url", "Partners connect by TLS only.")
    log, cosigner = LogVerifier.from_vkey(document.log_vkey), LogVerifier.from_vkey(document.cosigner_vkey)
    if log.name != document.log_origin:
        raise _refused("The log's verifier key names another log", "log_vkey", "Its name must be log_origin.")
    if (log.kind, cosigner.kind) != (NoteKind.NOTE, NoteKind.COSIGNATURE):
        raise _refused("The keys of log and cosigner are of the wrong kinds", "cosigner_vkey", _ASK_AGAIN)


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        return False


def _check_count(entries: Sequence[KeyEntry], where: str, least: int) -> None:
    if not least <= len(entries) <= MAX_KEYS:
        raise _refused(f"A document holds {least} to {MAX_KEYS} keys of this use", where, "Drop the oldest.")


def _check_keys(entries: Sequence[KeyEntry], where: str, length: int, register: Callable[[bytes], object]) -> None:
    if len({each.public for each in entries}) != len(entries):
        raise _refused("A key is listed twice", where, "List each key once.")
    for each in entries:
        if len(each.public) != 2 * length or not _HEX.fullmatch(each.public):
            raise _refused(
                f"A public key is not {2 * length} lower-case hex digits", where, "Write the raw bytes in hex."
            )
        if each.not_after <= each.not_before:
            raise _refused("A key ends before it begins", where, "Give it a later not_after.")
        register(bytes.fromhex(each.public))


# By use: how many there are at least, the length of a raw key, and what refuses a weak one.
_USES: Mapping[str, tuple[int, int, Callable[[bytes], object]]] = {
    "signing_keys": (1, KEY_BYTES, VerifyKey.from_raw),
    "encryption_keys": (1, KEY_BYTES, RecipientPublicKey.from_raw),
    "hybrid_keys": (0, HYBRID_PUBLIC_BYTES, HybridPublicKey.from_raw),
    "second_signing_keys": (0, SECOND_PUBLIC_BYTES, SecondVerifyKey.from_raw),
}


def _entry_to_json(entry: KeyEntry) -> dict[str, str]:
    members = {
        "public": entry.public,
        "not_before": show_instant(entry.not_before),
        "not_after": show_instant(entry.not_after),
    }
    return members | ({"revoked_at": show_instant(entry.revoked_at)} if entry.revoked_at else {})


def _read_object(payload: bytes) -> dict[str, object]:
    try:
        value = json.loads(payload.decode())
    except (ValueError, RecursionError) as error:
        raise _refused("The key document is not JSON in UTF-8", "", _ASK_AGAIN) from error
    if not isinstance(value, dict):
        raise _refused("The key document is no JSON object", "", _ASK_AGAIN)
    return value


def _read_members(source: Mapping[str, object]) -> KeyDocument:
    version = source.get("version")
    if type(version) is not int:
        raise _refused("The version is missing or no integer", "version", _ASK_AGAIN)
    return KeyDocument(
        administration=_read_text(source, "administration"),
        name=_read_text(source, "name"),
        version=version,
        issued_at=_read_instant(source, "issued_at"),
        expires_at=_read_instant(source, "expires_at"),
        endpoint_url=_read_text(source, "endpoint_url"),
        signing_keys=_read_entries(source, "signing_keys"),
        encryption_keys=_read_entries(source, "encryption_keys"),
        tls_authority_pem=_read_text(source, "tls_authority_pem"),
        log_origin=_read_text(source, "log_origin"),
        log_vkey=_read_text(source, "log_vkey"),
        cosigner_vkey=_read_text(source, "cosigner_vkey"),
        hybrid_keys=_read_entries(source, "hybrid_keys") if "hybrid_keys" in source else (),
        second_signing_keys=_read_entries(source, "second_signing_keys") if "second_signing_keys" in source else (),
        unread=tuple((name, _keep_unread(source[name], name)) for name in sorted(source) if name not in _MEMBERS),
    )


def _read_text(source: Mapping[str, object], name: str) -> str:
    value = source.get(name)
    if not isinstance(value, str):
        raise _refused("A member is missing or not text", name, _ASK_AGAIN)
    return value


def _read_instant(source: Mapping[str, object], name: str) -> datetime:
    try:
        return parse_instant(_read_text(source, name))
    except ComityError as error:
        raise _refused("A member is missing or no instant in UTC", name, _ASK_AGAIN) from error


def _read_entries(source: Mapping[str, object], name: str) -> tuple[KeyEntry, ...]:
    value = source.get(name)
    if not isinstance(value, list):
        raise _refused("A list of keys is missing", name, _ASK_AGAIN)
    return tuple(_read_entry(each, name) for each in value)


def _read_entry(value: object, name: str) -> KeyEntry:
    if not isinstance(value, dict) or not value.keys() <= _ENTRY_MEMBERS:
        raise _refused("A key has members that are not known here", name, _ASK_AGAIN)
    return KeyEntry(
        public=_read_text(value, "public"),
        not_before=_read_instant(value, "not_before"),
        not_after=_read_instant(value, "not_after"),
        revoked_at=_read_instant(value, "revoked_at") if "revoked_at" in value else None,
    )


def _keep_unread(value: object, name: str) -> str:
    try:
        return canonical_json(value).decode()
    except CanonicalFormError as error:
        raise _refused("A member has no canonical form", name[:80], _ASK_AGAIN) from error


def _refused(what: str, where: str, remedy: str) -> KeyDocumentError:
    return KeyDocumentError(what, where=where, remedy=remedy)
