"""Files that a person carries: twice, in any order, cut off, for another; one effect, one receipt, clear words."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from comity.cli.exchange import exchange, partner
from comity.common import Actor, ActorKind
from comity.exchange import PartnerStateError, PartnerUnknownError
from comity.exchange.carriedfile import FileNames, write_file
from comity.exchange.carrying import Imported, export_file, import_file
from comity.exchange.delivery import deliver_due
from comity.exchange.directory import load_peer
from comity.exchange.errors import CarriedFormError
from comity.exchange.models import CarriedAnswer, InboxEnvelope, InboxMessage, Reception, Refusal
from comity.exchange.parts import PartList
from comity.exchange.services import Posting, post_all, set_partner_way, suspend_partner
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from tests.exchange.cast import (
    ANA,
    AT,
    CHIPO,
    LOG,
    NODE_XC,
    Loop,
    Wrapping,
    adopt_demo,
    introduce,
    keyring,
    message,
    receiver,
    release,
    states,
    wrap,
)  # fmt: skip

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=3)


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def post_alerts(count: int) -> None:
    post_all(NODE_XC, [Posting(release())] * count, signer=LOG, at=AT)


def to_xa(target: Path, at=AT):  # type: ignore[no-untyped-def]  # Exported
    return export_file(CHIPO, keyring=keyring("XC"), administration="XA", target=target, at=at)


def at_xa(source: Path, at=AT) -> Imported:  # type: ignore[no-untyped-def]
    return import_file(ANA, receiver=receiver("XA"), source=source, at=at)


def back_to_xc(target: Path, at=AT):  # type: ignore[no-untyped-def]  # Exported
    return export_file(ANA, keyring=keyring("XA"), administration="XC", target=target, at=at)


def at_xc(source: Path, at=AT) -> Imported:  # type: ignore[no-untyped-def]
    return import_file(CHIPO, receiver=receiver("XC"), source=source, at=at)


def test_there_and_back(folder: Path) -> None:
    post_alerts(200)
    written = to_xa(folder / "there")
    assert (written.envelopes, written.answers, written.waiting) == (2, 0, 0)
    assert stat.S_IMODE((folder / "there").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["there"], "nothing half-written stays"
    taken = at_xa(folder / "there")
    assert (taken.envelopes, taken.refused, taken.to_carry) == (2, (), 2)
    assert InboxMessage.objects.count() == 200
    assert back_to_xc(folder / "back").answers == 2
    assert not CarriedAnswer.objects.exists()
    assert at_xc(folder / "back").answers.recorded == 2
    assert set(states()) == {"delivered"}
    assert set(AuditEntry.objects.values_list("deed", flat=True)) >= {"export_file", "import_file"}


def test_twice_and_in_any_order(folder: Path) -> None:
    post_alerts(2)
    to_xa(folder / "one")
    post_all(NODE_XC, [Posting(release())] * 3, signer=LOG, at=AT)
    to_xa(folder / "two", LATER)
    at_xa(folder / "two", LATER)
    at_xa(folder / "one", LATER)
    at_xa(folder / "two", LATER)
    assert InboxMessage.objects.count() == 5
    assert InboxEnvelope.objects.count() == 2, "one receipt for each envelope"
    back_to_xc(folder / "back", LATER)
    assert at_xc(folder / "back", LATER).answers.recorded == 2
    again = at_xc(folder / "back", LATER)
    assert (again.answers.recorded, again.answers.known, again.sent_again) == (0, 2, 0)
    assert set(states()) == {"delivered"}


def test_a_lost_file_costs_nothing(folder: Path) -> None:
    post_alerts(2)
    to_xa(folder / "lost")
    to_xa(folder / "found", LATER)
    at_xa(folder / "found", LATER)
    back_to_xc(folder / "answers lost", LATER)
    to_xa(folder / "again", LATER)
    receipts = {bytes(row) for row in InboxEnvelope.objects.values_list("receipt", flat=True)}
    at_xa(folder / "again", LATER)
    assert {bytes(row) for row in CarriedAnswer.objects.values_list("body", flat=True)} == receipts, "the same bytes"
    back_to_xc(folder / "back", LATER)
    at_xc(folder / "back", LATER)
    assert set(states()) == {"delivered"}
    assert at_xc(folder / "answers lost", LATER).answers.known == 1


def test_a_file_and_the_line(folder: Path) -> None:
    """Pushed after the file was taken, and the answers of the file after the push: one effect, one receipt."""
    post_alerts(3)
    to_xa(folder / "there")
    at_xa(folder / "there")
    back_to_xc(folder / "back")
    assert deliver_due(keyring("XC"), LATER, transport=Loop(at=LATER)) == 1
    assert set(states()) == {"delivered"}
    assert at_xc(folder / "back", LATER).answers.known == 1
    assert InboxMessage.objects.count() == 3
    assert InboxEnvelope.objects.count() == 1


def test_answers_before_the_line_is_back(folder: Path) -> None:
    post_alerts(3)
    loop = Loop(is_down=True)
    assert deliver_due(keyring("XC"), AT, transport=loop) == 1
    to_xa(folder / "there")
    at_xa(folder / "there")
    back_to_xc(folder / "back")
    at_xc(folder / "back")
    assert set(states()) == {"delivered"}
    loop.is_down = False
    assert deliver_due(keyring("XC"), LATER, transport=loop) == 0, "nothing is left to push"


def test_what_the_partner_lost_goes_again(folder: Path) -> None:
    """Its backup of yesterday knows nothing of today: its next file says so, an old one does not."""
    post_alerts(2)
    to_xa(folder / "there")
    at_xa(folder / "there")
    back_to_xc(folder / "back")
    at_xc(folder / "back")
    InboxMessage.objects.all().delete()
    InboxEnvelope.objects.all().delete()
    Reception.objects.filter(partner__administration="XC").update(contiguous=0, islands=[])
    assert at_xc(folder / "back", LATER).sent_again == 0
    back_to_xc(folder / "restored", LATER)
    assert at_xc(folder / "restored", LATER).sent_again == 2
    to_xa(folder / "again", LATER)
    at_xa(folder / "again", LATER)
    assert InboxMessage.objects.count() == 2


def test_a_refused_envelope_says_why_and_its_refusal_goes_back(folder: Path) -> None:
    post_alerts(1)
    names = FileNames("XC", "XA", "0195aaaa-0000-7000-8000-000000000001", AT)
    envelopes = (wrap(message(), how=Wrapping(signer="XB")), wrap(message(), how=Wrapping(sender="XB")), b"no envelope")
    parts = PartList(envelopes)
    (folder / "bad").write_bytes(write_file(names, parts, keyring=keyring("XC"), peer=load_peer("XA")))
    taken = at_xa(folder / "bad")
    assert (taken.envelopes, len(taken.refused), taken.to_carry) == (0, 3, 1)
    assert "signature" in " ".join(taken.refused)
    assert set(Refusal.objects.values_list("code", flat=True)) == {"wrong_signature", "mismatch"}
    assert not InboxMessage.objects.exists()


@pytest.mark.parametrize("cut", [0, 5, 14, 60, 300, -1])
def test_a_file_that_was_cut_off_is_refused_and_nothing_taken(folder: Path, cut: int) -> None:
    post_alerts(1)
    to_xa(folder / "there")
    data = (folder / "there").read_bytes()
    (folder / "cut").write_bytes(data[:cut])
    with pytest.raises(CarriedFormError) as caught:
        at_xa(folder / "cut")
    assert caught.value.remedy
    assert not InboxMessage.objects.exists()
    assert at_xa(folder / "there").envelopes == 1


def test_a_file_for_another(folder: Path) -> None:
    post_alerts(1)
    to_xa(folder / "there")
    with pytest.raises(PartnerStateError, match="for XA, not for XB") as caught:
        import_file(ANA, receiver=receiver("XB"), source=folder / "there", at=AT)
    assert "Give it back" in caught.value.remedy
    with pytest.raises(PartnerStateError, match="for XA, not for XC") as caught:
        at_xc(folder / "there")
    assert caught.value.remedy == "Carry it to XA."


def test_a_stranger_and_a_suspended_partner(folder: Path) -> None:
    to_xa(folder / "there")
    suspend_partner(ANA, administration="XC", reason="A key is missing", at=AT)
    with pytest.raises(PartnerStateError, match="suspended"):
        at_xa(folder / "there")
    with pytest.raises(PartnerStateError, match="suspended"):
        back_to_xc(folder / "back")
    with pytest.raises(PartnerUnknownError):
        export_file(CHIPO, keyring=keyring("XC"), administration="XQ", target=folder / "no", at=AT)


def test_another_partner_cannot_make_a_file_in_its_name(folder: Path) -> None:
    names = FileNames("XC", "XA", "0195aaaa-0000-7000-8000-000000000001", AT)
    (folder / "forged").write_bytes(write_file(names, PartList(), keyring=keyring("XB"), peer=load_peer("XA")))
    with pytest.raises(CarriedFormError, match="does not carry the signature of XC"):
        at_xa(folder / "forged")


def test_a_file_sealed_to_an_old_key(folder: Path) -> None:
    names = FileNames("XC", "XA", "0195aaaa-0000-7000-8000-000000000001", AT)
    (folder / "old").write_bytes(write_file(names, PartList(), keyring=keyring("XC"), peer=load_peer("XB")))
    with pytest.raises(CarriedFormError, match="not in use here"):
        at_xa(folder / "old")


def test_no_file_is_written_over_and_nothing_changes(folder: Path) -> None:
    post_alerts(1)
    (folder / "there").write_text("something else")
    with pytest.raises(CarriedFormError, match="there already"):
        to_xa(folder / "there")
    with pytest.raises(CarriedFormError, match="cannot be written"):
        to_xa(folder / "no folder" / "there")
    assert (folder / "there").read_text() == "something else"
    with pytest.raises(CarriedFormError, match="cannot be read"):
        at_xa(folder / "nothing")


def test_more_than_a_file_holds_goes_into_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.exchange.carrying.FILE_BYTES", 1024 * 1024 + 150_000)
    post_alerts(400)
    first = to_xa(folder / "one")
    assert 0 < first.envelopes < 4
    at_xa(folder / "one")
    back_to_xc(folder / "back")
    at_xc(folder / "back")
    while to_xa(folder / f"file {InboxMessage.objects.count()}").envelopes:
        at_xa(sorted(folder.glob("file *"), key=lambda path: path.stat().st_mtime_ns)[-1])
        back_to_xc(folder / f"back {InboxMessage.objects.count()}")
        at_xc(folder / f"back {InboxMessage.objects.count()}")
    assert set(states()) == {"delivered"}
    assert InboxMessage.objects.count() == 400


def test_who_may(folder: Path) -> None:
    nobody = Actor(ActorKind.OFFICER, "eve", "XC", frozenset())
    with pytest.raises(PermissionRefusedError):
        export_file(nobody, keyring=keyring("XC"), administration="XA", target=folder / "x", at=AT)
    with pytest.raises(PermissionRefusedError):
        import_file(nobody, receiver=receiver("XA"), source=folder / "x", at=AT)
    with pytest.raises(PermissionRefusedError):
        set_partner_way(nobody, administration="XA", way="file", at=AT)


def run(*words: str, group=exchange) -> Result:  # type: ignore[no-untyped-def]  # a click group
    return CliRunner().invoke(group, words)


def test_the_commands(folder: Path) -> None:
    result = run("way", "xc", "file", "--collect-from", group=partner)
    assert result.output == "XC: file, we collect\n"
    assert "file, we collect" in run("list", group=partner).output
    assert "file, we collect" in run("show", "XC", group=partner).output
    assert run("way", "xc", "collect", "--no-collect-from", group=partner).output == "XC: collect\n"
    shown = run("export", "xc", str(folder / "there"))
    assert shown.exit_code == 0, shown.exception
    assert "0 envelopes, 0 answers" in shown.output
    post_alerts(1)
    names = FileNames("XC", "XA", "0195aaaa-0000-7000-8000-000000000001", AT)
    own = load_peer("XA")
    assert own.fingerprint != settings.COMITY_KEYRING.key_document.fingerprint
    (folder / "in").write_bytes(write_file(names, PartList(), keyring=keyring("XC"), peer=own))
    refused = run("import", str(folder / "in"))
    assert isinstance(refused.exception, CarriedFormError)


def test_many_envelopes_and_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken group by group; what does not fit of the answers goes into the next file."""
    monkeypatch.setattr("comity.exchange.carrying._GROUP", 2)
    monkeypatch.setattr("comity.exchange.carrying._ANSWER_BYTES", 6000)
    post_alerts(600)
    to_xa(folder / "there")
    assert at_xa(folder / "there").envelopes == 5
    files, answers = 0, 0
    while CarriedAnswer.objects.exists():
        files += 1
        answers += back_to_xc(folder / f"back {files}").answers
        at_xc(folder / f"back {files}")
    assert (answers, files > 1) == (5, True)
    assert set(states()) == {"delivered"}
