"""Writes of this room: agreements imported, signed and adopted; sharing permitted or refused."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from comity.agreements.bodies import Asking
from comity.agreements.duties import DUTY_PURPOSE, PROTOCOL, DutyAsked
from comity.agreements.errors import AdoptionRefusedError, AgreementFormError, SharingRefusedError
from comity.agreements.incoming import Incoming, judge_incoming
from comity.agreements.lint import Gravity, look_over
from comity.agreements.models import AgreementRow, AgreementSignatureRow, DecisionReceiptRow
from comity.agreements.parsing import agreement_from_bytes, parse_agreement
from comity.agreements.receipts import receipt_bytes
from comity.agreements.release import Answer, Release, release_duty, release_under
from comity.agreements.selectors import (
    PAYLOAD_TYPE,
    DecisionReceipt,
    StoredAgreement,
    adopted_agreement,
    agreement_row,
    engine,
    engine_of,
    receipt_of,
    stored_of,
)
from comity.agreements.values import Agreement, Decision, SharingRequest
from comity.common import Actor, new_id
from comity.staff.rules import Permission, require
from comity.staff.services import record_deed
from comity.trade import Handling
from comity.trust import (
    SignatureError,
    SignedStatement,
    Signer,
    VerifyKey,
    sha256_hex,
    sign_statement,
    verify_statement,
)

SENT = "sent"
RECEIVED = "received"


@transaction.atomic
def import_agreement(actor: Actor, *, data: bytes, at: datetime) -> StoredAgreement:
    """Store the agreement in this YAML as a draft; one that is stored already stays as it is.

    Raises: PermissionRefusedError, AgreementFormError also where an article cannot work as written (see lint).
    """
    require(actor, Permission.MANAGE_AGREEMENTS)
    agreement = parse_agreement(data)
    for remark in look_over(agreement):
        if remark.gravity is Gravity.ERROR:
            raise AgreementFormError(
                remark.text, where=f"article {remark.article_id}", remedy="See `comity agreement check` for all errors."
            )
    row = _store(agreement, source=data, at=at)
    _deed(actor, "import_agreement", row, at)
    return stored_of(row, at=at)


@transaction.atomic
def sign_agreement(actor: Actor, *, agreement_id: str, key: Signer, at: datetime) -> StoredAgreement:
    """Sign the canonical bytes for the actor's administration; the value's statement is what the others need.

    Raises: PermissionRefusedError, UnknownAgreementError, AdoptionRefusedError where we are no party.
    """
    require(actor, Permission.MANAGE_AGREEMENTS)
    row = agreement_row(agreement_id)
    parties = agreement_from_bytes(bytes(row.canonical)).parties
    if actor.administration not in parties:
        raise AdoptionRefusedError(
            f"{actor.administration} is no party to this agreement",
            where=row.agreement_id[:12],
            remedy=f"Its parties are {', '.join(parties)}.",
        )
    statement = sign_statement(PAYLOAD_TYPE, bytes(row.canonical), key)
    _keep_signatures(row, actor.administration, {key.verify_key.keyid: statement.signatures[0].sig}, at)
    _deed(actor, "sign_agreement", row, at)
    return stored_of(row, at=at)


@transaction.atomic
def merge_signatures(
    actor: Actor,
    *,
    signed: bytes | Sequence[bytes],
    verify_keys: Mapping[str, Sequence[VerifyKey]],
    at: datetime,
) -> StoredAgreement:
    """Store the signatures of these files that verify with a party's keys; the agreement too, where it is new here.

    verify_keys: for each party the keys of its key document that count now.
    Raises: PermissionRefusedError, AdoptionRefusedError where the files hold different agreements.
    """
    require(actor, Permission.MANAGE_AGREEMENTS)
    statement = _joined([signed] if isinstance(signed, bytes) else list(signed))
    agreement = agreement_from_bytes(statement.payload)
    row = _store(agreement, source=b"", at=at)
    for party in agreement.parties:
        _keep_signatures(row, party, _verified(statement, verify_keys.get(party, ())), at)
    _deed(actor, "merge_agreement_signatures", row, at)
    return stored_of(row, at=at)


def adopt(
    actor: Actor,
    *,
    signed: bytes | Sequence[bytes],
    verify_keys: Mapping[str, Sequence[VerifyKey]],
    at: datetime,
) -> StoredAgreement:
    """Bring an agreement into force here once every party's signature verifies. What verified so far stays stored.

    Raises: PermissionRefusedError, AgreementFormError, StatementError, AdoptionRefusedError naming who is missing.
    """
    merged = merge_signatures(actor, signed=signed, verify_keys=verify_keys, at=at)
    missing = [party for party in merged.agreement.parties if party not in merged.signed_by]
    if missing:
        raise AdoptionRefusedError(
            f"The signature of {' and of '.join(missing)} is missing or does not verify",
            where=f"agreement {merged.agreement.short_id}, signed by {', '.join(merged.signed_by) or 'nobody known'}",
            remedy=_how_to_complete(missing, verify_keys),
        )
    return _bring_into_force(actor, merged, at)


def permit(
    actor: Actor,
    *,
    agreement_id: str | None = None,
    kind: str,
    recipient: str,
    purpose: str,
    handling: Handling,
    body: Mapping[str, object],
    at: datetime,
    in_reply_to: str = "",
    owner_consents: bool = False,
) -> Release:
    """Leave to share this body, cut to what the article releases. The receipt of the decision is stored either way.

    owner_consents: whoever's information it is has signed a consent, and the caller has checked it.

    Call it outside of a transaction, or catch the refusal inside of yours: else its receipt is rolled back with you.
    Raises: PermissionRefusedError, UnknownAgreementError, SharingRefusedError carrying the decision.
    """
    require(actor, Permission.SHARE)
    asking = Asking(actor.administration, recipient, kind, purpose, handling, at, owner_consents)
    named = agreement_row(agreement_id).agreement_id if agreement_id else ""
    answer = release_under(engine(at), asking, body, agreement_id=named, in_reply_to=in_reply_to)
    _record_sharing(actor, answer, at)
    if answer.release is None:
        raise SharingRefusedError(answer.decision)
    return answer.release


def permit_duty(
    actor: Actor,
    *,
    kind: str,
    recipient: str,
    body: Mapping[str, object],
    at: datetime,
    agreement_id: str = PROTOCOL,
    in_reply_to: str = "",
) -> Release:
    """Leave to tell a partner what is owed to it. No permission is asked: the journey that calls has asked.

    Raises: SharingRefusedError where the kind is no duty, or the agreement is not one between the two.
    """
    asking = Asking(actor.administration, recipient, kind, DUTY_PURPOSE, Handling.OFFICIAL, at)
    asked = DutyAsked(asking, agreement_id, adopted_agreement(agreement_id), body)
    answer = release_duty(asked, in_reply_to=in_reply_to)
    if answer.release is None:
        raise SharingRefusedError(answer.decision)
    return answer.release


def authorise(
    *,
    sender: str,
    recipient: str,
    agreement_id: str,
    article_id: str,
    kind: str,
    purpose: str,
    handling: Handling,
    body: Mapping[str, object],
    at: datetime,
) -> Decision:
    """Whether what arrived may travel under the article that it names. Reads only: record_decisions keeps the receipts.

    The codes of a refusal stand at comity.agreements.incoming.judge_incoming.
    """
    asking = Asking(sender, recipient, kind, purpose, handling, at)
    return judge_incoming(engine_of(agreement_id), Incoming(asking, agreement_id, article_id, body))[1]


@transaction.atomic
def record_decisions(decided: Sequence[tuple[SharingRequest, Decision]], *, at: datetime) -> int:
    """Keep the receipts of decisions on messages that arrived, all in one statement. Returns how many."""
    rows = [
        _receipt_row(RECEIVED, request, decision, receipt_bytes(request, decision)) for request, decision in decided
    ]
    for row in rows:
        row.receipt_id = new_id(at)
    DecisionReceiptRow.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def take_unlogged(*, limit: int) -> list[DecisionReceipt]:
    """Decisions that do not stand in our log yet, the oldest first, for nobody else until the transaction ends."""
    rows = DecisionReceiptRow.objects.select_for_update(skip_locked=True).filter(log_index=None)
    return [receipt_of(row) for row in rows.order_by("receipt_id")[:limit]]


def mark_logged(*, receipts: Sequence[DecisionReceipt], first_index: int) -> None:
    """Remember where the commitments to these decisions stand: one after the other from `first_index` on."""
    rows = [
        DecisionReceiptRow(receipt_id=receipt.receipt_id, log_index=first_index + place)
        for place, receipt in enumerate(receipts)
    ]
    DecisionReceiptRow.objects.bulk_update(rows, ["log_index"], batch_size=500)


@transaction.atomic
def _bring_into_force(actor: Actor, merged: StoredAgreement, at: datetime) -> StoredAgreement:
    row = agreement_row(merged.id)
    if row.adopted_at is None:
        row.adopted_at = at
        row.save(update_fields=["adopted_at"])
        _deed(actor, "adopt_agreement", row, at)
    return stored_of(row, at=at)


def _store(agreement: Agreement, *, source: bytes, at: datetime) -> AgreementRow:
    row, _ = AgreementRow.objects.get_or_create(
        agreement_id=agreement.id,
        defaults={
            "canonical": agreement.to_bytes(),
            "source": source,
            "title": agreement.title.in_("en")[:300],
            "version": agreement.version,
            "imported_at": at,
        },
    )
    return row


def _joined(files: list[bytes]) -> SignedStatement:
    """One statement with the signatures of all the files, which must be over the same bytes."""
    statements = [SignedStatement.from_bytes(data) for data in files]
    if len({(each.payload_type, each.payload) for each in statements}) != 1:
        raise AdoptionRefusedError(
            "The files are not signatures of one agreement" if statements else "No signed agreement was given",
            where=f"{len(statements)} files",
            remedy="Give the signed files of one version of one agreement.",
        )
    signatures = {(each.keyid, each.sig): each for statement in statements for each in statement.signatures}
    return SignedStatement(statements[0].payload_type, statements[0].payload, tuple(signatures.values()))


def _verified(statement: SignedStatement, keys: Sequence[VerifyKey]) -> dict[str, bytes]:
    """The signatures that one of these keys made, by keyid."""
    found: dict[str, bytes] = {}
    for signature in statement.signatures:
        alone = replace(statement, signatures=(signature,))
        try:
            (keyid,) = verify_statement(alone, keys, payload_type=PAYLOAD_TYPE)
        except SignatureError:
            continue
        found[keyid] = signature.sig
    return found


def _keep_signatures(row: AgreementRow, party: str, verified: Mapping[str, bytes], at: datetime) -> None:
    for keyid, signature in verified.items():
        AgreementSignatureRow.objects.get_or_create(
            agreement=row, party=party, keyid=keyid, defaults={"signature": signature, "added_at": at}
        )


def _how_to_complete(missing: list[str], verify_keys: Mapping[str, Sequence[VerifyKey]]) -> str:
    unknown = [party for party in missing if not verify_keys.get(party)]
    if unknown:
        return f"No key of {' or '.join(unknown)} is known here: introduce the partner first, or give its key document."
    return f"Ask {' and '.join(missing)} to sign this version and to send the signed file."


def _record_sharing(actor: Actor, answer: Answer, at: datetime) -> None:
    request, decision = answer.request, answer.decision
    row = _receipt_row(SENT, request, decision, answer.receipt)
    row.receipt_id, row.actor = new_id(at), str(actor)[:120]
    with transaction.atomic():
        row.save(force_insert=True)
        record_deed(
            actor,
            deed="permit_sharing" if decision.is_permitted else "refuse_sharing",
            subject=f"{request.kind} to {request.receiver}",
            facts={
                "purpose": request.purpose,
                "agreement": decision.agreement_id,
                "article": decision.article_id,
                "receipt": str(row.receipt_id),
            },
            at=at,
        )


def _receipt_row(direction: str, request: SharingRequest, decision: Decision, document: bytes) -> DecisionReceiptRow:
    return DecisionReceiptRow(
        decided_at=request.at,
        direction=direction,
        sender=request.sender[:16],
        receiver=request.receiver[:16],
        kind=request.kind[:48],
        purpose=request.purpose[:40],
        is_permitted=decision.is_permitted,
        agreement_id=decision.agreement_id[:64],
        article_id=decision.article_id[:40],
        reason=decision.reasons[0].code,
        digest=sha256_hex(document),
        document=document,
        salt=secrets.token_bytes(32),
    )


def _deed(actor: Actor, deed: str, row: AgreementRow, at: datetime) -> None:
    record_deed(actor, deed=deed, subject=f"agreement:{row.agreement_id}", facts={"version": row.version}, at=at)
