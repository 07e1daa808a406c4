"""How a node comes to be: folders, settings, keys, database."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management import call_command

from comity.ledger.services import open_log
from comity.node.home import SETTINGS_NAME, Home, HomeError
from comity.node.keys import write_keyring
from comity.node.token import TokenPlace, make_key, token_at
from comity.trust import Keyring, LogSigner, Loss, NoteKind, recover_keyring

_CODE = re.compile(r"[A-Z]{2}")
_SETTINGS = """\
# What this node is and where it listens. See docs/guide/settings.md.
administration = {administration}
name = {name}
time_zone = {time_zone}

[console]            # officers and programs
host = {host}
port = {console_port}
url = {console_url}

[partners]           # partner nodes, mutual TLS
host = {host}
port = {partners_port}
url = {partners_url}
"""


@dataclass(frozen=True, slots=True)
class BirthWishes:
    """What a new node shall be. Ports are TCP; URLs are how others reach the node, derived where they are empty.

    pkcs11_module, pkcs11_token: of the token in which the signing and log keys are made; empty: they are files.
    pin_file: of the token; empty takes the PIN from the environment.
    """

    administration: str
    name: str
    host: str = "127.0.0.1"
    console_port: int = 8100
    partners_port: int = 8200
    console_url: str = ""
    partners_url: str = ""
    time_zone: str = "UTC"
    pkcs11_module: str = ""
    pkcs11_token: str = ""
    pin_file: str = ""


def create_node(home: Home, wishes: BirthWishes, *, at: datetime) -> Keyring:
    """Make a node in an empty home, with its keys, its certificates and its tables.

    Raises: HomeError where a node lives there already or the code is not one of two capital letters; TokenError.
    """
    if home.is_initialised:
        raise HomeError("A node lives here already", where=str(home.root), remedy="Choose another folder.")
    if not _CODE.fullmatch(wishes.administration):
        raise HomeError(
            "The administration is named by two capital letters",
            where=repr(wishes.administration),
            remedy="Give the ISO 3166-1 alpha-2 code; XA to XZ are free for trials.",
        )
    # What can fail for reasons outside of this folder comes before anything is written.
    kept = _keys_in_token(wishes)
    for folder in (home.evidence, home.inbox, home.mappings):
        folder.mkdir(parents=True, exist_ok=True)
    partners_url = wishes.partners_url or f"https://{wishes.host}:{wishes.partners_port}"
    hosts = hosts_of(partners_url, wishes.host)
    keyring = recover_keyring(wishes.administration, wishes.name, partners_url, hosts, at, loss=kept)
    write_keyring(home, keyring)
    (home.root / SETTINGS_NAME).write_text(_settings_text(wishes, partners_url))
    migrate_database()
    open_log(signer=keyring.log, at=at)
    return keyring


def hosts_of(partners_url: str, host: str) -> tuple[str, ...]:
    """The names and addresses that the certificate of the partner port is for."""
    return tuple(dict.fromkeys((urlsplit(partners_url).hostname or host, host, "localhost")))


def migrate_database() -> None:
    """Bring the tables to what this version needs; does nothing where they are."""
    call_command("migrate", verbosity=0, interactive=False)


def _keys_in_token(wishes: BirthWishes) -> Loss:
    """The signing and log keys where a token shall hold them: made there, they are never on a disk. Else nothing."""
    if bool(wishes.pkcs11_module) != bool(wishes.pkcs11_token) or (wishes.pin_file and not wishes.pkcs11_module):
        raise HomeError(
            "A token is named by its library and its label",
            where=wishes.pkcs11_module or wishes.pkcs11_token or wishes.pin_file,
            remedy="Give both --pkcs11-module and --pkcs11-token, or neither.",
        )
    if not wishes.pkcs11_module:
        return Loss()
    pin_file = str(Path(wishes.pin_file).resolve()) if wishes.pin_file else ""
    token = token_at(TokenPlace(wishes.pkcs11_module, wishes.pkcs11_token, pin_file))
    log = LogSigner(f"comity.{wishes.administration.lower()}/log", make_key(token))
    cosigner = LogSigner(f"{log.name}/cosigner", make_key(token), NoteKind.COSIGNATURE)
    return Loss(log=log, cosigner=cosigner, signing=make_key(token))


def _settings_text(wishes: BirthWishes, partners_url: str) -> str:
    words = {
        "administration": wishes.administration,
        "name": wishes.name,
        "time_zone": wishes.time_zone,
        "host": wishes.host,
        "console_port": wishes.console_port,
        "console_url": wishes.console_url or f"http://{wishes.host}:{wishes.console_port}",
        "partners_port": wishes.partners_port,
        "partners_url": partners_url,
    }
    # A TOML basic string is a JSON string for everything that may stand in a name.
    return _SETTINGS.format(**{key: json.dumps(value, ensure_ascii=False) for key, value in words.items()})
