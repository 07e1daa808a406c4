"""The one question about an Ed25519 public key that the library does not answer: is it a point that proves something?

RFC 8032 §5.1 arithmetic in extended coordinates. It handles public values only, so it need not run in constant time.
"""

from __future__ import annotations

from functools import lru_cache

from comity.trust.errors import KeyRefusedError

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
_NEUTRAL: _Point = (0, 1, 1, 0)
_REMEDY = "Ask the owner for the key document again, and compare its fingerprint by another channel."


@lru_cache(maxsize=4096)
def check_public_point(raw: bytes) -> None:
    """Accept only the canonical encoding of a point of the prime-order group, other than the neutral one.

    A key of low order accepts signatures that nobody made; a key with a low-order part, or with a second
    encoding, is accepted by one verifier and refused by another.

    Raises: KeyRefusedError.
    """
    point = _decode(raw)
    if _is_neutral(_times(8, point)):
        raise KeyRefusedError("The signing key is a point of low order", where=raw.hex(), remedy=_REMEDY)
    if not _is_neutral(_times(_L, point)):
        raise KeyRefusedError("The signing key has a part of low order", where=raw.hex(), remedy=_REMEDY)


def _decode(raw: bytes) -> _Point:
    """RFC 8032 §5.1.3, refusing y >= p."""
    if len(raw) != 32:
        raise KeyRefusedError(f"A signing key has 32 bytes, this one {len(raw)}", remedy=_REMEDY)
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        raise KeyRefusedError("The signing key is not in its canonical encoding", where=raw.hex(), remedy=_REMEDY)
    x = _x_of(y, raw)
    if x == 0 and sign:
        raise KeyRefusedError("The signing key is not in its canonical encoding", where=raw.hex(), remedy=_REMEDY)
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _x_of(y: int, raw: bytes) -> int:
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P:
        raise KeyRefusedError("The signing key is not a point of the curve", where=raw.hex(), remedy=_REMEDY)
    return x


def _times(scalar: int, point: _Point) -> _Point:
    total = _NEUTRAL
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _add(one: _Point, two: _Point) -> _Point:
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = two
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _is_neutral(point: _Point) -> bool:
    x, y, z, _ = point
    return x == 0 and y == z
