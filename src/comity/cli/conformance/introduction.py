"""Steps I1 and I2, and §6: the invitation, and who may speak on the port."""

from __future__ import annotations

import http.client
import json
import ssl

from comity.cli.conformance.tester import NotConformingError, Tester
from comity.common import ComityError
from comity.exchange.invitation import INVITATION_TYPE, read_invitation
from comity.exchange.receipt import REFUSAL_TYPE, read_refusal
from comity.exchange.transports.https.contexts import client_context
from comity.exchange.transports.https.paths import ENVELOPES_PATH, POSITION_PATH, PROBLEM_MEDIA_TYPE
from comity.trust import SignedStatement, make_keyring, sha256_hex, verify_statement

_TOO_LARGE = 8 * 1024 * 1024 + 1


def invitation_form(tester: Tester) -> str:
    """I1."""
    statement = SignedStatement.from_bytes(tester.invitation.strip())
    if statement.payload_type != INVITATION_TYPE:
        raise NotConformingError(f"the payload type is {statement.payload_type}")
    missing = {"administration", "endpoint", "note", "keys"} - set(json.loads(statement.payload))
    if missing:
        raise NotConformingError(f"the invitation lacks {', '.join(sorted(missing))}")
    return f"{tester.keys.administration}, key document version {tester.keys.version}"


def invitation_signed(tester: Tester) -> str:
    """I2."""
    try:
        invitation = read_invitation(tester.invitation, at=tester.at())
    except ComityError as error:
        raise NotConformingError(str(error)) from error
    return f"fingerprint {invitation.keys.fingerprint}"


def tls(tester: Tester) -> str:
    """The handshake holds against the authority in the key document, with TLS 1.3."""
    answer = tester.ask("GET", f"{POSITION_PATH}?sender={tester.keyring.administration}")
    return f"TLS 1.3, certificate of the authority in the key document, {answer.status}"


def no_certificate(tester: Tester) -> str:
    """Nobody is answered without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=tester.keys.tls_authority_pem)
    return _turned_away(tester, context)


def strangers_certificate(tester: Tester) -> str:
    """Nobody is answered with a certificate of nobody's authority."""
    code = tester.keyring.administration
    stranger = make_keyring(code, "A stranger", "https://127.0.0.1:1", ["127.0.0.1"], tester.at())
    return _turned_away(tester, client_context(stranger, tester.keys.tls_authority_pem))


def old_tls(tester: Tester) -> str:
    """TLS 1.2 is not spoken."""
    context = tester.context
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return _turned_away(tester, context)


def no_other_path(tester: Tester) -> str:
    """What the protocol does not name is not there."""
    answer = tester.ask("GET", "/")
    if answer.status != 404:
        raise NotConformingError(f"GET / is answered by {answer.status}")
    return "404"


def too_large(tester: Tester) -> str:
    """R1: an envelope beyond 8 MiB is refused by its size, not by a broken line."""
    answer = tester.ask("POST", ENVELOPES_PATH, bytes(_TOO_LARGE))
    return answer.require(413, "too_large")


def refusal_signed(tester: Tester) -> str:
    """§3: a refusal is a problem document with a statement of the node about exactly these bytes."""
    data = b"not an envelope"
    answer = tester.post(data)
    if answer.kind != PROBLEM_MEDIA_TYPE:
        raise NotConformingError(f"the media type is {answer.kind}")
    refusal = read_refusal(answer.body)
    if refusal is None:
        raise NotConformingError("the refusal carries no signed statement")
    try:
        verify_statement(refusal.statement, tester.keys.active_signing_keys(tester.at()), payload_type=REFUSAL_TYPE)
    except ComityError as error:
        raise NotConformingError(str(error)) from error
    if refusal.sha256 != sha256_hex(data):
        raise NotConformingError("the refusal names other bytes")
    return f"signed: {refusal.code}"


def position(tester: Tester) -> str:
    """§6: how far our sequence has arrived."""
    return f"contiguous {tester.position().contiguous}"


def _turned_away(tester: Tester, context: ssl.SSLContext) -> str:
    try:
        answer = tester.ask("GET", f"{POSITION_PATH}?sender={tester.keyring.administration}", context=context)
    except (OSError, http.client.HTTPException) as error:
        return f"turned away: {type(error).__name__}"
    if answer.status != 403:
        raise NotConformingError(f"answered {answer.status}, expected a failed handshake or 403")
    return "403"
