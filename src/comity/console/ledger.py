"""The proof page: the log in plain words, an entry's inclusion, downloads, verification."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from comity.agreements import Wording
from comity.agreements import selectors as agreements
from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.forks import Fork, forks_of, own_troubles, proven_forks
from comity.console.forms import ConsoleForm
from comity.console.intake import download
from comity.console.words import in_english
from comity.exchange.directory import load_peers
from comity.exchange.witnesses import AgreementQuorum, quorum_standings
from comity.ledger import NoCheckpointError, NoEntryError, verifying
from comity.ledger import selectors as ledger
from comity.ledger.selectors import Head, Look
from comity.staff import Permission
from comity.staff.services import record_deed
from comity.trust import TrustError, open_checkpoint, split_note, verify_tlog_proof


class EntryForm(ConsoleForm):
    """Which entry to prove."""

    entry = forms.IntegerField(
        label=gettext_lazy("Number of the entry"),
        help_text=gettext_lazy("Counted from 0; messages and decisions name theirs"),
        min_value=0,
        error_messages={"required": gettext_lazy("Enter a number")},
    )
    entry.is_narrow = True  # type: ignore[attr-defined]  # read by the template


@dataclass(frozen=True, slots=True)
class Witness:
    """A partner whose signature on the checkpoint was just verified."""

    administration: str
    name: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest checkpoint. unknown: names that signed it and that no partner's key document explains."""

    origin: str
    size: int
    root: str
    note: str
    is_signed: bool
    witnesses: tuple[Witness, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartnerLog:
    """A partner's log. head: the largest checkpoint seen of it; look: what the node last found; None: nothing yet."""

    administration: str
    name: str
    origin: str
    head: Head | None
    look: Look | None


@dataclass(frozen=True, slots=True)
class QuorumLine:
    """How our log is countersigned as one agreement asks. size: of the newest state with enough witnesses, or None."""

    agreement_id: str
    title: Wording
    words: str
    size: int | None
    beyond: int
    signed_at: datetime | None
    seen_by: tuple[str, ...]
    missing: tuple[str, ...]
    is_old: bool


@dataclass(frozen=True, slots=True)
class EntryProof:
    """One entry and what its proof says. kind: a key of the words; problem: why it does not hold, if it does not."""

    index: int
    size: int
    kind: str
    commitment: str
    hashes: int
    problem: str


@page()
@require_GET
def proof(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """The log, who witnessed it, and the proof of one entry."""
    form = EntryForm(request.GET) if "entry" in request.GET else EntryForm()
    found = None
    if form.is_bound and form.is_valid():
        try:
            found = _entry_proof(form.cleaned_data["entry"])
        except NoEntryError as error:
            form.add_error("entry", in_english(error.what))
    forks = forks_of(ledger.split_views())
    context = {
        "form": form,
        "size": ledger.log_size(),
        "head": _head(),
        "found": found,
        "logs": _logs(),
        "forks": proven_forks(forks),
        "suspicions": _suspicions(forks),
        "own_troubles": own_troubles(),
        "quorums": [_quorum(each) for each in quorum_standings(settings.COMITY_KEYRING, at=utc_now())],
        "vkey": settings.COMITY_KEYRING.log.vkey,
        "base_url": settings.COMITY_BASE_URL,
    }
    return render(request, "console/proof.html", context)


@page(Permission.VERIFY_LEDGER)
@require_POST
def verify_log(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Compute the whole log again from its entries, and say what was found."""
    report = verifying.verify_log(settings.COMITY_KEYRING.log.verifier)
    facts = {"size": str(report.size), "sound": "yes" if report.is_sound else "no"}
    record_deed(actor, deed="verify_ledger", subject=f"log:{report.origin}", facts=facts, at=utc_now())
    if report.is_sound:
        text = ngettext(
            "The log is sound: %(count)d entry was computed again and agrees with every signed checkpoint.",
            "The log is sound: %(count)d entries were computed again and agree with every signed checkpoint.",
            report.size,
        )
        messages.success(request, text % {"count": report.size})
    else:
        messages.error(request, _("The log is damaged: %(problem)s") % {"problem": report.problems[0]})
    return redirect("console:proof")


@page()
@require_GET
def download_proof(_request: HttpRequest, _actor: Actor, index: int) -> HttpResponse:
    """The proof of an entry as a C2SP tlog-proof file, which any such verifier reads."""
    response = HttpResponse(ledger.tlog_proof(index), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="entry-{index}.tlog-proof"'
    return response


@page()
@require_GET
def download_fork(_request: HttpRequest, actor: Actor, digest: str) -> HttpResponse:
    """The evidence against a log as a file, which `comity ledger verify-split` checks on any machine, offline."""
    found = ledger.split_view(digest)
    if found is None or not found.is_proven:
        raise NoEntryError("There is no such evidence", where=digest[:64], remedy="See the page of proofs.")
    record_deed(actor, deed="download_fork", subject=f"log:{found.origin}", at=utc_now())
    name = f"two-histories-{found.digest[:12]}.json"
    return download(found.proof.to_bytes(), name=name, media_type="application/json")


def _logs() -> list[PartnerLog]:
    """Every partner's log: what was seen of it, and what the last look found."""
    heads = {each.origin: each for each in ledger.partner_heads()}
    looks = {each.administration: each for each in ledger.looks()}
    return [
        PartnerLog(peer.administration, peer.name, peer.log.name, heads.get(peer.log.name), looks.get(code))
        for code, peer in sorted(load_peers().items())
    ]


def _suspicions(forks: list[Fork]) -> list[Fork]:
    """The newest of each log; what is proved of a log is no suspicion any more."""
    proven = {each.evidence.vkey for each in forks if each.evidence.is_proven}
    newest: dict[str, Fork] = {}
    for each in forks:
        if each.evidence.vkey not in proven:
            newest.setdefault(each.evidence.vkey, each)
    return list(newest.values())


def _quorum(found: AgreementQuorum) -> QuorumLine:
    standing = found.standing
    return QuorumLine(
        agreement_id=found.agreement_id,
        title=agreements.agreement(found.agreement_id, at=utc_now()).agreement.title,
        words=found.words,
        size=standing.size,
        beyond=standing.entries_beyond,
        signed_at=standing.signed_at,
        seen_by=standing.seen_by,
        missing=standing.missing,
        is_old=found.is_old,
    )


def _head() -> LogHead | None:
    try:
        note = ledger.latest_checkpoint()
    except NoCheckpointError:
        return None
    return _read_head(note)


def _read_head(note: str) -> LogHead:
    log = settings.COMITY_KEYRING.log.verifier
    peers = {peer.cosigner.vkey: peer for peer in load_peers().values()}
    checkpoint, opened = open_checkpoint(note, log, [peer.cosigner for peer in peers.values()])
    witnesses = tuple(
        Witness(peers[vkey].administration, peers[vkey].name, _moment(seconds))
        for vkey, seconds in opened.signed_by.items()
        if vkey in peers
    )
    known = {log.name, *(peer.cosigner.name for peer in peers.values())}
    return LogHead(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        note=note,
        is_signed=log.vkey in opened.signed_by,
        witnesses=witnesses,
        unknown=tuple(signature.name for signature in split_note(note)[1] if signature.name not in known),
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _entry_proof(index: int) -> EntryProof:
    entry, text = ledger.entry(index), ledger.tlog_proof(index)
    size, problem = ledger.log_size(), ""
    try:
        size = verify_tlog_proof(text, entry, settings.COMITY_KEYRING.log.verifier).size
    except TrustError as error:
        problem = str(error)
    fields = _commitment_of(entry)
    return EntryProof(
        index=index,
        size=size,
        kind=f"log:{fields['kind']}" if "kind" in fields else "",
        commitment=fields.get("commitment", entry.hex()),
        hashes=text.partition("\n\n")[0].count("\n") - 1,
        problem=problem,
    )


def _commitment_of(entry: bytes) -> dict[str, str]:
    try:
        fields = json.loads(entry)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in fields.items()} if isinstance(fields, dict) else {}
