"""The three administrations while the demo runs: their nodes, their officers, their desks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from comity.cli.demo.cast import SignIn
from comity.cli.demo.desk import Desk
from comity.cli.demo.nodes import DemoNode


@dataclass(frozen=True, slots=True)
class Federation:
    """desks: by (administration, 0 for the officer or 1 for the supervisor)."""

    nodes: Mapping[str, DemoNode]
    desks: Mapping[tuple[str, int], Desk]

    def officer(self, code: str) -> Desk:
        """The desk of the officer who targets, inspects and shares."""
        return self.desks[code, 0]

    def supervisor(self, code: str) -> Desk:
        """The desk of the second pair of eyes."""
        return self.desks[code, 1]


@contextlib.contextmanager
def opened(nodes: Sequence[DemoNode], sign_ins: Mapping[str, tuple[SignIn, SignIn]]) -> Iterator[Federation]:
    """Open a desk for every officer and close them all afterwards."""
    with contextlib.ExitStack() as stack:
        desks = {
            (node.code, place): stack.enter_context(Desk(node, sign_in))
            for node in nodes
            for place, sign_in in enumerate(sign_ins[node.code])
        }
        yield Federation({node.code: node for node in nodes}, desks)
