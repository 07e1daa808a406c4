"""Sharing an alert: the form, what would be released, and sending it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from comity.agreements import PURPOSES, Article, SharingRefusedError
from comity.agreements import selectors as agreements_reads
from comity.agreements.selectors import AgreementState, StoredAgreement
from comity.common import Actor, ComityError, new_id, utc_now
from comity.console.asked import uuid_of
from comity.console.custody import siblings_of
from comity.console.evidence import (
    KeptField,
    KeptFile,
    bound_words,
    file_page,
    file_wish,
    is_too_large,
    keep_upload,
    kept_of,
    too_large_words,
)
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.purpose import ask_purpose, current_purpose
from comity.custody import NotOursError
from comity.enforcement import selectors as enforcement
from comity.exchange import selectors as exchange
from comity.exchange.selectors import Direction
from comity.intake import selectors as intake
from comity.journeys.evidence import share_evidence
from comity.journeys.foresee import foresee_file
from comity.journeys.share import ALERT_KIND, Wish, preview_sharing, share_alert
from comity.staff import Permission, PermissionRefusedError
from comity.trade import Alert, AlertCategory, Exhibit, Handling, RiskType, Route, Subject, SubjectRole, SuggestedAction
from comity.trade.encoding import alert_from_body

_RELIABILITY = ("A", "B", "C", "D", "E", "F")
_CREDIBILITY = ("1", "2", "3", "4", "5", "6")


def _text(label: object, **options: object) -> forms.CharField:
    settings_of_field: dict[str, object] = {"label": label, "required": False, "max_length": 200, **options}
    return forms.CharField(**settings_of_field)  # type: ignore[arg-type]  # label is a lazy text, the rest plain words


class AlertForm(ConsoleForm):
    """An alert as an officer writes it; what an article does not release is cut before it leaves."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter a title")},
    )
    recipients = forms.MultipleChoiceField(
        label=gettext_lazy("Recipients"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one partner")},
    )
    agreement = forms.ChoiceField(
        label=gettext_lazy("Under which agreement"),
        help_text=gettext_lazy("Any lets the node choose among those that permit it"),
        required=False,
    )
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose at the partner"), choices=lambda: worded(PURPOSES))
    handling = forms.ChoiceField(
        label=gettext_lazy("Handling level"),
        help_text=gettext_lazy("From restricted upwards a second officer approves"),
        choices=lambda: worded(level.word for level in Handling),
    )
    category = forms.ChoiceField(label=gettext_lazy("About"), choices=lambda: worded(AlertCategory))
    risk_type = forms.ChoiceField(label=gettext_lazy("Irregularity"), choices=lambda: worded(RiskType))
    consignor_id = _text(gettext_lazy("Consignor's number"))
    consignor_name = _text(gettext_lazy("Consignor's name"))
    consignee_id = _text(gettext_lazy("Consignee's number"))
    consignee_name = _text(gettext_lazy("Consignee's name"))
    containers = _text(gettext_lazy("Containers"), help_text=gettext_lazy("Separated by spaces"))
    hs_codes = _text(gettext_lazy("HS codes"), help_text=gettext_lazy("Separated by spaces"))
    origin = _text(gettext_lazy("Country of origin"), max_length=2)
    dispatch = _text(gettext_lazy("Country of dispatch"), max_length=2)
    destination = _text(gettext_lazy("Country of destination"), max_length=2)
    modus_operandi = _text(gettext_lazy("How it was done"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
    concealment = _text(gettext_lazy("How it was hidden"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    case_ref = _text(gettext_lazy("Case reference"))
    reliability = forms.ChoiceField(
        label=gettext_lazy("How reliable the source is, A to F"), choices=[(each, each) for each in _RELIABILITY]
    )
    credibility = forms.ChoiceField(
        label=gettext_lazy("How credible the information is, 1 to 6"), choices=[(each, each) for each in _CREDIBILITY]
    )
    suggested_action = forms.ChoiceField(
        label=gettext_lazy("What the partner should do"), choices=lambda: worded(SuggestedAction)
    )
    days = forms.IntegerField(label=gettext_lazy("Valid for this many days"), min_value=1, max_value=730, initial=90)
    exhibits = forms.MultipleChoiceField(
        label=gettext_lazy("Exhibits"), required=False, widget=forms.CheckboxSelectMultiple
    )
    file = forms.FileField(label=gettext_lazy("A file that goes with it"), required=False)
    kept = KeptField()
    record = forms.CharField(required=False, widget=forms.HiddenInput)
    corrects = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput)

    def __init__(self, data: object = None, *, known: Mapping[str, Exhibit], initial: object = None) -> None:
        super().__init__(data, initial=initial)
        self._known = known
        choose(self, "recipients", [(each.administration, each.name) for each in exchange.partners()])
        choose(self, "exhibits", [(sha256, exhibit.name) for sha256, exhibit in known.items()])
        if not known:
            del self.fields["exhibits"]
        self.fields["file"].help_text = bound_words()
        answering = _answering(utc_now())
        choose(self, "agreement", [("", str(_("any"))), *[(each.id, _title(each)) for each in answering]])
        if len(answering) < 2:
            del self.fields["agreement"]

    def alert(self, ref: str, at: datetime) -> Alert:
        """The alert of a valid form."""
        given = self.cleaned_data
        return Alert(
            ref=ref,
            issuer=settings.COMITY_ADMINISTRATION,
            category=AlertCategory(given["category"]),
            title=given["title"],
            risk_type=RiskType(given["risk_type"]),
            issued_at=at,
            valid_from=at,
            valid_until=at + timedelta(days=given["days"]),
            handling=Handling.from_word(given["handling"]),
            subjects=self._subjects(),
            hs_codes=tuple(given["hs_codes"].replace(",", " ").split()),
            route=Route(
                origin=given["origin"].upper(),
                dispatch=given["dispatch"].upper(),
                destination=given["destination"].upper(),
            ),
            modus_operandi=given["modus_operandi"],
            concealment=given["concealment"],
            reliability=given["reliability"],
            credibility=given["credibility"],
            suggested_action=SuggestedAction(given["suggested_action"]),
            case_ref=given["case_ref"],
            exhibits=tuple(self._known[sha256] for sha256 in given.get("exhibits", [])),
        )

    def wish(self) -> Wish:
        """Whom a valid form wants to tell, for what, and under which agreement."""
        given = self.cleaned_data
        return Wish(tuple(given["recipients"]), given["purpose"], given.get("agreement") or None)

    def _subjects(self) -> tuple[Subject, ...]:
        given = self.cleaned_data
        named = [
            Subject(role, given[f"{role.value}_id"], given[f"{role.value}_name"])
            for role in (SubjectRole.CONSIGNOR, SubjectRole.CONSIGNEE)
            if given[f"{role.value}_id"] or given[f"{role.value}_name"]
        ]
        boxes = [Subject(SubjectRole.CONTAINER, number) for number in given["containers"].replace(",", " ").split()]
        return (*named, *boxes)


@file_page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def share(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Write an alert, see what each partner would get, send it; a file goes after it, where one was chosen."""
    if not current_purpose(request):
        return ask_purpose(request)
    record_id = uuid_of(request.POST.get("record") or request.GET.get("record") or "")
    corrected = request.GET.get("corrects", "")
    data = request.POST.copy() if request.method == "POST" else None
    problem = keep_upload(request, data) if data is not None else None
    first = _initial(record_id) | (_corrected(corrected) if corrected else {})
    form = AlertForm(data, known=_exhibits_of(record_id), initial=first)
    step = request.POST.get("step", "")
    if problem is not None:
        form.add_refusal(problem)
    elif data is not None and is_too_large(request):
        form.add_error("file", too_large_words())
    if form.is_valid() and step in {"preview", "send"}:
        try:
            if step == "send":
                return _send(request, actor, form)
            return _preview(request, actor, form)
        except (SharingRefusedError, PermissionRefusedError):
            raise
        except ComityError as error:
            form.add_refusal(error)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    kept = kept_of(str(form["kept"].value() or ""))
    context = {"form": form, "record_id": record_id, "kept": kept, "section": "messages"}
    return render(request, "console/share.html", context, status=status)


def _preview(request: HttpRequest, actor: Actor, form: AlertForm) -> HttpResponse:
    at = utc_now()
    alert = form.alert(_new_ref(at), at)
    previews = preview_sharing(actor, alert=alert, wish=form.wish(), at=at)
    foreseen = foresee_file(actor, file=file_wish(form, ""), wish=form.wish(), at=at) if _kept(form) else ()
    context = {
        "form": form,
        "alert": alert,
        "previews": previews,
        "foreseen": foreseen,
        "kept": _kept(form),
        "is_permitted": all(each.decision.is_permitted for each in previews)
        and all(each.is_permitted for each in foreseen),
        "needs_second": alert.handling >= Handling.RESTRICTED,
        "section": "messages",
    }
    return render(request, "console/share_preview.html", context)


def _send(request: HttpRequest, actor: Actor, form: AlertForm) -> HttpResponse:
    at = utc_now()
    alert = form.alert(_new_ref(at), at)
    wish = form.wish()
    result = share_alert(
        actor,
        alert=alert,
        recipients=wish.recipients,
        purpose=wish.purpose,
        agreement_id=wish.agreement_id,
        at=at,
    )
    if result.proposal_id:
        messages.success(request, _("The alert %(ref)s waits for a second officer.") % {"ref": alert.ref})
        if _kept(form):
            messages.warning(request, _("The file does not wait with it: attach it to the alert once it was sent."))
        return redirect("console:approvals")
    text = ngettext(
        "The alert %(ref)s is on its way to %(n)d partner.",
        "The alert %(ref)s is on its way to %(n)d partners.",
        len(result.posted),
    )
    messages.success(request, text % {"ref": alert.ref, "n": len(result.posted)})
    _send_file(request, actor, form, dict(result.posted))
    return _after_sending(form, dict(result.posted))


def _send_file(request: HttpRequest, actor: Actor, form: AlertForm, posted: Mapping[str, str]) -> None:
    """The alert is on its way whatever becomes of the file; what stands in the file's way is said."""
    kept, wish = _kept(form), form.wish()
    if kept is None:
        return
    try:
        share_evidence(
            actor,
            file=file_wish(form, next(iter(posted.values()))),
            recipients=wish.recipients,
            purpose=wish.purpose,
            agreement_id=wish.agreement_id,
            at=utc_now(),
        )
    except ComityError as error:
        text = _("The file %(name)s was not shared: %(why)s") % {"name": kept.name, "why": error.what}
        messages.warning(request, text)
    else:
        messages.success(request, _("The file %(name)s goes after it.") % {"name": kept.name})


def _after_sending(form: AlertForm, posted: Mapping[str, str]) -> HttpResponse:
    """Back to taking the old one back, where this one corrects it."""
    old = str(form.cleaned_data["corrects"])
    partner = exchange.message(old).line.partner if old else ""
    if partner not in posted:
        return redirect("console:messages")
    address = reverse("console:take_back", args=[old])
    return redirect(f"{address}?{urlencode({'mode': 'correct', 'replacement': posted[partner]})}")


def _answering(at: datetime) -> list[StoredAgreement]:
    """The agreements in force under which this administration may send alerts at all."""
    return [
        each
        for each in agreements_reads.agreements(at=at)
        if each.state is AgreementState.IN_FORCE and any(_is_for_alerts(article) for article in each.agreement.articles)
    ]


def _is_for_alerts(article: Article) -> bool:
    is_ours = settings.COMITY_ADMINISTRATION in article.senders
    return article.is_permit and is_ours and (not article.kinds or ALERT_KIND in article.kinds)


def _title(stored: StoredAgreement) -> str:
    title = stored.agreement.title.in_((get_language() or "en").split("-")[0])
    return f"{title} ({', '.join(stored.agreement.parties)})"


def _kept(form: AlertForm) -> KeptFile | None:
    kept: KeptFile | None = form.cleaned_data.get("kept")
    return kept


def _corrected(message_id: str) -> dict[str, object]:
    """The alert that is to be corrected, so that only what is wrong is typed anew."""
    view = exchange.message(message_id)
    if view.message is None or view.line.kind != ALERT_KIND or view.line.direction is not Direction.SENT:
        raise NotOursError("Only an alert of our own is corrected", where=message_id)
    alert = alert_from_body(view.message.body)
    roles = {subject.role: subject for subject in alert.subjects}
    boxes = [subject.id for subject in alert.subjects if subject.role is SubjectRole.CONTAINER]
    first: dict[str, object] = {
        "corrects": message_id,
        "recipients": [view.line.partner, *(line.partner for line in siblings_of(view))],
        "purpose": view.line.purpose,
        "title": alert.title,
        "handling": alert.handling.word,
        "category": alert.category.value,
        "risk_type": alert.risk_type.value,
        "containers": " ".join(boxes),
        "hs_codes": " ".join(alert.hs_codes),
        "modus_operandi": alert.modus_operandi,
        "concealment": alert.concealment,
        "case_ref": alert.case_ref,
        "reliability": alert.reliability,
        "credibility": alert.credibility,
        "suggested_action": alert.suggested_action.value,
    }
    if alert.route is not None:
        route = alert.route
        first |= {"origin": route.origin, "dispatch": route.dispatch, "destination": route.destination}
    for role in (SubjectRole.CONSIGNOR, SubjectRole.CONSIGNEE):
        if role in roles:
            first |= {f"{role.value}_id": roles[role].id, f"{role.value}_name": roles[role].name}
    return first


def _new_ref(at: datetime) -> str:
    return f"{settings.COMITY_ADMINISTRATION}-A-{at.year}-{new_id(at).hex[-8:].upper()}"


def _exhibits_of(record_id: UUID | None) -> dict[str, Exhibit]:
    findings = enforcement.record_file(record_id).findings if record_id else ()
    return {exhibit.sha256: exhibit for finding in findings for exhibit in finding.exhibits}


def _initial(record_id: UUID | None) -> dict[str, object]:
    """What is known of the consignment, so that nobody types it again."""
    start: dict[str, object] = {
        "handling": Handling.OFFICIAL.word,
        "purpose": "risk_assessment",
        "category": AlertCategory.BUSINESSES.value,
        "risk_type": RiskType.COUNTERFEIT.value,
        "reliability": "B",
        "credibility": "2",
        "suggested_action": SuggestedAction.SELECT_FOR_CONTROL.value,
        "record": str(record_id or ""),
    }
    declaration = intake.record(record_id).declaration if record_id else None
    if declaration is not None:
        start |= {
            "consignor_id": declaration.exporter.id if declaration.exporter else "",
            "consignor_name": declaration.exporter.name if declaration.exporter else "",
            "consignee_id": declaration.importer.id if declaration.importer else "",
            "consignee_name": declaration.importer.name if declaration.importer else "",
            "containers": " ".join(each.id for each in declaration.consignment.transport_equipment),
            "hs_codes": " ".join(
                dict.fromkeys(str(item.hs_code.subheading) for item in declaration.items if item.hs_code)
            ),
            "origin": next((item.origin for item in declaration.items if item.origin), ""),
            "dispatch": declaration.country_dispatch,
            "destination": declaration.country_destination,
        }
    if record_id:
        findings = [each for each in enforcement.record_file(record_id).findings if each.risk_type]
        if findings:
            last = findings[-1]
            start |= {
                "risk_type": str(last.risk_type),
                "modus_operandi": last.description,
                "reliability": "A",
                "credibility": "1",
            }
    return start
