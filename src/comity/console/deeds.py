"""The audit for people: what a deed was about, and its particulars, each with a label in the officer's language. Pure.

The audit keeps bare words and whole hashes; here a hash is cut to its beginning; the page shows all of it on asking.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from comity.console.words import WORDS, word

_LABELS: Mapping[str, str | Promise] = {
    # what a deed was about
    "agreement": _("agreement"),
    "alert": _("partner's alert"),
    "arrival": _("file"),
    "asker": _("asked by"),
    "case": _("request"),
    "day": _("day"),
    "exhibit": _("exhibit"),
    "log": _("log"),
    "message": _("message"),
    "model": _("model"),
    "models": _("models"),
    "officer": _("officer"),
    "partner": _("partner"),
    "profile": _("rule profile"),
    "proposal": _("proposal"),
    "purpose": _("purpose"),
    "record": _("consignment"),
    "token": _("token"),
    # particulars
    "address": _("address"),
    "after": _("after"),
    "article": _("article"),
    "assigned_to": _("given to"),
    "before": _("before"),
    "capacity": _("inspections of the day"),
    "digest": _("digest"),
    "event": _("step taken"),
    "handling": _("handling"),
    "number": _("number"),
    "procedure": _("procedure"),
    "step": _("record of the step"),
    "drafted_by": _("written by"),
    "duplicates": _("known already"),
    "endpoint": _("address"),
    "exhibits": _("exhibits"),
    "finding": _("finding"),
    "fingerprint": _("key fingerprint"),
    "imported": _("taken in"),
    "ground": _("ground"),
    "holder": _("holder"),
    "inspection": _("inspection"),
    "kind": _("kind"),
    "messages": _("messages"),
    "mode": _("way"),
    "name": _("name"),
    "owner": _("origin"),
    "proposed_by": _("proposed by"),
    "random_share": _("drawn by chance"),
    "every_days": _("days from one training to the next"),
    "reason": _("reason"),
    "state": _("state"),
    "training": _("training of a model"),
    "receipt": _("record of the decision"),
    "request": _("person's question"),
    "sight": _("sight"),
    "recall": _("recall"),
    "recipient": _("recipient"),
    "recipients": _("recipients"),
    "refused": _("refused"),
    "required": _("required"),
    "result": _("result"),
    "roles": _("roles"),
    "selected": _("selected"),
    "size": _("entries"),
    "sound": _("sound"),
    "source": _("source"),
    "tokens_revoked": _("tokens revoked"),
    "variant": _("learns from"),
    "version": _("version"),
    "weight": _("weight"),
}
_PAGES = {
    "record": "console:consignment",
    "case": "console:case",
    "message": "console:message",
    "agreement": "console:agreement",
    "partner": "console:partner",
}
_HASH = re.compile(r"[0-9a-f]{32,}")
_SENT = re.compile(r"(?P<kind>\w+/\d+) to (?P<recipient>\w+)")


@dataclass(frozen=True, slots=True)
class Particular:
    """A label and a value. whole: the value before it was cut, where it was; url: the page of the thing."""

    label: str
    value: str
    whole: str = ""
    url: str = ""


def subject_of(subject: str) -> Particular:
    """What a deed was about: `kind:id` as words, anything else as it stands."""
    kind, _colon, rest = subject.partition(":")
    if kind in _LABELS and rest:
        url = reverse(_PAGES[kind], args=[rest]) if kind in _PAGES else ""
        return Particular(str(_LABELS[kind]), *_value(rest), url=url)
    sent = _SENT.fullmatch(subject)
    if sent:
        recipient = {"partner": sent["recipient"]}
        return Particular(str(word(sent["kind"])), _now("to %(partner)s") % recipient)
    return Particular("", subject)


def particulars_of(facts: Mapping[str, object]) -> list[Particular]:
    """The facts of a deed; what is empty says nothing."""
    return [
        Particular(str(_LABELS.get(name, word(name))), *_value(str(value)))
        for name, value in facts.items()
        if str(value)
    ]


def _value(text: str) -> tuple[str, str]:
    if _HASH.fullmatch(text):
        return f"{text[:12]}…", text
    return ", ".join(str(WORDS.get(each, each)) for each in text.removeprefix("officer:").split(", ")), ""
