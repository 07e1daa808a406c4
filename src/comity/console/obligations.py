"""What administrations owe each other: obligations by partner, reminders to take note of, the reciprocity ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from comity.agreements.obligations import Level, Owed, OwedState
from comity.agreements.vocabulary import ObligationKind
from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.case_words import language
from comity.console.deadlines import Left, left_of, left_until
from comity.console.forms import ConsoleForm, choose
from comity.console.holders import Badge, us
from comity.console.intake import download
from comity.console.operations import agreement_of
from comity.console.templatetags.comity import amount, day
from comity.console.words import word
from comity.exchange import selectors as exchange
from comity.insight import page_of
from comity.insight import selectors as insight
from comity.insight.reciprocity import Balance, Ledger, Side
from comity.insight.selectors import ReminderView
from comity.insight.services import acknowledge
from comity.operations import selectors as operations
from comity.staff import Permission, Sight

_A_YEAR, _A_DAY = timedelta(days=365), timedelta(days=1)
KINDS: Mapping[ObligationKind, str | Promise] = {
    ObligationKind.ANSWER: gettext_lazy("Answer to a request"),
    ObligationKind.OUTCOME_REPORT: gettext_lazy("Report on the outcome"),
    ObligationKind.STATISTICS: gettext_lazy("Statistics"),
    ObligationKind.TRAINING: gettext_lazy("Training"),
    ObligationKind.CONTACT_POINTS: gettext_lazy("List of contact points"),
    ObligationKind.NOTIFICATION: gettext_lazy("Notification of a breach"),
}
STATES: Mapping[OwedState, Badge] = {
    OwedState.DUE: Badge(gettext_lazy("due"), "amber"),
    OwedState.OVERDUE: Badge(gettext_lazy("overdue"), "red"),
    OwedState.MET: Badge(gettext_lazy("done in time"), "green"),
    OwedState.LATE: Badge(gettext_lazy("done late"), "amber"),
}
LEVELS: Mapping[Level, str | Promise] = {
    Level.NONE: "",
    Level.NOTICE: gettext_lazy("notice before the end"),
    Level.REMINDER: gettext_lazy("reminder after the end"),
    Level.CONTACT_POINTS: gettext_lazy("a matter for the contact points"),
    Level.HEADS: gettext_lazy("a matter for the heads of administration"),
}


class OwedForm(ConsoleForm):
    """The facets of the page of obligations."""

    partner = forms.ChoiceField(label=gettext_lazy("Partner"), required=False)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)

    def __init__(self, data: object) -> None:
        super().__init__(data)
        names = [(each.administration, each.name) for each in exchange.partners()]
        choose(self, "partner", [("", str(_("any"))), *names])
        choose(self, "state", [("", str(_("still owed"))), ("all", str(_("also what was done")))])


class PeriodForm(ConsoleForm):
    """With whom, and over which days; both days count."""

    partner = forms.ChoiceField(
        label=gettext_lazy("Partner"), error_messages={"required": gettext_lazy("Choose a partner")}
    )
    since = forms.DateField(
        label=gettext_lazy("From"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Name the first day"), "invalid": gettext_lazy("Name the first day")},
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Name the last day"), "invalid": gettext_lazy("Name the last day")},
    )

    def __init__(self, data: object, today: date) -> None:
        super().__init__(data, initial={"since": today - _A_YEAR, "until": today})
        choose(
            self,
            "partner",
            [(each.administration, f"{each.name} ({each.administration})") for each in exchange.partners()],
        )

    def clean(self) -> dict[str, object]:
        """The last day does not come before the first."""
        given = cast(dict[str, object], super().clean())
        first, last = given.get("since"), given.get("until")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("until", _("The last day comes before the first"))
        return given


@dataclass(frozen=True, slots=True)
class OwedRow:
    """One thing owed as the page shows it. about: the request or the period that it is for; case_id: its page here."""

    what: str
    by: str
    to: str
    partner: str
    about: str
    case_id: str
    agreement: str
    agreement_id: str
    due_at: datetime | None
    left: Left | None
    state: Badge
    level: str
    met_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class PartnerCount:
    """How much is owed between us and a partner, and how much of that is overdue."""

    partner: str
    ours: int
    ours_late: int
    theirs: int
    theirs_late: int


@dataclass(frozen=True, slots=True)
class ReminderRow:
    """A reminder as the page shows it."""

    view: ReminderView
    what: str
    about: str
    case_id: str
    level: str
    left: Left


@dataclass(frozen=True, slots=True)
class Table:
    """A balance as lines: what is counted, ours, theirs."""

    title: str
    rows: tuple[tuple[str, str, str], ...]


@page(Permission.VIEW_MESSAGES)
@require_GET
def obligations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What we owe and what is owed to us, ours first, what is overdue on top; the reminders beside it."""
    at, form = utc_now(), OwedForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    known = _known_cases(actor)
    found = insight.obligations(at=at, partner=asked.get("partner", ""), is_open=asked.get("state") != "all")
    rows = [owed_row(each, at, known) for each in sorted(found, key=_urgency)]
    context = {
        "form": form,
        "ours": [each for each in rows if each.by == us()],
        "theirs": [each for each in rows if each.by != us()],
        "counted": counted(found),
        "reminders": sorted(
            (reminder_row(each, at, known) for each in insight.reminders()), key=lambda each: not each.view.is_ours
        ),
        "seen": [reminder_row(each, at, known) for each in insight.reminders(is_open=False, limit=200) if each.seen_at][
            :20
        ],
        "is_narrowed": bool(asked.get("partner") or asked.get("state")),
        "section": "cases",
    }
    return render(request, "console/obligations.html", context)


@page(Permission.VIEW_MESSAGES)
@require_POST
def take_note(request: HttpRequest, actor: Actor, reminder_id: int) -> HttpResponse:
    """An officer takes note of a reminder."""
    acknowledge(actor, reminder_id=reminder_id, at=utc_now())
    messages.success(request, _("Noted. If it stays undone, the next level of reminder comes all the same."))
    return redirect("console:obligations")


@page(Permission.VIEW_MESSAGES)
@require_GET
def reciprocity(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """What we and a partner asked of each other and gave each other, counted; as a page, or as a file to keep."""
    at = utc_now()
    form = PeriodForm(request.GET if "partner" in request.GET else None, at.date())
    ledger = _ledger(form, at) if form.is_bound and form.is_valid() else None
    if ledger is not None and request.GET.get("as") == "file":
        name = f"reciprocity-{ledger.us}-{ledger.partner}-{ledger.since.date()}-{form.cleaned_data['until']}.html"
        return download(page_of(ledger, language()).encode(), name=name, media_type="text/html")
    context = {
        "form": form,
        "ledger": ledger,
        "tables": tables_of(ledger, at) if ledger else [],
        "last_day": form.cleaned_data["until"] if ledger else None,
        "section": "cases",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK
    return render(request, "console/reciprocity.html", context, status=status)


def owed_row(each: Owed, at: datetime, known: frozenset[str]) -> OwedRow:
    """One thing owed, in words."""
    stored = agreement_of(each.agreement_id, at)
    title = each.obligation.title.in_(language()) or str(KINDS[each.obligation.what])
    return OwedRow(
        what=title,
        by=each.by,
        to=each.to,
        partner=each.to if each.by == us() else each.by,
        about=_about(each.ref),
        case_id=each.ref if each.ref in known else "",
        agreement=stored.agreement.title.in_(language()) if stored else each.agreement_id[:12],
        agreement_id=each.agreement_id,
        due_at=each.due_at,
        left=_left(each, at),
        state=STATES[each.state],
        level=str(LEVELS[each.level]),
        met_at=each.met_at,
        problem=each.problem,
    )


def reminder_row(each: ReminderView, at: datetime, known: frozenset[str]) -> ReminderRow:
    """A reminder, in words."""
    return ReminderRow(
        view=each,
        what=str(KINDS[ObligationKind(each.what)]),
        about=_about(each.ref),
        case_id=each.ref if each.ref in known else "",
        level=str(LEVELS[each.level]),
        left=left_until(each.due_at, at),
    )


def counted(found: Iterable[Owed]) -> list[PartnerCount]:
    """What is still owed, partner by partner."""
    still = [each for each in found if each.state.is_open]
    partners = sorted({each.to if each.by == us() else each.by for each in still})
    return [
        PartnerCount(
            partner,
            sum(each.to == partner for each in still),
            sum(each.to == partner and each.state is OwedState.OVERDUE for each in still),
            sum(each.by == partner for each in still),
            sum(each.by == partner and each.state is OwedState.OVERDUE for each in still),
        )
        for partner in partners
    ]


def tables_of(ledger: Ledger, at: datetime) -> list[Table]:
    """The ledger as tables: the sum first, then each agreement."""
    found = [Table(_("All agreements"), _rows(ledger.total))] if len(ledger.by_agreement) != 1 else []
    for each in ledger.by_agreement:
        stored = agreement_of(each.agreement, at)
        title = stored.agreement.title.in_(language()) if stored else each.agreement[:12]
        found.append(Table(title, _rows(each)))
    return found


def _rows(balance: Balance) -> tuple[tuple[str, str, str], ...]:
    ours, theirs = balance.ours, balance.theirs
    figures = (
        (_("Requests made"), ours.asked, theirs.asked),
        (_("Answered by the other side"), ours.answered, theirs.answered),
        (_("of these refused"), ours.refused, theirs.refused),
        (_("Withdrawn"), ours.withdrawn, theirs.withdrawn),
        (_("Still without an answer"), ours.waiting, theirs.waiting),
        (_("Days to the answer, median"), ours.median_days, theirs.median_days),
        (_("Days to the answer, longest"), ours.longest_days, theirs.longest_days),
    )
    plain = tuple((label, amount(one), amount(other)) for label, one, other in figures)
    return (*plain, *_named(ours, theirs))


def _named(ours: Side, theirs: Side) -> Iterable[tuple[str, str, str]]:
    for text, one, other in (
        (_("Refused on the ground %(name)s"), dict(ours.grounds), dict(theirs.grounds)),
        (_("Sent: %(name)s"), dict(ours.given), dict(theirs.given)),
    ):
        for name in sorted(one | other):
            yield text % {"name": word(name)}, str(one.get(name, 0)), str(other.get(name, 0))


def _ledger(form: PeriodForm, at: datetime) -> Ledger:
    given = form.cleaned_data
    since = datetime.combine(given["since"], time.min, UTC)
    until = datetime.combine(given["until"] + _A_DAY, time.min, UTC)
    return insight.ledger_with(given["partner"], since=since, until=min(until, max(at, since)))


def _known_cases(actor: Actor) -> frozenset[str]:
    """The requests whose page the actor may open."""
    return frozenset(each.case_id for each in operations.cases_for(actor, limit=2000) if each.sight is Sight.WHOLE)


def _urgency(each: Owed) -> tuple[bool, bool, datetime]:
    return not each.state.is_open, each.state is not OwedState.OVERDUE, each.due_at or each.since


def _left(each: Owed, at: datetime) -> Left | None:
    if not each.state.is_open or each.due_at is None:
        return None
    return left_of(each.limit, at) if each.limit is not None else left_until(each.due_at, at)


def _about(ref: str) -> str:
    """The day with which a period begins as a day; an id by its beginning."""
    try:
        return _("the period from %(day)s") % {"day": day(date.fromisoformat(ref))}
    except ValueError:
        return ref[:13]
