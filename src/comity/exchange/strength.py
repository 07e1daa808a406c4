"""What an agreement asks of an envelope beyond the ordinary: the hybrid seal, a second signature. Never silently less.

A sender does for every envelope to a partner what any agreement in force between the two asks (steps S3 to S5); a
receiver refuses the messages of an agreement whose envelope did not (step R9). The news of keys itself travels under
the protocol, so that two nodes whose keyrings are too old can still tell each other of new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from comity.agreements import FOUNDING_KINDS, Agreement
from comity.exchange.arrivals import Arrival
from comity.exchange.directory import Peer
from comity.exchange.errors import StrengthMissingError
from comity.exchange.message import read_message
from comity.trust import SECOND_SIGNATURE, Keyring, SealingKey

_RENEW = "Both ends need keys for it: `comity keys renew` makes them, and the partner hears of them by itself."


def check_posting(peer: Peer, kinds: Iterable[str], at: datetime) -> None:
    """Step S3: nothing is posted to a partner that could not travel as an agreement with it asks.

    Raises: StrengthMissingError.
    """
    asked = peer.strength(at)
    if not (asked.seal or asked.second_signature) or all(kind in FOUNDING_KINDS for kind in kinds):
        return
    if asked.seal and peer.hybrid_key(at) is None:
        raise _no_hybrid_key(peer)
    if asked.second_signature and not peer.second_keys(at):
        raise StrengthMissingError(
            "second_signature_missing",
            f"An agreement asks for a second signature ({asked.second_signature}), and the partner has no key for it",
            where=peer.administration,
            remedy=_RENEW,
        )


def sealing_key_for(peer: Peer, messages: Sequence[bytes], at: datetime) -> SealingKey:
    """Step S5: the key to seal an envelope to.

    Raises: PartnerStateError where the partner has none; StrengthMissingError where it must be hybrid and is not.
    """
    if not peer.strength(at).seal:
        return peer.sealing_key(at)
    key = peer.hybrid_key(at)
    if key is not None:
        return key
    if all(read_message(each).kind in FOUNDING_KINDS for each in messages):
        return peer.sealing_key(at)
    raise _no_hybrid_key(peer)


def second_signature_for(keyring: Keyring, peer: Peer, at: datetime) -> str:
    """Step S4: the second signature that a statement to this partner carries, which its receipt carries too.

    Where a key for it is missing at either end there is none: the receiver then refuses, and says why.
    """
    is_wanted = bool(peer.strength(at).second_signature) and keyring.second is not None and peer.second_keys(at)
    return SECOND_SIGNATURE if is_wanted else ""


def check_arrival(arrival: Arrival, agreement: Agreement | None) -> None:
    """Step R9: the envelope was sealed and signed as the agreement of a message in it asks.

    Raises: StrengthMissingError (weaker_seal, second_signature_missing).
    """
    if agreement is None:
        return
    if agreement.seal and not arrival.is_hybrid:
        raise StrengthMissingError(
            "weaker_seal",
            f"Agreement {agreement.short_id} asks for the seal {agreement.seal}, and the envelope has another",
            where="agreement",
            remedy="Seal it to the hybrid key of our key document, and share it anew.",
        )
    if agreement.second_signature and not arrival.is_doubly_signed:
        raise StrengthMissingError(
            "second_signature_missing",
            f"Agreement {agreement.short_id} asks for a second signature of {agreement.second_signature}",
            where="agreement",
            remedy="`comity keys renew` makes the key; when we have your key document, share it anew.",
        )


def _no_hybrid_key(peer: Peer) -> StrengthMissingError:
    return StrengthMissingError(
        "weaker_seal",
        "An agreement asks for the hybrid seal, and the partner has no hybrid key",
        where=peer.administration,
        remedy=_RENEW,
    )
