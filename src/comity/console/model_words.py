"""What models say, in the officer's language: names of figures, and sentences of reasons taken apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from comity.console.reason_shapes import say_figures
from comity.console.words import is_english
from comity.risk.modelling.naming import WHO, label_of

# The labels and parties of risk.modelling.naming, so that they stand in the catalogue; a test compares them.
_LABELS = (
    _("a partner told of the export"),
    _("share of consignments of which partners told"),
    _("consignments of which partners told until now"),
    _("value beside what the partner committed to"),
    _("mass beside what the partner committed to"),
    _("packages beside what the partner committed to"),
    _("HS code beside what the partner committed to"),
    _("origin beside what the partner committed to"),
    _("share of partners' comparisons in which the value differed"),
    _("share of partners' comparisons in which the mass differed"),
    _("share of partners' comparisons in which the packages differed"),
    _("share of partners' comparisons in which the HS code differed"),
    _("share of partners' comparisons in which the origin differed"),
    _("share of partners' controls that found something"),
    _("partners' controls told of until now"),
    _("partners' alerts until now"),
    _("chance told"),
    _("share of controls that found something"),
    _("share of recent controls that found something"),
    _("controls until now"),
    _("share of controls that found undervaluation"),
    _("share of controls that found a false code"),
    _("share of controls that found a false origin"),
    _("share of controls that found another quantity"),
    _("share of controls that found counterfeit or prohibited goods"),
    _("share of controls that found an error"),
    _("amounts that controls recovered"),
    _("weeks since a control found something"),
    _("weeks since a control"),
    _("value per kg beside the usual"),
    _("mass per unit beside the usual"),
    _("value per unit beside the usual"),
    _("value per kg beside its usual spread"),
    _("mass per unit beside its usual spread"),
    _("value per unit beside its usual spread"),
    _("prices known until now"),
    _("value per kg beside what controls found in order"),
    _("mass per unit beside what controls found in order"),
    _("value per unit beside what controls found in order"),
    _("value per kg beside the spread of what controls found in order"),
    _("mass per unit beside the spread of what controls found in order"),
    _("value per unit beside the spread of what controls found in order"),
    _("prices known that controls found in order"),
    _("weeks since first seen"),
    _("weeks since last seen"),
    _("declarations until now"),
    _("recent trade beside the usual"),
    _("tariff rate beside the habit"),
    _("preference beside the habit"),
    _("detour beside the habit"),
    _("value beside the habit"),
    _("declared value"),
    _("net mass"),
    _("quantity"),
    _("taxes paid"),
    _("duty saved by preference"),
    _("duty that another code of the heading would cost"),
    _("value per kg"),
    _("mass per unit"),
    _("value per unit"),
    _("rate of duty paid"),
    _("rate of the tariff"),
    _("rate saved by preference"),
    _("taxes as a share of the value"),
    _("taxes that the rate does not explain"),
    _("claim of preference"),
    _("authorised economic operator"),
    _("transport by air"),
    _("goods that come by another country than their origin"),
    _("round value"),
    _("HS chapter"),
    _("highest rate of the heading"),
    _("rate below the highest of the heading"),
    _("lowest rate of the heading"),
    _("rate below the highest of the chapter"),
)
_PARTIES = (
    _("this importer"),
    _("this supplier"),
    _("this declarant"),
    _("this carrier"),
    _("this office"),
    _("goods of this chapter"),
    _("goods of this heading"),
    _("these goods"),
    _("this origin"),
    _("this country of departure"),
    _("this route"),
    _("this claim of preference"),
)
# Those of MATTERS, beside which an officer reads them.
_MATTERS = (_("value"), _("mass"), _("number of packages"), _("HS code"), _("origin"))
TITLE = _("A model expects a find")
# The first that fits a sentence wholly says it.
_SHAPES = (
    TITLE,
    _(
        "A control is thought to find something with a chance of %(figure)s, usually %(usual)s; revenue to expect: "
        "%(whole)s %(currency)s"
    ),
    _(
        "A control is thought to find something with a chance of %(figure)s, usually %(usual)s; revenue to expect: "
        "%(whole)s"
    ),
    _("A control is thought to find something with a chance of %(figure)s, usually %(usual)s"),
    _("%(sentence)s (%(figure)s of what raises the chance)"),
    _("%(figure)s of controls of %(party)s lately found something (usual: %(usual)s)"),
    _("%(figure)s of controls of %(party)s found something (usual: %(usual)s)"),
    _("partners found irregularities in %(figure)s of their controls of %(party)s (usual: %(usual)s)"),
    _("partners found irregularities in %(figure)s of their controls of %(party)s"),
    _("a partner told of this export"),
    _("no partner told of this export"),
    _("partners told of %(figure)s of consignments of %(party)s (usual: %(usual)s)"),
    _("%(matter)s differed in %(figure)s of what partners told of %(party)s (usual: %(usual)s)"),
    _("%(matter)s differs from what the partner committed to at export"),
    _("%(matter)s agrees with what the partner committed to at export"),
    _("%(party)s: never seen before"),
    _("%(party)s: never a find before"),
    _("%(party)s: seen %(figure)s weeks ago"),
    _("%(party)s: a find %(figure)s weeks ago"),
    _("value per kg %(figure)s below what was usual for %(party)s"),
    _("value per kg %(figure)s above what was usual for %(party)s"),
    _("mass per unit %(figure)s below what was usual for %(party)s"),
    _("mass per unit %(figure)s above what was usual for %(party)s"),
    _("value per unit %(figure)s below what was usual for %(party)s"),
    _("value per unit %(figure)s above what was usual for %(party)s"),
    _("value per kg %(figure)s below what controls found in order for %(party)s"),
    _("value per kg %(figure)s above what controls found in order for %(party)s"),
    _("mass per unit %(figure)s below what controls found in order for %(party)s"),
    _("mass per unit %(figure)s above what controls found in order for %(party)s"),
    _("value per unit %(figure)s below what controls found in order for %(party)s"),
    _("value per unit %(figure)s above what controls found in order for %(party)s"),
    _("%(label)s: %(figure)s (usual: %(usual)s)"),
    _("%(label)s: not known here"),
)
_FIGURE = r"-?[\d,]+(?:\.\d+)?%?"
_ONE = "|".join(map(re.escape, sorted(WHO.values(), key=len, reverse=True)))
_PARTY = rf"(?:{_ONE})(?: with (?:{_ONE}))*"
_LOOKS = {
    **dict.fromkeys(("figure", "usual", "whole"), _FIGURE),
    "currency": "[A-Z]{3}",
    "matter": "|".join(map(re.escape, _MATTERS)),
    "party": _PARTY,
    "label": rf"(?:{'|'.join(map(re.escape, sorted(_LABELS, key=len, reverse=True)))})(?:: {_PARTY})?",
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def say_model(english: str) -> str:
    """A sentence of a model's reason in the officer's language; empty where it has none of the known shapes."""
    for shape, pattern in _PATTERNS:
        found = pattern.fullmatch(english)
        if found:
            parts = {name: _SAID.get(name, say_figures)(text) for name, text in found.groupdict().items()}
            return gettext(shape) % parts
    return ""


def say_feature(name: str) -> str:
    """What a figure that a model looks at is called."""
    english = label_of(name)
    return english if is_english() else _label(english)


def _pattern(shape: str) -> str:
    pieces = _PLACEHOLDER.split(shape)
    return "".join(
        f"(?P<{piece}>{_LOOKS.get(piece, '.+?')})" if place % 2 else re.escape(piece)
        for place, piece in enumerate(pieces)
    )


def _party(text: str) -> str:
    first, *others = text.split(" with ")
    said = gettext(first)
    for other in others:
        said = gettext("%(one)s with %(other)s") % {"one": said, "other": gettext(other)}
    return said


def _label(text: str) -> str:
    label, mark, party = text.partition(": ")
    return (
        gettext("%(label)s: %(party)s") % {"label": gettext(label), "party": _party(party)} if mark else gettext(label)
    )


_SAID: Mapping[str, Callable[[str], str]] = {
    "party": _party,
    "label": _label,
    "currency": str,
    "matter": gettext,
    "sentence": lambda text: say_model(text) or text,
}
_PATTERNS = tuple((shape, re.compile(_pattern(shape))) for shape in _SHAPES)
