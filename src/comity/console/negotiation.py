"""Negotiating: propose, answer, amend, suspend, leave. Nothing is signed before its effect was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from http import HTTPStatus

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comity.agreements import Agreement, AgreementFormError, Gravity, look_over, parse_agreement
from comity.agreements import selectors as agreements_reads
from comity.agreements.life import MoveKind
from comity.agreements.moves import Wish
from comity.agreements.moving import lives
from comity.agreements.selectors import StoredAgreement
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.agreements import former_of, others_in_force
from comity.console.changes import compared, looked_over, spoken
from comity.console.drafts import next_version, trouble_in, with_newcomer, with_reservation, yaml_of
from comity.console.forms import ConsoleForm, choose
from comity.console.stages import Standing, standing_of
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
        permits = [each for each in agreement.articles if each.is_permit]
        choose(self, "articles", [(each.id, _article_label(agreement, each.id)) for each in permits])


class MoveForm(ConsoleForm):
    """What a move of an officer says beside what it is about."""

    articles = forms.MultipleChoiceField(
        label=gettext_lazy("Only these articles"),
        help_text=gettext_lazy("Choose none for the whole agreement"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("One sentence; the other parties read it"),
        max_length=500,
        error_messages={"required": gettext_lazy("Say why, in one sentence")},
    )
    day = forms.DateField(
        label=gettext_lazy("From which day"),
        help_text=gettext_lazy("From the beginning of that day, UTC. Leave it empty for at once"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Write a day such as 2026-12-31")},
    )

    def __init__(self, deed: Deed, stored: StoredAgreement, data: object = None) -> None:
        super().__init__(data)
        self.fields["day"].is_narrow = True  # type: ignore[attr-defined]  # read by the template
        for name in set(self.fields) - set(deed.asks):
            del self.fields[name]
        if "articles" in self.fields:
            ids = [each.id for each in stored.agreement.articles]
            choose(self, "articles", [(each, _article_label(stored.agreement, each)) for each in ids])
        if deed.kind is MoveKind.WITHDRAW:
            self.fields["reason"].required = False

    def clean_day(self) -> date | None:
        """A day that is still to come; today is at once."""
        day: date | None = self.cleaned_data["day"]
        if day is not None and day < utc_now().date():
            raise forms.ValidationError(_("That day has passed: name one that is still to come"))
        return day

    def wish(self, kind: MoveKind, agreement_id: str) -> Wish:
        """The move of a valid form."""
        given = self.cleaned_data
        day: date | None = given.get("day")
        begins = datetime.combine(day, time(), UTC) if day and day > utc_now().date() else None
        return Wish(
            kind,
            agreement_id,
            articles=tuple(given.get("articles", ())),
            reason=given.get("reason", ""),
            effective_at=begins,
        )


@dataclass(frozen=True, slots=True)
class Deed:
    """One move that an officer makes on its own page. asks: fields of MoveForm. has_second: it takes two officers."""

    kind: MoveKind
    title: str | Promise
    lede: str | Promise
    button: str | Promise
    done: str | Promise
    asks: tuple[str, ...] = ()
    has_second: bool = False
    is_stop: bool = False


DEEDS: Mapping[str, Deed] = {
    "accept": Deed(
        MoveKind.SIGN,
        gettext_lazy("Accept and sign"),
        gettext_lazy("Our signature goes to every other party. It is in force when all have signed."),
        gettext_lazy("Sign and send"),
        gettext_lazy("Signed."),
    ),
    "refuse": Deed(
        MoveKind.REFUSE,
        gettext_lazy("Refuse"),
        gettext_lazy("The others read why. Who has refused may still accept."),
        gettext_lazy("Refuse"),
        gettext_lazy("Refused."),
        asks=("reason",),
        is_stop=True,
    ),
    "withdraw": Deed(
        MoveKind.WITHDRAW,
        gettext_lazy("Take our proposal back"),
        gettext_lazy("Where all have accepted it meanwhile, it binds all the same."),
        gettext_lazy("Take it back"),
        gettext_lazy("Taken back."),
        asks=("reason",),
        is_stop=True,
    ),
    "suspend": Deed(
        MoveKind.SUSPEND,
        gettext_lazy("Suspend"),
        gettext_lazy(
            "Nothing more is shared under it between us and the others. Prohibitions stay, and so do the duties for "
            "what was shared: recalls, corrections and deletion go on. A second officer must approve it."
        ),
        gettext_lazy("Put it before a second officer"),
        gettext_lazy("The suspension waits for a second officer."),
        asks=("articles", "reason", "day"),
        has_second=True,
        is_stop=True,
    ),
    "restore": Deed(
        MoveKind.RESTORE,
        gettext_lazy("End our suspension"),
        gettext_lazy("From then on what the articles permit is shared again."),
        gettext_lazy("End it"),
        gettext_lazy("Our suspension is ended."),
        asks=("articles", "day"),
    ),
    "leave": Deed(
        MoveKind.LEAVE,
        gettext_lazy("Leave"),
        gettext_lazy(
            "Among the others it goes on; an agreement of two ends. What was shared stays under its duties. It cannot "
            "be taken back: to return one accedes anew. A second officer must approve it."
        ),
        gettext_lazy("Put it before a second officer"),
        gettext_lazy("The leaving waits for a second officer."),
        asks=("reason", "day"),
        has_second=True,
        is_stop=True,
    ),
}


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
    return render(request, "console/reserve.html", context, status=_status(form))


@page(Permission.MANAGE_AGREEMENTS)
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, actor: Actor, agreement_id: str, deed: str) -> HttpResponse:
    """Accept, refuse, withdraw, suspend, restore or leave: what it means, and then the deed."""
    at = utc_now()
    stored = agreements_reads.agreement(agreement_id, at=at)
    chosen = DEEDS.get(deed)
    if chosen is None:
        raise Http404
    form = MoveForm(chosen, stored, request.POST if request.method == "POST" else None)
    if form.is_valid():
        wish = form.wish(chosen.kind, stored.id)
        try:
            if chosen.has_second:
                negotiate.propose_move(actor, wish=wish, at=at)
                messages.success(request, str(chosen.done))
            else:
                _tell(request, str(chosen.done), negotiate.make(actor, wish=wish, at=at))
            return redirect("console:agreement", stored.id)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
    standing = standing_of(stored, lives().get(stored.id), ours=settings.COMITY_ADMINISTRATION, at=at)
    context = {
        "stored": stored,
        "agreement": stored.agreement,
        "deed": chosen,
        "form": form,
        "standing": standing,
        "is_open": _is_open(standing, chosen),
        "section": "agreements",
        **(_what_it_brings(stored.agreement, former_of(stored.agreement)) if chosen.kind is MoveKind.SIGN else {}),
    }
    return render(request, "console/agreement_move.html", context, status=_status(form))


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
    return render(request, "console/propose.html", context, status=_status(form))


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
        **_what_it_brings(found, given["counters"] or given["amends"] or found.supersedes),
    }
    return render(request, "console/propose_preview.html", context)


def _what_it_brings(found: Agreement, former_id: str) -> dict[str, object]:
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
        _tell(request, _("Acceded and signed."), made)
    else:
        made = negotiate.propose(actor, data=data, at=at, amends=given["amends"], counters=given["counters"])
        _tell(request, _("Signed and proposed."), made)
    return redirect("console:agreement", made.agreement.id)


def _tell(request: HttpRequest, done: str, made: MoveMade) -> None:
    told = _("It is on its way to %(parties)s.") % {"parties": ", ".join(made.told)} if made.told else ""
    messages.success(request, f"{done} {told}".strip())
    if made.untold:
        text = _("%(parties)s cannot be told: not introduced here, or suspended. Send it as a file.")
        messages.warning(request, text % {"parties": ", ".join(made.untold)})


def _is_open(standing: Standing, deed: Deed) -> bool:
    """Whether the deed is ours to do as things stand; where it is not, the page says so instead of failing later."""
    return deed.kind in standing.deeds


def _problem(error: AgreementFormError) -> str:
    """The complaint with its line and what to write instead."""
    return in_english(f"{error.where}: {error.what}. {error.remedy}".replace("..", ".").strip())


def _article_label(agreement: Agreement, article_id: str) -> str:
    article = agreement.article(article_id)
    title = article.title.in_(spoken()) if article else ""
    return _("Article %(id)s: %(title)s") % {"id": article_id, "title": title}


def _status(form: forms.Form) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
