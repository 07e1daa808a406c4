"""Moves of one page each: accept, refuse, withdraw, suspend, restore, leave; what it means, and then the deed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comity.agreements import selectors as agreements_reads
from comity.agreements.life import MoveKind
from comity.agreements.moves import Wish
from comity.agreements.moving import lives
from comity.agreements.selectors import StoredAgreement
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.agreements import former_of
from comity.console.forms import ConsoleForm, choose
from comity.console.negotiation import article_label, status_of, tell_parties, what_it_brings
from comity.console.passages import counted
from comity.console.stages import Standing, standing_of
from comity.journeys import negotiate
from comity.staff import Permission, PermissionRefusedError


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
            ids = sorted((each.id for each in stored.agreement.articles), key=counted)
            choose(self, "articles", [(each, article_label(stored.agreement, each)) for each in ids])
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
                tell_parties(request, str(chosen.done), negotiate.make(actor, wish=wish, at=at))
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
        **(what_it_brings(stored.agreement, former_of(stored.agreement)) if chosen.kind is MoveKind.SIGN else {}),
    }
    return render(request, "console/agreement_move.html", context, status=status_of(form))


def _is_open(standing: Standing, deed: Deed) -> bool:
    """Whether the deed is ours to do as things stand; where it is not, the page says so instead of failing later."""
    return deed.kind in standing.deeds
