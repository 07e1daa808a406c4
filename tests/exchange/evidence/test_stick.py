"""Files on a stick: whole, in parts, damaged, found by somebody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from pytest_django import Settings

from comity.cli.evidence import evidence
from comity.exchange.errors import PartnerStateError
from comity.exchange.evidence import EvidenceError, Folder, Prepared, StickRead, offer, read_stick, write_stick
from comity.exchange.evidence.carrying import export_marks
from comity.exchange.evidence.stick import MARK, MARKS_TYPE
from comity.exchange.models import EvidenceIn, EvidenceOut, Partner
from comity.staff import PermissionRefusedError
from comity.trust import canonical_json, sign_statement
from tests.exchange.cast import ANA, AT, CHIPO, keyring
from tests.exchange.evidence.cast import awaited, content, message_id, prepared, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(theirs: Folder, tmp_path: Path) -> Prepared:
    """A file of six chunks that XC offers to XA; both ends share this database."""
    found = prepared(theirs, content(5.5), tmp_path)
    offer(found, message_id=message_id(1), at=AT)
    return found


def written(theirs: Folder, target: Path, most_bytes: int = 0) -> int:
    keys = keyring("XC")
    return write_stick(
        CHIPO, folder=theirs, keyring=keys, partner="XA", target=target, at=AT, most_bytes=most_bytes
    ).chunks


def taken(ours: Folder, source: Path) -> StickRead:
    return read_stick(ANA, folder=ours, keyring=keyring("XA"), source=source, at=AT)


def test_there_and_back(ours: Folder, theirs: Folder, made: Prepared, tmp_path: Path) -> None:
    awaited(made)
    assert written(theirs, tmp_path / "1", most_bytes=13_000) == 3
    assert taken(ours, tmp_path / "1").chunks.taken == 3
    write_stick(ANA, folder=ours, keyring=keyring("XA"), partner="XC", target=tmp_path / "back", at=AT)
    assert read_stick(CHIPO, folder=theirs, keyring=keyring("XC"), source=tmp_path / "back", at=AT).news == 1
    assert written(theirs, tmp_path / "2") == 3
    assert taken(ours, tmp_path / "2").chunks.taken == 3
    assert row().state == EvidenceIn.State.COMPLETE
    assert b"".join(ours.read_proved(made.notice.sha256)) == content(5.5)


def test_a_damaged_stick_keeps_what_came_before_the_damage(
    ours: Folder, theirs: Folder, made: Prepared, tmp_path: Path
) -> None:
    awaited(made)
    written(theirs, tmp_path / "1")
    whole = (tmp_path / "1").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) - 6000])
    with pytest.raises(EvidenceError, match="breaks off"):
        taken(ours, tmp_path / "cut")
    assert row().have_chunks == 4
    assert taken(ours, tmp_path / "1").chunks.known == 4
    assert row().state == EvidenceIn.State.COMPLETE


def test_garbage_is_no_stick(ours: Folder, made: Prepared, theirs: Folder, tmp_path: Path) -> None:
    written(theirs, tmp_path / "1")
    whole = (tmp_path / "1").read_bytes()
    head = whole[: whole.index(b"M", 20)]
    for bad in (
        b"",
        b"comity evidence 2\n",
        b"comity evidence 1\n{",
        head,
        head + b"M\x00\x00",
        head + b"M\xff\xff\xff\xff",
        head + b"C" + (0).to_bytes(4, "big"),
        whole.replace(b'"recipient":"XA"', b'"recipient":"XB"', 1),
        whole.replace(b'"sender":"XC"', b'"sender":"XB"', 1),
    ):
        (tmp_path / "bad").write_bytes(bad)
        with pytest.raises(EvidenceError):
            taken(ours, tmp_path / "bad")


def test_marks_that_the_partner_did_not_sign_change_nothing(theirs: Folder, made: Prepared, tmp_path: Path) -> None:
    EvidenceIn.objects.all().delete()
    awaited(made)
    EvidenceIn.objects.update(have_chunks=6)
    payload = {"sender": "XA", "recipient": "XC", "marks": [each.hex() for each in export_marks("XC")]}
    forged = sign_statement(MARKS_TYPE, canonical_json(payload), keyring("XB").signing).to_bytes()
    part = b"M" + len(forged).to_bytes(4, "big") + forged
    (tmp_path / "back").write_bytes(MARK + b'{"recipient":"XC","sender":"XA"}\n' + part)
    with pytest.raises(EvidenceError, match="signature"):
        read_stick(CHIPO, folder=theirs, keyring=keyring("XC"), source=tmp_path / "back", at=AT)
    assert EvidenceOut.objects.get().sent_chunks == 0


def test_a_stick_is_for_partners_and_officers_who_may(
    ours: Folder, theirs: Folder, made: Prepared, tmp_path: Path
) -> None:
    written(theirs, tmp_path / "1")
    with pytest.raises(EvidenceError, match="cannot be written"):
        written(theirs, tmp_path / "1")
    with pytest.raises(PermissionRefusedError):
        read_stick(replace(ANA, roles=frozenset()), folder=ours, keyring=keyring("XA"), source=tmp_path / "1", at=AT)
    with pytest.raises(EvidenceError, match="cannot be read"):
        taken(ours, tmp_path / "none")
    Partner.objects.filter(administration="XC").update(state="suspended")
    with pytest.raises(PartnerStateError):
        taken(ours, tmp_path / "1")


def test_the_commands(ours: Folder, theirs: Folder, made: Prepared, tmp_path: Path, settings: Settings) -> None:
    settings.COMITY_KEYRING, settings.COMITY_EVIDENCE, settings.COMITY_ADMINISTRATION = keyring("XC"), theirs.root, "XC"
    out = CliRunner().invoke(evidence, ["export", "XA", str(tmp_path / "stick")])
    assert "6 chunks for XA" in out.output, out.exception
    settings.COMITY_KEYRING, settings.COMITY_EVIDENCE, settings.COMITY_ADMINISTRATION = keyring("XA"), ours.root, "XA"
    assert "6 chunks cannot be placed yet" in CliRunner().invoke(evidence, ["import", str(tmp_path / "stick")]).output
    awaited(made)
    assert "6 chunks taken" in CliRunner().invoke(evidence, ["import", str(tmp_path / "stick")]).output
