"""What the delivery worker asks of a way to a partner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer
from comity.exchange.outcomes import Outcome
from comity.exchange.position import Position

Done = Callable[[Parcel, Outcome], None]
Told = Callable[[Peer, Position | None], None]


class Transport(Protocol):
    """Carries parcels. It never raises for what happens on the way: that is an outcome with a failure."""

    def send(self, parcels: Sequence[Parcel], done: Done) -> None:
        """Step S6: start sending; `done` is called once for each parcel, from any thread."""

    def ask_position(self, peer: Peer, told: Told) -> None:
        """Ask how far our sequence has arrived; `told` is called once, with None where no answer came."""

    def close(self) -> None:
        """Give up what is under way, and every connection."""
