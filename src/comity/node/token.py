"""Keys in a token: PKCS#11, for nodes whose signing and log keys must never lie on a disk.

An extra (`pip install comity[pkcs11]`). A token is a device, so it lives here and not in `trust`, which does no I/O:
there it is just one more thing that signs (`trust.Signer`). The PIN comes from a file or the environment, never from a
command line. Ed25519 is CKM_EDDSA (PKCS#11 3.0 §2.3.6), which SoftHSM 2.6 has, too.
"""

from __future__ import annotations

import os
import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from comity.node.home import HomeError
from comity.trust import Keyring, Signer, SigningKey, VerifyKey

PIN_VARIABLE = "COMITY_TOKEN_PIN"
TOKEN_FILE = "token.toml"  # noqa: S105  # the name of a file without secrets
# The curve's name as PrintableString in DER (PKCS#11 3.0 §2.3.10).
_EDWARDS25519 = b"\x13\x0cedwards25519"
_LABEL = "comity"
_T = TypeVar("_T")


class TokenError(HomeError):
    """The token cannot be used: it is away, its PIN is wrong, or a key is not in it."""

    code = "bad_token"


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a token is. module: its PKCS#11 library. pin_file: empty takes the PIN from COMITY_TOKEN_PIN."""

    module: str
    label: str
    pin_file: str = ""

    def read_pin(self) -> str:
        """The PIN.

        Raises: TokenError where there is none.
        """
        if not self.pin_file:
            pin = os.environ.get(PIN_VARIABLE, "")
        else:
            try:
                pin = Path(self.pin_file).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise TokenError(f"The PIN cannot be read: {type(error).__name__}", where=self.pin_file) from error
        if not pin:
            raise TokenError(
                "There is no PIN for the token",
                where=self.pin_file or PIN_VARIABLE,
                remedy=f"Write it into a file that only the node may read, or set {PIN_VARIABLE}.",
            )
        return pin


@dataclass(slots=True)
class Token:
    """A session with a token, opened when first needed and again after the token was away. Used by any thread."""

    place: TokenPlace
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _session: Any = None
    _handles: dict[str, Any] = field(default_factory=dict)

    def do(self, deed: Callable[[Any], _T]) -> _T:
        """Do something in the session; where the token was away since the last time, once more in a new one.

        Raises: TokenError.
        """
        library = _library()
        with self._lock:
            is_old = self._session is not None
            try:
                return deed(self._open())
            except library.exceptions.PKCS11Error as error:
                self._forget()
                if not is_old:
                    raise self._trouble(error) from error
            try:
                return deed(self._open())
            except library.exceptions.PKCS11Error as error:
                self._forget()
                raise self._trouble(error) from error

    def sign(self, key: VerifyKey, data: bytes) -> bytes:
        """The signature of a key that is in the token.

        Raises: TokenError.
        """
        return self.do(lambda session: bytes(self._private(session, key).sign(data, mechanism=_eddsa())))

    def _private(self, session: Any, key: VerifyKey) -> Any:
        """The key's handle, looked for once in a session: looking costs more than signing."""
        if key.keyid not in self._handles:
            library = _library()
            self._handles[key.keyid] = session.get_key(
                object_class=library.ObjectClass.PRIVATE_KEY,
                key_type=library.KeyType.EC_EDWARDS,
                id=bytes.fromhex(key.keyid),
            )
        return self._handles[key.keyid]

    def _open(self) -> Any:
        if self._session is None:
            library = _library()
            try:
                module = library.lib(self.place.module)
            except RuntimeError as error:
                raise TokenError(
                    "The token's library cannot be loaded", where=f"{self.place.module}: {error}"
                ) from error
            try:
                token = module.get_token(token_label=self.place.label)
            except library.exceptions.PKCS11Error:
                module.reinitialize()  # tokens that came since the library was loaded
                token = module.get_token(token_label=self.place.label)
            self._session = token.open(rw=True, user_pin=self.place.read_pin())
        return self._session

    def _forget(self) -> None:
        """The old session, where it can still be told."""
        session, self._session = self._session, None
        self._handles.clear()
        if session is None:
            return
        try:
            session.close()
        except _library().exceptions.PKCS11Error:
            return

    def _trouble(self, error: Exception) -> TokenError:
        return TokenError(
            f"The token refuses: {type(error).__name__}",
            where=f"{self.place.label} of {self.place.module}",
            remedy="See that it is plugged in, that its PIN is right and not locked, and that the key is in it.",
        )


@dataclass(frozen=True, slots=True)
class TokenKey:
    """An Ed25519 key in a token; a Signer. Two are equal where their public keys are."""

    verify_key: VerifyKey
    token: Token = field(repr=False, compare=False)

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature over the data, made in the token.

        Raises: TokenError.
        """
        return self.token.sign(self.verify_key, data)


def make_key(token: Token) -> TokenKey:
    """A new signing key that is made in the token and never leaves it.

    Raises: TokenError.
    """
    library = _library()

    def deed(session: Any) -> bytes:
        parameters = session.create_domain_parameters(
            library.KeyType.EC_EDWARDS, {library.Attribute.EC_PARAMS: _EDWARDS25519}, local=True
        )
        public, private = parameters.generate_keypair(
            mechanism=library.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=_LABEL
        )
        raw = bytes(public[library.Attribute.EC_POINT])[-32:]
        for each in (public, private):
            each[library.Attribute.ID] = bytes.fromhex(VerifyKey(raw).keyid)
        return raw

    return TokenKey(VerifyKey(token.do(deed)), token)


def put_key(token: Token, key: SigningKey) -> TokenKey:
    """A key that was made outside, put into the token: for the log, which lives as long as its key.

    Raises: TokenError.
    """
    library = _library()
    shared = {
        library.Attribute.KEY_TYPE: library.KeyType.EC_EDWARDS,
        library.Attribute.EC_PARAMS: _EDWARDS25519,
        library.Attribute.LABEL: _LABEL,
        library.Attribute.ID: bytes.fromhex(key.verify_key.keyid),
        library.Attribute.TOKEN: True,
    }
    secret = {
        library.Attribute.CLASS: library.ObjectClass.PRIVATE_KEY,
        library.Attribute.VALUE: key.seed,
        library.Attribute.SENSITIVE: True,
        library.Attribute.EXTRACTABLE: False,
        library.Attribute.PRIVATE: True,
        library.Attribute.SIGN: True,
    }
    token.do(lambda session: session.create_object(shared | secret))
    held = TokenKey(key.verify_key, token)
    key.verify_key.verify(held.sign(b"comity"), b"comity")
    return held


def held_keys(path: Path) -> dict[str, Signer]:
    """The keys that a node's token holds, by the name of the file that they have no need of; none without token.toml.

    Raises: TokenError where the file cannot be read; the token itself is asked at the first signature.
    """
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text())
        place = TokenPlace(str(table["module"]), str(table["label"]), str(table.get("pin_file", "")))
        keys = {str(name): VerifyKey(bytes.fromhex(public)) for name, public in table["keys"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TokenError(f"The file that names the token cannot be read: {error}", where=str(path)) from error
    return {name: TokenKey(key, token_at(place)) for name, key in keys.items()}


def token_text(keyring: Keyring) -> bytes:
    """The contents of token.toml for the keys of a keyring that a token holds; empty where none does."""
    signers = {"signing.key": keyring.signing, "log.key": keyring.log.key, "cosigner.key": keyring.cosigner.key}
    signers |= {f"former-signing-{each.verify_key.keyid}.key": each for each in keyring.former.signing}
    held = {name: key for name, key in signers.items() if isinstance(key, TokenKey)}
    if not held:
        return b""
    place = next(iter(held.values())).token.place
    lines = ["# Which keys are in a token, by their public halves. No secret is in this file."]
    lines += [f"{name} = {_quoted(getattr(place, name))}" for name in ("module", "label", "pin_file")]
    lines += ["", "[keys]", *(f"{_quoted(name)} = {_quoted(key.verify_key.raw.hex())}" for name, key in held.items())]
    return "\n".join([*lines, ""]).encode()


def successor_of(key: Signer) -> Signer | None:
    """A new signing key in the token that holds this one; None where no token does.

    Raises: TokenError.
    """
    return make_key(key.token) if isinstance(key, TokenKey) else None


@lru_cache(maxsize=8)
def token_at(place: TokenPlace) -> Token:
    """The token at a place: one login for the whole process, as PKCS#11 has it."""
    return Token(place)


def _eddsa() -> Any:
    return _library().Mechanism.EDDSA


def _library() -> ModuleType:
    """Loaded when a token is asked for: most nodes have none."""
    try:
        return import_module("pkcs11")
    except ImportError as error:
        raise TokenError(
            "Keys in a token need the extra pkcs11", remedy="Install it: python -m pip install 'comity[pkcs11]'."
        ) from error


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
