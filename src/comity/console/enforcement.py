"""Deciding about a consignment: inspect, release with a reason, record what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm, worded
from comity.console.intake import download, explanation_of, is_given
from comity.console.purpose import ask_purpose, current_purpose, look_of
from comity.console.revenue import revenue_field
from comity.console.templatetags.comity import day
from comity.enforcement import FindingFacts, SeizureFacts, Upload
from comity.enforcement import selectors as enforcement
from comity.intake import selectors as intake
from comity.intake.values import StoredRecord
from comity.journeys.after_release import Gone
from comity.journeys.inspect import Completed, complete_inspection, order_inspection, release
from comity.journeys.look import see_reasons
from comity.risk.accounts import currency_of_account
from comity.risk.rules import AfterRelease
from comity.staff import Permission, PermissionRefusedError, require_sight, sees_whole
from comity.staff.services import record_deed
from comity.trade import Finding, FindingResult, Handling, Money, Quantity, RiskType

MOST_FILES = 10


class FilesInput(forms.ClearableFileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """Several photos or documents at once."""

    widget = FilesInput

    def clean(self, data: object, initial: object = None) -> list[UploadedFile[Any]]:
        """Each file by Django's own checks."""
        given: Sequence[object] = data if isinstance(data, list | tuple) else [data] if data else []
        if len(given) > MOST_FILES:
            raise forms.ValidationError(_("At most ten files at once"))
        return [super(FilesField, self).clean(each, initial) for each in given]


class InspectForm(ConsoleForm):
    """Where, and what the officer adds to the reasons."""

    place = forms.CharField(label=gettext_lazy("Place of the inspection"), required=False, max_length=200)
    remark = forms.CharField(
        label=gettext_lazy("Your own reason"),
        help_text=gettext_lazy("The reasons of the assessment are added by themselves"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReleaseForm(ConsoleForm):
    """Why the goods may go."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, in one sentence")},
    )


class FindingForm(ConsoleForm):
    """What the inspection saw."""

    result = forms.ChoiceField(
        label=gettext_lazy("Result"),
        choices=lambda: worded(FindingResult),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the result")},
    )
    risk_type = forms.ChoiceField(
        label=gettext_lazy("Irregularity"),
        required=False,
        choices=lambda: [("", str(_("none"))), *worded(RiskType)],
    )
    description = forms.CharField(
        label=gettext_lazy("What was found"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    hs_code = forms.CharField(label=gettext_lazy("HS code of what was found"), required=False, max_length=10)
    quantity = forms.DecimalField(label=gettext_lazy("Quantity"), required=False, min_value=0, max_digits=16)
    unit = forms.CharField(label=gettext_lazy("Unit"), required=False, max_length=3, help_text=gettext_lazy("KGM, NMB"))
    detection_method = forms.CharField(label=gettext_lazy("How it was detected"), required=False, max_length=100)
    handling = forms.ChoiceField(
        label=gettext_lazy("Handling level"),
        choices=lambda: worded(level.word for level in Handling),
        initial=Handling.OFFICIAL.word,
    )
    exhibits = FilesField(
        label=gettext_lazy("Photos and documents"),
        required=False,
        help_text=gettext_lazy("Up to ten files; each is kept by its digest and cannot be changed later"),
    )
    is_seized = forms.BooleanField(label=gettext_lazy("The goods are seized"), required=False)
    legal_basis = forms.CharField(label=gettext_lazy("Legal basis of the seizure"), required=False, max_length=300)
    goods = forms.CharField(label=gettext_lazy("What is seized"), required=False, max_length=500)
    value = forms.DecimalField(label=gettext_lazy("Value"), required=False, min_value=0, max_digits=16)
    currency = forms.CharField(label=gettext_lazy("Currency"), required=False, max_length=3)

    def __init__(self, *args: Any, account: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        if account:
            self.fields["revenue"] = revenue_field(account)

    def facts(self) -> FindingFacts:
        """The facts of a valid form."""
        given = self.cleaned_data
        owed = given.get("revenue")
        return FindingFacts(
            result=FindingResult(given["result"]),
            risk_type=RiskType(given["risk_type"]) if given["risk_type"] else None,
            description=given["description"],
            hs_code=given["hs_code"],
            quantity=_quantity(given["quantity"], given["unit"]),
            detection_method=given["detection_method"],
            handling=Handling.from_word(given["handling"]),
            exhibits=tuple(Upload(each.name or "file", each.read()) for each in given["exhibits"]),
            revenue=None if owed is None else Money(owed, self.account),
        )

    def seizure(self) -> SeizureFacts | None:
        """What is seized, where it is."""
        given = self.cleaned_data
        if not given["is_seized"]:
            return None
        value = Money(given["value"], given["currency"].upper()) if given["value"] is not None else None
        return SeizureFacts(
            legal_basis=given["legal_basis"],
            goods=given["goods"],
            hs_code=given["hs_code"],
            quantity=_quantity(given["quantity"], given["unit"]),
            value=value,
        )


@page(Permission.DECIDE_CONSIGNMENT)
@require_http_methods(["GET", "POST"])
def inspect(request: HttpRequest, actor: Actor, record_id: UUID) -> HttpResponse:
    """Order the inspection of a consignment."""
    record = intake.record(record_id)
    form = InspectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = order_inspection(
                actor, record_id=record_id, at=utc_now(), place=given["place"], remark=given["remark"]
            )
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("The inspection %(reference)s is ordered.") % {"reference": made.reference})
            return redirect("console:consignment", record_id=record_id)
    explanation = explanation_of(record_id)
    is_own = is_given(actor, explanation, enforcement.record_file(record_id))
    look = look_of(request, actor, (record_id,) if is_own else ())
    context = {"reasons": see_reasons(look, record_id, explanation.reasons) if explanation else ()}
    return _form_page(request, "console/inspect.html", form, record, context)


@page(Permission.DECIDE_CONSIGNMENT)
@require_http_methods(["GET", "POST"])
def release_goods(request: HttpRequest, actor: Actor, record_id: UUID) -> HttpResponse:
    """Let goods go, with a reason."""
    record = intake.record(record_id)
    form = ReleaseForm(request.POST or None)
    if form.is_valid():
        try:
            gone = release(actor, record_id=record_id, reason=form.cleaned_data["reason"], at=utc_now())
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("The goods are released."))
            _tell_check(request, gone)
            return redirect("console:consignment", record_id=record_id)
    return _form_page(request, "console/release.html", form, record, {})


@page(Permission.RECORD_FINDING)
@require_http_methods(["GET", "POST"])
def record_finding(request: HttpRequest, actor: Actor, inspection_id: UUID) -> HttpResponse:
    """Write down what an inspection found; risk learns from it, and who asked for the control is told."""
    inspection = enforcement.inspection(inspection_id)
    record = intake.record(inspection.record_id)
    form = FindingForm(request.POST or None, request.FILES or None, account=currency_of_account(utc_now()))
    if form.is_valid():
        try:
            done = complete_inspection(
                actor, inspection_id=inspection_id, facts=form.facts(), at=utc_now(), seizure=form.seizure()
            )
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            _tell(request, done)
            return redirect("console:consignment", record_id=inspection.record_id)
    return _form_page(request, "console/finding.html", form, record, {"inspection": inspection})


def _tell_check(request: HttpRequest, gone: Gone) -> None:
    """Say what of the blue lane comes after the release."""
    if gone.check is not None:
        text = _("Their documents are checked afterwards, by %(day)s.")
        messages.success(request, text % {"day": day(gone.check.due_on)})
    elif gone.after is AfterRelease.FULL:
        messages.warning(
            request, _("No control of documents is left at this office, so nothing is checked afterwards.")
        )


def _tell(request: HttpRequest, done: Completed) -> None:
    messages.success(request, _("The finding %(ref)s is recorded.") % {"ref": done.finding.ref})
    for notice in done.notices:
        if notice.message_id:
            text = _("%(partner)s, whose alert asked for this control, is told the result.")
            messages.success(request, text % {"partner": notice.recipient})
        else:
            text = _("%(partner)s could not be told: %(why)s")
            messages.warning(request, text % {"partner": notice.recipient, "why": notice.refusal})


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def exhibit(request: HttpRequest, actor: Actor, finding_ref: str, sha256: str) -> HttpResponse:
    """A photo or document of a finding, proved against its digest; it is saved, never run."""
    purpose = current_purpose(request)
    if not purpose:
        return ask_purpose(request)
    finding = enforcement.finding(finding_ref)
    if finding is not None:
        _require_sight(actor, finding)
    found = enforcement.exhibit(finding_ref, sha256)
    record_deed(
        actor,
        deed="view_exhibit",
        subject=f"exhibit:{sha256}",
        facts={"finding": finding_ref, "purpose": purpose},
        at=utc_now(),
    )
    return download(found.data, name=found.exhibit.name, media_type=found.exhibit.media_type)


def _require_sight(actor: Actor, finding: Finding) -> None:
    """A restricted finding is for who inspected it, and for those who need to know."""
    record = next(iter(intake.versions(finding.declaration_ref)), None)
    file = enforcement.record_file(record.record_id) if record else None
    given = file is not None and is_given(actor, None, file)
    if not sees_whole(actor, int(finding.handling), is_given=given):
        facts = {"handling": finding.handling.word}
        record_deed(actor, deed="refuse_sight", subject=f"finding:{finding.ref}", facts=facts, at=utc_now())
        require_sight(actor, int(finding.handling), where=finding.ref)


def _quantity(value: Decimal | None, unit: str) -> Quantity | None:
    return None if value is None else Quantity(value, unit.upper())


def _form_page(
    request: HttpRequest, template: str, form: ConsoleForm, record: StoredRecord, context: Mapping[str, object]
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    everything = {"form": form, "record": record, "section": "queue", **context}
    return render(request, template, everything, status=status)
