"""What the lab does inside one of its nodes, in a process of its own: `comity lab-node`.

A node that serves finds what was posted here as it finds what any process of the home posts.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click
from django.conf import settings

from comity.agreements.services import permit
from comity.cli.conformance.tester import How, Tester
from comity.cli.lab.liar import serve_lies
from comity.cli.support import now, terminal_actor
from comity.exchange.directory import load_peer
from comity.exchange.envelope import Extension
from comity.exchange.models import InboxMessage, OutboxMessage, Refusal
from comity.exchange.services import Posting, post_all
from comity.ledger.models import SplitView
from comity.ledger.verifying import verify_log
from comity.trade import Handling
from comity.trust import Checkpoint, keyring_from_files, sha256_hex, sign_note

_BODY = {
    "category": "commodities",
    "title": "An exercise",
    "risk_type": "other",
    "issued_at": "2026-01-01T00:00:00Z",
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_until": "2099-01-01T00:00:00Z",
}


@click.group("lab-node")
def lab_node() -> None:
    """What `comity lab` does inside one of its nodes. Not for a node with work of its own."""


@lab_node.command("post")
@click.argument("recipient")
@click.argument("count", type=int)
def post(recipient: str, count: int) -> None:
    """Post COUNT alerts to RECIPIENT under the lab's agreement."""
    actor, at = terminal_actor(), now()
    body = {"ref": f"{actor.administration}-LAB", "issuer": actor.administration, **_BODY}
    release = permit(
        actor, kind="alert/1", recipient=recipient, purpose="control", handling=Handling.OFFICIAL, body=body, at=at
    )
    ids = post_all(actor, [Posting(release)] * count, signer=settings.COMITY_KEYRING.log, at=at)
    click.echo(json.dumps(list(ids)))


@lab_node.command("look")
def look() -> None:
    """Print what expectations are about: what was sent, what arrived, refusals, split views, the log."""
    sent, inbox = OutboxMessage.objects.filter(kind="alert/1"), InboxMessage.objects.filter(kind="alert/1")
    refused = OutboxMessage.objects.filter(state="refused").values_list("answer", flat=True)
    said = {
        "sent": {
            f"{partner} {state}": count
            for (partner, state), count in Counter(sent.values_list("partner__administration", "state")).items()
        },
        "posted": [list(each) for each in sent.values_list("partner__administration", "message_id", "state")],
        "arrived": [list(each) for each in inbox.values_list("sender", "message_id", "is_accepted")],
        "unprocessed": inbox.filter(is_accepted=True, processed_at=None).count(),
        "refusals": [
            *Refusal.objects.values_list("code", flat=True),
            *((each or {}).get("code", "") for each in refused),
        ],
        "split_views": list(SplitView.objects.values_list("origin", flat=True)),
        "log": list(verify_log(settings.COMITY_KEYRING.log.verifier).problems),
    }
    click.echo(json.dumps(said))


@lab_node.command("fork")
@click.argument("recipient")
def fork(recipient: str) -> None:
    """Show RECIPIENT another history of this node's log, signed with the log's own key."""
    tester = _tester(recipient)
    tester.next_sequence = tester.position().highest + 1

    # What cannot be followed is answered with the size that the partner knows; there the other history branches off.
    _, first = tester.send(tester.message(), how=_showing(tester, 2**40))
    _, answer = tester.send(tester.message(), how=_showing(tester, max(first.sealed().witnessed, 1)))
    click.echo(json.dumps([answer.status, answer.code]))


@lab_node.command("use-key")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("recipient")
def use_key(folder: Path, recipient: str) -> None:
    """Send to RECIPIENT with the keys in FOLDER, as a thief of them would; prints status and code."""
    tester = _tester(recipient, folder)
    tester.next_sequence = tester.position().highest + 1
    _, answer = tester.send(tester.message())
    click.echo(json.dumps([answer.status, answer.code]))


@lab_node.command("lie")
@click.argument("port", type=int)
def lie(port: int) -> None:
    """Serve the partner port with receipts that no log holds, until standard input closes."""
    serve_lies(port)


def _showing(tester: Tester, size: int) -> How:
    """An envelope with a checkpoint of a tree that never was, signed with the log's own key."""
    text = Checkpoint(tester.keyring.log.name, size, bytes.fromhex(sha256_hex(b"another history"))).text
    head = Extension(sign_note(text, tester.keyring.log, at=now()), size, ())
    return How(changes=lambda contents: replace(contents, log_head=head))


def _tester(recipient: str, folder: Path | None = None) -> Tester:
    """The keys of this node, or stolen ones, towards a partner of this node."""
    keyring = settings.COMITY_KEYRING
    if folder is not None:
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        keyring = keyring_from_files(files)
    peer = load_peer(recipient)
    return Tester(keyring, peer.keys, peer.endpoint, now)
