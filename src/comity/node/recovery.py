"""After a loss or a theft: new keys that no earlier one vouches for. And the move of keys into a token.

What stays: the log with all its entries, under its name where its key is left, else under a new one whose first entry
names the former log; what was sealed to a key that is left opens; receipts that partners may still wait for are signed
anew. What a partner must do: compare the fingerprint, as at the introduction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from comity.exchange.invitation import held_document
from comity.exchange.resigning import sign_receipts_anew
from comity.ledger.continuing import continue_log
from comity.ledger.services import open_log
from comity.node.birth import hosts_of
from comity.node.home import Home, HomeError
from comity.node.keys import load_keyring, read_key_files, replace_keyring
from comity.node.token import TOKEN_FILE, TokenPlace, held_keys, make_key, put_key, token_at
from comity.trust import (
    FormerKeys,
    KeyDocument,
    Keyring,
    LogSigner,
    LogVerifier,
    Loss,
    NoteKind,
    SigningKey,
    read_former_keys,
    read_log_key,
    recover_keyring,
    renew_keyring,
)

_DOCUMENT = "node.keydoc.json"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is to be recovered. new_log: a name, where the log's key is not to be trusted or is gone.

    former: bytes of an invitation or key document of before, where the folder of keys is gone.
    """

    home: Home
    new_log: str = ""
    former: bytes = b""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came of it. former_log: its name, where the log goes on under another. receipts: signed anew."""

    keyring: Keyring
    former_log: str
    receipts: int


def recover_keys(wish: Recovery, *, at: datetime) -> Recovered:
    """Give the node new keys in the place of those that are lost or stolen.

    Raises: HomeError where the log's key is gone and no new name was given, or nothing says which log it was.
    """
    settings = wish.home.read_settings()
    files = read_key_files(wish.home.keys)
    listed = _former_document(wish, files)
    log, cosigner = _left_of_the_log(wish, files, listed)
    keyring = recover_keyring(
        settings.administration,
        settings.name,
        settings.partners.url,
        hosts_of(settings.partners.url, settings.partners.host),
        at,
        loss=Loss(
            version=listed.version + 1,
            log=log,
            cosigner=cosigner,
            log_origin=wish.new_log or listed.log_origin,
            opening=_opening(files, listed),
            listed=listed,
        ),
    )
    with transaction.atomic():
        if log is None:
            continue_log(former=LogVerifier.from_vkey(listed.log_vkey), signer=keyring.log, at=at)
        else:
            open_log(signer=keyring.log, at=at)
        receipts = sign_receipts_anew(keyring)
    replace_keyring(wish.home, keyring)
    return Recovered(load_keyring(wish.home), "" if log else listed.log_origin, receipts)


def move_into_token(keyring: Keyring, place: TokenPlace, hosts: Sequence[str], at: datetime) -> Keyring:
    """The keyring whose signing key was made in a token and whose log keys were put there.

    Raises: TokenError; HomeError where they are in a token already.
    """
    token = token_at(place)
    log, cosigner = keyring.log.key, keyring.cosigner.key
    if not (isinstance(log, SigningKey) and isinstance(cosigner, SigningKey)):
        raise HomeError("The keys are in a token already", where=place.label)
    renewed = renew_keyring(keyring, hosts, at, signing=make_key(token))
    return replace(
        renewed,
        log=LogSigner(keyring.log.name, put_key(token, log)),
        cosigner=LogSigner(keyring.cosigner.name, put_key(token, cosigner), NoteKind.COSIGNATURE),
    )


def _former_document(wish: Recovery, files: Mapping[str, bytes]) -> KeyDocument:
    kept = wish.former or files.get(_DOCUMENT, b"")
    if not kept:
        raise HomeError(
            "Nothing says which keys this node had",
            where=str(wish.home.keys),
            remedy="Give an invitation of before with --former FILE; a partner that kept the file can send it back.",
        )
    document = held_document(kept)
    if document.administration != wish.home.read_settings().administration:
        raise HomeError("The former key document is another administration's", where=document.administration)
    return document


def _left_of_the_log(
    wish: Recovery, files: Mapping[str, bytes], listed: KeyDocument
) -> tuple[LogSigner | None, LogSigner | None]:
    """The log's signers where their keys are left and may go on."""
    if wish.new_log:
        return None, None
    held = held_keys(wish.home.keys / TOKEN_FILE)
    log = held.get("log.key") or read_log_key(files, "log.key")
    cosigner = held.get("cosigner.key") or read_log_key(files, "cosigner.key")
    if log is None or LogSigner(listed.log_origin, log).vkey != listed.log_vkey:
        raise HomeError(
            "The key of the log is gone",
            where="log.key",
            remedy=f"Go on under a new name: --new-log {listed.log_origin}-2.",
        )
    name = LogVerifier.from_vkey(listed.cosigner_vkey).name
    return (
        LogSigner(listed.log_origin, log),
        LogSigner(name, cosigner, NoteKind.COSIGNATURE) if cosigner is not None else None,
    )


def _opening(files: Mapping[str, bytes], listed: KeyDocument) -> FormerKeys:
    """The sealing keys that are left, as far as the former document lists them."""
    left = read_former_keys(files)
    publics = {each.public for each in (*listed.encryption_keys, *listed.hybrid_keys)}
    return FormerKeys(
        encryption=tuple(each for each in left.encryption if each.public.raw.hex() in publics),
        hybrid=tuple(each for each in left.hybrid if each.public.raw.hex() in publics),
    )
