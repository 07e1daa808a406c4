"""The table of checks, in the order of docs/protocol.md, and how they are run."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comity.cli.conformance import introduction, proofs, receiving
from comity.cli.conformance.tester import NotConformingError, Tester
from comity.common import ComityError


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to try. name: stable, for programs. step: of docs/protocol.md."""

    name: str
    step: str
    title: str
    run: Callable[[Tester], str]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check. detail: what was seen, or what is wrong."""

    check: Check
    is_ok: bool
    detail: str


CHECKS: tuple[Check, ...] = (
    Check("invitation_form", "I1", "The invitation has its form", introduction.invitation_form),
    Check("invitation_signed", "I2", "The invitation and its key document are signed", introduction.invitation_signed),
    Check("tls", "§6", "The port speaks TLS 1.3 under its own authority", introduction.tls),
    Check("old_tls", "§6", "TLS 1.2 is not spoken", introduction.old_tls),
    Check("no_certificate", "§6", "Without a certificate nobody is answered", introduction.no_certificate),
    Check("strangers_certificate", "§6", "With a stranger's certificate neither", introduction.strangers_certificate),
    Check("no_other_path", "§6", "Another path is not there", introduction.no_other_path),
    Check("position", "§6", "The position is told", introduction.position),
    Check("refusal_signed", "§3", "A refusal is signed for exactly these bytes", introduction.refusal_signed),
    Check("too_large", "R1", "Beyond 8 MiB: 413", introduction.too_large),
    Check("not_an_envelope", "R1", "What is no envelope is refused", receiving.not_an_envelope),
    Check("wrong_protocol", "R2", "Another protocol is refused", receiving.wrong_protocol),
    Check("another_sender", "R2", "Nobody speaks for another", receiving.another_sender),
    Check("wrong_recipient", "R3", "An envelope for another is refused", receiving.wrong_recipient),
    Check("unknown_key", "R3", "A key that is not in use is refused", receiving.unknown_key),
    Check("changed_body", "R4", "A changed byte of the body does not open", receiving.changed_body),
    Check("changed_line", "R4", "A changed byte of the clear line does not open", receiving.changed_line),
    Check("wrong_signature", "R5", "Another's signature is refused", receiving.wrong_signature),
    Check("wrong_count", "R6", "A wrong count is refused", receiving.wrong_count),
    Check("wrong_root", "R6", "A wrong root is refused", receiving.wrong_root),
    Check("duplicate", "R7", "A duplicate gets the very same bytes", receiving.duplicate),
    Check("resealed", "R7", "Sealed anew, too", receiving.resealed),
    Check("envelope_reused", "R7", "Another envelope under its id is refused", receiving.envelope_reused),
    Check("gap", "R7", "A gap is named, and filled", receiving.gap),
    Check("accepted", "R8", "What is right is accepted", receiving.accepted),
    Check("unknown_fields", "R8", "Unknown fields are kept", receiving.unknown_fields),
    Check("not_a_message", "R8", "What is no message is refused", receiving.not_a_message),
    Check("message_ends", "R8", "A message for another is refused", receiving.message_ends),
    Check("foreign_origin", "R8", "Nobody speaks as another", receiving.foreign_origin),
    Check("expired", "R8", "An expired message is refused", receiving.expired),
    Check("from_the_future", "R8", "A message of the future is refused", receiving.from_the_future),
    Check("unknown_kind", "R8", "An unknown kind is refused by name", receiving.unknown_kind),
    Check("wrong_body", "R8", "A wrong body is refused", receiving.wrong_body),
    Check("one_refused", "R8", "A refused message does not hold up the others", receiving.one_refused),
    Check("unknown_agreement", "R9", "An agreement that nobody adopted is refused", receiving.unknown_agreement),
    Check("message_again", "R10", "A message that comes again gets its first answer", receiving.message_again),
    Check("message_reused", "R10", "Another message under its id is refused", receiving.message_reused),
    Check("signed", "R11", "The receipt is signed", proofs.signed),
    Check("names", "R11", "The receipt names what it answers", proofs.names),
    Check("proved", "R11", "The receipt stands in the log", proofs.proved),
    Check("salted", "R11", "The log does not tell what was answered", proofs.salted),
    Check("consistent", "R11", "The log continues what was known of it", proofs.consistent),
    Check("cosigned", "R11", "Our checkpoint comes back cosigned", proofs.cosigned),
)  # fmt: skip


def run_checks(tester: Tester) -> Iterator[Result]:
    """Every check, one after the other. Each stands by itself: none fails because another did."""
    for check in CHECKS:
        try:
            yield Result(check, is_ok=True, detail=check.run(tester))
        except NotConformingError as error:
            yield Result(check, is_ok=False, detail=error.what)
        except (OSError, http.client.HTTPException, ComityError) as error:
            yield Result(check, is_ok=False, detail=f"{type(error).__name__}: {error}")
