"""What a finding came to in duties and taxes: a field of its form, and a page of its own where it is stated later."""

from __future__ import annotations

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm
from comity.console.intake import is_given
from comity.enforcement import selectors as enforcement
from comity.intake import selectors as intake
from comity.journeys.inspect import assess_revenue
from comity.risk.accounts import currency_of_account
from comity.staff import Permission, PermissionRefusedError, require_sight, sees_whole
from comity.trade import Money


def revenue_field(currency: str, *, required: bool = False) -> forms.DecimalField:
    """A field for duties and taxes assessed in addition, in the currency of account."""
    return forms.DecimalField(
        label=_("Duties and taxes assessed in addition (%(currency)s)") % {"currency": currency},
        help_text=_("0: nothing is owed. No partner is told.")
        if required
        else _("Empty: not assessed yet. 0: nothing is owed. No partner is told."),
        required=required,
        min_value=0,
        max_digits=18,
        decimal_places=3,
        error_messages={"required": gettext_lazy("State the amount; 0 where nothing is owed")},
    )


class RevenueForm(ConsoleForm):
    """What a finding came to."""

    def __init__(self, *args: object, currency: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revenue"] = revenue_field(currency, required=True)


@page(Permission.RECORD_FINDING)
@require_http_methods(["GET", "POST"])
def revenue(request: HttpRequest, actor: Actor, finding_ref: str) -> HttpResponse:
    """State what a finding came to, where it was worked out later, or anew after an appeal."""
    finding, at = enforcement.finding(finding_ref), utc_now()
    if finding is None:
        raise Http404
    inspection = enforcement.inspection_of_finding(finding_ref)
    given = is_given(actor, None, enforcement.record_file(inspection.record_id))
    if not sees_whole(actor, int(finding.handling), is_given=given):
        require_sight(actor, int(finding.handling), where=finding.ref)
    account = currency_of_account(at)
    form = RevenueForm(request.POST or None, currency=account)
    if account and form.is_valid():
        money = Money(form.cleaned_data["revenue"], account)
        try:
            assess_revenue(actor, finding_ref=finding_ref, revenue=money, at=at)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("The amount is recorded; models learn it from now on."))
            return redirect("console:consignment", record_id=inspection.record_id)
    context = {
        "form": form,
        "finding": finding,
        "record": intake.record(inspection.record_id),
        "assessed": enforcement.assessed(finding_ref),
        "account": account,
        "section": "queue",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/revenue.html", context, status=status)
