"""The partners of this node, as values. A key document is parsed once and remembered by its bytes.

A partner whose key document has expired stays a partner: that warns and narrows, it never silences
(docs/protocol.md §2), because a date is no reason to lose an alert.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import F

from comity.agreements.selectors import Strength, adopted_ids, strength_asked
from comity.exchange.errors import PartnerStateError, PartnerUnknownError
from comity.exchange.models import Partner, PartnerKeys
from comity.trust import (
    HybridPublicKey,
    KeyDocument,
    LogVerifier,
    RecipientPublicKey,
    SecondVerifyKey,
    SignedStatement,
    VerifyKey,
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A partner as the two ends of the protocol need it. statement: its signed key document.

    way: how our envelopes reach it. is_collected: what it has for us is fetched there. agreements: the ids of those
    that were adopted here, of which it may be a party.
    """

    id: int
    administration: str
    name: str
    endpoint: str
    state: str
    statement: bytes
    fingerprint: str
    way: str = Partner.Way.PUSH
    is_collected: bool = False
    agreements: tuple[str, ...] = ()

    @property
    def is_suspended(self) -> bool:
        """Whether nothing is sent to it and nothing taken from it."""
        return self.state == Partner.State.SUSPENDED

    @property
    def keys(self) -> KeyDocument:
        """Its key document."""
        return read_stored_keys(self.statement)

    @property
    def log(self) -> LogVerifier:
        """The verifier of its log."""
        return _verifier(self.keys.log_vkey)

    @property
    def cosigner(self) -> LogVerifier:
        """The verifier of its cosignatures."""
        return _verifier(self.keys.cosigner_vkey)

    def signing_keys(self, at: datetime) -> tuple[VerifyKey, ...]:
        """The keys whose signatures count at this time, to the minute."""
        return _signing_keys(self.statement, at.replace(second=0, microsecond=0))

    def second_keys(self, at: datetime) -> tuple[SecondVerifyKey, ...]:
        """The ML-DSA-44 keys whose signatures count at this time, to the minute; none where it has none."""
        return _second_keys(self.statement, at.replace(second=0, microsecond=0))

    def strength(self, at: datetime) -> Strength:
        """What the agreements in force with it ask of an envelope, to the minute."""
        return _strength(self.agreements, self.administration, at.replace(second=0, microsecond=0))

    def hybrid_key(self, at: datetime) -> HybridPublicKey | None:
        """The hybrid key to seal to, None where it has none."""
        keys = _hybrid_keys(self.statement, at.replace(second=0, microsecond=0))
        return keys[0] if keys else None

    def sealing_key(self, at: datetime) -> RecipientPublicKey:
        """The ordinary key to seal to.

        Raises: PartnerStateError where every key is revoked.
        """
        keys = _sealing_keys(self.statement, at.replace(second=0, microsecond=0))
        if not keys:
            raise PartnerStateError(
                "The partner has no key to seal to",
                where=self.administration,
                remedy="Ask it for its present invitation and introduce it again.",
            )
        return keys[0]


def load_peers(administrations: Iterable[str] | None = None) -> dict[str, Peer]:
    """The partners of these administrations, or all, by administration."""
    rows = PartnerKeys.objects.select_related("partner").filter(fingerprint=F("partner__fingerprint"))
    if administrations is not None:
        rows = rows.filter(partner__administration__in=list(administrations))
    agreements = adopted_ids()
    return {row.partner.administration: _peer_of(row, agreements) for row in rows.order_by("partner__administration")}


def load_peer(administration: str) -> Peer:
    """One partner.

    Raises: PartnerUnknownError.
    """
    peer = load_peers([administration]).get(administration)
    if peer is None:
        raise PartnerUnknownError(
            "No such partner", where=administration, remedy="Introduce it with `comity partner introduce FILE`."
        )
    return peer


@lru_cache(maxsize=1024)
def read_stored_keys(statement: bytes) -> KeyDocument:
    """The key document of a statement that was verified before it was stored."""
    return KeyDocument.from_payload(SignedStatement.from_bytes(statement).payload)


def statements_of(administration: str) -> tuple[bytes, ...]:
    """Every key document of a partner that was introduced here, the latest first: receipts of before need them."""
    rows = PartnerKeys.objects.filter(partner__administration=administration).order_by("-stored_at", "-pk")
    return tuple(bytes(each) for each in rows.values_list("statement", flat=True))


def _peer_of(row: PartnerKeys, agreements: tuple[str, ...]) -> Peer:
    partner = row.partner
    return Peer(
        id=partner.pk,
        administration=partner.administration,
        name=partner.name,
        endpoint=partner.endpoint,
        state=partner.state,
        statement=bytes(row.statement),
        fingerprint=row.fingerprint,
        agreements=agreements,
        way=partner.way,
        is_collected=partner.is_collected,
    )


@lru_cache(maxsize=1024)
def _verifier(vkey: str) -> LogVerifier:
    return LogVerifier.from_vkey(vkey)


@lru_cache(maxsize=1024)
def _signing_keys(statement: bytes, at: datetime) -> tuple[VerifyKey, ...]:
    return read_stored_keys(statement).active_signing_keys(at)


@lru_cache(maxsize=1024)
def _second_keys(statement: bytes, at: datetime) -> tuple[SecondVerifyKey, ...]:
    return read_stored_keys(statement).active_second_keys(at)


@lru_cache(maxsize=1024)
def _hybrid_keys(statement: bytes, at: datetime) -> tuple[HybridPublicKey, ...]:
    return read_stored_keys(statement).active_hybrid_keys(at)


@lru_cache(maxsize=1024)
def _strength(agreements: tuple[str, ...], party: str, at: datetime) -> Strength:
    return strength_asked(agreements, party, at=at)


@lru_cache(maxsize=1024)
def _sealing_keys(statement: bytes, at: datetime) -> tuple[RecipientPublicKey, ...]:
    return read_stored_keys(statement).active_encryption_keys(at)
