"""What agreements ask of the witnesses of a log, with the keys of the partners as they are and were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from comity.agreements import Agreement, quorum_words, witness_policy
from comity.agreements.selectors import AgreementState, adopted_agreement, agreements
from comity.exchange.directory import Peer, load_peers, read_stored_keys
from comity.exchange.models import Delivery, Partner, PartnerKeys
from comity.ledger import Quorum, QuorumStanding
from comity.ledger.selectors import quorum_standing
from comity.trust import Keyring, LogVerifier, split_note

# A quorum that is older while the log has grown since asks for attention.
QUORUM_OLD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AgreementQuorum:
    """How our log is witnessed as one agreement asks. words: the quorum, such as: 2 of (XA, XB, XC).

    is_old: there is no quorum for what was appended more than an hour ago. text, remedy: in plain words.
    """

    agreement_id: str
    title: str
    words: str
    standing: QuorumStanding
    age: timedelta | None
    is_old: bool
    text: str
    remedy: str


def quorum_of(agreement: Agreement, keyring: Keyring, *, owner: str = "") -> Quorum | None:
    """What an agreement asks of the log of one of its parties, our own unless said; None where it asks nothing."""
    policy = witness_policy(agreement)
    if policy is None:
        return None
    keys = {name: each for name, each in cosigner_keys(keyring).items() if name in policy.known}
    return Quorum(policy, keys, owner or keyring.administration)


def quorum_for(agreement_id: str, keyring: Keyring) -> Quorum | None:
    """What the agreement of this id asks of our log; None where it asks nothing or was not adopted here."""
    found = adopted_agreement(agreement_id)
    return quorum_of(found, keyring) if found else None


def cosigner_keys(keyring: Keyring) -> dict[str, tuple[LogVerifier, ...]]:
    """The cosigner keys of every administration, the present one first: what an old key cosigned stays cosigned."""
    keys: dict[str, dict[str, LogVerifier]] = defaultdict(dict)
    present = {peer.administration: peer.cosigner for peer in load_peers().values()}
    present[keyring.administration] = keyring.cosigner.verifier
    for name, verifier in present.items():
        keys[name][verifier.vkey] = verifier
    for row in PartnerKeys.objects.select_related("partner").order_by("-stored_at", "-id"):
        verifier = LogVerifier.from_vkey(read_stored_keys(bytes(row.statement)).cosigner_vkey)
        keys[row.partner.administration].setdefault(verifier.vkey, verifier)
    return {name: tuple(found.values()) for name, found in keys.items()}


def cosigner_documents(notes: Iterable[str]) -> tuple[bytes, ...]:
    """The partners' signed key documents, the present or older ones, with a key that cosigned one of these notes."""
    signers = {(each.name, each.key_id) for note in notes for each in split_note(note)[1]}
    found: dict[str, bytes] = {}
    for row in PartnerKeys.objects.order_by("-stored_at", "-id"):
        statement = bytes(row.statement)
        verifier = LogVerifier.from_vkey(read_stored_keys(statement).cosigner_vkey)
        if (verifier.name, verifier.key_id) in signers:
            found.setdefault(verifier.vkey, statement)
    return tuple(found.values())


def log_owner(vkey: str) -> str:
    """Which partner's log has, or had, this key; empty where no partner's has."""
    for row in PartnerKeys.objects.select_related("partner"):
        if read_stored_keys(bytes(row.statement)).log_vkey == vkey:
            return row.partner.administration
    return ""


def partners_to_ask() -> tuple[tuple[Peer, ...], tuple[Peer, ...]]:
    """The partners whose logs are watched: those that can be asked from here, and those that cannot."""
    pushed = set(Partner.objects.filter(way=Partner.Way.PUSH).values_list("administration", flat=True))
    peers = [peer for peer in load_peers().values() if not peer.is_suspended]
    can = tuple(peer for peer in peers if peer.administration in pushed)
    return can, tuple(peer for peer in peers if peer.administration not in pushed)


def remember_followed(peer: Peer, *, size: int, note: str) -> None:
    """Let the next envelope to a partner carry our newest cosignature of its checkpoint. note: with our line."""
    rows = Delivery.objects.filter(partner_id=peer.id, followed_size__lte=size)
    rows.update(followed_size=size, followed_note=note)


def remember_cosigned(peer: Peer, *, size: int) -> None:
    """Let the head in the next envelope to a partner start from what it has just cosigned."""
    Delivery.objects.filter(partner_id=peer.id, cosigned_size__lt=size).update(cosigned_size=size)


def quorum_standings(keyring: Keyring, *, at: datetime) -> tuple[AgreementQuorum, ...]:
    """For each agreement in force that asks for a quorum: how our log stands to it."""
    found = []
    for stored in agreements(at=at):
        agreement = stored.agreement
        if stored.state is not AgreementState.IN_FORCE or keyring.administration not in agreement.parties:
            continue
        quorum = quorum_of(agreement, keyring)
        if quorum is not None:
            found.append(_standing(agreement, quorum, at))
    return tuple(found)


def _standing(agreement: Agreement, quorum: Quorum, at: datetime) -> AgreementQuorum:
    standing = quorum_standing(quorum)
    age = at - standing.signed_at if standing.signed_at else None
    missing = " and ".join(standing.missing)
    is_old = standing.entries_beyond > 0 and (age is None or age > QUORUM_OLD)
    if standing.size is None:
        text = f"No checkpoint of our log has the quorum yet; {missing or 'a witness'} cosigned none of it."
    elif not standing.entries_beyond:
        text = f"Every entry of our log, {standing.size} in all, is seen by {' and '.join(standing.seen_by)}."
    else:
        text = (
            f"The newest checkpoint with the quorum has {standing.size} entries; {standing.entries_beyond} came since."
            + (f" {missing} cosigned nothing newer." if missing else "")
        )
    remedy = f"See whether {missing or 'the witnesses'} can be reached: `comity ledger monitor --once`."
    return AgreementQuorum(
        agreement_id=agreement.id,
        title=agreement.title.in_("en"),
        words=quorum_words(quorum.policy),
        standing=standing,
        age=age,
        is_old=is_old,
        text=text,
        remedy=remedy if is_old else "",
    )
