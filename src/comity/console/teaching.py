"""Knowledge shared with partners: giving a profile, asking about a hit of the screening, telling a decision on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from comity.agreements import SharingRefusedError
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm, choose, worded
from comity.exchange import selectors as exchange
from comity.journeys.consult import ask_about_hit, preview_question, preview_telling, tell_hit
from comity.journeys.share import SECOND_OFFICER_FROM, Preview, ShareResult, Wish
from comity.journeys.teach import preview_profile, share_profile
from comity.risk import selectors as risk
from comity.risk.hits import hit
from comity.staff import Permission, PermissionRefusedError
from comity.trade import Handling

# Knowledge serves no other end.
_PURPOSES = ("risk_assessment", "control")


class GiveForm(ConsoleForm):
    """Whom to tell, and for what."""

    recipients = forms.MultipleChoiceField(
        label=gettext_lazy("Partners"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one partner")},
    )
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose at the partner"), choices=lambda: worded(_PURPOSES))
    handling = forms.ChoiceField(
        label=gettext_lazy("Handling level"),
        help_text=gettext_lazy("From restricted upwards a second officer approves"),
        choices=lambda: worded(level.word for level in Handling),
        initial=Handling.OFFICIAL.word,
    )

    def __init__(self, data: object = None, *, has_level: bool = True) -> None:
        super().__init__(data)
        choose(self, "recipients", [(each.administration, each.name) for each in exchange.partners()])
        if not has_level:
            del self.fields["handling"]

    def wish(self) -> Wish:
        """Whom a valid form wants to tell, for what."""
        return Wish(tuple(self.cleaned_data["recipients"]), self.cleaned_data["purpose"])

    def level(self) -> Handling:
        """The handling level of a valid form."""
        return Handling.from_word(self.cleaned_data.get("handling") or Handling.OFFICIAL.word)


@dataclass(frozen=True, slots=True)
class Gift:
    """What is told on a page. back: where the page leads; lede: what will happen, in a sentence."""

    title: object
    name: str
    lede: object
    back: str
    section: str
    preview: Callable[[GiveForm, datetime], Sequence[Preview]]
    send: Callable[[GiveForm, datetime], ShareResult]
    has_level: bool = True


@page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def give_profile(request: HttpRequest, actor: Actor, ref: str) -> HttpResponse:
    """Give a profile that is in force here to partners."""
    shown = risk.profile(ref, utc_now())
    gift = Gift(
        title=gettext_lazy("Share a profile"),
        name=shown.title,
        lede=gettext_lazy(
            "The partner tries it on its own declarations and decides whether it runs there, unchanged. When it is "
            "retired here it ends there."
        ),
        back=reverse("console:profile", args=[ref]),
        section="profiles",
        preview=lambda form, at: preview_profile(actor, ref=ref, wish=form.wish(), handling=form.level(), at=at),
        send=lambda form, at: share_profile(actor, ref=ref, wish=form.wish(), handling=form.level(), at=at),
    )
    return _page_of(request, gift)


@page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def ask_partners(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask partners what they decided of a hit."""
    ref = request.GET.get("hit", "")
    view = hit(ref)
    gift = Gift(
        title=gettext_lazy("Ask partners about a hit"),
        name=f"{view.row.ours} / {view.row.theirs}",
        lede=gettext_lazy(
            "The party is not named: a partner recognises it only if it has decided on the same party and entry."
        ),
        back=_hit_page(ref),
        section="screening",
        preview=lambda form, at: preview_question(actor, ref=ref, wish=form.wish(), at=at),
        send=lambda form, at: ask_about_hit(actor, ref=ref, wish=form.wish(), at=at),
        has_level=False,
    )
    return _page_of(request, gift)


@page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def tell_partners(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Tell partners the decision in force on a hit."""
    ref = request.GET.get("hit", "")
    view = hit(ref)
    gift = Gift(
        title=gettext_lazy("Tell partners a decision"),
        name=f"{view.row.ours} / {view.row.theirs}",
        lede=gettext_lazy(
            "The party is not named. The partner sees the decision beside its own hit, as advice; it decides itself."
        ),
        back=_hit_page(ref),
        section="screening",
        preview=lambda form, at: preview_telling(actor, ref=ref, wish=form.wish(), handling=form.level(), at=at),
        send=lambda form, at: tell_hit(actor, ref=ref, wish=form.wish(), handling=form.level(), at=at),
    )
    return _page_of(request, gift)


def _hit_page(ref: str) -> str:
    return f"{reverse('console:screening_hit')}?{urlencode({'hit': ref})}"


def _page_of(request: HttpRequest, gift: Gift) -> HttpResponse:
    """The form, then what would be released, then the sending."""
    form = GiveForm(request.POST if request.method == "POST" else None, has_level=gift.has_level)
    context: dict[str, object] = {"form": form, "gift": gift, "section": gift.section}
    step = request.POST.get("step", "")
    if form.is_valid() and step in {"preview", "send"}:
        at = utc_now()
        try:
            if step == "send":
                return _sent(request, gift, gift.send(form, at))
            previews = gift.preview(form, at)
        except (SharingRefusedError, PermissionRefusedError):
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            context |= {
                "previews": previews,
                "is_permitted": all(each.decision.is_permitted for each in previews),
                "needs_second": form.level() >= SECOND_OFFICER_FROM,
            }
            return render(request, "console/give_preview.html", context)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/give.html", context, status=status)


def _sent(request: HttpRequest, gift: Gift, result: ShareResult) -> HttpResponse:
    if result.proposal_id:
        messages.success(request, _("It waits for a second officer."))
        return redirect("console:approvals")
    count = len(result.posted)
    text = ngettext("It is on its way to %(n)d partner.", "It is on its way to %(n)d partners.", count)
    messages.success(request, text % {"n": count})
    return redirect(gift.back)
