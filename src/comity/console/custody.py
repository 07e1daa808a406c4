"""Taking back what was shared: the form, what it will do to whom, and the list of recalls and of who is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.again import waiting_lines
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.holders import GROUNDS, MODES, HolderLine, holder_line, may_take_back, us
from comity.console.intake import download
from comity.console.purpose import opened
from comity.console.templatetags.comity import day
from comity.console.words import word
from comity.custody import ANSWER_WITHIN, RECALL_GROUNDS, Mode, NotHeldError, Status
from comity.custody import selectors as custody
from comity.custody.selectors import ConsentView, HolderView, RecallView
from comity.exchange import selectors as exchange
from comity.exchange.selectors import Direction, MessageLine, MessageView
from comity.journeys.consents import onward_holders
from comity.journeys.forget import Wish, recall
from comity.staff import Permission, PermissionRefusedError, may, require
from comity.staff.services import record_deed
from comity.trade import Handling

_MOST_SIBLINGS = 20
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a recall will do at one holder."""

    holder: str
    text: str


@dataclass(frozen=True, slots=True)
class RecallLine:
    """A recall as the list shows it. messages: the ids of their pages here; kind: of the first; empty if unknown."""

    view: RecallView
    mode: str
    ground: str
    messages: tuple[str, ...]
    kind: str
    holders: tuple[HolderLine, ...]
    own: tuple[HolderLine, ...]
    answered: int
    total: int


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """A question for consent as the list shows it. message: the id of its page here, or nothing."""

    view: ConsentView
    message: str


class TakeBackForm(ConsoleForm):
    """From whom, why, and with which new limits or which new message."""

    messages = forms.MultipleChoiceField(
        label=gettext_lazy("From whom"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one partner")},
    )
    ground = forms.ChoiceField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("Every holder reads it; it is signed"),
        choices=lambda: [(each, str(GROUNDS[each])) for each in RECALL_GROUNDS],
    )
    replacement = forms.ChoiceField(
        label=gettext_lazy("The corrected one, which takes its place"),
        error_messages={"required": gettext_lazy("Share the corrected one first, then choose it here")},
    )
    let_on = forms.BooleanField(label="", required=False)
    keep_until = forms.DateField(
        label=gettext_lazy("May be kept until"),
        help_text=gettext_lazy("The end of this day, UTC; a later day than now agreed changes nothing"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    handling = forms.ChoiceField(label=gettext_lazy("Handling level from now on"), required=False)

    def __init__(
        self, data: object, *, mode: Mode, view: MessageView, actor: Actor, initial: dict[str, object]
    ) -> None:
        super().__init__(data, initial=initial)
        self.mode, self.view = mode, view
        self.siblings = siblings_of(view)
        lines = [view.line, *self.siblings]
        choose(self, "messages", [(line.id, line.partner) for line in lines])
        if mode is Mode.CORRECT:
            choose(self, "replacement", _successors(view))
        else:
            del self.fields["replacement"]
        self._offer_letting_on([line.id for line in lines], actor)
        if mode is Mode.TIGHTEN:
            higher = [each.word for each in Handling if each > _level(view.line.handling)]
            choose(self, "handling", [("", str(_("as it is"))), *worded(higher)])
        else:
            del self.fields["keep_until"], self.fields["handling"]

    def clean(self) -> dict[str, object]:
        """Limits belong to a tightening; a correction needs the new message at each partner."""
        given = cast(dict[str, object], super().clean())
        if self.mode is Mode.TIGHTEN and not self.errors and not (given.get("keep_until") or given.get("handling")):
            self.add_error("keep_until", _("Give an earlier day, a higher level, or both"))
        if self.mode is Mode.CORRECT and not self.errors:
            given["pairs"] = self._pairs(str(given["replacement"]), cast(list[str], given["messages"]))
        return given

    def wish(self) -> Wish:
        """How a valid form takes back."""
        given = self.cleaned_data
        return Wish(
            self.mode,
            given["ground"],
            replacement=given.get("pairs", ()),
            keep_until=_end_of(given.get("keep_until")),
            handling=given.get("handling", ""),
            is_let_on=bool(given.get("let_on")),
        )

    def _offer_letting_on(self, message_ids: Sequence[str], actor: Actor) -> None:
        """Where somebody has the old one from a partner, and the officer may consent that they get the new one."""
        ways = {(each.holder, each.via) for one in message_ids for each in onward_holders(one)}
        is_sensitive = _level(self.view.line.handling) >= Handling.RESTRICTED
        if self.mode is not Mode.CORRECT or not ways or (is_sensitive and not may(actor, Permission.APPROVE_SHARING)):
            del self.fields["let_on"]
            return
        said = [_("%(holder)s (from %(via)s)") % {"holder": holder, "via": via} for holder, via in sorted(ways)]
        self.fields["let_on"].label = _("Let those who have it from a partner have the new one, too")
        self.fields["let_on"].help_text = _(
            "Who handed it on may then hand the new one on to the same, for 30 days, without asking: %(who)s"
        ) % {"who": ", ".join(said)}

    def _pairs(self, successor: str, chosen: list[str]) -> tuple[tuple[str, str], ...]:
        """For each old message the new one that went to the same partner."""
        lines = {line.id: line for line in (self.view.line, *self.siblings)}
        new = exchange.message(successor)
        by_partner = {line.partner: line.id for line in (new.line, *siblings_of(new))}
        missing = [lines[each].partner for each in chosen if lines[each].partner not in by_partner]
        if missing:
            partners = ", ".join(missing)
            self.add_error(
                "messages", _("The corrected one was not shared with: %(partners)s") % {"partners": partners}
            )
            return ()
        return tuple((each, by_partner[lines[each].partner]) for each in chosen)


class RecallsForm(ConsoleForm):
    """What the list of recalls shows."""

    show = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    partner = forms.ChoiceField(label=gettext_lazy("Partner"), required=False)

    def __init__(self, data: object) -> None:
        super().__init__(data)
        choose(
            self,
            "show",
            [
                ("", str(_("everything"))),
                ("open", str(_("what waits for an answer"))),
                ("made", str(_("recalls made here"))),
                ("received", str(_("recalls received"))),
                ("overdue", str(_("overdue"))),
                ("consents", str(_("consents"))),
                ("again", str(_("to hand on again"))),
            ],
        )
        choose(
            self, "partner", [("", str(_("any"))), *[(each.administration, each.name) for each in exchange.partners()]]
        )


@page(Permission.VIEW_MESSAGES)
@require_GET
def recalls(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Recalls made and received, who is overdue, and consents asked and waiting."""
    form = RecallsForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    show, partner = asked.get("show", ""), asked.get("partner", "")
    made = [line for line in map(_recall_line, custody.recalls(origin=us())) if _names(line.view, partner)]
    received = [line for line in map(_recall_line, custody.received_recalls(us())) if _names(line.view, partner)]
    if show == "open":
        made = [line for line in made if line.view.count_open]
        received = [line for line in received if line.view.count_open]
    again = waiting_lines(actor, utc_now(), partner=partner) if show in {"", "open", "again"} else []
    consents = [_consent_line(each) for each in custody.consents() if partner in {"", each.owner, each.asker}]
    context = {
        "form": form,
        "show": show,
        "made": made if show in {"", "open", "made"} else (),
        "received": received if show in {"", "open", "received"} else (),
        "overdue": [
            (holder_line(each), page_of(each.origin, each.message_id))
            for each in custody.overdue()
            if partner in {"", each.holder} and show in {"", "open", "overdue"}
        ],
        "again": again,
        "waiting": [each for each in consents if _waits(each.view)] if show in {"", "open", "consents"} else (),
        "asked": [each for each in consents if not _waits(each.view)] if show in {"", "consents"} else (),
        "is_narrowed": bool(show or partner),
    }
    return render(request, "console/recalls.html", context)


@page(Permission.VIEW_MESSAGES)
@require_GET
def statement(_request: HttpRequest, actor: Actor, message_id: str, holder: str) -> HttpResponse:
    """What was signed about one copy, as a file that anyone can check."""
    found = [each for each in custody.holders_of(message_id) if each.holder == holder and each.statement]
    if not found:
        raise NotHeldError("There is no signed statement about this copy", where=f"{message_id}, {holder}"[:60])
    record_deed(
        actor, deed="download_statement", subject=f"message:{message_id}", facts={"holder": holder}, at=utc_now()
    )
    return download(found[0].statement, name=f"holding-{message_id}-{holder}.json", media_type="application/json")


@page(Permission.VIEW_MESSAGES)
@require_http_methods(["GET", "POST"])
def take_back(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """Take a message back, correct or tighten it: choose, see what it will do to whom, do it."""
    if not may_take_back(actor):
        require(actor, Permission.SHARE)
    view, mode = opened(request, actor, message_id), _mode(request)
    form = TakeBackForm(request.POST or None, mode=mode, view=view, actor=actor, initial=_initial(request, view, mode))
    step, is_sure = request.POST.get("step", ""), False
    if step in {"preview", "send"} and form.is_valid():
        is_sure = step == "preview"
        try:
            if step == "send":
                return _carry_out(request, actor, form)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
    context = {
        "form": form,
        "mode": mode.value,
        "line": view.line,
        "title": subject_of(view),
        "consequences": consequences_of(form.cleaned_data["messages"], form.wish()) if is_sure else (),
        "due": utc_now() + ANSWER_WITHIN,
        "section": "messages",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    template = "console/take_back_sure.html" if is_sure else "console/take_back.html"
    return render(request, template, context, status=status)


def consequences_of(message_ids: Sequence[str], wish: Wish) -> list[Consequence]:
    """What will happen to every holder that is known here."""
    found: dict[str, Consequence] = {}
    for message_id in message_ids:
        sent = exchange.message(message_id).line
        for held in custody.holders_of(message_id):
            if held.origin == us() and held.holder != us():
                is_refused = sent.state == "refused" and held.holder == sent.partner
                found[held.holder] = Consequence(held.holder, _fate(held, wish, is_refused=is_refused))
    return list(found.values())


def siblings_of(view: MessageView) -> list[MessageLine]:
    """The same notice to other partners: shared at the same moment, with the same reference."""
    line, subject = view.line, _subject(view)
    if not subject:
        return []
    found = exchange.messages(direction=Direction.SENT, kind=line.kind, before=line.at + _INSTANT, limit=_MOST_SIBLINGS)
    same_moment = (each for each in found if each.at == line.at and each.id != line.id)
    return [each for each in same_moment if _subject(exchange.message(each.id)) == subject]


def subject_of(view: MessageView) -> str:
    """What a message is called for people."""
    body = view.message.body if view.message else {}
    return str(body.get("title") or body.get("ref") or body.get("name") or "")


def page_of(origin: str, message_id: str) -> str:
    """The id under which a message has its page here; nothing where it never came."""
    if origin == us():
        return message_id
    return next((copy.copy_id for copy in custody.copies_of(origin, message_id)), "")


def _carry_out(request: HttpRequest, actor: Actor, form: TakeBackForm) -> HttpResponse:
    orders = recall(actor, message_ids=form.cleaned_data["messages"], wish=form.wish(), at=utc_now())
    told = sorted({partner for order in orders for partner in order.sent_to})
    if told:
        text = ngettext(
            "%(mode)s: %(partners)s is told at once.", "%(mode)s: %(partners)s are told at once.", len(told)
        )
        messages.success(request, text % {"mode": MODES[form.mode], "partners": ", ".join(told)})
    else:
        text = _("%(mode)s; nobody could be told now. The node asks again every day.")
        messages.warning(request, text % {"mode": MODES[form.mode]})
    return redirect(f"{_address(form.view.line.id)}#holders")


def _address(message_id: str) -> str:
    return redirect("console:message", message_id=message_id).url


def _mode(request: HttpRequest) -> Mode:
    text = request.POST.get("mode") or request.GET.get("mode") or ""
    return Mode(text) if text in set(Mode) else Mode.RECALL


def _initial(request: HttpRequest, view: MessageView, mode: Mode) -> dict[str, object]:
    ground = {Mode.RECALL: "issued_in_error", Mode.CORRECT: "information_wrong", Mode.TIGHTEN: "level_raised"}[mode]
    ids = [view.line.id, *(line.id for line in siblings_of(view))]
    return {"messages": ids, "ground": ground, "replacement": request.GET.get("replacement", "")}


def _successors(view: MessageView) -> list[tuple[str, str]]:
    """Notices of the same kind that this partner got later, the newest first."""
    later = exchange.messages(
        direction=Direction.SENT, partner=view.line.partner, kind=view.line.kind, limit=_MOST_SIBLINGS
    )
    views = [exchange.message(line.id) for line in later if line.at > view.line.at]
    return [(each.line.id, f"{subject_of(each)} ({_subject(each)})") for each in views]


def _subject(view: MessageView) -> str:
    body = view.message.body if view.message else {}
    return str(body.get("ref") or body.get("sha256") or "")


def _fate(held: HolderView, wish: Wish, *, is_refused: bool) -> str:
    names: dict[str, object] = {"holder": held.holder, "via": held.via}
    if is_refused and not held.statement:
        return _("Refused it when it came; there is nothing to take back.")
    if held.status is Status.PURGED:
        return _("Has purged it already; nothing changes.")
    first = _("Is told at once.") if held.via == us() else _("Got it from %(via)s, who must pass this on.") % names
    if wish.mode is Mode.TIGHTEN:
        return " ".join([first, *_limits(wish)])
    if held.status is Status.RETAINED:
        return " ".join([first, _("Keeps it on a legal ground, and answers again.")])
    last = _("Its node purges the copy and signs that it did; or it keeps it, and names the legal ground.")
    if wish.mode is Mode.CORRECT:
        last = " ".join([last, _("The corrected one takes its place.")])
    if wish.is_let_on and held.via != us():
        last = " ".join([last, _("%(via)s may hand the corrected one on to it without asking.") % names])
    return f"{first} {last}"


def _limits(wish: Wish) -> list[str]:
    said = []
    if wish.keep_until is not None:
        said.append(
            _("It may be kept until %(day)s at the latest, and is then purged.") % {"day": day(wish.keep_until)}
        )
    if wish.handling:
        said.append(_("It is handled as “%(level)s” from now on.") % {"level": word(wish.handling)})
    return said


def _recall_line(view: RecallView) -> RecallLine:
    pages = (page_of(view.origin, each) for each in view.messages)
    return RecallLine(
        view=view,
        mode=str(MODES[view.mode]),
        ground=str(GROUNDS.get(view.ground, view.ground)),
        messages=tuple(each for each in pages if each),
        kind=next((each.kind for each in (*view.holders, *view.own) if each.kind), ""),
        holders=tuple(holder_line(each) for each in view.holders if each.holder != us()),
        own=tuple(holder_line(each) for each in view.own),
        answered=sum(not each.is_answer_missing for each in view.holders),
        total=len(view.holders),
    )


def _consent_line(view: ConsentView) -> ConsentLine:
    return ConsentLine(view, page_of(view.owner, view.message_id))


def _waits(view: ConsentView) -> bool:
    return view.owner == us() and view.state.value == "asked"


def _names(view: RecallView, partner: str) -> bool:
    return not partner or partner in {view.origin, *view.sent_to, *(each.holder for each in view.holders)}


def _level(text: str) -> Handling:
    known = {each.word: each for each in Handling}
    return known.get(text, Handling.OPEN)


def _end_of(last: date | None) -> datetime | None:
    return datetime.combine(last, time(23, 59, 59), UTC) if last else None
