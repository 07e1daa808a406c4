"""What risk found, as sentences in the officer's language, built again from the parts that risk keeps. Pure.

Risk writes English. On an English page its own sentence is shown; in another language the sentence is made anew from
the fact, the comparison and the bound. Where a part is unknown the English stands, and says that it is English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from comity.console.model_words import say_model
from comity.console.reason_shapes import say_again, say_day
from comity.console.words import is_english, word
from comity.risk import Cause, Evidence, Explanation, FoundReason, SourceKind
from comity.risk.rules import AfterRelease
from comity.risk.wording import label_of
from comity.trade import SubjectRole
from comity.trade.facts import FACT_TYPES, FactType

COLUMNS: Mapping[str, str | Promise] = {
    "record_kind": _("Record kind"),
    "lrn": _("LRN"),
    "mrn": _("MRN"),
    "ucr": _("UCR"),
    "declaration_type": _("Declaration type"),
    "procedure": _("Procedure"),
    "office": _("Office"),
    "hs_code": _("HS code"),
    "hs_heading": _("HS heading"),
    "hs_chapter": _("HS chapter"),
    "national_code": _("National code"),
    "description": _("Description"),
    "origin": _("Origin"),
    "country_dispatch": _("Country of dispatch"),
    "country_destination": _("Country of destination"),
    "place_loading": _("Place of loading"),
    "place_unloading": _("Place of unloading"),
    "mode_border": _("Mode of transport at the border"),
    "means_id": _("Means of transport"),
    "exporter_id": _("Exporter number"),
    "exporter_name": _("Exporter"),
    "exporter_country": _("Exporter country"),
    "importer_id": _("Importer number"),
    "importer_name": _("Importer"),
    "declarant_id": _("Declarant number"),
    "carrier_id": _("Carrier number"),
    "container": _("Container"),
    "item_currency": _("Item currency"),
    "valuation_method": _("Valuation method"),
    "gross_mass_kg": _("Gross mass"),
    "net_mass_kg": _("Net mass"),
    "item_price": _("Item price"),
    "unit_price_per_kg": _("Unit price"),
    "invoice_amount": _("Invoice amount"),
    "item_no": _("Item number"),
    "containers": _("Number of containers"),
    "seals": _("Number of seals"),
    "packages": _("Packages"),
    "items_count": _("Items count"),
    "accepted_at": _("Accepted at"),
    "expected_at": _("Expected at"),
    "assessed_at": _("Assessed at"),
    "has_aeo_authorisation": _("AEO authorisation"),
}

_COMPARED: Mapping[str, str | Promise] = {
    "is": _("%(name)s %(value)s is %(bound)s"),
    "is not": _("%(name)s %(value)s is not %(bound)s"),
    "is one of": _("%(name)s %(value)s is one of %(bound)s"),
    "is not one of": _("%(name)s %(value)s is not one of %(bound)s"),
    "is below": _("%(name)s %(value)s is below %(bound)s"),
    "is at most": _("%(name)s %(value)s is at most %(bound)s"),
    "is above": _("%(name)s %(value)s is above %(bound)s"),
    "is at least": _("%(name)s %(value)s is at least %(bound)s"),
    "is before": _("%(name)s %(value)s is before %(bound)s"),
    "is after": _("%(name)s %(value)s is after %(bound)s"),
    "is between": _("%(name)s %(value)s is between %(bound)s"),
    "is not between": _("%(name)s %(value)s is not between %(bound)s"),
    "begins with": _("%(name)s %(value)s begins with %(bound)s"),
    "does not begin with": _("%(name)s %(value)s does not begin with %(bound)s"),
    "contains": _("%(name)s %(value)s contains %(bound)s"),
    "does not contain": _("%(name)s %(value)s does not contain %(bound)s"),
}
_PLAIN: Mapping[str, str | Promise] = {"nothing": _("nothing"), "yes": _("yes"), "no": _("no")}
_FORMULA = (
    "100 × (1 − product of (1 − weight / 100)) over the reasons below; "
    "a weight below 0 takes its percentage off the whole, unless a reason selects by itself"
)
# How a sentence goes on behind what was compared: further goods, the list that says so, a bound, a doubt, a warning.
_ENDING = re.compile(
    r"(?: \(and (?P<more>\d+) more goods items?\))?(?: \((?P<list>\S+ of \d{4}-\d\d-\d\d)\))?"
    r"(?:, (?P<unless>unless a reason selects by itself))?"
    r"(?:\. (?P<doubt>\w+ committed to another figure before it was asked)\.)?"
    r"(?P<unverified>\.? Unverified partner information: it may select for control, "
    r"it may not be the deciding factor\.)?$"
)
_EARLIER = re.compile(r"Earlier alerts of (.+) were confirmed by (\d+) of (\d+) controls")
_DECIMAL = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence. is_foreign: it is English on a page of another language."""

    text: str
    is_foreign: bool = False


def say(english: str, rebuild: Callable[[], str]) -> Said:
    """The English on an English page; else what can be built again; else the English, marked."""
    if is_english():
        return Said(english)
    text = rebuild()
    return Said(text) if text else Said(english, is_foreign=bool(english))


def say_evidence(each: Evidence) -> Said:
    """One thing that was compared."""
    return say(each.text, lambda: _evidence(each))


def say_title(reason: FoundReason) -> Said:
    """What a reason is called. The title of a profile is its author's, in the author's language."""
    return Said(_title(reason))


def say_reason(reason: FoundReason) -> Said:
    """Why a reason holds, in one sentence. What an officer wrote stands as it was written."""
    match reason.source_kind:
        case SourceKind.OFFICER:
            return Said(reason.text)
        case SourceKind.RANDOM:
            return say(reason.text, lambda: _drawn_briefly(reason))
        case SourceKind.MODEL:
            return say(reason.text, lambda: say_model(reason.text))
        case _:
            return say(reason.text, lambda: _joined(reason.text, reason.evidence) or _shaped(reason.text))


def say_beside(reason: FoundReason) -> Said:
    """What the sentence says more than the evidence and the facts, which stand in lists: further goods, a warning."""
    told, rest = _told(reason.text, reason.evidence)
    if rest is None or not told:
        return say_reason(reason)
    english = reason.text[rest.start() :].replace(f" ({rest['list']})", "")
    return say(_alone(english), lambda: _alone(_rest(rest, with_list=False)))


def say_first(reason: FoundReason) -> Said:
    """The heaviest reason in one line, as the queue shows it."""
    sentence = say_reason(reason)
    title = _title(reason)
    return Said(f"{title}\u00a0: {sentence.text}" if not is_english() else f"{title}: {sentence.text}")


def say_selection(explanation: Explanation) -> Said:
    """How and when a record was selected."""
    return say(explanation.selection, lambda: _selection(explanation))


def say_formula(formula: str) -> Said:
    """How the weights make the score."""
    known = _(
        "100 × (1 − product of (1 − weight / 100)) over the reasons below; "
        "a weight below 0 takes its percentage off the whole, unless a reason selects by itself"
    )
    return say(formula, lambda: str(known) if formula == _FORMULA else "")


def _title(reason: FoundReason) -> str:
    if is_english():
        return reason.title
    match reason.source_kind:
        case SourceKind.RANDOM:
            return gettext("Random control")
        case SourceKind.OFFICER:
            return gettext("Selected by an officer")
        case SourceKind.MODEL:
            return say_model(reason.title) or reason.title
        case SourceKind.ALERT:
            opening = f"Alert {reason.source_ref} from {reason.administration}: "
            if reason.title.startswith(opening):
                parts = {"ref": reason.source_ref, "issuer": reason.administration}
                return gettext("Alert %(ref)s from %(issuer)s: %(title)s") % {
                    **parts,
                    "title": reason.title.removeprefix(opening),
                }
        case SourceKind.SCREENING | SourceKind.REGISTER | SourceKind.MIRROR | SourceKind.ANOMALY:
            return say_again(reason.title) or reason.title
    return reason.title


def _evidence(each: Evidence) -> str:
    return _told_by_alert(each) or _stated(each) or _compared(each) or say_again(each.text) or say_model(each.text)


def _told_by_alert(each: Evidence) -> str:
    """What the alert of a partner names; nothing where this is no such evidence."""
    earlier = _EARLIER.fullmatch(each.text)
    if earlier:
        text = gettext("Earlier alerts of %(issuer)s were confirmed by %(confirmed)s of %(count)s controls")
        return text % {"issuer": earlier[1], "confirmed": earlier[2], "count": earlier[3]}
    if each.comparison == "is not one of" and each.text.startswith("The goods are others than the alert's"):
        return gettext("The goods are others than the alert's (HS %(codes)s)") % {"codes": each.bound}
    role = _role(each.text.removesuffix(f" {each.value} is named in the alert"))
    if role:
        return gettext("%(role)s %(named)s is named in the alert") % {"role": role, "named": each.value}
    role = _role(each.text.removesuffix(f" has the name and country in the alert: {each.value}"))
    if role:
        text = gettext("%(role)s has the name and country in the alert: %(named)s")
        return text % {"role": role, "named": each.value}
    name = COLUMNS.get(each.column, "")
    if each.text.endswith(f" {each.comparison} the alert's {each.bound}"):
        text = (
            gettext("%(name)s %(value)s is the alert's")
            if each.comparison == "is"
            else gettext("%(name)s %(value)s begins with the alert's %(bound)s")
        )
        return text % {"name": name, "value": each.value, "bound": each.bound} if name else ""
    if each.text.endswith(f" {each.value} is on the alert's route"):
        text = gettext("%(name)s %(value)s is on the alert's route")
        return text % {"name": name, "value": each.value} if name else ""
    return ""


def _role(english: str) -> str:
    known = english.lower() in set(SubjectRole)
    text = str(word(english.lower())) if known else ""
    return text[:1].upper() + text[1:]


def _stated(each: Evidence) -> str:
    """Yes and no, stated and not stated."""
    ending = f" {each.comparison}"
    if each.comparison == "is not stated":
        return gettext("%(name)s is not stated") % {"name": _name(each, each.text.removesuffix(ending))}
    if each.comparison == "is stated":
        return gettext("%(name)s is stated") % {"name": _name(each, each.text.removesuffix(ending))}
    if each.value in {"yes", "no"} and each.text.endswith(f": {each.value}"):
        name = _name(each, each.text.removesuffix(f": {each.value}"))
        return gettext("%(name)s: %(value)s") % {"name": name, "value": _PLAIN[each.value]}
    return ""


def _compared(each: Evidence) -> str:
    """A fact beside its bound. Only what risk itself says of the two is said; anything else stays English."""
    words = _COMPARED.get(each.comparison)
    name = _english_name(each)
    if words is None or not name:
        return ""
    rest = each.text.removeprefix(name)
    long_end, short_end = f" {each.comparison} {each.bound}", f", one of {each.bound}"
    parts = {"name": _name(each, name), "bound": _bound(each)}
    if rest.endswith(long_end) and rest.startswith(f" {each.value}"):
        unit = rest[len(each.value) + 1 : -len(long_end)]
        return str(words) % {**parts, "value": _value(each.value, each.column) + unit}
    if not rest.startswith(f" is {each.value}"):
        return ""
    unit = rest.removesuffix(short_end)[len(each.value) + 4 :]
    parts["value"] = _value(each.value, each.column) + unit
    if each.comparison == "is one of":
        return gettext("%(name)s is %(value)s, one of %(bound)s") % parts
    return gettext("%(name)s is %(value)s") % parts


def _english_name(each: Evidence) -> str:
    """How the sentence names the fact: by its label, or, for something computed, as the rule is written."""
    label = _label_in_english(each.column)
    if label and each.text.startswith(f"{label} "):
        return label
    computed = each.text.removesuffix(f" {each.value} {each.comparison} {each.bound}")
    return computed if computed != each.text else ""


def _label_in_english(column: str) -> str:
    return label_of(column) if column in COLUMNS else ""


def _name(each: Evidence, english: str) -> str:
    return str(COLUMNS[each.column]) if english == _label_in_english(each.column) else english


def _bound(each: Evidence) -> str:
    if each.comparison in {"is between", "is not between"} and each.bound.count(" and ") == 1:
        low, high = each.bound.split(" and ")
        ends = {"low": _value(low, each.column), "high": _value(high, each.column)}
        return gettext("%(low)s and %(high)s") % ends
    for column, label in COLUMNS.items():
        english = label_of(column)
        opening = f"{english[0].lower()}{english[1:]} "
        if each.bound.startswith(opening):
            shown = str(label)
            return f"{shown[0].lower()}{shown[1:]} {_value(each.bound.removeprefix(opening), column)}"
    return _value(each.bound, each.column)


def _value(text: str, column: str) -> str:
    """A decimal as the language writes it; a code stays a code."""
    is_number = FACT_TYPES.get(column, FactType.NUMBER) is FactType.NUMBER
    if is_number and _DECIMAL.fullmatch(text):
        return number_format(Decimal(text), decimal_pos=len(text.partition(".")[2]), use_l10n=True)
    return str(_PLAIN.get(text, text))


def _joined(english: str, evidence: Sequence[Evidence]) -> str:
    told, rest = _told(english, evidence)
    texts = [_evidence(each) for each in told]
    if rest is None or not texts or not all(texts):
        return ""
    return "\u00a0; ".join(texts) + _rest(rest)


def _told(english: str, evidence: Sequence[Evidence]) -> tuple[Sequence[Evidence], re.Match[str] | None]:
    """What of the evidence the sentence tells, and how it goes on: risk joins what was compared, of the first item."""
    for count in range(1, len(evidence) + 1):
        plain = "; ".join(each.text for each in evidence[:count])
        rest = _ENDING.match(english, len(plain)) if english.startswith(plain) else None
        if rest is not None:
            return evidence[:count], rest
    return (), None


def _rest(found: re.Match[str], *, with_list: bool = True) -> str:
    """How the sentence goes on, with what stands between."""
    told = ""
    if found["more"]:
        more = int(found["more"])
        text = ngettext("(and %(count)d more goods item)", "(and %(count)d more goods items)", more)
        told += f" {text % {'count': more}}"
    if found["list"] and with_list:
        told += f" ({say_again(found['list'])})"
    if found["unless"]:
        told += f", {say_again(found['unless'])}"
    if found["doubt"]:
        told += f". {say_again(found['doubt'])}"
    if found["unverified"]:
        warning = gettext(
            "Unverified partner information: it may select for control, it may not be the deciding factor."
        )
        told += f". {warning}"
    return told


def _shaped(english: str) -> str:
    """A sentence that is more than what was compared: one of the known shapes, and how it goes on."""
    rest = _ENDING.search(english)
    told = say_again(english[: rest.start()]) if rest else ""
    return told + _rest(rest) if rest and told else ""


def _alone(rest: str) -> str:
    """The rest of a sentence as one of its own."""
    text = rest.lstrip(" .,").strip(" ()")
    return f"{text[:1].upper()}{text[1:]}"


def _drawn_briefly(reason: FoundReason) -> str:
    facts = dict(reason.facts)
    if not {"Seed", "Draw"} <= set(facts):
        return ""
    text = gettext("Selected at random on %(day)s: its draw %(draw)s from the seed %(seed)s…")
    return text % {
        "day": say_day(reason.source_ref),
        "draw": _value(facts["Draw"][:8], ""),
        "seed": facts["Seed"][:16],
    }


_AFTER = {
    AfterRelease.ORDERED: _("Released in the blue lane; its documents are checked afterwards."),
    AfterRelease.FULL: _(
        "Released without a check afterwards: no control of documents was left at its office, and those that there "
        "were went to goods of at least its weight."
    ),
    AfterRelease.YIELDED: _(
        "Released in the blue lane; its check gave way to weightier goods of the same day, since no more controls of "
        "documents were left."
    ),
}


def _selection(explanation: Explanation) -> str:
    if explanation.after:
        return str(_AFTER[explanation.after])
    day = "" if explanation.day is None else say_day(explanation.day.isoformat())
    match explanation.cause:
        case Cause.MANDATORY:
            return gettext("Selected on %(day)s because a reason below makes it mandatory.") % {"day": day}
        case Cause.RISK:
            return gettext("Selected on %(day)s for its score.") % {"day": day}
        case Cause.RANDOM if explanation.draw is not None:
            text = gettext(
                "Selected at random on %(day)s: the draw %(draw)s is SHA-256 of the seed %(seed)s and the record "
                "number; nobody chose it, and anyone can recompute it."
            )
            return text % {"day": day, "draw": _value(f"{explanation.draw:.6f}", ""), "seed": explanation.seed}
        case Cause.LEARNING:
            return gettext("Selected on %(day)s to learn: little is known of goods with such a score.") % {"day": day}
        case Cause.OFFICER:
            return gettext("Selected by an officer.")
        case Cause.NONE:
            return gettext("Not selected.")
    return ""
