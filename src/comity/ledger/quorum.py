"""A quorum as the log asks for it: a policy with the keys of those whom it knows by name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from comity.trust import LogVerifier, Policy, Weighed


@dataclass(frozen=True, slots=True)
class Quorum:
    """Whose cosignatures a checkpoint of one log needs.

    keys: of the known names, each with all the keys that it has had. owner: whose log it is; it is no witness of it.
    """

    policy: Policy
    keys: Mapping[str, tuple[LogVerifier, ...]]
    owner: str
    names: Mapping[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        named = [(each.name, each.verifier) for each in self.policy.witnesses]
        named += [(name, verifier) for name in self.policy.known for verifier in self.keys.get(name, ())]
        object.__setattr__(self, "names", {each.vkey: name for name, each in named if name != self.owner})

    def weigh(self, note: str, log: LogVerifier) -> Weighed:
        """What the policy says of a checkpoint. Raises: NoteError."""
        return self.policy.weigh(note, log=log, keys=self.keys, owner=self.owner)

    def witnesses(self, vkeys: Iterable[str]) -> frozenset[str]:
        """The names of those among the cosigners whom the policy knows."""
        return frozenset(self.names[vkey] for vkey in vkeys if vkey in self.names)

    def is_met_by(self, vkeys: Iterable[str]) -> bool:
        """Whether these cosigners are a quorum."""
        return self.policy.is_met_by(self.witnesses(vkeys))


@dataclass(frozen=True, slots=True)
class QuorumStanding:
    """The newest checkpoint of our log that a quorum cosigned.

    size: None where there is none. signed_at: when it was appended. entries_beyond: how many the log has since.
    seen_by, missing: of the witnesses that count, who cosigned that checkpoint or later ones, and who cosigned nothing
    since it. last_seen: the newest size that each has cosigned, 0 for none.
    """

    size: int | None
    signed_at: datetime | None
    entries_beyond: int
    seen_by: tuple[str, ...]
    missing: tuple[str, ...]
    last_seen: Mapping[str, int]

    @property
    def is_met(self) -> bool:
        """Whether any checkpoint has a quorum."""
        return self.size is not None
