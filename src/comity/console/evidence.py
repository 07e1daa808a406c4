"""Files of messages: whether they are here, looking at one, and sharing one with whoever got the message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, cast

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from comity.agreements import DEFAULT_SIZE_AT_MOST, EVIDENCE_KIND, PURPOSES, SharingRefusedError
from comity.agreements import selectors as agreements
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.custody import siblings_of, subject_of
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.holders import us
from comity.console.intake import SHOWN
from comity.console.purpose import current_purpose, opened
from comity.console.templatetags.comity import size
from comity.exchange.evidence import EvidenceState, EvidenceView, keep_file
from comity.exchange.selectors import Direction, MessageView
from comity.journeys.evidence import FileWish, evidence_of, share_evidence
from comity.journeys.files import evidence_folder
from comity.journeys.foresee import FileForeseen, foresee_file
from comity.journeys.look import find_message, open_file
from comity.journeys.share import Wish
from comity.staff import Permission, PermissionRefusedError
from comity.trade import Handling

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]
_SALT = "comity.console.evidence"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is in the evidence folder already, as a form names it; signed, so that no form names another."""

    sha256: str
    name: str
    media_type: str

    def to_token(self) -> str:
        """What the form carries."""
        return signing.dumps([self.sha256, self.name, self.media_type], salt=_SALT)


class KeptField(forms.CharField):
    """The file that was sent with the form before, as a value."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def clean(self, value: object) -> KeptFile | None:
        """What a token says that this node signed; nothing of anything else."""
        return kept_of(str(value or ""))


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file as a page shows it. is_picture: it can be looked at; can_share: it is ours and nobody was offered it."""

    view: EvidenceView
    is_picture: bool
    can_share: bool

    @property
    def percent(self) -> int:
        """How far it has come or gone, in whole hundredths; 100 only once every part is there."""
        return 100 * self.view.have_chunks // self.view.chunks if self.view.chunks else 0


class BoundedUpload(TemporaryFileUploadHandler):
    """A file goes to disk as it comes; of one that is too large the rest is thrown away, and the form survives."""

    def __init__(self, request: HttpRequest, most_bytes: int) -> None:
        super().__init__(request)
        self._most_bytes, self._count = most_bytes, 0
        self.is_too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._count = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._count += len(raw_data)
        if self._count > self._most_bytes:
            self.is_too_large = True
            raise SkipFile
        super().receive_data_chunk(raw_data, start)


class AttachForm(ConsoleForm):
    """A file that belongs to a message, for some of those who have the message."""

    recipients = forms.MultipleChoiceField(
        label=gettext_lazy("Recipients"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one partner")},
    )
    file = forms.FileField(label=gettext_lazy("File"), required=False)
    description = forms.CharField(
        label=gettext_lazy("What it shows"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose at the partner"), choices=lambda: worded(PURPOSES))
    handling = forms.ChoiceField(
        label=gettext_lazy("Handling level"),
        help_text=gettext_lazy("From restricted upwards a second officer approves"),
        choices=lambda: worded(level.word for level in Handling),
    )
    kept = KeptField()

    def __init__(self, data: object = None, *, view: MessageView, initial: object = None) -> None:
        super().__init__(data, initial=initial)
        lines = [view.line, *(siblings_of(view) if view.line.direction is Direction.SENT else [])]
        choose(self, "recipients", [(line.partner, line.partner) for line in lines])
        self.fields["file"].help_text = bound_words()

    def clean(self) -> dict[str, object]:
        """A file is needed: a new one, or the one that was sent with the form before."""
        given = cast(dict[str, object], super().clean())
        if not given.get("kept") and "file" not in self.errors:
            self.add_error("file", _("Choose a file"))
        return given


def streamed(view: View[P]) -> View[P]:
    """Let a page take a large file: written to disk as it comes, bounded, the token of the form checked after that."""

    protected: View[P] = csrf_protect(view)

    @wraps(view)
    def taking(request: HttpRequest, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method == "POST":
            request.upload_handlers = [BoundedUpload(request, most_bytes())]
        return protected(request, actor, *args, **kwargs)

    return taking


def file_page(*permissions: Permission) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponse]]:
    """As `page`, for a form with a large file: who it is is known before a byte of it is taken."""

    def wrap(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        return csrf_exempt(page(*permissions)(streamed(view)))

    return wrap


def most_bytes() -> int:
    """The largest file that any article in force lets this administration share."""
    at = utc_now()
    bounds = [
        article.size_at_most or DEFAULT_SIZE_AT_MOST
        for stored in agreements.agreements(at=at)
        for article in stored.agreement.articles
        if article.is_permit and us() in article.senders and EVIDENCE_KIND in article.kinds
    ]
    return max(bounds, default=DEFAULT_SIZE_AT_MOST)


def bound_words() -> str:
    """How large a file may be, in words."""
    return _("At most %(size)s, by the agreements in force") % {"size": size(most_bytes())}


def keep_upload(request: HttpRequest, data: QueryDict) -> ComityError | None:
    """Take the file of a form into the evidence folder and let the form name it, so that it is never sent twice.

    Returns what went wrong, where something did.
    """
    uploaded = request.FILES.get("file")
    if uploaded is None:
        return None
    try:
        shape = keep_file(evidence_folder(), Path(cast(TemporaryUploadedFile, uploaded).temporary_file_path()))
    except ComityError as error:
        return error
    media_type = uploaded.content_type or "application/octet-stream"
    data["kept"] = KeptFile(shape.sha256, (uploaded.name or "file")[-200:], media_type[:100]).to_token()
    return None


def kept_of(token: str) -> KeptFile | None:
    """The file that a form names; None where it names none."""
    try:
        sha256, name, media_type = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError):
        return None
    return KeptFile(sha256, name, media_type)


def is_too_large(request: HttpRequest) -> bool:
    """Whether the file of the form was thrown away for its size."""
    return any(isinstance(each, BoundedUpload) and each.is_too_large for each in request.upload_handlers)


def too_large_words() -> str:
    """What an officer reads of such a file."""
    return _("The file is larger than %(size)s, which is the most that any agreement in force covers") % {
        "size": size(most_bytes())
    }


def file_lines(view: MessageView) -> list[FileLine]:
    """The files of a message, as its page shows them."""
    is_ours = view.line.direction is Direction.SENT
    found = evidence_of(view.line.id, partner="" if is_ours else view.line.partner)
    return [
        FileLine(each, each.media_type in SHOWN, is_ours and each.state is EvidenceState.HERE and not each.message_id)
        for each in found
    ]


@page(Permission.VIEW_MESSAGES)
@require_GET
def file(request: HttpRequest, actor: Actor, message_id: str, sha256: str) -> HttpResponse:
    """A file of a message, proved while it is read; pictures are shown in a sandbox, everything else is saved."""
    at = utc_now()
    line = find_message(actor, message_id=message_id, at=at).line
    partner = line.partner if line.direction is Direction.RECEIVED else ""
    found = open_file(
        actor, message_id=message_id, sha256=sha256, partner=partner, at=at, purpose=current_purpose(request)
    )
    is_shown = found.media_type in SHOWN and "save" not in request.GET
    response = StreamingHttpResponse(
        found.blocks,
        content_type=found.media_type if found.media_type in SHOWN else "application/octet-stream",
    )
    name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in found.name)[:100]
    way = "inline" if is_shown else "attachment"
    response["Content-Disposition"] = f'{way}; filename="{name.encode("ascii", "replace").decode()}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Content-Length"] = str(found.size_bytes)
    return cast(HttpResponse, response)


@file_page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def attach(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """Share a file with whoever got a message, or sent it to us."""
    view = opened(request, actor, message_id)
    data = request.POST.copy() if request.method == "POST" else None
    problem = keep_upload(request, data) if data is not None else None
    form = AttachForm(data, view=view, initial=_initial(request, view))
    if problem is not None:
        form.add_refusal(problem)
    elif data is not None and is_too_large(request):
        form.errors.pop("file", None)
        form.add_error("file", too_large_words())
    foreseen: tuple[FileForeseen, ...] = ()
    if form.is_valid():
        try:
            foreseen = foresee_file(actor, file=file_wish(form, message_id), wish=_wish(form), at=utc_now())
            if all(each.is_permitted for each in foreseen):
                return _share(request, actor, form, message_id)
        except (PermissionRefusedError, SharingRefusedError):
            raise
        except ComityError as error:
            form.add_refusal(error)
    context = {
        "form": form,
        "line": view.line,
        "title": subject_of(view),
        "foreseen": foreseen,
        "kept": kept_of(str(form["kept"].value() or "")),
        "section": "messages",
    }
    is_wrong = form.errors or foreseen
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK
    return render(request, "console/attach.html", context, status=status)


def file_wish(form: ConsoleForm, about: str) -> FileWish:
    """The file of a valid form."""
    given: Mapping[str, Any] = form.cleaned_data
    kept: KeptFile = given["kept"]
    return FileWish(
        sha256=kept.sha256,
        name=kept.name,
        media_type=kept.media_type,
        about=about,
        handling=Handling.from_word(given["handling"]),
        description=given.get("description", ""),
    )


def _wish(form: ConsoleForm) -> Wish:
    return Wish(tuple(form.cleaned_data["recipients"]), form.cleaned_data["purpose"])


def _share(request: HttpRequest, actor: Actor, form: ConsoleForm, message_id: str) -> HttpResponse:
    wish = _wish(form)
    result = share_evidence(
        actor,
        file=file_wish(form, message_id),
        recipients=wish.recipients,
        purpose=wish.purpose,
        at=utc_now(),
    )
    if result.proposal_id:
        messages.success(request, _("The file waits for a second officer."))
        return redirect("console:approvals")
    names = ", ".join(partner for partner, _message in result.posted)
    messages.success(request, _("The file is offered to: %(partners)s") % {"partners": names})
    return redirect("console:message", message_id=message_id)


def _initial(request: HttpRequest, view: MessageView) -> dict[str, object]:
    """A file that the message names and that is here needs not be sent again."""
    first: dict[str, object] = {
        "recipients": [view.line.partner, *(line.partner for line in siblings_of(view))],
        "purpose": "evidence",
        "handling": view.line.handling,
    }
    sha256 = request.GET.get("file", "")
    for line in file_lines(view):
        if line.view.sha256 == sha256 and line.can_share:
            first["kept"] = KeptFile(sha256, line.view.name, line.view.media_type).to_token()
    return first
