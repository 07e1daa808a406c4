"""The kinds of fields that bodies and queries are made of."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

from comity.common import ComityError, parse_instant, show_instant

# PostgreSQL cannot hold NUL in text.
_NO_NUL = r"^[^\x00]*$"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Word = Annotated[str, StringConstraints(max_length=200, pattern=_NO_NUL)]
Short = Annotated[str, StringConstraints(max_length=100, pattern=_NO_NUL)]
Text = Annotated[str, StringConstraints(max_length=4000, pattern=_NO_NUL)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
Amount = Annotated[
    str,
    StringConstraints(max_length=32, pattern=r"^[0-9]{1,15}(\.[0-9]{1,6})?$"),
    Field(description="A decimal number in a string"),
]


OptionalAmount = Annotated[
    str,
    StringConstraints(max_length=32, pattern=r"^([0-9]{1,15}(\.[0-9]{1,6})?)?$"),
    Field(description="A decimal number in a string, or empty"),
]
OptionalHS = Annotated[str, StringConstraints(pattern=r"^([0-9]{2,10})?$")]
Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
HSDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,10}$")]
# The words of agreements.PURPOSES, and that of whoever checks that it was lawful.
Stated = Literal["", "risk_assessment", "control", "investigation", "evidence", "statistics", "training", "oversight"]
# The words of trade.Handling.
Handlings = Literal["open", "official", "restricted", "confidential"]


class Given(Schema):
    """What a program sends. A name that is not known is an error: a misspelt filter must not find everything."""

    model_config = ConfigDict(extra="forbid")


class PurposeQuery(Given):
    """For what partners' data is asked for; each look is in the access log with it."""

    purpose: Stated = Field(
        default="", description="Without one, what partners shared is not shown; nor where the article excludes it"
    )


def _read_day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("A day is written 2026-03-31")
    return value


# Without this a bare number would be taken as seconds since 1970.
Day = Annotated[date, BeforeValidator(_read_day, json_schema_input_type=date)]


def _read_instant(value: object) -> object:
    if isinstance(value, datetime):
        return value
    try:
        return parse_instant(str(value))
    except ComityError as error:
        raise ValueError(str(error)) from error


Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    PlainSerializer(show_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
