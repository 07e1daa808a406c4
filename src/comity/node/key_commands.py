"""The commands of keys: show, renew, revoke, recover, move into a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import show_instant
from comity.node.birth import hosts_of
from comity.node.home import Home, current_home
from comity.node.keys import load_keyring, replace_keyring
from comity.node.recovery import Recovery, move_into_token, recover_keys
from comity.node.token import PIN_VARIABLE, TokenPlace, successor_of
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trust import KeyDocument, KeyEntry, Keyring, Renewal, certificate_ends, renew_keyring, revoke_key

_USES = (
    ("signing", "signing_keys"),
    ("sealing", "encryption_keys"),
    ("hybrid seal", "hybrid_keys"),
    ("second signature", "second_signing_keys"),
)
_NEXT = "A node that serves takes them up within seconds and tells every partner by itself; nothing is restarted."


@click.group()
def keys() -> None:
    """Show, renew, withdraw and recover the keys, certificates and key document of this node.

    \b
    A key document lasts a year, a key two:
      comity keys renew                        the next version, with new dates; once a year
      comity keys renew --signing --sealing    the same with new keys; every two years
      comity keys revoke KEYID --reason WHY    a key that may be in other hands
      comity keys recover                      all keys are lost or stolen: partners compare the fingerprint again
    A partner without a line takes the news from a file: comity partner invite FILE.
    """


@keys.command("show")
def show_keys() -> None:
    """Print the version, dates, fingerprint and keys, and what needs attention. Exit 1 where something does."""
    require_home()
    at, keyring = now(), load_keyring(current_home())
    document = keyring.key_document
    click.echo(f"version      {document.version}")
    click.echo(f"issued       {show_instant(document.issued_at)}")
    click.echo(f"expires      {show_instant(document.expires_at)}")
    click.echo(f"certificate  until {show_instant(certificate_ends(keyring.tls_certificate_pem))}, renewed by itself")
    click.echo(f"endpoint     {document.endpoint_url}")
    click.echo(f"fingerprint  {document.fingerprint}")
    rows = [
        (use, each.keyid, _state_of(each, keyring), show_instant(each.not_after))
        for use, name in _USES
        for each in getattr(document, name)
    ]
    say_table(("key", "id", "state", "until"), rows)
    warnings = document.warnings(at)
    for warning in warnings:
        click.echo(f"attention    {warning.text}")
    if warnings:
        raise click.exceptions.Exit(1)


@keys.command("renew")
@click.option("--signing", is_flag=True, help="With a new signing key; the old one goes on beside it until its date.")
@click.option("--sealing", is_flag=True, help="With a new sealing key; the old one still opens what is on its way.")
@click.option("--tls", is_flag=True, help="With a new TLS authority, used once every partner knows it.")
def renew_keys(*, signing: bool, sealing: bool, tls: bool) -> None:
    """Make the next version of the key document, with new dates and a new TLS certificate.

    Keys for the hybrid seal and the second signature are added where there are none. The former folder is kept beside
    it; move it to the backup.
    """
    actor, home = terminal_actor(), current_home()
    require(actor, Permission.MANAGE_PARTNERS)
    renewal = Renewal(signing=signing, sealing=sealing, authority=tls)
    keyring = load_keyring(home)
    made = successor_of(keyring.signing) if signing else None
    renewed = renew_keyring(keyring, _hosts(home), now(), renewal=renewal, signing=made)
    _put(home, renewed, deed="renew_keys")


@keys.command("revoke")
@click.argument("keyid")
@click.option("--reason", required=True, help="Why; kept in the audit and told to nobody else.")
def revoke(keyid: str, reason: str) -> None:
    """Withdraw the key KEYID, as `comity keys show` names it, from now on; one in use gets a successor.

    Partners refuse what is signed with it alone as soon as they have the news. Receipts and messages of before stay
    evidence: the log and its cosignatures say when they were made.
    """
    actor, home = terminal_actor(), current_home()
    require(actor, Permission.MANAGE_PARTNERS)
    keyring = load_keyring(home)
    signing = {keyring.signing.verify_key.keyid, *(each.verify_key.keyid for each in keyring.second_signers)}
    made = successor_of(keyring.signing) if keyid in signing else None
    withdrawn = revoke_key(keyring, keyid, _hosts(home), now(), signing=made)
    _put(home, withdrawn, deed="revoke_key", keyid=keyid, reason=reason)
    click.echo("Call the partners too: until the news arrives, what the key signs still passes there.")


@keys.command("recover")
@click.option("--former", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An invitation of before.")
@click.option("--new-log", default="", metavar="NAME", help="The log's key is lost or stolen: go on under this name.")
@click.option("--reason", required=True, help="What happened; kept in the audit.")
def recover(*, former: Path | None, new_log: str, reason: str) -> None:
    """Begin with new keys after a loss or a theft: no earlier key vouches for them.

    What is left of keys/ is used for two things only: sealing keys open what is on its way, and the log's key goes on
    with the log, unless --new-log is given. Every partner must compare the fingerprint again.
    """
    actor, home = terminal_actor(), current_home()
    require(actor, Permission.MANAGE_PARTNERS)
    wish = Recovery(home, new_log=new_log, former=former.read_bytes() if former else b"")
    made = recover_keys(wish, at=now())
    record_deed(actor, deed="recover_keys", subject="keys", facts={"reason": reason, **_facts(made.keyring)}, at=now())
    click.echo(f"New keys; the key document is now version {made.keyring.key_document.version}")
    click.echo(f"The log goes on {'under its name' if not made.former_log else f'as {made.keyring.log.name}'}")
    click.echo(f"{made.receipts} receipts were signed anew for partners that may still wait for them")
    click.echo(f"Fingerprint, to read aloud to partners:\n  {made.keyring.key_document.fingerprint}")
    click.echo("Next: `comity partner invite FILE`; every partner runs")
    click.echo("  comity partner introduce FILE --fingerprint '...as you read it out...'")


@keys.command("move-to-token")
@click.option("--pkcs11-module", required=True, help="The token's PKCS#11 library, such as /usr/lib/.../libxyz.so.")
@click.option("--pkcs11-token", required=True, help="The token's label.")
@click.option("--pin-file", default="", help=f"A file with the PIN. Default: the environment variable {PIN_VARIABLE}.")
def move_to_token(*, pkcs11_module: str, pkcs11_token: str, pin_file: str) -> None:
    """Make a new signing key in a token, and move the keys of the log into it.

    The signing key never leaves the token. The log's key was on a disk before: who wants one that never was begins a
    new log (`comity keys recover --new-log`). Destroy the former folder and its backups when partners have the news.
    """
    actor, home = terminal_actor(), current_home()
    require(actor, Permission.MANAGE_PARTNERS)
    place = TokenPlace(pkcs11_module, pkcs11_token, str(Path(pin_file).resolve()) if pin_file else "")
    moved = move_into_token(load_keyring(home), place, _hosts(home), now())
    _put(home, moved, deed="move_keys_to_token", token=pkcs11_token)


def _put(home: Home, keyring: Keyring, *, deed: str, **facts: str) -> None:
    actor = terminal_actor()
    former = replace_keyring(home, keyring)
    record_deed(actor, deed=deed, subject="keys", facts={**facts, **_facts(keyring)}, at=now())
    click.echo(f"The key document is now version {keyring.key_document.version}; the former folder is {former}")
    click.echo(f"Fingerprint, to read aloud to partners:\n  {keyring.key_document.fingerprint}")
    click.echo(_NEXT)


def _facts(keyring: Keyring) -> dict[str, str]:
    document: KeyDocument = keyring.key_document
    return {"version": str(document.version), "fingerprint": document.fingerprint}


def _hosts(home: Home) -> tuple[str, ...]:
    port = home.read_settings().partners
    return hosts_of(port.url, port.host)


def _state_of(entry: KeyEntry, keyring: Keyring) -> str:
    at = now()
    if entry.is_revoked(at):
        return "withdrawn"
    if entry.keyid in set(_present(keyring)):
        return "in use"
    return "gave way" if entry.not_after > at else "past"


def _present(keyring: Keyring) -> Iterator[str]:
    yield keyring.signing.verify_key.keyid
    yield keyring.encryption.public.keyid
    if keyring.hybrid is not None:
        yield keyring.hybrid.public.keyid
    if keyring.second is not None:
        yield keyring.second.verify_key.keyid
