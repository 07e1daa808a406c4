"""A node that breaks the protocol in one way, on purpose: `python -m tests.cli.broken_node`.

It is the real `comity serve`; the file `mutant` in its home names what it does wrong at the moment, so that one process
serves for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import django

_FILE = Path(os.environ.get("COMITY_HOME", ".")) / "mutant"

# What is wrong -> the one step that must turn red.
MUTANTS: Mapping[str, str] = {
    "other_bytes_to_duplicates": "R7",
    "any_signature": "R5",
    "any_contents": "R6",
    "any_recipient": "R3",
    "any_time": "R8",
    "any_agreement": "R9",
    "any_message_again": "R10",
    "no_heads": "R11",
    "unsigned_refusals": "§3",
    "a_leaf_elsewhere": "R11",
}


def is_now(mutant: str) -> bool:
    """Whether the node is to be wrong in this way now."""
    return _FILE.exists() and _FILE.read_text() == mutant


def skipping(mutant: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which does nothing while the mutant is on."""
    return lambda *words, **named: None if is_now(mutant) else original(*words, **named)


def break_it() -> None:
    """Put the wrong ways beside the right ones."""
    from comity.exchange import arrivals, inbox, receipt
    from comity.exchange.arrivals import Opener
    from comity.exchange.judging import Judge

    arrivals.verify_statement = skipping("any_signature", arrivals.verify_statement)
    arrivals.check_contents = skipping("any_contents", arrivals.check_contents)
    opening_key = Opener._opening_key
    Opener._opening_key = lambda self, header: (  # type: ignore[method-assign]
        self.keyring.encryption if is_now("any_recipient") else opening_key(self, header)
    )
    Judge._check_times = skipping("any_time", Judge._check_times)  # type: ignore[method-assign]
    _break_answers(Judge, inbox)
    _break_proofs(inbox, receipt)


def _break_answers(judge: Any, inbox: Any) -> None:
    from dataclasses import replace

    from comity.exchange.receipt import read_answer_text

    authorise, repeat, take = judge._authorise, inbox._repeat, inbox.Receiver.take

    def permit_all(self: Any, *words: Any) -> Any:
        said = authorise(self, *words)
        if not is_now("any_agreement"):
            return said
        return said._replace(answer=replace(said.answer, accepted=True, code="", text=""), refused=None)

    def repeat_all(incoming: Any, sha256: str, text: str) -> Any:
        return read_answer_text(text) if is_now("any_message_again") else repeat(incoming, sha256, text)

    seen: set[str] = set()

    def take_anew(self: Any, opened: Any) -> Any:
        replies = take(self, opened)
        for place, data in enumerate(opened.envelopes):
            name = data[:300].split(b'"envelope":"')[-1][:36].decode("latin-1")
            if name in seen and replies[place].is_receipt and is_now("other_bytes_to_duplicates"):
                replies[place] = replace(replies[place], body=replies[place].body + b" ")
            seen.add(name)
        return replies

    judge._authorise, inbox._repeat, inbox.Receiver.take = permit_all, repeat_all, take_anew


def _break_proofs(inbox: Any, receipt: Any) -> None:
    witness, to_bytes, commit = inbox.witness_heads, receipt.SignedRefusal.to_bytes, inbox.commit

    def follow_none(arrivals: Any, **named: Any) -> Any:
        return {} if is_now("no_heads") else witness(arrivals, **named)

    def leave_unsigned(self: Any) -> bytes:
        data: bytes = to_bytes(self)
        return data.replace(b'"refusal":', b'"unsigned":') if is_now("unsigned_refusals") else data

    def commit_wrong(kind: str, digest: bytes, **named: Any) -> Any:
        return commit(kind, bytes(32) if is_now("a_leaf_elsewhere") else digest, **named)

    inbox.witness_heads, receipt.SignedRefusal.to_bytes, inbox.commit = follow_none, leave_unsigned, commit_wrong


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")
    django.setup()
    break_it()
    from comity.node.running import run_node

    run_node(with_parent=True)
