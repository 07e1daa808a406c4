"""The mirror check's locks: what a declaration is recognised by, and what is said of its figures without saying them.

Every offer has a content key of its own. It hangs behind each reference of the consignment: whoever has the same
reference finds the tag, unwraps the key and can test figures of his own against the commitments; who has not must guess
a reference first. Amounts and masses are committed to in steps of one per cent, so that even a partner who tries out
every figure learns no more than that. Pure; the step numbers are those of docs/protocol.md, section Mirror check.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Context, Decimal
from enum import StrEnum
from hashlib import sha256

from comity.intake import KeyKind, normal_key
from comity.trade import Declaration, Money
from comity.trade.mirror import MIRROR_FIELDS, MOST_LOCKS, MirrorCommitments, MirrorFigures, MirrorLock

KEY_BYTES = 32
_NONCE_BYTES = 16
_DOMAIN = b"comity/mirror/1/"
# Correctly rounded on every machine: both sides must come to the same step.
_EXACT = Context(prec=28)
_STEP = _EXACT.ln(Decimal("1.01"))
_SHORTEST_REFERENCE = 4


class Joint(StrEnum):
    """By what two declarations are of one consignment; the surest first."""

    UCR = "ucr"
    DECLARED = "declared"
    BILL = "bill"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Band:
    """How far our figure may lie from the partner's: the partner's, as a share of ours, from low to high."""

    low: Decimal
    high: Decimal


# What is insured and carried costs more on arrival: ours is from 5 % below to 25 % above a value told at export.
VALUE_BAND = Band(1 / Decimal("1.25"), 1 / Decimal("0.95"))
# With a rate of exchange between the two, a further 5 % on both sides.
CONVERTED_BAND = Band(1 / Decimal("1.31"), 1 / Decimal("0.90"))
# Nets are weighed or computed, gross masses are rounded up to tens.
MASS_BANDS: Mapping[str, Band] = {
    "net_mass_kg": Band(Decimal("0.97"), Decimal("1.03")),
    "gross_mass_kg": Band(Decimal("0.95"), Decimal("1.05")),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference of a consignment in its normal form."""

    joint: Joint
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a comparison: fields that agree, that differ, and that cannot be compared."""

    agreed: tuple[str, ...]
    differing: tuple[str, ...]
    open: tuple[str, ...]


def quarter_of(at: datetime) -> str:
    """The period of a key, such as 2026-Q1."""
    return f"{at.year:04d}-Q{(at.month + 2) // 3}"


def new_key() -> str:
    """A key of a pair or of an offer, in hex."""
    return secrets.token_bytes(KEY_BYTES).hex()


def key_name(key: str) -> str:
    """How a key is told apart without showing it."""
    return sha256(_DOMAIN + b"name\0" + bytes.fromhex(key)).hexdigest()[:32]


def export_references(declaration: Declaration) -> tuple[Reference, ...]:
    """What an import declaration of the same goods may name: UCR, own numbers, bills, containers."""
    own = (declaration.mrn, declaration.lrn)
    return _references(declaration, own)


def import_references(declaration: Declaration) -> tuple[Reference, ...]:
    """What an import declaration names of the consignment: UCR, the export's number, bills, containers."""
    named = [each.id for each in declaration.previous_documents]
    named += [each.id for item in declaration.items for each in item.previous_documents]
    return _references(declaration, named)


def _references(declaration: Declaration, declared: Iterable[str]) -> tuple[Reference, ...]:
    part = declaration.consignment
    told = [(Joint.UCR, declaration.ucr), (Joint.UCR, part.ucr)]
    told += [(Joint.DECLARED, text) for text in declared]
    told += [(Joint.BILL, part.house_bill), (Joint.BILL, part.master_bill)]
    told += [(Joint.CONTAINER, equipment.id) for equipment in part.transport_equipment]
    found = (Reference(joint, normal_key(KeyKind.UCR, text)) for joint, text in told)
    return tuple(dict.fromkeys(each for each in found if len(each.text) >= _SHORTEST_REFERENCE))[:MOST_LOCKS]


def figures_of(declaration: Declaration) -> MirrorFigures:
    """What a declaration says over all its goods items; what one of them leaves out is not known."""
    items = declaration.items
    packages = [sum(each.quantity or 0 for each in item.packages) for item in items]
    return MirrorFigures(
        value=_value_of(declaration),
        gross_mass_kg=_total([item.gross_mass_kg for item in items]) or declaration.consignment.gross_mass_total_kg,
        net_mass_kg=_total([item.net_mass_kg for item in items]),
        packages=sum(packages) if packages and all(packages) else declaration.consignment.packages_total,
        hs_codes=_codes([item.hs_code.subheading if item.hs_code else "" for item in items]),
        origins=_codes([item.origin for item in items]),
    )


def _value_of(declaration: Declaration) -> Money | None:
    prices = [item.item_price or item.statistical_value for item in declaration.items]
    stated = [price for price in prices if price is not None]
    if stated and len(stated) == len(prices) and len({price.currency for price in stated}) == 1:
        return Money(sum((price.amount for price in stated), Decimal(0)), stated[0].currency)
    return declaration.invoice_amount


def _total(masses: list[Decimal | None]) -> Decimal | None:
    stated = [mass for mass in masses if mass is not None]
    return sum(stated, Decimal(0)) if stated and len(stated) == len(masses) else None


def _codes(words: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words))) if words and all(words) else ()


def tag_of(key: str, reference: Reference) -> str:
    """The keyed hash by which a reference is recognised under a pair's key."""
    return _mac(bytes.fromhex(key), "tag", reference.joint, reference.text).hex()


def lock(key: str, reference: Reference, content_key: str) -> MirrorLock:
    """Hang the content key behind a reference."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    wrapped = nonce + _masked(key, reference, nonce, bytes.fromhex(content_key))
    return MirrorLock(tag_of(key, reference), wrapped.hex())


def open_lock(key: str, reference: Reference, wrapped: str) -> str:
    """The content key behind a reference; nonsense where the reference is another."""
    data = bytes.fromhex(wrapped)
    return _masked(key, reference, data[:_NONCE_BYTES], data[_NONCE_BYTES:]).hex()


def _masked(key: str, reference: Reference, nonce: bytes, data: bytes) -> bytes:
    mask = _mac(bytes.fromhex(key), "wrap", nonce.hex(), reference.joint, reference.text)
    return bytes(left ^ right for left, right in zip(data, mask, strict=True))


def proof_of(content_key: str, *, asking: str, fields_asked: Iterable[str]) -> str:
    """What only who opened the offer can make: the leave to ask for figures."""
    return _mac(bytes.fromhex(content_key), "ask", asking, *sorted(fields_asked)).hex()


def ucr_in(references: Iterable[Reference]) -> str:
    """The UCR among references, empty where there is none."""
    return next((each.text for each in references if each.joint is Joint.UCR), "")


def is_other_consignment(content_key: str, told: MirrorCommitments, references: Iterable[Reference]) -> bool:
    """Whether both sides state a UCR, and not the same."""
    own = ucr_in(references)
    return bool(own and told.ucr) and not hmac.compare_digest(_committed(content_key, "ucr", own), told.ucr)


def commit_to(content_key: str, figures: MirrorFigures, *, ucr: str = "") -> MirrorCommitments:
    """A keyed hash of each figure that there is, and of the UCR in its normal form."""
    words = {name: word for name, word in (("ucr", ucr), *_words(figures)) if word}
    return MirrorCommitments(**{name: _committed(content_key, name, word) for name, word in words.items()})


def _words(figures: MirrorFigures) -> Iterator[tuple[str, str]]:
    if figures.value is not None:
        yield "currency", figures.value.currency
        yield "value", f"{figures.value.currency} {step_of(figures.value.amount)}"
    for name in MASS_BANDS:
        mass = getattr(figures, name)
        yield name, "" if mass is None else str(step_of(mass))
    yield "packages", "" if figures.packages is None else str(figures.packages)
    yield "hs_codes", " ".join(figures.hs_codes)
    yield "origins", " ".join(figures.origins)


def step_of(amount: Decimal) -> int:
    """The step of one per cent in which an amount lies."""
    if amount <= 0:
        return -(10**9)
    return int(_EXACT.divide(_EXACT.ln(amount), _STEP).to_integral_value(ROUND_FLOOR))


def _committed(content_key: str, name: str, word: str) -> str:
    return _mac(bytes.fromhex(content_key), "figure", name, word).hex()


def _mac(key: bytes, *words: str) -> bytes:
    return hmac.digest(key, _DOMAIN + b"\0".join(word.encode() for word in words), "sha256")


def compare(
    content_key: str, told: MirrorCommitments, ours: MirrorFigures, rates: Mapping[str, Decimal] | None = None
) -> Compared:
    """Which of our figures agree with what the partner committed to, within the bands, without knowing its figures.

    rates: what one unit of each currency is worth in a common one.
    """
    verdicts = {name: _agrees(name, content_key, told, ours, rates or {}) for name in MIRROR_FIELDS}
    agreed, differing, unknown = (
        tuple(name for name, verdict in verdicts.items() if verdict is wanted) for wanted in (True, False, None)
    )
    return Compared(agreed, differing, unknown)


def _agrees(
    name: str, content_key: str, told: MirrorCommitments, ours: MirrorFigures, rates: Mapping[str, Decimal]
) -> bool | None:
    commitment, own = getattr(told, name), getattr(ours, name)
    if not commitment or own is None or own == ():
        return None
    if isinstance(own, Money):
        return _agrees_in_value(content_key, told, own, rates)
    if isinstance(own, Decimal):
        return _is_within(content_key, (name, commitment), own, MASS_BANDS[name])
    word = str(own) if isinstance(own, int) else " ".join(own)
    return hmac.compare_digest(_committed(content_key, name, word), commitment)


def _agrees_in_value(
    content_key: str, told: MirrorCommitments, own: Money, rates: Mapping[str, Decimal]
) -> bool | None:
    """In our currency, else in the partner's where both have a rate; without one the two cannot be compared."""
    for currency in (own.currency, *sorted(rates)):
        if not hmac.compare_digest(_committed(content_key, "currency", currency), told.currency):
            continue
        if currency == own.currency:
            return _is_within(content_key, ("value", told.value), own.amount, VALUE_BAND, currency)
        converted = convert(own, currency, rates)
        if converted is not None:
            return _is_within(content_key, ("value", told.value), converted, CONVERTED_BAND, currency)
    return None


def convert(money: Money, currency: str, rates: Mapping[str, Decimal]) -> Decimal | None:
    """An amount in another currency, None where a rate is missing."""
    rate, other = rates.get(money.currency), rates.get(currency)
    return money.amount * rate / other if rate and other else None


def _is_within(content_key: str, told: tuple[str, str], own: Decimal, band: Band, currency: str = "") -> bool:
    """Whether the committed step is one of those in the band. Every step of the band is tested, and none beyond.

    told: the name of the field and its commitment.
    """
    name, commitment = told
    first, last = step_of(own * band.low), step_of(own * band.high)
    words = (f"{currency} {step}".lstrip() for step in range(first, last + 1))
    return any(hmac.compare_digest(_committed(content_key, name, word), commitment) for word in words)


def is_kept(content_key: str, told: MirrorCommitments, values: MirrorFigures) -> Mapping[str, bool]:
    """Of each figure that came: whether it is the one that was committed to."""
    again = commit_to(content_key, values)
    names = [name for name in MIRROR_FIELDS if getattr(again, name)]
    return {name: hmac.compare_digest(getattr(again, name), getattr(told, name)) for name in names}
