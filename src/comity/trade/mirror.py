"""What is told for the mirror check: an export declaration as commitments, a request for figures, the figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import cast

from comity.trade.codec import codec_of
from comity.trade.notice_reading import check, read_notice
from comity.trade.notices import Handling
from comity.trade.values import Money

MIRROR_KIND = "mirror/1"
MIRROR_REQUEST_KIND = "mirror_request/1"
MIRROR_VALUES_KIND = "mirror_values/1"
MIRROR_KINDS = (MIRROR_KIND, MIRROR_REQUEST_KIND, MIRROR_VALUES_KIND)

# Bounds of one message: a declaration with more containers is told with the first of them.
MOST_LOCKS = 64
MOST_WORDS = 999
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_WRAPPED = re.compile(r"[0-9a-f]{96}", re.ASCII)
_PERIOD = re.compile(r"\d{4}-Q[1-4]", re.ASCII)
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_HS = re.compile(r"\d{2,10}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MirrorLock:
    """One reference of the consignment, as whoever has the same reference recognises it, and nobody else.

    tag: a keyed hash of the reference (hex). wrapped: a nonce and the content key, which the reference opens (hex).
    """

    tag: str
    wrapped: str


@dataclass(frozen=True, slots=True)
class MirrorCommitments:
    """A keyed hash (hex) of each figure under the content key. Amounts and masses in steps of one per cent.

    ucr: so that whoever shares only a container sees that it is another consignment.
    """

    ucr: str = ""
    currency: str = ""
    value: str = ""
    gross_mass_kg: str = ""
    net_mass_kg: str = ""
    packages: str = ""
    hs_codes: str = ""
    origins: str = ""


@dataclass(frozen=True, slots=True)
class MirrorOffer:
    """An export declaration without its figures. period, key: the quarter and the pair's key (hex) of its tags.

    replaces: the id of the message that told an earlier version of the same declaration.
    """

    administration: str
    period: str
    key: str
    locks: tuple[MirrorLock, ...]
    commitments: MirrorCommitments = MirrorCommitments()
    replaces: str = ""
    handling: Handling = Handling.OFFICIAL


@dataclass(frozen=True, slots=True)
class MirrorRequest:
    """The request for the figures of the fields that differ. offer: the id of the message of the offer.

    proof: a keyed hash (hex) that only who opened the offer by a reference of its own can make.
    """

    administration: str
    offer: str
    fields: tuple[str, ...]
    proof: str
    handling: Handling = Handling.OFFICIAL


@dataclass(frozen=True, slots=True)
class MirrorFigures:
    """What one side's declaration says, over all goods items; what is not known or not told is empty."""

    value: Money | None = None
    gross_mass_kg: Decimal | None = None
    net_mass_kg: Decimal | None = None
    packages: int | None = None
    hs_codes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MirrorValues:
    """The figures that were asked for, as far as the article releases them. offer: the id of the offer's message."""

    administration: str
    offer: str
    figures: MirrorFigures = MirrorFigures()
    declaration_ref: str = ""
    handling: Handling = Handling.OFFICIAL


MIRROR_FIELDS: tuple[str, ...] = tuple(each.name for each in fields(MirrorFigures))


def mirror_to_body(notice: MirrorOffer | MirrorRequest | MirrorValues) -> dict[str, object]:
    """The body of a mirror/1, mirror_request/1 or mirror_values/1 message."""
    kind: type = type(notice)
    return cast(dict[str, object], codec_of(kind).show(notice))


def offer_from_body(body: Mapping[str, object]) -> MirrorOffer:
    """The offer of a mirror/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    offer = cast(MirrorOffer, read_notice(MirrorOffer, body))
    _check_administration(offer.administration)
    check(_PERIOD.fullmatch(offer.period) is not None, "period", "Must be a quarter such as 2026-Q1")
    check(_HASH.fullmatch(offer.key) is not None, "key", "Must be 64 hex digits")
    check(1 <= len(offer.locks) <= MOST_LOCKS, "locks", f"Must be from 1 to {MOST_LOCKS}")
    for index, lock in enumerate(offer.locks):
        check(_HASH.fullmatch(lock.tag) is not None, f"locks[{index}].tag", "Must be 64 hex digits")
        check(_WRAPPED.fullmatch(lock.wrapped) is not None, f"locks[{index}].wrapped", "Must be 96 hex digits")
    for each in fields(MirrorCommitments):
        word = getattr(offer.commitments, each.name)
        check(not word or _HASH.fullmatch(word) is not None, f"commitments.{each.name}", "Must be 64 hex digits")
    check(not offer.replaces or _MESSAGE_ID.fullmatch(offer.replaces) is not None, "replaces", "Must be a message id")
    return offer


def request_from_body(body: Mapping[str, object]) -> MirrorRequest:
    """The request of a mirror_request/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    request = cast(MirrorRequest, read_notice(MirrorRequest, body))
    _check_administration(request.administration)
    check(_MESSAGE_ID.fullmatch(request.offer) is not None, "offer", "Must be the id of a message, in small letters")
    check(_HASH.fullmatch(request.proof) is not None, "proof", "Must be 64 hex digits")
    unknown = [name for name in request.fields if name not in MIRROR_FIELDS]
    check(bool(request.fields) and not unknown, "fields", f"Must be of: {', '.join(MIRROR_FIELDS)}")
    return request


def values_from_body(body: Mapping[str, object]) -> MirrorValues:
    """The figures of a mirror_values/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    values = cast(MirrorValues, read_notice(MirrorValues, body))
    figures = values.figures
    _check_administration(values.administration)
    check(_MESSAGE_ID.fullmatch(values.offer) is not None, "offer", "Must be the id of a message, in small letters")
    if figures.value is not None:
        check(
            _CURRENCY.fullmatch(figures.value.currency) is not None, "figures.value.currency", "Must be three letters"
        )
    amounts = {
        "value.amount": figures.value.amount if figures.value else None,
        "gross_mass_kg": figures.gross_mass_kg,
        "net_mass_kg": figures.net_mass_kg,
        "packages": figures.packages,
    }
    for name, amount in amounts.items():
        check(amount is None or amount >= 0, f"figures.{name}", "Must not be negative")
    for name, words, form in (("hs_codes", figures.hs_codes, _HS), ("origins", figures.origins, _COUNTRY)):
        check(len(words) <= MOST_WORDS, f"figures.{name}", f"Must be at most {MOST_WORDS}")
        check(all(form.fullmatch(word) for word in words), f"figures.{name}", "Must be codes")
    return values


def _check_administration(code: str) -> None:
    check(_COUNTRY.fullmatch(code) is not None, "administration", "Must be two capital letters")
