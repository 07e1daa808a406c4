"""Who would see what, and why not: an agreement tried out on a sample, a message or a consignment. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comity.agreements import (
    KINDS,
    PURPOSES,
    Agreement,
    AgreementFormError,
    Asking,
    Engine,
    Explanation,
    parse_agreement,
)
from comity.agreements import selectors as agreements_reads
from comity.agreements.bodies import request_for
from comity.agreements.course import Course
from comity.agreements.moving import lives
from comity.agreements.selectors import AgreementState, StoredAgreement
from comity.agreements.texts import Column, Sight, dry_run
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.asked import uuid_of
from comity.console.bodies import FIELDS, readable_paths
from comity.console.changes import spoken
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.purpose import ask_purpose, current_purpose, opened
from comity.console.samples import Sampled, sample
from comity.console.words import word
from comity.exchange import selectors as exchange
from comity.exchange.selectors import Direction
from comity.intake import selectors as intake
from comity.journeys.look import see_lines
from comity.risk import selectors as risk
from comity.risk.values import QueueFilter
from comity.staff import Permission, may
from comity.trade import AlertCategory, Handling, RiskType

_MOST_OFFERED = 20
_ADOPTED = (AgreementState.IN_FORCE, AgreementState.SUSPENDED)
_GONE = (AgreementState.EXPIRED, AgreementState.SUPERSEDED, AgreementState.ENDED)
_UNREAD = frozenset({"key", "root", "chunk_bytes", "chunks"})


@dataclass(frozen=True, slots=True)
class Cell:
    """What one party sees of one field. sight: a word; article, agreement: because of which."""

    sight: str
    article: str = ""
    agreement: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one party would get."""

    partner: str
    explanation: Explanation
    agreement: Agreement | None
    released: int
    kept: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Verdicts, and a row for each field: its name for people, its path, and a cell for each verdict."""

    verdicts: tuple[Verdict, ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]
    day: date
    trial: Agreement | None

    @property
    def is_seen(self) -> bool:
        """Whether anybody would see anything."""
        return any(each.explanation.decision.is_permitted for each in self.verdicts)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked. chosen: the version that is tried out, as if it were in force; None: all that is."""

    agreements: tuple[Agreement, ...]
    courses: Mapping[str, Course]
    chosen: Agreement | None = None

    @property
    def parties(self) -> tuple[str, ...]:
        """Everybody who could give or get anything."""
        chosen = (self.chosen,) if self.chosen else self.agreements
        return tuple(sorted({party for each in chosen for party in each.parties}))


class SimulatorForm(ConsoleForm):
    """The question: what, from whom, to whom, for what, at which level."""

    agreement = forms.ChoiceField(label=gettext_lazy("Under"), required=False)
    sender = forms.ChoiceField(label=gettext_lazy("Who shares"), required=False)
    partners = forms.MultipleChoiceField(
        label=gettext_lazy("With whom"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one party")},
    )
    about = forms.ChoiceField(
        label=gettext_lazy("About"),
        help_text=gettext_lazy("A sample holds every field. Of a message or a consignment its own fields count"),
        required=False,
    )
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=lambda: worded(KINDS))
    purpose = forms.ChoiceField(label=gettext_lazy("For the purpose"), choices=lambda: worded(PURPOSES))
    handling = forms.ChoiceField(label=gettext_lazy("Handling level"), choices=lambda: worded(x.word for x in Handling))
    hs_codes = forms.RegexField(
        r"^\s*(\d{2}(\d{2}(\d{2})?)?[\s,]*)*$",
        label=gettext_lazy("HS codes of the goods"),
        help_text=gettext_lazy("Two, four or six digits, with spaces between"),
        required=False,
        error_messages={"invalid": gettext_lazy("Write two, four or six digits")},
    )
    origin = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=gettext_lazy("Country of origin"),
        help_text=gettext_lazy("Two letters"),
        required=False,
        error_messages={"invalid": gettext_lazy("Write two letters, such as XA")},
    )
    category = forms.ChoiceField(label=gettext_lazy("Category of the alert"), required=False)
    risk_type = forms.ChoiceField(label=gettext_lazy("Irregularity"), required=False)
    procedure = forms.ChoiceField(label=gettext_lazy("Procedure of the step"), required=False)
    size = forms.IntegerField(
        label=gettext_lazy("Size of the file in MB"), required=False, min_value=0, max_value=1_000_000
    )
    day = forms.DateField(
        label=gettext_lazy("On which day"),
        help_text=gettext_lazy("Empty: today, or the first day of a version that begins later"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Write a day such as 2026-12-31")},
    )
    draft = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, trial: Trial, stored: list[StoredAgreement], about: list[tuple[str, str]], data: object) -> None:
        usual = {
            "agreement": trial.chosen.id if trial.chosen else "",
            "sender": settings.COMITY_ADMINISTRATION,
            "handling": Handling.OFFICIAL.word,
            "category": AlertCategory.COMMODITIES.value,
            "risk_type": RiskType.COUNTERFEIT.value,
        }
        ours, parties = settings.COMITY_ADMINISTRATION, trial.parties
        usual["partners"] = [each for each in parties if each != ours]  # type: ignore[assignment]  # of several
        super().__init__(data, initial=usual)
        choose(self, "agreement", _agreement_choices(trial, stored))
        choose(self, "sender", [(each, each) for each in sorted(parties, key=lambda party: (party != ours, party))])
        choose(self, "partners", [(each, each) for each in parties])
        choose(self, "about", [("", str(_("a sample, by the answers below"))), *about])
        open_ended = ("", str(_("not stated")))
        choose(self, "category", [open_ended, *worded(AlertCategory)])
        choose(self, "risk_type", [open_ended, *worded(RiskType)])
        named = {each.procedure for agreement in trial.agreements for each in agreement.procedures}
        choose(self, "procedure", [open_ended, *worded(sorted(named))])

    def asking(self, trial: Trial) -> Asking:
        """Who asks for what, of a valid form."""
        given, now = self.cleaned_data, utc_now()
        at = datetime.combine(given["day"], time(12), UTC) if given["day"] else now
        if trial.chosen and not given["day"]:
            at = max(at, trial.chosen.in_force.opens_at)
        return Asking(
            sender=given["sender"] or settings.COMITY_ADMINISTRATION,
            receiver="",
            kind=given["kind"],
            purpose=given["purpose"],
            handling=Handling.from_word(given["handling"]),
            at=at,
        )

    def sampled(self, asking: Asking) -> dict[str, object]:
        """The sample that the answers describe."""
        given = self.cleaned_data
        return sample(
            asking.kind,
            Sampled(
                sender=asking.sender,
                at=asking.at,
                handling=asking.handling,
                hs_codes=tuple(given["hs_codes"].replace(",", " ").split()),
                origin=given["origin"].upper(),
                category=given["category"],
                risk_type=given["risk_type"],
                procedure=given["procedure"],
                size_bytes=None if given["size"] is None else given["size"] * 1_000_000,
            ),
        )


@page()
@require_http_methods(["GET", "POST"])
def simulator(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The question and its answer. By POST where a draft that is stored nowhere is tried out."""
    given = request.POST if request.method == "POST" else request.GET
    stored = list(agreements_reads.agreements(at=utc_now()))
    trial = trial_of(stored, given.get("agreement", ""), given.get("draft", ""))
    is_asked = "purpose" in given
    form = SimulatorForm(trial, stored, _offered(actor, given.get("about", "")), given if is_asked else None)
    if trial.chosen and given.get("draft"):
        form.initial["draft"] = given["draft"]
    about = given.get("about", "")
    if about and not is_asked:
        form.initial["about"] = about
    if is_asked and about.startswith("message:") and not current_purpose(request):
        return ask_purpose(request)
    answer = None
    if form.is_valid():
        try:
            answer = _answer(request, actor, form, trial)
        except ComityError as error:
            form.add_refusal(error)
    context = {
        "form": form,
        "answer": answer,
        "trial": trial,
        "is_draft": bool(given.get("draft")),
        "section": "agreements",
        "part": "simulator",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/simulator.html", context, status=status)


def _answer(request: HttpRequest, actor: Actor, form: SimulatorForm, trial: Trial) -> Answer:
    asking = form.asking(trial)
    body = form.sampled(asking)
    about, _colon, name = form.cleaned_data["about"].partition(":")
    if about == "message":
        view = opened(request, actor, name)
        body = dict(view.message.body) if view.message else {}
        asking = replace(asking, kind=view.line.kind)
    elif about == "record":
        body = _of_record(UUID(name), asking)
        asking = replace(asking, kind="alert/1")
    receivers = [each for each in form.cleaned_data["partners"] if each != asking.sender]
    return answer_for(trial, asking, body, receivers)


def answer_for(trial: Trial, asking: Asking, body: Mapping[str, object], receivers: list[str]) -> Answer:
    """What each of them would see of the body, and why not."""
    engine = Engine(trial.agreements, trial.courses)
    named = trial.chosen.id if trial.chosen else ""
    columns = {each.party: each for each in dry_run(engine.agreements, asking, body)}
    verdicts, cells = [], []
    for receiver in receivers:
        asked = request_for(replace(asking, receiver=receiver), body)
        explanation = engine.explain(asked, agreement_id=named)
        decision = explanation.decision
        found = next((each for each in engine.agreements if each.id == decision.agreement_id), None)
        seen = _cells(explanation, columns.get(receiver), asked.fields)
        kept = sum(each.sight != Sight.RELEASED for each in seen.values())
        verdicts.append(Verdict(receiver, explanation, found, len(seen) - kept, kept))
        cells.append(seen)
    paths = sorted({path for each in cells for path in each} - _UNREAD, key=_place)
    rows = [(readable_paths([path])[0], path, tuple(each[path] for each in cells)) for path in paths]
    # What somebody does not get comes first: that is what is looked for.
    rows.sort(key=lambda row: all(cell.sight == Sight.RELEASED for cell in row[2]))
    return Answer(tuple(verdicts), tuple(rows), asking.at.date(), trial.chosen)


def _cells(explanation: Explanation, column: Column | None, paths: frozenset[str]) -> dict[str, Cell]:
    """The engine's own answer says what is released; the dry run names the article that withholds the rest."""
    decision = explanation.decision
    released = set(decision.fields_released)
    withheld = {each.path: each for each in column.fields if each.sight is Sight.WITHHELD} if column else {}
    cells = {}
    for path in paths:
        if path in released:
            cells[path] = Cell(Sight.RELEASED, decision.article_id, decision.agreement_id)
        elif not decision.is_permitted:
            cells[path] = Cell(Sight.REFUSED)
        elif path in withheld:
            cells[path] = Cell(Sight.WITHHELD, withheld[path].article_id, withheld[path].agreement_id)
        else:
            cells[path] = Cell(Sight.NOT_NAMED, decision.article_id, decision.agreement_id)
    return cells


def trial_of(stored: list[StoredAgreement], chosen_id: str, draft: str) -> Trial:
    """What is in force with what became of it; and the version that is tried out, in the place of its former."""
    courses = {each: life.course for each, life in lives().items()}
    in_force = {each.id: each.agreement for each in stored if each.state in _ADOPTED}
    chosen = _drafted(draft) or next((each.agreement for each in stored if each.id == chosen_id), None)
    if chosen is None:
        return Trial(tuple(in_force.values()), courses)
    others = tuple(each for each in in_force.values() if each.id not in (chosen.id, chosen.supersedes))
    known = {name: course for name, course in courses.items() if name != chosen.id or chosen.id in in_force}
    return Trial((*others, chosen), known, chosen)


def _drafted(draft: str) -> Agreement | None:
    if not draft.strip():
        return None
    try:
        return parse_agreement(draft.replace("\r\n", "\n").encode())
    except AgreementFormError:
        return None


def _agreement_choices(trial: Trial, stored: list[StoredAgreement]) -> list[tuple[str, str]]:
    choices = [("", str(_("all that is in force")))]
    for each in (each for each in stored if each.state not in _GONE):
        words = _("%(title)s, version %(version)s")
        if each.state not in _ADOPTED:
            words = _("%(title)s, version %(version)s, as if it were in force")
        title = each.agreement.title.in_(spoken())
        choices.append((each.id, words % {"title": title, "version": each.agreement.version}))
    known = {each.id for each in stored}
    if trial.chosen and trial.chosen.id not in known:
        choices.append((trial.chosen.id, str(_("the draft, as if it were in force"))))
    return choices


def _offered(actor: Actor, asked: str) -> list[tuple[str, str]]:
    """The latest messages, without what they say, and the consignments that come first in the queue."""
    offered = _offered_messages(actor) if may(actor, Permission.VIEW_MESSAGES) else []
    if may(actor, Permission.VIEW_MESSAGES) and _names(asked, "message") and asked not in dict(offered):
        offered.append((asked, _("the message from which you come")))
    if may(actor, Permission.VIEW_CONSIGNMENTS):
        rows = risk.queue(QueueFilter(page_size=_MOST_OFFERED // 2)).rows
        offered += [
            (f"record:{row.record_id}", _("an alert about the consignment %(ref)s") % {"ref": row.reference})
            for row in rows
        ]
        if _names(asked, "record") and asked not in dict(offered):
            offered.append((asked, _("an alert about the consignment from which you come")))
    return offered


def _names(asked: str, what: str) -> bool:
    kind, _colon, name = asked.partition(":")
    return kind == what and uuid_of(name) is not None


def _offered_messages(actor: Actor) -> list[tuple[str, str]]:
    lines = [each.line for each in see_lines(actor, exchange.messages(limit=_MOST_OFFERED * 3)) if each.is_whole]
    offered = []
    for line in [each for each in lines if each.kind in KINDS and each.state != "refused"][:_MOST_OFFERED]:
        is_sent = line.direction is Direction.SENT
        words = _("%(kind)s sent to %(partner)s, %(at)s") if is_sent else _("%(kind)s from %(partner)s, %(at)s")
        at = date_format(line.at.astimezone(UTC), "Y-m-d H:i")
        offered.append((f"message:{line.id}", words % {"kind": word(line.kind), "partner": line.partner, "at": at}))
    return offered


def _of_record(record_id: UUID, asking: Asking) -> dict[str, object]:
    """An alert with the goods and the origin of a consignment."""
    declaration = intake.record(record_id).declaration
    items = declaration.items if declaration else ()
    asked = Sampled(
        asking.sender,
        asking.at,
        asking.handling,
        hs_codes=tuple(dict.fromkeys(str(each.hs_code.subheading) for each in items if each.hs_code)),
        origin=next((each.origin for each in items if each.origin), ""),
        category=AlertCategory.BUSINESSES.value,
        risk_type=RiskType.OTHER.value,
    )
    return sample("alert/1", asked)


def _place(path: str) -> tuple[int, str]:
    order = list(FIELDS)
    first = path.partition(".")[0].partition("[")[0]
    return (order.index(first) if first in order else len(order), path)
