"""Negotiating a text: propose, counter-propose, amend, join, reserve. Nothing is signed before its effect was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comity.agreements import Agreement, AgreementFormError, Gravity, look_over, parse_agreement
from comity.agreements import selectors as agreements_reads
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.agreements import others_in_force
from comity.console.changes import compared, looked_over, spoken
from comity.console.drafts import next_version, trouble_in, with_newcomer, with_reservation, yaml_of
from comity.console.forms import ConsoleForm, choose
from comity.console.passages import counted
from comity.console.words import in_english
from comity.journeys import negotiate
from comity.journeys.negotiate import MoveMade
from comity.staff import Permission, PermissionRefusedError

MOST_BYTES = 1024 * 1024


class TextForm(ConsoleForm):
    """A version as YAML, typed or from a file. counters, amends: the version that it answers, or replaces."""

    file = forms.FileField(
        label=gettext_lazy("A file with the agreement"),
        help_text=gettext_lazy("YAML, at most 1 MiB. It replaces the text below"),
        required=False,
    )
    text = forms.CharField(
        label=gettext_lazy("The text of the agreement"),
        help_text=gettext_lazy("YAML. You see what it changes before anything is signed"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "code", "spellcheck": "false"}),
    )
    mode = forms.CharField(required=False, widget=forms.HiddenInput)
    counters = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    amends = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class ReservationForm(ConsoleForm):
    """In which articles this administration takes no part, and why."""

    articles = forms.MultipleChoiceField(
        label=gettext_lazy("Articles in which we take no part"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one article")},
    )
    text = forms.CharField(
        label=gettext_lazy("The reservation in words"),
        help_text=gettext_lazy(
            "It stands in the agreement in each of its languages; you can translate it in the next step"
        ),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say what is reserved")},
    )

    def __init__(self, agreement: Agreement, data: object = None) -> None:
        super().__init__(data)
        permits = sorted((each for each in agreement.articles if each.is_permit), key=lambda each: counted(each.id))
        choose(self, "articles", [(each.id, article_label(agreement, each.id)) for each in permits])


@page(Permission.MANAGE_AGREEMENTS)
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Write or load a version, see what it changes, sign it and put it before the others."""
    if request.method == "GET":
        return text_page(request, TextForm(initial=_start(request)))
    data, raw = _given(request)
    form = TextForm(data)
    if not form.is_valid() or request.POST.get("step") == "change":
        return text_page(request, TextForm(initial=data) if form.is_valid() else form)
    try:
        found = parse_agreement(raw)
        if data["mode"] == "accede" and settings.COMITY_ADMINISTRATION not in found.parties:
            return _joining(request, found)
        if request.POST.get("step") == "send":
            return _send(request, actor, form.cleaned_data)
        return _preview(request, form, found)
    except AgreementFormError as error:
        if not data["text"].strip():
            form.add_error("text", _("Choose a file, or write the text here"))
        else:
            form.trouble = trouble_in(data["text"], error)  # type: ignore[attr-defined]  # read by the template
            form.add_error("text", _problem(error))
    except PermissionRefusedError:
        raise
    except ComityError as error:
        form.add_refusal(error)
    return text_page(request, form)


@page(Permission.MANAGE_AGREEMENTS)
@require_http_methods(["GET", "POST"])
def reserve(request: HttpRequest, _actor: Actor, agreement_id: str) -> HttpResponse:
    """A version with a reservation of ours: where it is in force an amendment, else an answer to the proposal."""
    stored = agreements_reads.agreement(agreement_id, at=utc_now())
    form = ReservationForm(stored.agreement, request.POST or None)
    if request.method == "POST" and form.is_valid():
        is_amended = stored.adopted_at is not None
        later = next_version(stored.agreement, is_amended=is_amended)
        given = form.cleaned_data
        later = with_reservation(later, settings.COMITY_ADMINISTRATION, tuple(given["articles"]), given["text"].strip())
        answers = {"amends" if is_amended else "counters": stored.id}
        return text_page(request, TextForm(initial={"text": yaml_of(later), **answers}))
    context = {"stored": stored, "agreement": stored.agreement, "form": form, "section": "agreements"}
    return render(request, "console/reserve.html", context, status=status_of(form))


def text_page(request: HttpRequest, form: TextForm) -> HttpResponse:
    """The page on which a version is written."""
    answered = str(form["counters"].value() or form["amends"].value() or "")
    at = utc_now()
    context = {
        "form": form,
        "former": agreements_reads.agreement(answered, at=at) if answered else None,
        "is_amendment": bool(form["amends"].value()),
        "is_accession": form["mode"].value() == "accede",
        "section": "agreements",
    }
    return render(request, "console/propose.html", context, status=status_of(form))


def _start(request: HttpRequest) -> dict[str, str]:
    """What the text begins with: empty, or the next version of the one that is answered, amended or taken up."""
    at, asked = utc_now(), request.GET
    for name in ("counters", "amends"):
        if asked.get(name):
            found = agreements_reads.agreement(asked[name], at=at)
            later = next_version(found.agreement, is_amended=name == "amends")
            return {"text": yaml_of(later), name: found.id}
    if asked.get("draft"):
        return {"text": yaml_of(agreements_reads.agreement(asked["draft"], at=at).agreement)}
    return {"mode": "accede" if asked.get("mode") == "accede" else ""}


def _given(request: HttpRequest) -> tuple[dict[str, str], bytes]:
    """What was sent, the file in the place of the text; and the bytes of the text."""
    data = {name: str(request.POST.get(name, "")) for name in ("text", "mode", "counters", "amends")}
    upload = request.FILES.get("file")
    raw = data["text"].replace("\r\n", "\n").encode()
    if isinstance(upload, UploadedFile) and upload.size:
        raw = upload.read(MOST_BYTES + 1)
    data["text"] = raw.decode("utf-8", errors="replace")
    return data, raw


def _joining(request: HttpRequest, found: Agreement) -> HttpResponse:
    """The version by which we join the one that was given."""
    joined = next_version(with_newcomer(found, settings.COMITY_ADMINISTRATION), is_amended=False)
    messages.success(request, _("We are added to the parties; look at the text, and send it to the depositary."))
    return text_page(request, TextForm(initial={"text": yaml_of(joined), "mode": "accede"}))


def _preview(request: HttpRequest, form: TextForm, found: Agreement) -> HttpResponse:
    given = form.cleaned_data
    if given["amends"]:
        found = replace(found, supersedes=agreements_reads.agreement(given["amends"], at=utc_now()).id)
    remarks = look_over(found)
    context = {
        "form": form,
        "agreement": found,
        "errors": [each for each in remarks if each.gravity is Gravity.ERROR],
        "warnings": [each for each in remarks if each.gravity is Gravity.WARNING],
        "is_amendment": bool(given["amends"]),
        "is_accession": given["mode"] == "accede",
        "others": [each for each in found.parties if each != settings.COMITY_ADMINISTRATION],
        "is_party": settings.COMITY_ADMINISTRATION in found.parties,
        "section": "agreements",
        **what_it_brings(found, given["counters"] or given["amends"] or found.supersedes),
    }
    return render(request, "console/propose_preview.html", context)


def what_it_brings(found: Agreement, former_id: str) -> dict[str, object]:
    """What a reader must know before signing: the exact change, gaps and conflicts, and what nobody has compared."""
    former = _known(former_id)
    return {
        "change": compared(former, found) if former else None,
        "former": former,
        "over": looked_over(found, others_in_force(found)),
        "unverified": sum(not each.is_verified for each in found.articles),
    }


def _known(agreement_id: str) -> Agreement | None:
    every = agreements_reads.agreements(at=utc_now()) if agreement_id else ()
    return next((each.agreement for each in every if each.id == agreement_id), None)


def _send(request: HttpRequest, actor: Actor, given: Mapping[str, str]) -> HttpResponse:
    data, at = given["text"].replace("\r\n", "\n").encode(), utc_now()
    if given["mode"] == "accede":
        made = negotiate.accede(actor, data=data, at=at)
        tell_parties(request, _("Acceded and signed."), made)
    else:
        made = negotiate.propose(actor, data=data, at=at, amends=given["amends"], counters=given["counters"])
        tell_parties(request, _("Signed and proposed."), made)
    return redirect("console:agreement", made.agreement.id)


def tell_parties(request: HttpRequest, done: str, made: MoveMade) -> None:
    """Say what was done, to whom it is on its way, and whom it cannot reach."""
    told = _("It is on its way to %(parties)s.") % {"parties": ", ".join(made.told)} if made.told else ""
    messages.success(request, f"{done} {told}".strip())
    if made.untold:
        text = _("%(parties)s cannot be told: not introduced here, or suspended. Send it as a file.")
        messages.warning(request, text % {"parties": ", ".join(made.untold)})


def _problem(error: AgreementFormError) -> str:
    """The complaint with its line and what to write instead."""
    return in_english(f"{error.where}: {error.what}. {error.remedy}".replace("..", ".").strip())


def article_label(agreement: Agreement, article_id: str) -> str:
    """An article by its number and its title."""
    article = agreement.article(article_id)
    title = article.title.in_(spoken()) if article else ""
    return _("Article %(id)s: %(title)s") % {"id": article_id, "title": title}


def status_of(form: forms.Form) -> HTTPStatus:
    """422 where a form was refused."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
