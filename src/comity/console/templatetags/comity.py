"""How pages show moments, tags, hashes and words of the trade."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext

from comity.agreements import Wording
from comity.common import Reason, parse_instant
from comity.console.bodies import readable_paths
from comity.console.deeds import Particular, particulars_of, subject_of
from comity.console.findings import cause_of, say_span
from comity.console.holders import CONSENTS, FILES, MODES, Badge, kind_of_line, say_ground
from comity.console.model_words import say_feature
from comity.console.reason_facts import say_facts
from comity.console.reason_shapes import say_day
from comity.console.refusals import advice_for
from comity.console.sentences import (
    Said,
    say_beside,
    say_evidence,
    say_first,
    say_formula,
    say_reason,
    say_selection,
    say_title,
)
from comity.console.verdicts import say_verdict
from comity.console.words import WORDS, in_english, tag_colour, word
from comity.custody import ConsentState, Mode
from comity.exchange.evidence import EvidenceState
from comity.exchange.selectors import MessageLine
from comity.risk import Evidence, Explanation, FoundReason, QueueRow
from comity.trade.codes import country_name

register = template.Library()
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@register.filter
def day(at: date | None) -> str:
    """A day as its language writes it: 2 Mar 2026, 2 mars 2026."""
    if at is None:
        return "–"
    is_english = (get_language() or "en").startswith("en")
    return date_format(at, "j M Y" if is_english else "j N Y")


@register.filter
def moment(at: datetime | None) -> str | SafeString:
    """An instant in UTC with the local time beside it."""
    if at is None:
        return "–"
    instant = at.astimezone(UTC)
    shown = f"{day(instant)} {date_format(instant, 'H:i')}"
    zone = ZoneInfo(settings.COMITY_TIME_ZONE)
    local = instant.astimezone(zone)
    if local.utcoffset() == instant.utcoffset():
        return format_html('<time datetime="{}">{} UTC</time>', instant.isoformat(), shown)
    beside = (
        date_format(local, "H:i") if local.date() == instant.date() else f"{day(local)} {date_format(local, 'H:i')}"
    )
    place = settings.COMITY_TIME_ZONE.split("/")[-1].replace("_", " ")
    return format_html(
        '<time datetime="{}">{} UTC <span class="local">({} {})</span></time>',
        instant.isoformat(),
        shown,
        beside,
        place,
    )


@register.filter
def tenth(value: float) -> str:
    """An estimate to one decimal, as the language writes it."""
    return number_format(value, decimal_pos=1, use_l10n=True, force_grouping=True)


@register.filter
def score(figure: str) -> str:
    """A likeness or what moved it, such as 0.970 or -0.04, to two decimals as the language writes it."""
    sign = "\u2212" if figure.startswith("-") else "+" if figure.startswith("+") else ""
    try:
        return f"{sign}{number_format(abs(Decimal(figure)), decimal_pos=2, use_l10n=True)}"
    except InvalidOperation:
        return figure


@register.filter
def iso_day(text: str) -> str:
    """A day such as 2026-02-27 as its language writes it."""
    return say_day(text)


@register.filter
def per_cent(share: float) -> str:
    """A share in per cent, to one decimal below ten."""
    value = round(100 * share, 6)
    return f"{number_format(value, decimal_pos=1 if value < 10 else 0, use_l10n=True)}\u00a0%"


@register.filter
def unlocal(value: float) -> str:
    """A place in a picture: always with a point."""
    return f"{value:g}"


@register.filter
def waited(span: timedelta) -> str:
    """A time in the largest unit that keeps it above one: 40 s, 12 min, 3.5 h, 2.1 d."""
    seconds = span.total_seconds()
    for unit, size in ((pgettext("unit", "d"), 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{number_format(seconds / size, decimal_pos=1, use_l10n=True)}\u00a0{unit}"
    return f"{seconds:.0f}\u00a0s"


@register.filter
def clock(at: datetime) -> str | SafeString:
    """An instant of today by its time alone, for dense lists; another day's in full."""
    zone = ZoneInfo(settings.COMITY_TIME_ZONE)
    instant, local = at.astimezone(UTC), at.astimezone(zone)
    if local.date() != timezone.now().astimezone(zone).date() or local.date() != instant.date():
        return moment(at)
    beside = "" if local.utcoffset() == instant.utcoffset() else date_format(local, "H:i")
    return format_html(
        '<time datetime="{}" title="{}">{} UTC <span class="local">{}</span></time>',
        instant.isoformat(),
        day(instant),
        date_format(instant, "H:i"),
        f"({beside})" if beside else "",
    )


@register.filter
def person(actor: str) -> str:
    """Who did something: an officer by his user name alone, anything else with what it is."""
    return actor.removeprefix("officer:")


@register.filter
def said(value: object) -> str:
    """A word of the system in the officer's language."""
    return str(word(str(value)))


@register.filter
def english(text: object) -> str | SafeString:
    """What a room or a machine wrote in English; marked so on a page of another language (WCAG 3.1.2)."""
    return in_english(str(text or ""))


@register.filter
def sentence(reason: Reason) -> str | SafeString:
    """A reason of an agreement."""
    return _marked(say_verdict(reason))


@register.filter
def plainly(told: Said) -> str | SafeString:
    """A sentence that was taken apart and said again; commands between backticks as such."""
    text = commands(told.text)
    return format_html('<span lang="en">{}</span>', text) if told.is_foreign else text


@register.filter
def commands(text: object) -> SafeString:
    """A text in which `commands` stand between backticks, as they do in the doctor's advice."""
    parts = str(text).split("`")
    shown = (("<code>{}</code>" if place % 2 else "{}", part) for place, part in enumerate(parts))
    return format_html("".join(form for form, _part in shown), *parts)


@register.filter
def cause(error: str) -> str:
    """What went wrong with a line, without the advice that it gives after each failure."""
    return cause_of(error)


@register.filter
def refusal_advice(code: str) -> str:
    """What to do about a partner's refusal; empty where the code is not known."""
    return advice_for(code)


@register.filter
def said_list(words: Iterable[str]) -> str:
    """Words of the system in the officer's language, with commas between them."""
    return ", ".join(str(word(each)) for each in words) or "–"


@register.filter
def span(seconds: float | None) -> str:
    """A length of time in one unit."""
    return "–" if seconds is None else say_span(abs(seconds))


@register.filter
def seconds(value: float | None) -> str:
    """Seconds with one decimal, as an answer takes them."""
    return "–" if value is None else f"{number_format(value, decimal_pos=1, use_l10n=True)} s"


@register.filter
def deed_subject(subject: str) -> Particular:
    """What a deed of the audit was about."""
    return subject_of(subject)


@register.filter
def deed_particulars(facts: Mapping[str, object]) -> list[Particular]:
    """The facts of a deed of the audit."""
    return particulars_of(facts)


@register.filter
def compared(evidence: Evidence) -> str | SafeString:
    """One thing that risk compared."""
    return _marked(say_evidence(evidence))


@register.filter
def headline(reason: FoundReason) -> str | SafeString:
    """What a reason of the assessment is called."""
    return _marked(say_title(reason))


@register.filter
def why(reason: FoundReason) -> str | SafeString:
    """A reason of the assessment in one sentence."""
    return _marked(say_reason(reason))


@register.filter
def beside(reason: FoundReason) -> str | SafeString:
    """What the sentence of a reason says more than the list of its evidence."""
    return _marked(say_beside(reason))


@register.filter
def feature(name: str) -> str:
    """What a figure that a model looks at is called, with a capital."""
    said_so = say_feature(name)
    return said_so[:1].upper() + said_so[1:]


@register.filter
def further(reason: FoundReason) -> list[tuple[str, str]]:
    """What else is known of a reason's source: labels and words."""
    return say_facts(reason.facts)


@register.filter
def selection(explanation: Explanation) -> str | SafeString:
    """How and when a record was selected."""
    return _marked(say_selection(explanation))


@register.filter
def formula(explanation: Explanation) -> str | SafeString:
    """How the weights make the score."""
    return _marked(say_formula(explanation.formula))


@register.filter
def first_reason(row: QueueRow, first: Mapping[UUID, FoundReason]) -> str | SafeString:
    """The heaviest reason of a row of the queue; as it is stored where its parts are not at hand."""
    known = first.get(row.record_id)
    return _marked(say_first(known)) if known else english(row.top_reason) or "–"


@register.filter
def tag(value: object) -> SafeString:
    """A state as a tag; the colour repeats what the word says."""
    text = str(value)
    return format_html('<span class="tag tag-{}">{}</span>', tag_colour(text), word(text))


@register.filter
def kind_words(line: MessageLine) -> str:
    """What a message is: a notice, a file, or what partners owe each other."""
    return str(kind_of_line(line))


@register.filter
def ground(text: str) -> str:
    """Why a message was taken back, kept or purged."""
    return say_ground(text)


@register.filter
def recall_mode(mode: Mode) -> str:
    """Taken back, corrected or tightened."""
    return str(MODES[mode])


@register.filter
def consent_tag(state: ConsentState) -> SafeString:
    """How far a consent is."""
    return _badge(CONSENTS[state])


@register.filter
def file_tag(state: EvidenceState) -> SafeString:
    """Whether a file is here."""
    return _badge(FILES[state])


@register.filter
def country(code: str) -> str:
    """A country's name in the officer's language, with its code."""
    if not code:
        return "–"
    name = country_name(code, get_language() or "en")
    return f"{name} ({code})" if name and name != code else code


@register.filter
def amount(value: object) -> str:
    """A number as people write it, without needless zeros."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        value = Decimal(str(round(value, 4)))
    if isinstance(value, Decimal):
        text = format(value.normalize(), "f")
        decimals = len(text.partition(".")[2])
        return number_format(Decimal(text), decimal_pos=decimals, use_l10n=True, force_grouping=True)
    return number_format(value, use_l10n=True, force_grouping=True)  # type: ignore[arg-type]  # int or text of digits


@register.filter
def size(count: int) -> str:
    """Bytes in B, kB or MB."""
    for unit, step in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= step:
            return f"{number_format(round(count / step, 1), decimal_pos=1)} {unit}"
    return f"{count} B"


@register.filter
def short(text: object) -> str:
    """The first twelve characters of a hash or an id."""
    value = str(text)
    return value if len(value) <= 14 else f"{value[:12]}…"


@register.filter
def groups(text: str) -> str:
    """A hash in groups of four, for reading aloud."""
    plain = text.replace(" ", "")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


@register.filter
def percent(share: float | None) -> str:
    """A share of one as a percentage."""
    return "–" if share is None else f"{round(share * 100)} %"


@register.filter
def listed(values: Iterable[object]) -> str:
    """Values with commas between them, or a dash."""
    return ", ".join(str(value) for value in values) or "–"


@register.filter
def item(mapping: Mapping[str, object], key: str) -> object:
    """One value of a mapping."""
    return mapping.get(key)


@register.filter
def wording(text: Wording) -> str:
    """A text of an agreement in the officer's language, else in the first that it has."""
    return text.in_((get_language() or "en").split("-")[0])


@register.filter
def readable(paths: Iterable[str]) -> list[str]:
    """Field paths for people."""
    return readable_paths(paths)


@register.filter
def said_value(value: str) -> str | SafeString:
    """A value of a message: a word of the vocabulary is translated, an instant shown as one, the rest as it is."""
    if _INSTANT.fullmatch(value):
        return moment(parse_instant(value))
    return str(WORDS.get(value, value))


@register.filter
def unlocalized(number: float) -> str:
    """A number as pictures want it, with a point in every language."""
    return str(number)


@register.filter
def kind_of(field: BoundField) -> str:
    """How a form field is laid out: choices, check or plain."""
    widget = field.field.widget
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    return "check" if isinstance(widget, CheckboxInput) else "plain"


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: object) -> str:
    """This page's address with some parameters changed; an empty one is left out."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}" if query else "?"


def _badge(badge: Badge) -> SafeString:
    return format_html('<span class="tag tag-{}">{}</span>', badge.colour, badge.text)


def _marked(said: Said) -> str | SafeString:
    return in_english(said.text) if said.is_foreign else said.text
