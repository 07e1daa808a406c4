"""One step of a case: what is said, by whom, after which steps; how it is committed to, and how it travels. Pure.

What a recipient may not see is cut from its copy, and yet every copy of a step has the same digest: the digest covers
a salted hash of each field, never the field. So all nodes order and name the same steps, and what is withheld is seen
to be withheld.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from comity.common import ComityError, parse_instant, show_instant
from comity.operations.errors import CaseFormError
from comity.trust import Signer, canonical_json, sha256_hex, sign_statement

STEP_KIND = "step/1"
STEP_TYPE = "application/vnd.comity.step.v1+json"
MOST_FIELDS, MOST_AFTER, MOST_PARTIES, MOST_NUMBER, MOST_DEADLINES = 100, 64, 40, 1_000_000, 20
MOST_SIGNATURES, MOST_SIGNATURE = 4, 4096
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_EDITION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}", re.ASCII)
_CODE = re.compile(r"[A-Z]{2}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SALT = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MEMBERS = frozenset(
    {
        "case",
        "agreement",
        "procedure",
        "edition",
        "event",
        "by",
        "number",
        "after",
        "at",
        "parties",
        "deadlines",
        "commitments",
    }
)


@dataclass(frozen=True, slots=True)
class Party:
    """An administration and the role that it plays in a case."""

    administration: str
    role: str


@dataclass(frozen=True, slots=True)
class Purged:
    """That the content of a step is gone: on which ground, since when, and the fields that were shown until then.

    remembered: the words and flags among them by which guards decide, so that the case stands as it stood; not shown.
    """

    ground: str
    at: datetime
    fields: frozenset[str]
    remembered: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. number: 1 + the largest that its author had seen. after: digests of the newest steps it had seen.

    deadlines: the ends of the clocks that it sets, as its author computed them (claims of agreements.clocks).
    fields: what is shown here. commitments: salted hash (hex) of every field, shown or not. salts: of those shown.
    signatures: (keyid, base64) over the rest.
    article: under which it came here, so that what is missing is withheld by it. purged: its content has gone.
    digest: SHA-256 (hex), its name.
    """

    case: str
    agreement: str
    procedure: str
    edition: str
    event: str
    by: str
    number: int
    after: tuple[str, ...]
    at: datetime
    parties: tuple[Party, ...]
    deadlines: tuple[Mapping[str, object], ...] = ()
    fields: Mapping[str, object] = field(default_factory=dict)
    commitments: Mapping[str, str] = field(default_factory=dict)
    salts: Mapping[str, str] = field(default_factory=dict)
    signatures: tuple[tuple[str, str], ...] = ()
    article: str = ""
    purged: Purged | None = None

    @property
    def digest(self) -> str:
        """The name of the step: the same at everybody who has it, whatever was cut from its copy."""
        return sha256_hex(self.to_signed())

    @property
    def withheld(self) -> frozenset[str]:
        """Fields that are there, but not shown here."""
        return frozenset(self.commitments) - frozenset(self.fields)

    def to_signed(self) -> bytes:
        """What its author signs: all but the fields and their salts, in canonical JSON."""
        return canonical_json(self._skeleton())

    def to_body(self) -> dict[str, object]:
        """The body of a step/1, whole; an article may cut its fields."""
        shown = {name: {"salt": self.salts[name], "value": value} for name, value in self.fields.items()}
        signatures = [{"keyid": keyid, "sig": sig} for keyid, sig in self.signatures]
        return {**self._skeleton(), "signatures": signatures, "fields": shown}

    def to_statement(self) -> dict[str, object]:
        """The DSSE envelope of what its author signed."""
        payload = base64.b64encode(self.to_signed()).decode()
        signatures = [{"keyid": keyid, "sig": sig} for keyid, sig in self.signatures]
        return {"payload": payload, "payloadType": STEP_TYPE, "signatures": signatures}

    def signed(self, key: Signer) -> Step:
        """The step with the signature of its author."""
        statement = sign_statement(STEP_TYPE, self.to_signed(), key)
        signatures = ((each.keyid, base64.b64encode(each.sig).decode()) for each in statement.signatures)
        return replace(self, signatures=tuple(signatures))

    def _skeleton(self) -> dict[str, object]:
        roles: dict[str, object] = {each.administration: each.role for each in self.parties}
        return {
            "case": self.case,
            "agreement": self.agreement,
            "procedure": self.procedure,
            "edition": self.edition,
            "event": self.event,
            "by": self.by,
            "number": self.number,
            "after": sorted(self.after),
            "at": show_instant(self.at),
            "parties": roles,
            "deadlines": [dict(each) for each in self.deadlines],
            "commitments": dict(self.commitments),
        }


def committed(fields: Mapping[str, object], salts: Mapping[str, str]) -> dict[str, str]:
    """The salted hash of each field."""
    return {name: commitment(name, value, salts[name]) for name, value in fields.items()}


def commitment(name: str, value: object, salt: str) -> str:
    """SHA-256 (hex) over the name, the value and a salt (hex) of 16 bytes, in canonical JSON."""
    return sha256_hex(canonical_json([name, salt, value]))


def step_from_body(body: Mapping[str, object], article: str = "") -> Step:
    """The step in the body of a step/1. That its fields are those committed to is checked.

    Raises: CaseFormError naming the member.
    """
    beside = set(body) - _MEMBERS - {"fields", "signatures"}
    if beside:
        raise _bad(", ".join(sorted(beside))[:100], "The step holds what no step holds")
    shown = _shown(body.get("fields", {}))
    step = Step(
        case=_matching(body, "case", _ID),
        agreement=_matching(body, "agreement", _HEX),
        procedure=_matching(body, "procedure", _NAME),
        edition=_matching(body, "edition", _EDITION),
        event=_matching(body, "event", _NAME),
        by=_matching(body, "by", _CODE),
        number=_number(body),
        after=_after(body),
        at=_instant(body.get("at"), "at"),
        parties=_parties(body),
        deadlines=_deadlines(body),
        fields={name: value for name, (_, value) in shown.items()},
        commitments=_commitments(body),
        salts={name: salt for name, (salt, _) in shown.items()},
        signatures=_signatures(body),
        article=article,
    )
    for name, value in step.fields.items():
        if step.commitments.get(name) != commitment(name, value, step.salts[name]):
            raise _bad(f"fields.{name}", f"The field {name} is not what its author committed to")
    return step


def _shown(value: object) -> dict[str, tuple[str, object]]:
    if not isinstance(value, Mapping) or len(value) > MOST_FIELDS:
        raise _bad("fields", f"The fields are no object of at most {MOST_FIELDS}")
    found: dict[str, tuple[str, object]] = {}
    for name, item in value.items():
        salt = item.get("salt") if isinstance(item, Mapping) else None
        if not isinstance(item, Mapping) or set(item) != {"salt", "value"} or not _is(salt, _SALT):
            raise _bad(f"fields.{name}"[:100], "A field is not a salt and a value")
        found[str(name)] = (cast(str, salt), item["value"])
    return found


def _matching(body: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    value = body.get(name)
    if not _is(value, pattern):
        raise _bad(name, f"The member {name} is missing or has the wrong form")
    return cast(str, value)


def _is(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _number(body: Mapping[str, object]) -> int:
    value = body.get("number")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_NUMBER:
        raise _bad("number", f"The number is none from 1 to {MOST_NUMBER}")
    return value


def _after(body: Mapping[str, object]) -> tuple[str, ...]:
    value = body.get("after")
    if not isinstance(value, list) or len(value) > MOST_AFTER or not all(_is(each, _HEX) for each in value):
        raise _bad("after", f"The steps before it are no list of at most {MOST_AFTER} digests")
    if sorted(set(value)) != value:
        raise _bad("after", "The steps before it are not sorted, or one stands twice")
    return tuple(value)


def _parties(body: Mapping[str, object]) -> tuple[Party, ...]:
    value = body.get("parties")
    if not isinstance(value, Mapping) or not 2 <= len(value) <= MOST_PARTIES:
        raise _bad("parties", f"The parties are no object of 2 to {MOST_PARTIES}")
    if not all(_is(code, _CODE) and _is(role, _NAME) for code, role in value.items()):
        raise _bad("parties", "A party is not a code with its role")
    return tuple(Party(str(code), str(value[code])) for code in sorted(value))


def _deadlines(body: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """Claims, as comity.agreements.clocks.claim_of writes them; what they say is checked against our own count."""
    value = body.get("deadlines")
    if not isinstance(value, list) or len(value) > MOST_DEADLINES:
        raise _bad("deadlines", f"The deadlines are no list of at most {MOST_DEADLINES}")
    for item in value:
        if not isinstance(item, Mapping) or not _is(item.get("clock"), _NAME) or not _is(item.get("digest"), _HEX):
            raise _bad("deadlines", "A deadline has no clock or no digest")
    return tuple(value)


def _signatures(body: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    value = body.get("signatures")
    if not isinstance(value, list) or not 0 < len(value) <= MOST_SIGNATURES:
        raise _bad("signatures", f"The signatures are no list of 1 to {MOST_SIGNATURES}")
    for item in value:
        if not isinstance(item, Mapping) or set(item) != {"keyid", "sig"}:
            raise _bad("signatures", "A signature is not a keyid and a sig")
        if not all(isinstance(each, str) and 0 < len(each) <= MOST_SIGNATURE for each in item.values()):
            raise _bad("signatures", "A keyid or sig is no short text")
    return tuple((item["keyid"], item["sig"]) for item in value)


def _commitments(body: Mapping[str, object]) -> dict[str, str]:
    value = body.get("commitments")
    if not isinstance(value, Mapping) or len(value) > MOST_FIELDS:
        raise _bad("commitments", "The commitments are no object")
    if not all(_is(name, _NAME) and _is(digest, _HEX) for name, digest in value.items()):
        raise _bad("commitments", "A commitment is not the name of a field and a hash")
    return {str(name): str(digest) for name, digest in value.items()}


def _instant(value: object, where: str) -> datetime:
    try:
        return parse_instant(cast(str, value))
    except (ComityError, TypeError, AttributeError) as error:
        raise _bad(where, "This is no instant in UTC") from error


def _bad(where: str, what: str) -> CaseFormError:
    return CaseFormError(what, where=where, remedy="See docs/schemas/step-1.json.")
