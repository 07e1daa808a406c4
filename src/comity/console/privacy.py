"""Data protection: the access log, statistics that name nobody, the record of processing under each agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from comity.agreements import selectors as agreements
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm, choose
from comity.console.intake import download
from comity.console.purpose import PURPOSES
from comity.console.words import word
from comity.insight.access import DEEDS, AccessFilter, accesses, export_accesses
from comity.insight.privacy_papers import record_json, record_page
from comity.insight.processing import record_of
from comity.insight.requests import PURPOSE
from comity.insight.statistics import figures, quarter_of, read_quarter
from comity.insight.suppression import Table
from comity.staff import Permission, permissions_of

ACCESS_PAGE = 100
_QUARTERS = 8
PRIVACY = (
    Permission.VIEW_ACCESS_LOG,
    Permission.REPORT_SUBJECTS,
    Permission.DECIDE_DISCLOSURE,
    Permission.VIEW_PROCESSING,
    Permission.VIEW_STATISTICS,
)
_TABLES: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "kind_month": (gettext_lazy("Messages by kind and month"), gettext_lazy("Kind")),
    "partner_kind": (gettext_lazy("Messages by partner and kind"), gettext_lazy("Partner")),
    "chapter_outcome": (gettext_lazy("Inspections by HS chapter and outcome"), gettext_lazy("HS chapter")),
    "month_outcome": (gettext_lazy("Inspections by month and outcome"), gettext_lazy("Month")),
    "partner_outcome": (gettext_lazy("What partners found after our alerts"), gettext_lazy("Partner")),
    "trader_outcome": (
        gettext_lazy("Traders by number of inspections, under pseudonyms"),
        gettext_lazy("Inspections of one trader"),
    ),
}


@dataclass(frozen=True, slots=True)
class Door:
    """A page of data protection on the page that leads to them."""

    url: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table with its words."""

    title: str | Promise
    first: str | Promise
    columns: tuple[str | Promise, ...]
    lines: tuple[tuple[str | Promise, tuple[int | None, ...], int], ...]
    totals: tuple[int, ...]
    total: int
    suppressed: int


class AccessForm(ConsoleForm):
    """What the access log is searched for."""

    officer = forms.CharField(label=gettext_lazy("Who"), required=False, max_length=100)
    about = forms.CharField(label=gettext_lazy("Message, consignment or request"), required=False, max_length=100)
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose"), required=False)
    deed = forms.ChoiceField(label=gettext_lazy("Deed"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    refused = forms.BooleanField(label=gettext_lazy("Refused looks only"), required=False)
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: object) -> None:
        super().__init__(data)
        anything = ("", str(_("any")))
        stated = [(each, str(label)) for each, label in PURPOSES.items()]
        choose(self, "purpose", [anything, *stated, (PURPOSE, str(word(PURPOSE)))])
        choose(self, "deed", [anything, *[(each, str(word(each))) for each in DEEDS]])

    def wanted(self) -> AccessFilter:
        """The filter of a valid form; a form that is not valid asks for everything."""
        if not self.is_valid():
            return AccessFilter()
        asked = self.cleaned_data
        since, until = asked["since"], asked["until"]
        return AccessFilter(
            officer=asked["officer"].strip(),
            about=asked["about"].strip(),
            purpose=asked["purpose"],
            deed=asked["deed"],
            since=datetime.combine(since, time.min, UTC) if since else None,
            until=datetime.combine(until, time.min, UTC) + timedelta(days=1) if until else None,
            is_refused=asked["refused"],
            before=asked["before"],
        )


@page(any_of=PRIVACY)
@require_GET
def privacy(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What there is for data protection, as far as the officer may open it."""
    return render(request, "console/privacy.html", {"doors": _doors(actor), "section": "privacy"})


@page(Permission.VIEW_ACCESS_LOG)
@require_GET
def access_log(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who saw what, when, for which purpose; newest first."""
    form = AccessForm(request.GET)
    found = accesses(actor, form.wanted(), limit=ACCESS_PAGE + 1)
    context = {
        "form": form,
        "entries": found[:ACCESS_PAGE],
        "older": found[ACCESS_PAGE - 1].number if len(found) > ACCESS_PAGE else None,
        "query": request.GET.urlencode(),
        "section": "privacy",
    }
    return render(request, "console/access_log.html", context)


@page(Permission.VIEW_ACCESS_LOG)
@require_GET
def access_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same as a file for a spreadsheet."""
    at = utc_now()
    text = export_accesses(actor, AccessForm(request.GET).wanted(), at=at)
    return download(text.encode(), name=f"access-log-{at.date()}.csv", media_type="text/csv; charset=utf-8")


@page(Permission.VIEW_STATISTICS)
@require_GET
def statistics(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Figures of one quarter, from which nobody can be read off."""
    at = utc_now()
    quarter, problem = quarter_of(at), None
    try:
        quarter = read_quarter(request.GET["quarter"]) if request.GET.get("quarter") else quarter
        made = figures(actor, quarter=quarter, at=at)
    except ComityError as error:
        problem, made = error, figures(actor, quarter=quarter_of(at), at=at)
    context = {
        "figures": made,
        "tables": [_shown(each) for each in made.tables],
        "quarters": _quarters(at),
        "problem": problem,
        "section": "privacy",
    }
    return render(request, "console/statistics.html", context)


@page(Permission.VIEW_PROCESSING)
@require_GET
def processing(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """The agreements, each with its record of processing."""
    found = [each for each in agreements.agreements(at=utc_now()) if each.adopted_at is not None]
    return render(request, "console/processing.html", {"agreements": found, "section": "privacy"})


@page(Permission.VIEW_PROCESSING)
@require_GET
def processing_record(request: HttpRequest, actor: Actor, agreement_id: str) -> HttpResponse:
    """The record of processing under one agreement, to print, or as JSON."""
    record = record_of(actor, agreement_id=agreement_id, at=utc_now())
    if request.GET.get("form") == "json":
        name = f"processing-{record.agreement_id[:12]}.json"
        return download(record_json(record).encode(), name=name, media_type="application/json")
    return printed(record_page(record, language_of(request)))


def printed(text: str) -> HttpResponse:
    """A page to print: it has its style in itself, and may do nothing else."""
    response = HttpResponse(text, content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-modals"
    return response


def language_of(request: HttpRequest) -> str:
    """The language of a paper: the one asked for, else that of the page."""
    asked = request.POST.get("language") or request.GET.get("language") or get_language() or "en"
    return asked.split("-")[0]


def _doors(actor: Actor) -> list[Door]:
    granted = permissions_of(actor)
    every = (
        (
            (Permission.REPORT_SUBJECTS, Permission.DECIDE_DISCLOSURE),
            "subject_requests",
            _("Questions of persons"),
            _("What is held about a person or company, why, with whom it was shared, and what may be told."),
        ),
        (
            (Permission.VIEW_ACCESS_LOG,),
            "access_log",
            _("Access log"),
            _("Who saw what, when, for which purpose; and which looks were refused."),
        ),
        (
            (Permission.VIEW_PROCESSING,),
            "processing",
            _("Record of processing"),
            _("Under each agreement: purposes, data, recipients, retention, safeguards. To print."),
        ),
        (
            (Permission.VIEW_STATISTICS,),
            "statistics",
            _("Statistics"),
            _("Counts of a quarter, from which nobody can be read off."),
        ),
    )
    return [
        Door(reverse(f"console:{name}"), title, text) for needed, name, title, text in every if granted & set(needed)
    ]


def _quarters(at: datetime) -> list[str]:
    found, moment = [], at
    for _number in range(_QUARTERS):
        found.append(quarter_of(moment).name)
        moment = quarter_of(moment).since - timedelta(days=1)
    return found


def _shown(table: Table) -> ShownTable:
    title, first = _TABLES[table.name]
    return ShownTable(
        title=title,
        first=first,
        columns=tuple(_words(each) for each in table.columns),
        lines=tuple(
            (_words(name), cells, total)
            for name, cells, total in zip(table.rows, table.cells, table.row_totals, strict=True)
        ),
        totals=table.column_totals,
        total=table.total,
        suppressed=table.suppressed,
    )


def _words(name: str) -> str | Promise:
    """`alert/1 sent` and the like: each word as people read it."""
    return " ".join(str(word(each)) for each in name.split(" "))
