"""Tools on the texts of agreements: the text for people, what changes, conflicts, gaps, who would see what."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from pydantic import JsonValue

from comity.agreements import Agreement, Asking, Purpose, parse_agreement, selectors
from comity.agreements.selectors import AgreementState
from comity.agreements.texts import (
    Column,
    conflicts,
    difference,
    dry_run,
    gaps,
    prose,
    say_change,
    say_conflict,
    say_gap,
    say_shadow,
    shadowed,
)
from comity.agreements.vocabulary import KINDS, LANGUAGES
from comity.api.fields import Country, Given, Handlings, Instant, Word
from comity.api.guard import needs
from comity.api.negotiation import DraftText
from comity.api.problems import BadFieldError
from comity.common import utc_now
from comity.trade import Handling

router = Router(tags=["agreements"])

_MOST = 20


class TextLanguage(Schema):
    """In which language; English where it has none yet."""

    language: Word = Field(default="en", description=f"One of: {', '.join(LANGUAGES)}")


class TextOut(Schema):
    """An agreement for people, in Markdown: each article's own text, and beneath it what the program does."""

    agreement_id: str
    language: str
    text: str


class Version(Given):
    """An agreement that is kept here, by its id, or a draft in YAML; one of the two."""

    agreement_id: Word = ""
    text: DraftText | None = None


class CompareIn(Given):
    """Two versions."""

    old: Version
    new: Version
    language: Word = "en"


class CompareOut(Schema):
    """What changes: articles, and in sentences the exact sets of requests that are answered otherwise.

    widens: something may be shared, seen, kept or handed on that could not be before.
    """

    old_id: str
    new_id: str
    added: list[str]
    removed: list[str]
    changes: list[str]
    widens: bool


class ConflictsIn(Given):
    """Agreements that are looked at together."""

    agreements: list[Version] = Field(..., min_length=2, max_length=_MOST)
    language: Word = "en"


class ConflictOut(Schema):
    """Where two articles cover the same data and differ; strictest: the rule that holds for both."""

    rule: str
    one: str
    one_article: str
    other: str
    other_article: str
    strictest: list[str]
    text: str


class Conflicts(Schema):
    """Every conflict."""

    items: list[ConflictOut]


class Note(Schema):
    """What an agreement leaves out, or an article that never answers. article_id: empty for the former."""

    what: str
    article_id: str
    text: str


class Gaps(Schema):
    """What no article lets happen, and which articles never answer."""

    gaps: list[Note]
    shadowed: list[Note]


class DryRunIn(Given):
    """A message that nobody sends. agreements: empty takes those in force here. sender: this administration."""

    body: dict[str, JsonValue] = Field(..., max_length=200)
    kind: Word
    purpose: Purpose
    handling: Handlings = "official"
    sender: Country = ""
    at: Instant | None = None
    agreements: list[Version] = Field(default=[], max_length=_MOST)


class SeenOut(Schema):
    """One field: released, withheld, not_named or refused, and by which article."""

    path: str
    sight: str
    agreement_id: str
    article_id: str


class ColumnOut(Schema):
    """What one party would see."""

    party: str
    is_permitted: bool
    agreement_id: str
    article_id: str
    reasons: list[str]
    fields: list[SeenOut]


class DryRunOut(Schema):
    """What each party but the sender would see."""

    items: list[ColumnOut]


@router.get(
    "/agreements/{agreement_id}/text", response=TextOut, summary="The text of an agreement for people", **needs(None)
)
def show_text(request: HttpRequest, agreement_id: Word, wanted: Query[TextLanguage]) -> TextOut:
    """What nobody has compared with the official text says so."""
    found = selectors.agreement(agreement_id, at=utc_now()).agreement
    language = _language(wanted.language)
    return TextOut(agreement_id=found.id, language=language, text=prose(found, language))


@router.get("/agreements/{agreement_id}/gaps", response=Gaps, summary="What an agreement leaves out", **needs(None))
def show_gaps(request: HttpRequest, agreement_id: Word, wanted: Query[TextLanguage]) -> Gaps:
    """A gap is no error: it is shown so that it is meant."""
    found = selectors.agreement(agreement_id, at=utc_now()).agreement
    language = _language(wanted.language)
    return Gaps(
        gaps=[Note(what=each.what.value, article_id="", text=say_gap(each, language)) for each in gaps(found)],
        shadowed=[
            Note(what=each.what.value, article_id=each.article_id, text=say_shadow(each, language))
            for each in shadowed(found)
        ],
    )


@router.post("/agreements/compare", response=CompareOut, summary="What changes between two versions", **needs(None))
def compare(request: HttpRequest, body: CompareIn) -> CompareOut:
    """The exact difference; 409 `too_intricate` where it would have more parts than anyone can read."""
    at, language = utc_now(), _language(body.language)
    found = difference(_version(body.old, "old", at), _version(body.new, "new", at))
    return CompareOut(
        old_id=found.old.id,
        new_id=found.new.id,
        added=list(found.added),
        removed=list(found.removed),
        changes=[line for change in found.changes for line in say_change(found, change, language)],
        widens=found.widens,
    )


@router.post("/agreements/conflicts", response=Conflicts, summary="Where agreements conflict", **needs(None))
def find_conflicts(request: HttpRequest, body: ConflictsIn) -> Conflicts:
    """Prohibitions, withheld fields, other rules on the same data, each with the most restrictive of them."""
    at, language = utc_now(), _language(body.language)
    found = conflicts([_version(each, f"agreements.{place}", at) for place, each in enumerate(body.agreements)])
    return Conflicts(
        items=[
            ConflictOut(
                rule=each.rule.value,
                one=each.one.agreement.id,
                one_article=each.one.article.id,
                other=each.other.agreement.id,
                other_article=each.other.article.id,
                strictest=list(each.strictest),
                text=say_conflict(each, language),
            )
            for each in found
        ]
    )


@router.post("/agreements/dry-run", response=DryRunOut, summary="Who would see what of a message", **needs(None))
def try_out(request: HttpRequest, body: DryRunIn) -> DryRunOut:
    """Nothing is sent or stored."""
    at = utc_now()
    if body.kind not in KINDS:
        raise BadFieldError("There is no such kind", where="kind", remedy=f"Known are: {', '.join(KINDS)}.")
    wanted = [_version(each, f"agreements.{place}", at) for place, each in enumerate(body.agreements)]
    asking = Asking(
        sender=body.sender or str(settings.COMITY_ADMINISTRATION),
        receiver="",
        kind=body.kind,
        purpose=body.purpose.value,
        handling=Handling.from_word(body.handling),
        at=body.at or at,
    )
    columns = dry_run(wanted or _in_force(at), asking, body.body)
    return DryRunOut(items=[_column(each) for each in columns])


def _in_force(at: datetime) -> list[Agreement]:
    return [each.agreement for each in selectors.agreements(at=at) if each.state is AgreementState.IN_FORCE]


def _version(given: Version, where: str, at: datetime) -> Agreement:
    """The agreement that is meant.

    Raises: BadFieldError, UnknownAgreementError, AgreementFormError.
    """
    if (given.text is None) == (not given.agreement_id):
        raise BadFieldError(
            "An agreement is named by its id or given as text", where=where, remedy="Send agreement_id or text."
        )
    return (
        parse_agreement(given.text.encode()) if given.text else selectors.agreement(given.agreement_id, at=at).agreement
    )


def _language(word: str) -> str:
    if word not in LANGUAGES:
        raise BadFieldError("There is no such language", where="language", remedy=f"Use one of {', '.join(LANGUAGES)}.")
    return word


def _column(found: Column) -> ColumnOut:
    decision = found.decision
    return ColumnOut(
        party=found.party,
        is_permitted=decision.is_permitted,
        agreement_id=decision.agreement_id,
        article_id=decision.article_id,
        reasons=[each.text for each in decision.reasons],
        fields=[
            SeenOut(path=each.path, sight=each.sight.value, agreement_id=each.agreement_id, article_id=each.article_id)
            for each in found.fields
        ],
    )
