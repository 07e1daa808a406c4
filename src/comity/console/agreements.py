"""Agreements: the text for people beside what the node executes, who signed, and what would be released."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from comity.agreements import KINDS, PURPOSES, Agreement, Engine, Explanation, SharingRequest
from comity.agreements import selectors as agreements_reads
from comity.agreements.vocabulary import fields_of_kind
from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm, choose, worded
from comity.trade import AlertCategory, Handling, RiskType


class QuestionForm(ConsoleForm):
    """What would be released to whom, for what?"""

    receiver = forms.ChoiceField(label=_("To"))
    kind = forms.ChoiceField(label=_("What"), choices=lambda: worded(KINDS))
    purpose = forms.ChoiceField(label=_("For the purpose"), choices=lambda: worded(PURPOSES))
    handling = forms.ChoiceField(label=_("Handling level"), choices=lambda: worded(level.word for level in Handling))
    hs_code = forms.RegexField(
        r"^\d{2}(\d{2}(\d{2})?)?$",
        label=_("HS code of the goods"),
        help_text=_("Two, four or six digits"),
        required=False,
        error_messages={"invalid": _("Write two, four or six digits")},
    )
    origin = forms.RegexField(
        r"^[A-Z]{2}$",
        label=_("Country of origin"),
        help_text=_("Two capital letters"),
        required=False,
        error_messages={"invalid": _("Write two capital letters")},
    )
    category = forms.ChoiceField(label=_("About"), choices=lambda: worded(AlertCategory))
    risk_type = forms.ChoiceField(label=_("Irregularity"), choices=lambda: worded(RiskType))

    def __init__(self, agreement: Agreement, data: object = None) -> None:
        usual = {
            "handling": Handling.OFFICIAL.word,
            "category": AlertCategory.COMMODITIES.value,
            "risk_type": RiskType.COUNTERFEIT.value,
        }
        super().__init__(data or None, initial=usual)
        others = [party for party in agreement.parties if party != settings.COMITY_ADMINISTRATION]
        choose(self, "receiver", [(party, party) for party in others])

    def answer(self, agreement: Agreement) -> Explanation:
        """The engine's answer to a valid question, over this agreement alone."""
        asked = self.cleaned_data
        question = SharingRequest(
            sender=settings.COMITY_ADMINISTRATION,
            receiver=asked["receiver"],
            kind=asked["kind"],
            purpose=asked["purpose"],
            handling=Handling.from_word(asked["handling"]),
            at=utc_now(),
            hs_codes=(asked["hs_code"],) if asked["hs_code"] else (),
            origin=asked["origin"],
            fields=fields_of_kind(asked["kind"]),
            attributes={"category": asked["category"], "risk_type": asked["risk_type"]},
        )
        return Engine([agreement]).explain(question)


@page()
@require_GET
def agreements(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Every agreement that this node knows."""
    return render(request, "console/agreements.html", {"agreements": agreements_reads.agreements(at=utc_now())})


@page()
@require_GET
def agreement(request: HttpRequest, _actor: Actor, agreement_id: str) -> HttpResponse:
    """One agreement, article by article, and the question what it would release."""
    stored = agreements_reads.agreement(agreement_id, at=utc_now())
    is_asked = "receiver" in request.GET
    form = QuestionForm(stored.agreement, request.GET if is_asked else None)
    answer = form.answer(stored.agreement) if is_asked and form.is_valid() else None
    context = {
        "stored": stored,
        "agreement": stored.agreement,
        "form": form,
        "answer": answer,
        "is_party": settings.COMITY_ADMINISTRATION in stored.agreement.parties,
        "receipts": agreements_reads.decision_receipts(agreement_id=stored.id, limit=10),
        "section": "agreements",
    }
    return render(request, "console/agreement.html", context)
