"""Steps R1 to R12, one check each: an envelope that is right or wrong in one thing, and what must be answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from comity.cli.conformance.tester import How, Message, NotConformingError, Tester
from comity.common import new_id, show_instant
from comity.exchange.canonical import write_canonical
from comity.exchange.receipt import Answer
from comity.trust import SigningKey, sha256_hex


def not_an_envelope(tester: Tester) -> str:
    """R1."""
    return tester.post(b"x" * 2000).require(422, "bad_form")


def wrong_protocol(tester: Tester) -> str:
    """R2."""
    sealing = tester.seal([tester.message()])
    data = sealing.data.replace(b"comity/envelope/1", b"comity/envelope/9", 1)
    return tester.post(data).require(422, "wrong_protocol")


def another_sender(tester: Tester) -> str:
    """R2: whose certificate it is, he speaks for; not for the node itself, nor for anybody else."""
    line = write_canonical(
        {
            "protocol": "comity/envelope/1",
            "sender": "QM" if tester.keyring.administration != "QM" else "QN",
            "recipient": tester.keys.administration,
            "envelope": str(new_id(tester.at())),
            "key": tester.keys.active_encryption_keys(tester.at())[0].keyid,
        }
    )
    answer = tester.post(line + b"\n" + bytes(100))
    if answer.status != 422 or answer.code not in {"not_your_certificate", "unknown_sender"}:
        raise NotConformingError(f"answered {answer.status} {answer.code}")
    return f"422 {answer.code}"


def wrong_recipient(tester: Tester) -> str:
    """R3."""
    other = "QM" if tester.keys.administration != "QM" else "QN"
    _, answer = tester.send(
        tester.message(recipient=other), how=How(changes=lambda contents: replace(contents, recipient=other))
    )
    return answer.require(422, "wrong_recipient")


def unknown_key(tester: Tester) -> str:
    """R3."""
    sealing = tester.seal([tester.message()])
    keyid = tester.keys.active_encryption_keys(tester.at())[0].keyid.encode()
    other = bytes(each ^ 1 if chr(each).isdigit() else each for each in keyid)
    return tester.post(sealing.data.replace(keyid, other, 1)).require(422, "unknown_key")


def changed_body(tester: Tester) -> str:
    """R4: one byte of the sealed body."""
    data = bytearray(tester.seal([tester.message()]).data)
    data[-1] ^= 1
    return tester.post(bytes(data)).require(422, "cannot_open")


def changed_line(tester: Tester) -> str:
    """R4: one byte of the clear line, which is the seal's info."""
    sealing = tester.seal([tester.message()])
    name = sealing.contents.envelope.encode()
    other = name[:-1] + (b"0" if name[-1:] != b"0" else b"1")
    return tester.post(sealing.data.replace(name, other, 1)).require(422, "cannot_open")


def wrong_signature(tester: Tester) -> str:
    """R5."""
    _, answer = tester.send(tester.message(), how=How(signer=SigningKey.generate()))
    return answer.require(422, "wrong_signature")


def wrong_count(tester: Tester) -> str:
    """R6."""
    _, answer = tester.send(tester.message(), how=How(changes=lambda contents: replace(contents, count=2)))
    return answer.require(422, "mismatch")


def wrong_root(tester: Tester) -> str:
    """R6."""
    root = sha256_hex(b"another tree")
    _, answer = tester.send(tester.message(), how=How(changes=lambda contents: replace(contents, root=root)))
    return answer.require(422, "wrong_root")


def duplicate(tester: Tester) -> str:
    """R7: the very same bytes again, over another connection."""
    sealing, first = tester.send(tester.message())
    first.sealed()
    if tester.post(sealing.data).body != first.body:
        raise NotConformingError("the same envelope got another answer")
    return "the very same bytes"


def resealed(tester: Tester) -> str:
    """R7 after S5: other bytes of the same envelope get the very same bytes."""
    sealing, first = tester.send(tester.message())
    first.sealed()
    again = tester.post(tester.reseal(sealing.contents, sealing.statement, sealing.messages))
    if again.body != first.body:
        raise NotConformingError("the envelope that was sealed anew got another answer")
    return "the very same bytes"


def envelope_reused(tester: Tester) -> str:
    """R7."""
    sealing, first = tester.send(tester.message())
    first.sealed()
    _, answer = tester.send(tester.message(), how=How(envelope=sealing.contents.envelope))
    return answer.require(422, "envelope_reused")


def gap(tester: Tester) -> str:
    """§3 and §6: what is missing is named in the receipt and in the position, and filled by what comes late."""
    missing = tester.next_sequence
    _, answer = tester.send(tester.message(), how=How(first_sequence=missing + 1))
    said, island = answer.receipt().missing, tester.position()
    if (
        (missing, missing) not in said
        or island.contiguous != missing - 1
        or (missing + 1, missing + 1) not in (island.islands)
    ):
        raise NotConformingError(f"the gap at {missing} is answered by missing {said}, position {island}")
    tester.send(tester.message())
    tester.next_sequence = missing + 2
    if tester.position().contiguous != missing + 1:
        raise NotConformingError("the gap was filled and the position does not say so")
    return f"{missing} was missing, and came"


def accepted(tester: Tester) -> str:
    """R8 to R12: what a partner may always send is taken."""
    answer = _answer_to(tester, tester.message())
    if not answer.accepted:
        raise NotConformingError(f"an honest probe/1 is refused: {answer.code} {answer.text}")
    return "accepted"


def unknown_fields(tester: Tester) -> str:
    """§3: unknown fields are kept: the message is taken, and answered by the hash of all its bytes."""
    message = tester.message(x_conformance="a field of tomorrow")
    answer = _answer_to(tester, message)
    if not answer.accepted or answer.sha256 != sha256_hex(write_canonical(message)):
        raise NotConformingError(f"{answer.code} {answer.text}".strip() or "answered for other bytes")
    return "taken, with its hash"


def not_a_message(tester: Tester) -> str:
    """R8: form."""
    answer = _answer_to(tester, b'{"kind": "probe/1"}')
    return _refused(answer, "bad_message")


def message_ends(tester: Tester) -> str:
    """R8: ends."""
    return _refused(_answer_to(tester, tester.message(recipient="QM")), "bad_message")


def foreign_origin(tester: Tester) -> str:
    """§3: origin must be the sender, where nothing shows another's signature."""
    return _refused(_answer_to(tester, tester.message(origin="QM")), "")


def expired(tester: Tester) -> str:
    """R8: times."""
    at = tester.at()
    message = tester.message(
        created=show_instant(at - timedelta(days=2)), valid_until=show_instant(at - timedelta(days=1))
    )
    return _refused(_answer_to(tester, message), "expired")


def from_the_future(tester: Tester) -> str:
    """R8: times."""
    at = tester.at() + timedelta(days=3)
    message = tester.message(created=show_instant(at), valid_until=show_instant(at + timedelta(days=1)))
    return _refused(_answer_to(tester, message), "created_in_future")


def unknown_kind(tester: Tester) -> str:
    """R8: an unknown kind is refused by name."""
    answer = _answer_to(tester, tester.message(kind="conformance/9"))
    said = _refused(answer, "unknown_kind")
    if "conformance/9" not in answer.text:
        raise NotConformingError("the refusal does not name the kind")
    return said


def wrong_body(tester: Tester) -> str:
    """R8: body."""
    return _refused(_answer_to(tester, tester.message(body={"nonsense": 1})), "")


def unknown_agreement(tester: Tester) -> str:
    """R9."""
    message = tester.message(kind="alert/1", agreement=sha256_hex(b"nobody signed this"), article="1", body=_ALERT)
    return _refused(_answer_to(tester, message), "unknown_agreement")


def one_refused(tester: Tester) -> str:
    """R8: a refused message does not hold up the others."""
    _, answer = tester.send(tester.message(kind="conformance/9"), tester.message())
    said = [each.accepted for each in answer.receipt().answers]
    if said != [False, True]:
        raise NotConformingError(f"a wrong and a right message are answered by {said}")
    return "refused, accepted"


def message_again(tester: Tester) -> str:
    """R10: a message in another envelope gets its first answer again."""
    message = tester.message()
    first, again = _answer_to(tester, message), _answer_to(tester, message)
    if first != again:
        raise NotConformingError(f"the same message got another answer: {again.code or 'accepted'}")
    return "its first answer"


def message_reused(tester: Tester) -> str:
    """R10: another message under its id is refused."""
    message = tester.message()
    _answer_to(tester, message)
    return _refused(_answer_to(tester, {**message, "body": dict(tester.body())}), "message_reused")


_ALERT: Message = {
    "ref": "CONFORMANCE-1",
    "issuer": "QM",
    "category": "commodities",
    "title": "Conformance",
    "risk_type": "other",
    "issued_at": "2026-01-01T00:00:00Z",
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_until": "2099-01-01T00:00:00Z",
}


def _answer_to(tester: Tester, message: Message | bytes) -> Answer:
    _, answer = tester.send(message)
    answers = answer.receipt().answers
    if len(answers) != 1:
        raise NotConformingError(f"{len(answers)} answers to one message")
    return answers[0]


def _refused(answer: Answer, code: str) -> str:
    if answer.accepted:
        raise NotConformingError("it was accepted")
    if code and answer.code != code:
        raise NotConformingError(f"refused with {answer.code}, expected {code}")
    return f"refused: {answer.code}"
