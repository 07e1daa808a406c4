"""Tables: partners, what is to be sent, what arrived, what was refused.

A row of Partner is locked by posting, Delivery by the delivery worker, Reception by the receiver. They are separate
so that none of the three waits for another; whoever also appends to the log follows the order in services.py.
"""

from __future__ import annotations

from django.db import models


class Partner(models.Model):
    """An administration that was introduced. fingerprint: of the key document in use, a row of PartnerKeys.

    way: how our envelopes reach it. is_collected: we ask it for what waits for us there, since it cannot reach us.
    """

    class State(models.TextChoices):
        """Introduced: nothing was exchanged yet. Suspended: nothing is sent or taken."""

        INTRODUCED = "introduced"
        ACTIVE = "active"
        SUSPENDED = "suspended"

    class Way(models.TextChoices):
        """Push: we send. Collect: it asks for them, from behind its firewall. File: a person carries them."""

        PUSH = "push"
        COLLECT = "collect"
        FILE = "file"

    administration = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=200)
    endpoint = models.CharField(max_length=300)
    state = models.CharField(max_length=16, choices=State.choices, default=State.INTRODUCED)
    note = models.CharField(max_length=500, blank=True)
    introduced_at = models.DateTimeField()
    fingerprint = models.CharField(max_length=100)
    next_sequence = models.BigIntegerField(default=1)
    way = models.CharField(max_length=8, choices=Way.choices, default=Way.PUSH)
    is_collected = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.administration


class PartnerKeys(models.Model):
    """One version of a partner's key document: the signed statement as it came. All versions are kept."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="keys")
    version = models.PositiveIntegerField()
    statement = models.BinaryField()
    fingerprint = models.CharField(max_length=100)
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "fingerprint"], name="partner_keys_once")]

    def __str__(self) -> str:
        return f"{self.partner_id} keys {self.version}"


class Delivery(models.Model):
    """How sending to a partner goes. failures: in a row; next_attempt_at: after them, with jitter.

    messages_at_most: in one envelope, once the partner has said that more is too large. cosigned_size: of our log, by
    the partner. followed_size, followed_note: of its log, with our cosignature.
    load_limits: what the partner signed that it takes (protocol.md §4). allowance: messages that may still be sent
    under them, as of allowance_at. skew_seconds: how far its clock was ahead of ours at its last answer.
    certificate_until: when the TLS certificate that it showed last expires. last_refusal: of a whole envelope, until
    something is answered again. gaps: how many the partner saw in our
    sequence at its last receipt, since what is urgent overtakes what waits.
    """

    partner = models.OneToOneField(Partner, on_delete=models.PROTECT, related_name="delivery")
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    last_answer_at = models.DateTimeField(null=True)
    messages_at_most = models.PositiveIntegerField(null=True)
    cosigned_size = models.BigIntegerField(default=0)
    followed_size = models.BigIntegerField(default=0)
    followed_note = models.TextField(blank=True)
    load_limits = models.JSONField(default=dict)
    allowance = models.FloatField(default=0.0)
    allowance_at = models.DateTimeField(null=True)
    skew_seconds = models.FloatField(null=True)
    certificate_until = models.DateTimeField(null=True)
    last_refusal = models.JSONField(default=dict)
    gaps = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"delivery to {self.partner_id}"


class Reception(models.Model):
    """How far a partner's sequence has arrived here. islands: [[first, last], ...] beyond `contiguous`.

    taken: messages that count against our load limits, as of taken_at; they fade at the pace that we published.
    """

    partner = models.OneToOneField(Partner, on_delete=models.PROTECT, related_name="reception")
    contiguous = models.BigIntegerField(default=0)
    islands = models.JSONField(default=list)
    last_envelope_at = models.DateTimeField(null=True)
    taken = models.FloatField(default=0.0)
    taken_at = models.DateTimeField(null=True)
    collected_at = models.DateTimeField(null=True)
    collect_error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"reception from {self.partner_id}"


class OutboxEnvelope(models.Model):
    """An envelope that was formed. It is signed once and sent again under the same name until it is answered.

    Its messages are those of the partner from first_sequence on; of all envelopes that name a message, one at most is
    not dissolved. leased_until: nobody else sends it before. answer: the bytes of the partner's receipt.
    handed_digests: SHA-256 of its sealed bytes as they were handed out to be fetched or carried, the last ones, each 32
    bytes: a refusal that comes back later names one of them.
    """

    class State(models.TextChoices):
        """Dissolved: refused whole, its messages went back to waiting."""

        OPEN = "open"
        ANSWERED = "answered"
        DISSOLVED = "dissolved"

    envelope_id = models.CharField(max_length=36)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="envelopes", db_index=False)
    first_sequence = models.BigIntegerField()
    count = models.PositiveIntegerField()
    statement = models.BinaryField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    attempts = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    answer = models.BinaryField(null=True)
    answer_index = models.BigIntegerField(null=True)
    answered_at = models.DateTimeField(null=True)
    handed_digests = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["envelope_id"], name="outbox_envelope_once")]
        indexes = [
            models.Index(fields=["partner", "first_sequence"], name="envelope_by_sequence"),
            models.Index(fields=["partner", "state", "first_sequence"], name="envelope_by_state"),
        ]

    def __str__(self) -> str:
        return self.envelope_id


class OutboxMessage(models.Model):
    """A message to a partner: its bytes, its place in the sequence, its leaf in the log, and what became of it.

    answer: of a refused one, as the partner signed it. priority: 0 urgent, 1 ordinary, 2 bulk; a lower number goes out
    first.
    """

    class State(models.TextChoices):
        """Waiting: in no envelope, or in an open one (underway.py). Delivered and refused: by the signed receipt."""

        WAITING = "waiting"
        DELIVERED = "delivered"
        REFUSED = "refused"

    message_id = models.CharField(max_length=36)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="messages", db_index=False)
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=48)
    agreement = models.CharField(max_length=200)
    article = models.CharField(max_length=200)
    purpose = models.CharField(max_length=40)
    handling = models.CharField(max_length=16)
    in_reply_to = models.CharField(max_length=36, blank=True)
    posted_at = models.DateTimeField()
    posted_by = models.CharField(max_length=140)
    data = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    salt = models.BinaryField()
    log_index = models.BigIntegerField()
    decision = models.BinaryField()
    withheld = models.JSONField(default=list)
    priority = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    answer = models.JSONField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        # A constraint and an index by name have no second index for LIKE on PostgreSQL, unlike unique and db_index.
        constraints = [
            models.UniqueConstraint(fields=["partner", "sequence"], name="outbox_sequence"),
            models.UniqueConstraint(fields=["message_id"], name="outbox_message_once"),
        ]
        indexes = [
            # Not a partial index: SQLite does not use one for a bound parameter.
            models.Index(fields=["partner", "state", "priority", "sequence"], name="outbox_by_state"),
            models.Index(fields=["-posted_at"], name="outbox_newest"),
            models.Index(fields=["in_reply_to"], name="outbox_reply"),
        ]

    def __str__(self) -> str:
        return self.message_id


class InboxEnvelope(models.Model):
    """An envelope that was answered: the sender's signed statement and the very bytes of our receipt."""

    sender = models.CharField(max_length=16)
    envelope_id = models.CharField(max_length=36)
    first_sequence = models.BigIntegerField()
    count = models.PositiveIntegerField()
    statement_sha256 = models.CharField(max_length=64)
    statement = models.BinaryField()
    fingerprint = models.CharField(max_length=100)
    receipt = models.BinaryField()
    log_index = models.BigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "envelope_id"], name="inbox_envelope_once")]

    def __str__(self) -> str:
        return f"{self.sender} {self.envelope_id}"


class InboxMessage(models.Model):
    """A message that arrived and its answer. One row for each (sender, message id), whatever arrives how often.

    processed_at: when its journey ended well; None while it is due. answer: JSON text, repeated to duplicates.
    priority: as of OutboxMessage, by kind and body.
    keep_until: when the agreement bids us to purge it. purged_at: since when `data` is empty; purge_ground: why.
    leaf: of a purged one, its RFC 6962 leaf hash, so that the other messages of its envelope stay provable.
    """

    sender = models.CharField(max_length=16)
    message_id = models.CharField(max_length=36)
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=48)
    agreement = models.CharField(max_length=200)
    article = models.CharField(max_length=200)
    purpose = models.CharField(max_length=40)
    handling = models.CharField(max_length=16)
    in_reply_to = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    envelope_id = models.CharField(max_length=36)
    position = models.PositiveIntegerField()
    data = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    is_accepted = models.BooleanField()
    answer = models.TextField()
    processed_at = models.DateTimeField(null=True)
    priority = models.PositiveSmallIntegerField(default=1)
    keep_until = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)
    purge_ground = models.CharField(max_length=40, blank=True)
    leaf = models.BinaryField(null=True)
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "message_id"], name="inbox_message_once")]
        indexes = [
            models.Index(
                fields=["priority", "id"],
                name="inbox_due",
                condition=models.Q(is_accepted=True, processed_at=None),
            ),
            models.Index(fields=["-received_at"], name="inbox_newest"),
            models.Index(fields=["in_reply_to"], name="inbox_reply"),
            models.Index(fields=["purged_at", "keep_until"], name="inbox_to_purge"),
            models.Index(fields=["sender", "envelope_id"], name="inbox_by_envelope"),
        ]

    def __str__(self) -> str:
        return f"{self.sender} {self.message_id}"


class CarriedAnswer(models.Model):
    """An answer to an envelope that came in a file: it goes into the next file to its sender, and the row then ends.

    If that file is lost, the sender still has the envelope open, and its next file brings it again.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="carried_answers")
    envelope_id = models.CharField(max_length=36)
    is_receipt = models.BooleanField()
    body = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "envelope_id"], name="carried_answer_once")]

    def __str__(self) -> str:
        return self.envelope_id


class Refusal(models.Model):
    """An envelope that was refused whole. Its sender still has it; this row tells our officers why."""

    at = models.DateTimeField(db_index=True)
    sender = models.CharField(max_length=16, blank=True)
    envelope_id = models.CharField(max_length=36, blank=True)
    code = models.CharField(max_length=40)
    what = models.CharField(max_length=300)
    place = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.code} {self.sender}"


class EvidenceOut(models.Model):
    """A file that a partner may fetch: cut into chunks, each sealed under a key that the message of the kind evidence
    carries. root: hex of the RFC 6962 root over the sealed chunks; leaves: their hashes one after the other, so that no
    path needs the whole file. sent_chunks: how far it went. about: the message that it belongs to.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="evidence_out")
    message_id = models.CharField(max_length=36, unique=True)
    about = models.CharField(max_length=36, blank=True, db_index=True)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.BigIntegerField()
    chunk_bytes = models.PositiveIntegerField()
    chunks = models.PositiveIntegerField()
    root = models.CharField(max_length=64)
    leaves = models.BinaryField()
    key = models.BinaryField()
    offered_at = models.DateTimeField()
    sent_chunks = models.PositiveIntegerField(default=0)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "root"], name="evidence_out_once")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} to {self.partner_id}"


class EvidenceIn(models.Model):
    """A file that a partner offered and that comes chunk by chunk. have_chunks: the first so many are stored.

    state: coming, complete, refused (it is not what the message said), purged.
    """

    class State(models.TextChoices):
        """How far it has come."""

        COMING = "coming"
        COMPLETE = "complete"
        REFUSED = "refused"
        PURGED = "purged"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="evidence_in")
    message_id = models.CharField(max_length=36)
    about = models.CharField(max_length=36, blank=True, db_index=True)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.BigIntegerField()
    chunk_bytes = models.PositiveIntegerField()
    chunks = models.PositiveIntegerField()
    root = models.CharField(max_length=64)
    key = models.BinaryField()
    offered_at = models.DateTimeField()
    have_chunks = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.COMING)
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "message_id"], name="evidence_in_once")]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="evidence_in_due")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} from {self.partner_id}"
