"""The second pair of eyes: what waits for another officer, what exactly would be sent, and its decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from comity.agreements.procedures import Event, Procedure, UnknownProcedureError, procedure
from comity.common import Actor, ComityError, parse_instant, utc_now
from comity.console.access import page
from comity.console.bodies import BodyLine, body_lines, readable_body
from comity.console.case_steps import Shown, shown_of
from comity.console.case_story import SaidLine, said_lines
from comity.console.case_words import language, refusal_words
from comity.console.holders import us
from comity.console.operations import agreement_of
from comity.console.purpose import ask_purpose, current_purpose
from comity.console.templatetags.comity import moment
from comity.console.words import word
from comity.journeys import assist
from comity.journeys.approving import Done, approve_proposal
from comity.journeys.override import LOWER_DEED
from comity.operations import Party, StepRefusedError
from comity.operations.services import Opening
from comity.staff import Permission, PermissionRefusedError, Role, may, sight_of
from comity.staff import selectors as staff
from comity.staff import services as staff_writes
from comity.staff.four_eyes import EYES_OF_DEED
from comity.staff.need_to_know import LEVELS, Sight
from comity.staff.selectors import Proposal

_NOTICES = ("alert", "finding", "evidence", "profile", "decision")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about a proposal. url: where it leads."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal as the page shows it. said, shown: of a step, what it says and what each partner would get of it.

    lines: of a notice, all of it; trouble: why it cannot be done as things stand.
    """

    proposal: Proposal
    title: str
    facts: tuple[Fact, ...]
    is_own: bool
    may_decide: bool
    is_whole: bool
    level: str = ""
    lines: Sequence[BodyLine] = ()
    said: Sequence[SaidLine] = ()
    shown: Sequence[Shown] = ()
    trouble: str = ""


@page(any_of=(Permission.SHARE, Permission.APPROVE_SHARING, Permission.MANAGE_AGREEMENTS))
@require_GET
def approvals(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a second pair of eyes, and what was decided."""
    if not current_purpose(request):
        return ask_purpose(request)
    at = utc_now()
    waiting = [waiting_of(each, actor, at) for each in staff.open_proposals() if is_known_to(actor, each)]
    decided = [(each, title_of(each)) for each in staff.decided_proposals(limit=20) if is_known_to(actor, each)]
    return render(request, "console/approvals.html", {"waiting": waiting, "decided": decided})


@page()
@require_POST
def decide(request: HttpRequest, actor: Actor, proposal_id: UUID) -> HttpResponse:
    """Approve and do it, reject with a reason, or take back one's own."""
    wish, at = request.POST.get("wish"), utc_now()
    if wish == "approve":
        try:
            messages.success(request, _done(approve_proposal(actor, proposal_id=proposal_id, at=at)))
        except StepRefusedError as error:
            messages.error(request, _("It was not sent, and still waits: %(why)s") % {"why": refusal_words(error)})
    elif wish == "reject":
        staff_writes.reject(actor, proposal_id=proposal_id, reason=request.POST.get("reason", ""), at=at)
        messages.success(request, _("Rejected. Nothing was sent."))
    elif wish == "withdraw":
        staff_writes.withdraw(actor, proposal_id=proposal_id, at=at)
        messages.success(request, _("Taken back. Nothing was sent."))
    return redirect("console:approvals")


def is_known_to(actor: Actor, proposal: Proposal) -> bool:
    """Whether the actor may know that this was proposed: who made it, and who has to do with such deeds."""
    eyes = EYES_OF_DEED.get(proposal.deed)
    if proposal.proposed_by == str(actor):
        return True
    has_part = eyes is not None and (may(actor, eyes.proposes) or may(actor, eyes.approves))
    return has_part and sight_of(actor, proposal.handling) is not Sight.NOTHING


def waiting_of(proposal: Proposal, actor: Actor, at: datetime) -> Waiting:
    """The proposal with all that the second officer must know; where it is not for the actor, its title alone."""
    eyes = EYES_OF_DEED.get(proposal.deed)
    is_own = proposal.proposed_by == str(actor)
    plain = Waiting(
        proposal=proposal,
        title=title_of(proposal),
        facts=(),
        is_own=is_own,
        may_decide=not is_own and eyes is not None and may(actor, eyes.approves),
        is_whole=is_own or sight_of(actor, proposal.handling) is Sight.WHOLE,
        level=LEVELS[proposal.handling],
    )
    if not plain.is_whole:
        return plain
    if proposal.deed in (assist.OPEN_DEED, assist.STEP_DEED):
        return _with_step(plain, actor, at)
    if proposal.deed == LOWER_DEED:
        return replace(plain, facts=_facts_of_lane(proposal.payload))
    if "move" in proposal.payload:
        return replace(plain, facts=_facts_of_move(proposal.payload, at))
    payload = proposal.payload
    notice = next((payload[each] for each in _NOTICES if isinstance(payload.get(each), Mapping)), {})
    lines = body_lines(readable_body(notice)) if isinstance(notice, Mapping) else []
    recipients = payload.get("recipients", [])
    facts = (
        Fact(_("Recipients"), ", ".join(map(str, recipients)) if isinstance(recipients, list) else "–"),
        Fact(_("Purpose"), str(word(str(payload.get("purpose", ""))))),
    )
    return replace(plain, facts=facts, lines=lines)


def title_of(proposal: Proposal) -> str:
    """What was proposed, in a few words."""
    payload = proposal.payload
    if proposal.deed in (assist.OPEN_DEED, assist.STEP_DEED):
        found = _event_of(payload)
        if found is None:
            return str(word(proposal.deed))
        return f"{found[0].title.in_(language())}: {found[1].title.in_(language())}"
    if proposal.deed == LOWER_DEED:
        return f"{word(proposal.deed)} · {payload['reference']}"
    named = ""
    for key, name in (
        ("alert", "title"),
        ("finding", "ref"),
        ("evidence", "name"),
        ("profile", "title"),
        ("decision", "entry"),
    ):
        notice = payload.get(key)
        named = named or (str(notice.get(name, "")) if isinstance(notice, Mapping) else "")
    return f"{word(proposal.deed)} · {named}" if named else str(word(proposal.deed))


def _with_step(plain: Waiting, actor: Actor, at: datetime) -> Waiting:
    payload = plain.proposal.payload
    found, fields = _event_of(payload), _mapping(payload.get("fields"))
    if found is None:
        return replace(plain, trouble=_("This node does not know the procedure any more."))
    facts, kind = _facts_of_step(payload, at), found[0]
    plain = replace(plain, facts=facts, said=said_lines(kind, fields))
    # What would be sent is asked for as the one who will send it: the approval is the leave to do so.
    officer = replace(actor, roles=actor.roles | {Role.LIAISON.value})
    try:
        if plain.proposal.deed == assist.OPEN_DEED:
            showings = assist.preview_opening(officer, opening=_opening(payload, fields), at=at)
        else:
            case_id, event = str(payload["case"]), str(payload["event"])
            showings = assist.preview_step(officer, case_id=case_id, event=event, fields=fields, at=at)
    except PermissionRefusedError:
        raise
    except ComityError as error:
        return replace(plain, trouble=refusal_words(error))
    return replace(plain, shown=shown_of(kind, showings, fields))


def _opening(payload: Mapping[str, object], fields: Mapping[str, object]) -> Opening:
    roles = _mapping(payload.get("parties"))
    return Opening(
        procedure=str(payload["procedure"]),
        agreement=str(payload["agreement"]),
        parties=tuple(Party(code, str(roles[code])) for code in sorted(roles)),
        fields=fields,
        purpose=str(payload["purpose"]),
        handling=str(payload["handling"]),
        event=str(payload["event"]),
    )


def _event_of(payload: Mapping[str, object]) -> tuple[Procedure, Event] | None:
    try:
        kind = procedure(str(payload.get("procedure", "")))
        event = str(payload.get("event", ""))
        return kind, kind.event(event) if event else kind.openings[0]
    except (UnknownProcedureError, KeyError):
        return None


def _facts_of_step(payload: Mapping[str, object], at: datetime) -> tuple[Fact, ...]:
    case_id, facts = str(payload.get("case", "")), []
    if case_id:
        facts.append(Fact(_("Request"), case_id[:13], reverse("console:case", args=[case_id])))
    if parties := _mapping(payload.get("parties")):
        facts.append(Fact(_("Between"), ", ".join(sorted(parties))))
    facts += [_agreement_fact(payload, at)]
    if payload.get("purpose"):
        facts.append(Fact(_("Purpose"), str(word(str(payload["purpose"])))))
    return (*facts, Fact(_("Handling"), str(word(str(payload.get("handling", ""))))))


def _facts_of_move(payload: Mapping[str, object], at: datetime) -> tuple[Fact, ...]:
    """What suspending or leaving an agreement says to every other party."""
    articles = payload.get("articles")
    named = ", ".join(map(str, articles)) if isinstance(articles, list) and articles else _("all of them")
    effective = str(payload.get("effective_at", ""))
    begins = str(moment(parse_instant(effective))) if effective else _("at once")
    return (
        _agreement_fact(payload, at),
        Fact(_("Articles"), named),
        Fact(_("Takes effect"), begins),
        Fact(_("Reason"), str(payload.get("reason") or "–")),
        Fact(_("Told to"), ", ".join(_others(str(payload.get("agreement", "")), at)) or "–"),
    )


def _facts_of_lane(payload: Mapping[str, object]) -> tuple[Fact, ...]:
    """Which control falls away, and why."""
    url = reverse("console:consignment", args=[UUID(str(payload["record"]))])
    return (
        Fact(_("Consignment"), str(payload["reference"]), url),
        Fact(_("Lane"), f"{word(str(payload['from']))} → {word(str(payload['lane']))}"),
        Fact(_("Reason"), str(payload["reason"])),
    )


def _agreement_fact(payload: Mapping[str, object], at: datetime) -> Fact:
    agreement_id = str(payload.get("agreement", ""))
    stored = agreement_of(agreement_id, at)
    title = stored.agreement.title.in_(language()) if stored else agreement_id[:12]
    return Fact(_("Agreement"), title, reverse("console:agreement", args=[stored.id]) if stored else "")


def _others(agreement_id: str, at: datetime) -> list[str]:
    stored = agreement_of(agreement_id, at)
    return [each for each in stored.agreement.parties if each != us()] if stored else []


def _done(done: Done) -> str:
    if done.is_lane:
        return _("Approved; the lane is changed.")
    count = len(done.posted) + len(done.told)
    text = ngettext("Approved; on its way to %(n)d partner.", "Approved; on its way to %(n)d partners.", count)
    return text % {"n": count}


def _mapping(value: object) -> dict[str, object]:
    return {str(key): each for key, each in value.items()} if isinstance(value, Mapping) else {}
