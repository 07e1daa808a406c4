"""One form for one value: JSON with sorted keys, compact, in UTF-8, without floats.

The bytes are what is hashed and signed; a reader verifies the bytes that it got and never makes them again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from comity.trust.errors import CanonicalFormError

MAX_DEPTH = 64
# RFC 7493 §2.2: beyond this a reader that uses doubles gets another number.
MAX_INTEGER = 2**53 - 1


def canonical_json(value: object) -> bytes:
    """The canonical bytes of a value made of mappings, lists, text, integers, booleans and None.

    Keys are sorted by code point. Raises: CanonicalFormError naming the place.
    """
    plain = _plain(value, "$", 0)
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise CanonicalFormError(
            "A text holds half of a surrogate pair, which UTF-8 cannot carry",
            where=f"character {error.start} of the JSON text",
            remedy="Repair the text where it was read.",
        ) from error


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of the bytes in 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def _plain(value: object, path: str, depth: int) -> object:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return _checked_integer(value, path)
    if depth >= MAX_DEPTH:
        raise CanonicalFormError(
            f"Nested deeper than {MAX_DEPTH} levels", where=path[:200], remedy="Flatten the value."
        )
    if isinstance(value, Mapping):
        return {_checked_key(key, path): _plain(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    raise CanonicalFormError(
        f"A value of type {type(value).__name__} has no canonical form",
        where=path,
        remedy="Write decimals, instants and bytes as text.",
    )


def _checked_integer(value: int, path: str) -> int:
    if abs(value) > MAX_INTEGER:
        raise CanonicalFormError(
            "The integer does not fit into 53 bits, so some readers would round it",
            where=path,
            remedy="Write it as text.",
        )
    return value


def _checked_key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise CanonicalFormError(
            f"A key of type {type(key).__name__} is not text", where=path, remedy="Use text for every key."
        )
    return key
