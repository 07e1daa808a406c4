"""What else is known of a reason's source, label by label, in the officer's language. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from comity.console.reason_shapes import say_country, say_day, say_figures, say_roles, say_word
from comity.console.reason_words import JOINTS, KINDS, VALUES, VERDICTS
from comity.console.words import is_english, word
from comity.risk.mirror_reasons import joint_words
from comity.trade.codes import country_name

LABELS: Mapping[str, str | Promise] = {
    "Rule": _("Rule"),
    "Owner": _("Owner"),
    "Items": _("Items"),
    "Issuer": _("Issuer"),
    "Issuer's reference": _("Issuer's reference"),
    "Issuer's legal basis": _("Issuer's legal basis"),
    "Digest": _("Digest"),
    "Article": _("Article"),
    "Grade": _("Grade"),
    "Method": _("Method"),
    "Evidence": _("Evidence"),
    "Age": _("Age"),
    "Weight left by its age": _("Weight left by its age"),
    "Joined by": _("Joined by"),
    "Here": _("Here"),
    "In the export declaration": _("In the export declaration"),
    "Export declaration": _("Export declaration"),
    "Committed to before it was asked": _("Committed to before it was asked"),
    "Measured reliability": _("Measured reliability"),
    "Suggested action": _("Suggested action"),
    "Handling": _("Handling"),
    "Match": _("Match"),
    "How": _("How"),
    "Concealment": _("Concealment"),
    "Case": _("Case"),
    "Seed": _("Seed"),
    "Draw": _("Draw"),
    "Random share": _("Random share"),
    # of models
    "Model": _("Model"),
    "Learned from": _("Learned from"),
    "Histories until": _("Histories until"),
    # of watch lists
    "List": _("List"),
    "Publisher": _("Publisher"),
    "List of": _("List of"),
    "Entry": _("Entry"),
    "Entry name": _("Entry name"),
    "Other names": _("Other names"),
    "Entry kind": _("Kind"),
    "Born": _("Born"),
    "Countries": _("Countries"),
    "Numbers": _("Numbers"),
    "Program": _("Program"),
    "Listed on": _("Listed on"),
    "Note": _("Note"),
    "Score": _("Score"),
    "Our name": _("Declared name"),
    "Our country": _("Declared country"),
    "Our numbers": _("Declared numbers"),
    "Our part": _("Part in the consignment"),
    "Decided": _("Decided"),
    "Decided by": _("Decided by"),
    # of registers
    "Register": _("Register"),
    "Register of": _("Register of"),
    "Number": _("Number"),
    "Name": _("Name"),
    "Country": _("Country"),
    "Status": _("Status"),
    "Arrangement": _("Arrangement"),
    "State": _("State"),
    "Valid from": _("Valid from"),
    "Valid until": _("Valid until"),
    "Ref": _("Entry"),
    "Hs": _("HS codes"),
    "Direction": _("Direction"),
    "Measure": _("Measure"),
    "Documents": _("Documents"),
    "Title": _("Title"),
    "Clause": _("Clause"),
    "Right": _("Right"),
    "Mark": _("Mark"),
    "Holder": _("Holder"),
    "Holder id": _("Number of the holder"),
    "Keywords": _("Keywords"),
    "Licensees": _("Licensees"),
    "Taxon": _("Species"),
    "Common names": _("Common names"),
    "Appendix": _("Appendix"),
    "Origin": _("Origin"),
    "Destination": _("Destination"),
}
# A digest, for machines to recognise a subject by.
_HIDDEN = {"Subject key"}
_GRADE = re.compile(r"(\w\w) \(source (\w), information (\w)\)")
_RELIABILITY = re.compile(r"([\d.]+) from (\d+) outcomes?")
_AGE = re.compile(r"(\d+) days?")


def say_facts(facts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What else an officer should know of a source; what is empty and what only machines read is left out."""
    return [say_fact(label, value) for label, value in facts if value and label not in _HIDDEN]


def say_fact(label: str, value: str) -> tuple[str, str]:
    """One label and its words."""
    name = str(LABELS.get(label, label))
    known = _IN_WORDS.get(label)
    if known:
        return name, known(value)
    return name, value if is_english() else _fact(label, value)


def _fact(label: str, value: str) -> str:
    known = _IN_FIGURES.get(label)
    return known(value) if known else value


def _grade(value: str) -> str:
    found = _GRADE.fullmatch(value)
    if not found:
        return value
    text = gettext("%(grade)s (source %(source)s, information %(information)s)")
    return text % {"grade": found[1], "source": found[2], "information": found[3]}


def _reliability(value: str) -> str:
    found = _RELIABILITY.fullmatch(value)
    if not found:
        return value
    count = int(found[2])
    text = ngettext("%(share)s from %(count)d outcome", "%(share)s from %(count)d outcomes", count)
    return text % {"share": _decimal(found[1]), "count": count}


def _age(value: str) -> str:
    found = _AGE.fullmatch(value)
    days = int(found[1]) if found else 0
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days} if found else value


def _decimal(value: str) -> str:
    return number_format(Decimal(value), decimal_pos=len(value.partition(".")[2]), use_l10n=True)


def _joint(value: str) -> str:
    known = {english: JOINTS[joint.value] for joint, english in joint_words().items()}
    return say_word(value, known)


def _countries(value: str) -> str:
    codes = re.split(r"[,;] ?", value)
    return ", ".join(country_name(code) if is_english() else say_country(country_name(code)) for code in codes)


def _value(value: str) -> str:
    return say_word(value, VALUES)


# What has words of its own in every language.
_IN_WORDS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("Suggested action", "Handling"), lambda value: str(word(value))),
    **dict.fromkeys(("Listed on", "Valid from", "Valid until", "List of", "Register of"), say_day),
    **dict.fromkeys(("Countries", "Country", "Our country", "Origin", "Destination"), _countries),
    **dict.fromkeys(("Measure", "Direction", "State"), _value),
    "Entry kind": lambda value: say_word(value, KINDS),
    "Our part": say_roles,
    "Decided": lambda value: str(VERDICTS.get(value, value)),
    "Decided by": lambda value: value.removeprefix("officer:"),
    "Status": str.upper,
}
# What English tells as it is kept.
_IN_FIGURES: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("Here", "In the export declaration", "Weight left by its age", "Score"), say_figures),
    **dict.fromkeys(("Match", "Random share"), lambda value: value.replace("%", "\u00a0%")),
    **dict.fromkeys(("Method", "Evidence", "Committed to before it was asked"), _value),
    "Grade": _grade,
    "Measured reliability": _reliability,
    "Age": _age,
    "Draw": _decimal,
    "Joined by": _joint,
}
