"""Signed notes, checkpoints and cosignatures: published logs, a second implementation, bad input."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint

from comity.trust.errors import KeyRefusedError, NoteError
from comity.trust.keys import SigningKey
from comity.trust.merkle import EMPTY_ROOT
from comity.trust.notes import (
    MAX_SIGNATURES,
    Checkpoint,
    LogSigner,
    LogVerifier,
    NoteKind,
    NoteSignature,
    add_signatures,
    cosign,
    from_base64,
    open_checkpoint,
    open_note,
    parse_decimal,
    sign_note,
    split_note,
    to_base64,
)

LOG = LogSigner("alfa.example/log", SigningKey.from_seed(b"a" * 32))
WITNESS = LogSigner("bravo.example/witness", SigningKey.from_seed(b"b" * 32), NoteKind.COSIGNATURE)
TEXT = Checkpoint(LOG.name, 7, b"\7" * 32).text
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOTE = sign_note(TEXT, LOG, WITNESS, at=AT)

# The example of C2SP tlog-cosignature: a checkpoint with the log's signature and a witness's.
EXAMPLE = (Path(__file__).parents[1] / "vectors" / "merkle" / "cosigned.note").read_text()


def test_the_specifications_example_reads_and_writes_back() -> None:
    text, signatures = split_note(EXAMPLE)
    checkpoint = Checkpoint.parse(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.text == text
    assert text + "\n" + "".join(each.line for each in signatures) == EXAMPLE
    assert int.from_bytes(signatures[1].signature[:8], "big") == 1_679_315_147


def test_a_published_log_opens_with_its_published_key(shared_data: Path) -> None:
    """The test log of transparency-dev/tessera: signing its texts again gives the same bytes."""
    folder = shared_data / "vectors" / "tessera_log"
    published = base64.b64decode("AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")
    log = LogSigner("example.com/log/testdata", SigningKey.from_seed(published[1:]))
    assert log.verifier.key_id.hex() == "33d7b496"
    for file in sorted(folder.glob("checkpoint*")):
        note = file.read_text()
        checkpoint, _ = open_checkpoint(note, log.verifier)
        assert sign_note(checkpoint.text, log, at=AT) == note


def test_keys_and_signatures_of_a_second_implementation() -> None:
    theirs = PlainEd25519Signer(LOG.name, LOG.key.seed)
    assert theirs.vkey.serialize() == LOG.vkey
    note = TheirCheckpoint.make_signed(LOG.name, 7, b"\7" * 32, [theirs]).serialize()
    assert note == sign_note(TEXT, LOG, at=AT)
    for each in (LOG, WITNESS):
        TheirCheckpoint.from_text(NOTE).verify(Vkey.from_string(each.vkey))


def test_a_note_says_who_signed_it_and_when() -> None:
    stranger = LogVerifier("chipo.example/log", SigningKey.from_seed(b"c" * 32).verify_key)
    opened = open_note(NOTE, [LOG.verifier, WITNESS.verifier, stranger])
    assert opened.text == TEXT
    assert opened.signed_by == {LOG.vkey: None, WITNESS.vkey: int(AT.timestamp())}
    assert open_note(NOTE, [WITNESS.verifier]).signed_by == {WITNESS.vkey: int(AT.timestamp())}
    with pytest.raises(NoteError, match="No trusted key"):
        open_note(NOTE, [stranger])


def test_verifier_keys_read_back() -> None:
    for signer in (LOG, WITNESS):
        assert LogVerifier.from_vkey(signer.vkey) == signer.verifier
    assert LogVerifier.from_vkey(WITNESS.vkey).kind is NoteKind.COSIGNATURE


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "alfa.example",
        "alfa.example+00000000",
        "alfa.example+00000000+AA==",
        LOG.vkey.replace("alfa", "bravo"),
        LOG.vkey[:-4] + "AAAA",
        LOG.vkey + "=",
        "a b+00000000+" + to_base64(b"\1" + LOG.key.verify_key.raw),
        "+00000000+" + to_base64(b"\1" + LOG.key.verify_key.raw),
        "x+00000000+" + to_base64(b"\2" + LOG.key.verify_key.raw),
        "a\0b+00000000+" + to_base64(b"\1" + LOG.key.verify_key.raw),
    ],
)
def test_a_bad_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises((NoteError, KeyRefusedError)):
        LogVerifier.from_vkey(vkey)


def test_a_weak_key_is_refused() -> None:
    with pytest.raises(KeyRefusedError):
        LogVerifier.from_vkey("x+00000000+" + to_base64(b"\1" + bytes(32)))


def test_a_signature_over_another_text_is_refused() -> None:
    other = NOTE.replace("\n7\n", "\n8\n")
    for verifier in (LOG.verifier, WITNESS.verifier):
        with pytest.raises(NoteError, match="wrong"):
            open_note(other, [verifier])


def test_a_signature_under_another_name_is_not_counted() -> None:
    renamed = NOTE.replace("— alfa.example", "— chipo.example")
    with pytest.raises(NoteError, match="No trusted key"):
        open_note(renamed, [LOG.verifier])


def test_a_cosignature_binds_its_time() -> None:
    mine = NoteSignature.parse(split_note(NOTE)[1][1].line[:-1])
    later = (int(AT.timestamp()) + 1).to_bytes(8, "big") + mine.signature[8:]
    with pytest.raises(NoteError, match="wrong"):
        WITNESS.verifier.verify(TEXT, NoteSignature(mine.name, mine.key_id, later))
    never = (1 << 63).to_bytes(8, "big") + mine.signature[8:]
    for signature in (never, mine.signature[:-1], mine.signature + b"\0"):
        with pytest.raises(NoteError, match="length or time"):
            WITNESS.verifier.verify(TEXT, NoteSignature(mine.name, mine.key_id, signature))


def test_one_key_may_stand_twice_and_the_latest_time_counts() -> None:
    later = WITNESS.sign(TEXT, AT + timedelta(hours=1))
    for lines in ([later], [later, later]):
        opened = open_note(add_signatures(NOTE, lines), [LOG.verifier, WITNESS.verifier])
        assert opened.signed_by[WITNESS.vkey] == int(AT.timestamp()) + 3600
        assert len(split_note(add_signatures(NOTE, lines))[1]) == 3


def test_only_checkpoints_are_cosigned() -> None:
    with pytest.raises(NoteError, match="three lines"):
        WITNESS.sign("a letter\n", AT)
    signed = sign_note("a letter\n", LOG, at=AT)
    assert open_note(signed, [LOG.verifier]).text == "a letter\n"
    line = NoteSignature(WITNESS.name, WITNESS.verifier.key_id, bytes(72)).line
    with pytest.raises(NoteError, match="three lines"):
        open_note(signed + line, [WITNESS.verifier])


def test_a_checkpoint_must_be_signed_by_its_own_log() -> None:
    assert open_checkpoint(NOTE, LOG.verifier, [WITNESS.verifier])[0] == Checkpoint(LOG.name, 7, b"\7" * 32)
    foreign = sign_note(Checkpoint("other.example/log", 7, b"\7" * 32).text, LOG, at=AT)
    with pytest.raises(NoteError, match="not one that this log signed"):
        open_checkpoint(foreign, LOG.verifier)
    unsigned = sign_note(TEXT, WITNESS, at=AT)
    with pytest.raises(NoteError, match="not one that this log signed"):
        open_checkpoint(unsigned, LOG.verifier, [WITNESS.verifier])


def test_cosign_checks_the_log_first() -> None:
    assert (
        add_signatures(sign_note(TEXT, LOG, at=AT), [cosign(NOTE, log=LOG.verifier, cosigner=WITNESS, at=AT)]) == NOTE
    )
    with pytest.raises(NoteError):
        cosign(sign_note(TEXT, WITNESS, at=AT), log=LOG.verifier, cosigner=WITNESS, at=AT)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n\n\n",
        TEXT + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("7\n", "7\r\n"),
        NOTE + "— x !!!\n",
        NOTE + "— x AAAA\n",
        NOTE + "— x+y AAAAAAAA\n",
        NOTE + "— x AAAAAAB=\n",
        NOTE + "\ud800",
        NOTE + "x" * 70_000,
        TEXT + "\n" + split_note(NOTE)[1][0].line * (MAX_SIGNATURES + 1),
    ],
)
def test_a_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(NoteError):
        open_note(note, [LOG.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n7\n",
        "\n7\n" + to_base64(EMPTY_ROOT) + "\n",
        "log\n7\n" + to_base64(EMPTY_ROOT),
        "log\n7\n" + to_base64(EMPTY_ROOT) + "\nextension\n",
        "log\n07\n" + to_base64(EMPTY_ROOT) + "\n",
        "log\n+7\n" + to_base64(EMPTY_ROOT) + "\n",
        "log\n٧\n" + to_base64(EMPTY_ROOT) + "\n",
        "log\n²\n" + to_base64(EMPTY_ROOT) + "\n",
        "log\n" + "9" * 5000 + "\n" + to_base64(EMPTY_ROOT) + "\n",
        f"log\n{1 << 63}\n" + to_base64(EMPTY_ROOT) + "\n",
        "log\n7\n" + to_base64(EMPTY_ROOT[:-1]) + "\n",
        "log\n7\n" + to_base64(EMPTY_ROOT)[:-2] + "V=\n",
        "log\n7\n" + to_base64(EMPTY_ROOT)[:-1] + "\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (split_note, Checkpoint.parse, LogVerifier.from_vkey, NoteSignature.parse, from_base64, parse_decimal):
        try:
            read(text)
        except NoteError:
            continue


@settings(deadline=None)
@given(st.integers(0, (1 << 63) - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_read_back(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("log.example/ü", size, root)
    assert Checkpoint.parse(checkpoint.text) == checkpoint
