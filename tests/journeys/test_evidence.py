"""Sharing a file: bounded by the agreement, four eyes where it is sensitive, about what the recipient knows."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_django import Settings

from comity.agreements import SharingRefusedError
from comity.cli.evidence import evidence
from comity.common import Actor, ActorKind, ComityError
from comity.exchange import Message, MessageUnknownError, ReceivedMessage
from comity.exchange import selectors as exchange
from comity.exchange.evidence import EvidenceError, EvidenceState, Folder, Prepared
from comity.exchange.evidence.offering import sealed_of_offer
from comity.exchange.models import EvidenceIn, EvidenceOut, InboxMessage
from comity.exchange.services import post
from comity.journeys.evidence import FileWish, evidence_of, open_evidence, share_evidence, take_evidence
from comity.journeys.share import NoRecipientError, approve_sharing
from comity.staff import PermissionRefusedError, ProposalRefusedError, Role
from comity.staff.selectors import AuditFilter, audit_entries, open_proposals
from comity.trade import Handling, NoticeError
from comity.trade.encoding import evidence_from_body
from tests.api.conftest import Caller, MakeCaller, caller  # noqa: F401  # the fixture
from tests.exchange.cast import ANA, AT, CODES, LOG, introduce, keyring, message, release
from tests.exchange.evidence.cast import Clockwork, Memory, adopt_files, content, fetcher, message_id
from tests.journeys.conftest import ROLES

pytestmark = pytest.mark.django_db(transaction=True)

CHIPO = Actor(ActorKind.OFFICER, "chipo", "XC", ROLES)
CLARA = Actor(ActorKind.OFFICER, "clara", "XC", frozenset({Role.SUPERVISOR.value}))
DATA = content(3.5)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def _at_xc(settings: Settings, tmp_path: Path) -> None:
    settings.COMITY_ADMINISTRATION = "XC"
    settings.COMITY_EVIDENCE = tmp_path / "evidence"
    settings.COMITY_KEYRING = keyring("XC")
    introduce(*(code for code in CODES if code != "XC"))
    adopt_files()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "shoe.jpg"
    path.write_bytes(DATA)
    return path


def alerted() -> dict[str, str]:
    """The alert that XC shared with both, each under its own id."""
    posted = {}
    for recipient in ("XA", "XB"):
        posted[recipient] = post(CHIPO, release(recipient), signer=LOG, at=AT)
    return posted


def body_of(name: str) -> dict[str, object]:
    found = exchange.message(name).message
    assert found is not None
    return dict(found.body)


def test_a_file_is_kept_sealed_for_each_and_offered(at: datetime, photo: Path) -> None:
    wish = FileWish(path=photo, media_type="image/jpeg", description="The left shoe")
    result = share_evidence(CHIPO, file=wish, recipients=["XA", "XB"], purpose="evidence", at=at)
    assert [recipient for recipient, _ in result.posted] == ["XA", "XB"]
    notices = [evidence_from_body(body_of(name)) for _, name in result.posted]
    assert {notice.sha256 for notice in notices} == {SHA256}
    assert notices[0].description == "The left shoe"
    assert len({notice.root for notice in notices}) == len({notice.key for notice in notices}) == 2
    for (recipient, name), notice in zip(result.posted, notices, strict=True):
        row = EvidenceOut.objects.get(message_id=name)
        assert (row.partner.administration, row.root, bytes(row.key)) == (recipient, notice.root, b64decode(notice.key))
        (view,) = evidence_of(name)
        assert (view.state, view.is_here) == (EvidenceState.OFFERED, True)


def test_what_is_here_already_is_shared_by_its_digest(at: datetime, photo: Path) -> None:
    share_evidence(CHIPO, file=FileWish(path=photo), recipients=["XA"], purpose="control", at=at)
    photo.unlink()
    share_evidence(CHIPO, file=FileWish(sha256=SHA256, name="b.jpg"), recipients=["XA"], purpose="control", at=at)
    assert EvidenceOut.objects.count() == 2
    with pytest.raises(EvidenceError):
        share_evidence(CHIPO, file=FileWish(sha256="0" * 64), recipients=["XA"], purpose="control", at=at)


def test_a_file_that_the_article_does_not_cover_is_refused_and_not_offered(at: datetime, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(314_572_801)
    with pytest.raises(SharingRefusedError) as caught:
        share_evidence(CHIPO, file=FileWish(path=large), recipients=["XA"], purpose="control", at=at)
    assert "314,572,801 bytes; the article covers at most 314,572,800 bytes" in caught.value.decision.reasons[0].text
    assert EvidenceOut.objects.count() == 0


def test_a_restricted_file_waits_for_a_second_officer(at: datetime, photo: Path) -> None:
    wish = FileWish(path=photo, handling=Handling.RESTRICTED)
    result = share_evidence(CHIPO, file=wish, recipients=["XA"], purpose="control", at=at)
    assert (result.posted, EvidenceOut.objects.count()) == ((), 0)
    assert result.proposal_id is not None
    (proposal,) = open_proposals()
    own = replace(CHIPO, roles=CHIPO.roles | {Role.SUPERVISOR.value})
    with pytest.raises(ProposalRefusedError):
        approve_sharing(own, proposal_id=proposal.proposal_id, at=at)
    assert EvidenceOut.objects.count() == 0
    ((recipient, name),) = approve_sharing(CLARA, proposal_id=proposal.proposal_id, at=at).posted
    assert (recipient, EvidenceOut.objects.get().message_id) == ("XA", name)
    assert evidence_from_body(body_of(name)).handling is Handling.RESTRICTED


def test_a_file_names_the_message_as_each_recipient_knows_it(at: datetime, photo: Path) -> None:
    known = alerted()
    wish = FileWish(path=photo, about=known["XA"])
    result = share_evidence(CHIPO, file=wish, recipients=["XA", "XB"], purpose="control", at=at)
    assert {recipient: evidence_from_body(body_of(name)).about for recipient, name in result.posted} == known
    assert [view.name for view in evidence_of(known["XB"])] == ["shoe.jpg"]


def test_a_file_about_what_the_recipient_sent(at: datetime, photo: Path) -> None:
    InboxMessage.objects.create(
        sender="XA",
        message_id=message_id(7),
        sequence=1,
        kind="alert/1",
        agreement="0" * 64,
        article="1",
        purpose="control",
        handling="official",
        received_at=AT,
        envelope_id=message_id(8),
        position=0,
        data=message().to_bytes(),
        sha256="0" * 64,
        is_accepted=True,
        answer="{}",
    )
    wish = FileWish(path=photo, about=message_id(7))
    ((_, name),) = share_evidence(CHIPO, file=wish, recipients=["XA"], purpose="control", at=at).posted
    assert evidence_from_body(body_of(name)).about == message_id(7)
    with pytest.raises(MessageUnknownError):
        share_evidence(CHIPO, file=wish, recipients=["XB"], purpose="control", at=at)


@pytest.mark.parametrize(
    ("changes", "recipients", "error"),
    [
        ({"about": "0195d3a8-6c00-7000-8000-00000000dead"}, ["XA"], MessageUnknownError),
        ({"about": "nonsense"}, ["XA"], NoticeError),
        ({"name": "a/b"}, ["XA"], NoticeError),
        ({"handling": Handling.CONFIDENTIAL}, ["XA"], SharingRefusedError),
        ({}, [], NoRecipientError),
        ({}, ["XC"], NoRecipientError),
    ],
)
def test_what_cannot_be_shared_is_not(
    at: datetime, photo: Path, changes: dict[str, object], recipients: list[str], error: type[ComityError]
) -> None:
    wish = replace(FileWish(path=photo), **changes)  # type: ignore[arg-type]  # the test names fields of FileWish
    with pytest.raises(error):
        share_evidence(CHIPO, file=wish, recipients=recipients, purpose="control", at=at)
    assert EvidenceOut.objects.count() == 0


def test_only_who_may_share_shares(at: datetime, photo: Path) -> None:
    officer = replace(CHIPO, roles=frozenset({Role.OFFICER.value}))
    with pytest.raises(PermissionRefusedError):
        share_evidence(officer, file=FileWish(path=photo), recipients=["XA"], purpose="control", at=at)
    with pytest.raises(EvidenceError, match="cannot be read"):
        share_evidence(CHIPO, file=FileWish(path=photo / "x"), recipients=["XA"], purpose="control", at=at)


@pytest.fixture
def came(settings: Settings, tmp_path: Path, photo: Path) -> str:
    """A file of XC that XA has fetched; this node is XA. The id of the message that offered it."""
    made = share_evidence(CHIPO, file=FileWish(path=photo), recipients=["XA"], purpose="control", at=AT)
    ((_, name),) = made.posted
    message = exchange.message(name).message
    assert isinstance(message, Message)
    row, theirs = EvidenceOut.objects.get(), settings.COMITY_EVIDENCE
    settings.COMITY_ADMINISTRATION, settings.COMITY_EVIDENCE = "XA", tmp_path / "xa"
    introduce("XC")
    take_evidence(ReceivedMessage(message, AT, 1, 1))

    ours = Folder(tmp_path / "xa")
    made_there = Prepared("XA", evidence_from_body(message.body), sealed_of_offer(row), bytes(row.key))
    line = Memory(Folder(theirs), {row.root: made_there})
    fetcher(ours, line, Clockwork()).fetch_due(AT)
    assert EvidenceIn.objects.get().state == "complete"
    EvidenceOut.objects.all().delete()
    return name


def test_an_officer_opens_it_and_the_audit_says_so(came: str, at: datetime) -> None:
    opened = open_evidence(ANA, message_id=came, sha256=SHA256, at=at, purpose="control")
    assert b"".join(opened.blocks) == DATA
    (entry,) = audit_entries(AuditFilter(deed="view_exhibit"))
    assert entry.subject == f"exhibit:{SHA256}"
    with pytest.raises(PermissionRefusedError):
        open_evidence(replace(ANA, roles=frozenset()), message_id=came, sha256=SHA256, at=at)


def run(*words: str) -> Result:
    return CliRunner().invoke(evidence, words)


def test_the_commands(came: str, tmp_path: Path) -> None:
    listed = run("list")
    assert listed.exit_code == 0, listed.exception
    assert SHA256[:12] in listed.output
    assert "here" in run("list", "--message", came).output
    out = tmp_path / "out.jpg"
    saved = run("save", came, SHA256[:12], str(out))
    assert saved.exit_code == 0, (saved.output, saved.exception)
    assert out.read_bytes() == DATA
    assert isinstance(run("save", came, "0" * 64, str(out)).exception, EvidenceError)
    assert not list(tmp_path.glob(".out*"))


def test_sharing_and_withdrawing_by_command(settings: Settings, photo: Path) -> None:
    shared = run("share", str(photo), "--to", "XA", "--purpose", "control")
    assert shared.exit_code == 0, (shared.output, shared.exception)
    name = shared.output.split()[-1]
    assert "offered, 0 of 1 chunks" in run("list", "--partner", "XA").output
    assert run("withdraw", name).output == f"{name}: withdrawn\n"
    waiting = run("share", str(photo), "--to", "XA", "--purpose", "control", "--handling", "restricted")
    assert "waits for a second officer" in waiting.output


def test_the_api(came: str, caller: MakeCaller) -> None:  # noqa: F811  # the fixture
    liaison: Caller = caller("liaison", name="lea", officer=True)
    assert liaison.get(f"/messages/{came}/evidence").json()["code"] == "purpose_missing"
    shown = liaison.get(f"/messages/{came}/evidence?purpose=control")
    assert shown.status_code == 200, shown.content
    (item,) = shown.json()["items"]
    assert (item["sha256"], item["state"], item["is_here"], item["have_chunks"]) == (SHA256, "here", True, 1)
    response = liaison.get(f"/messages/{came}/evidence/{SHA256}?purpose=control")
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == DATA  # type: ignore[attr-defined]  # of a streaming response
    assert response["Content-Length"] == str(len(DATA))
    assert response["Content-Disposition"] == "attachment; filename*=UTF-8''shoe.jpg"
    assert liaison.get(f"/messages/{came}/evidence/{'0' * 64}?purpose=control").status_code == 404
    assert liaison.get("/messages/0195d3a8-6c00-7000-8000-00000000dead/evidence?purpose=control").status_code == 404
    EvidenceIn.objects.update(state="coming")
    assert liaison.get(f"/messages/{came}/evidence/{SHA256}?purpose=control").status_code == 409
    administrator = caller("administrator", name="root2", officer=True)
    assert administrator.get(f"/messages/{came}/evidence/{SHA256}").status_code == 403
