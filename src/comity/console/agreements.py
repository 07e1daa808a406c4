"""Agreements: how far each has got, what waits for us, and one of them whole, its text beside what the node does."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from comity.agreements import Agreement
from comity.agreements import selectors as agreements_reads
from comity.agreements.life import Life, MoveKind
from comity.agreements.moving import lives
from comity.agreements.selectors import AgreementState, StoredAgreement
from comity.agreements.texts import prose
from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.changes import Compared, compared, looked_over, spoken
from comity.console.drafts import yaml_of
from comity.console.intake import download
from comity.console.moves_told import holdings, life_told
from comity.console.passages import duties_of, passages_of, procedures_of, working_days_of
from comity.console.stages import GROUPS, Group, Standing, standing_of
from comity.journeys import negotiate
from comity.staff import Permission

_IN_FORCE = (AgreementState.IN_FORCE, AgreementState.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Listed:
    """An agreement as a list shows it."""

    stored: StoredAgreement
    standing: Standing


@dataclass(frozen=True, slots=True)
class Version:
    """Another version of the same agreement. is_former: it was before this one. change: how this one differs."""

    listed: Listed
    is_former: bool
    change: Compared | None


@page()
@require_GET
def agreements(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Every agreement that this node knows; what waits for a deed of ours comes first."""
    listed = _listed()
    groups = [(name, GROUPS[name], [each for each in listed if each.standing.group is name]) for name in Group]
    context = {"groups": [each for each in groups if each[2]], "section": "agreements", "part": "agreements"}
    return render(request, "console/agreements.html", context)


@page()
@require_GET
def agreement(request: HttpRequest, _actor: Actor, agreement_id: str) -> HttpResponse:
    """One agreement: its text beside what the node does, who holds what of it, its life, and what to look at."""
    at, ours = utc_now(), settings.COMITY_ADMINISTRATION
    stored = agreements_reads.agreement(agreement_id, at=at)
    found, life = stored.agreement, lives().get(stored.id)
    context = {
        "stored": stored,
        "agreement": found,
        "standing": standing_of(stored, life, ours=ours, at=at),
        "passages": passages_of(found),
        "duties": duties_of(found),
        "procedures": procedures_of(found),
        "working_days": working_days_of(found),
        "holdings": holdings(stored, life, negotiate.standings(at=at, agreement_id=stored.id), ours),
        "life": life_told(stored, life),
        "versions": versions_of(stored),
        "over": looked_over(found, others_in_force(found)),
        "unverified": sum(not each.is_verified for each in found.articles),
        "is_party": ours in found.parties,
        "receipts": agreements_reads.decision_receipts(agreement_id=stored.id, limit=10),
        "section": "agreements",
    }
    return render(request, "console/agreement.html", context)


@page()
@require_GET
def agreement_file(_request: HttpRequest, _actor: Actor, agreement_id: str, form: str) -> HttpResponse:
    """The agreement as a text to print, or as YAML to go on from."""
    found = agreements_reads.agreement(agreement_id, at=utc_now()).agreement
    name = f"agreement-{found.short_id}"
    if form == "text":
        return download(prose(found, spoken()).encode(), name=f"{name}.md", media_type="text/markdown; charset=utf-8")
    return download(yaml_of(found).encode(), name=f"{name}.yaml", media_type="application/yaml")


@page()
@require_GET
def agreement_changes(request: HttpRequest, _actor: Actor, agreement_id: str, former: str) -> HttpResponse:
    """The exact difference between two versions: which requests are answered otherwise, and every property."""
    at = utc_now()
    new, old = (agreements_reads.agreement(each, at=at).agreement for each in (agreement_id, former))
    context = {"change": compared(old, new), "agreement": new, "former": old, "section": "agreements"}
    return render(request, "console/agreement_changes.html", context)


@page(Permission.MANAGE_AGREEMENTS)
@require_POST
def ask_standing(request: HttpRequest, actor: Actor, agreement_id: str) -> HttpResponse:
    """Ask every other party what it holds; the answers come by themselves."""
    asked = negotiate.ask_standings(actor, at=utc_now(), agreement_id=agreement_id)
    if asked:
        text = ngettext(
            "%(n)d party is asked. Its answer will stand here.",
            "%(n)d parties are asked. Their answers will stand here.",
            asked,
        )
        messages.success(request, text % {"n": asked})
    else:
        messages.warning(request, _("No other party has been introduced here, so nobody can be asked."))
    return redirect("console:agreement", agreement_id)


def others_in_force(found: Agreement) -> tuple[Agreement, ...]:
    """The other agreements in force here, without those of whose place this text comes."""
    every = agreements_reads.agreements(at=utc_now())
    same = {found.id, found.supersedes}
    return tuple(each.agreement for each in every if each.state in _IN_FORCE and each.id not in same)


def versions_of(stored: StoredAgreement) -> tuple[Version, ...]:
    """The other versions that are stored here, as far as one amends or answers another; the earliest first."""
    listed = {each.stored.id: each for each in _listed()}
    known = {each.id: each for each in _line_of(stored.id, listed, lives())}
    known.pop(stored.id, None)
    near = _near(stored, lives())
    shown = []
    for each in sorted(known.values(), key=lambda every: every.imported_at):
        is_former = each.id in near or each.imported_at < stored.imported_at
        pair = (each.agreement, stored.agreement) if is_former else (stored.agreement, each.agreement)
        shown.append(Version(listed[each.id], is_former, compared(*pair)))
    return tuple(shown)


def former_of(found: Agreement) -> str:
    """The version that this one answers or amends; empty where it is the first."""
    life = lives().get(found.id)
    answers = [each.predecessor for each in life.history if each.kind is MoveKind.COUNTER_PROPOSE] if life else []
    return next((each for each in (*answers, found.supersedes) if each), "")


def _listed() -> list[Listed]:
    at, ours, known = utc_now(), settings.COMITY_ADMINISTRATION, lives()
    every = agreements_reads.agreements(at=at)
    return [Listed(each, standing_of(each, known.get(each.id), ours=ours, at=at)) for each in every]


def _near(stored: StoredAgreement, known: dict[str, Life]) -> set[str]:
    """The versions that this one names as coming before it."""
    life = known.get(stored.id)
    return {stored.agreement.supersedes, *(each.predecessor for each in (life.history if life else ()))} - {""}


def _line_of(agreement_id: str, listed: dict[str, Listed], known: dict[str, Life]) -> list[StoredAgreement]:
    """Every version that hangs together with this one."""
    links: dict[str, set[str]] = {each: set() for each in listed}
    for each, found in listed.items():
        for other in _near(found.stored, known) & set(listed):
            links[each].add(other)
            links[other].add(each)
    linked, waiting = {agreement_id}, [agreement_id]
    while waiting:
        for other in links.get(waiting.pop(), set()) - linked:
            linked.add(other)
            waiting.append(other)
    return [listed[each].stored for each in linked if each in listed]
