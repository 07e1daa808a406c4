"""Tables of custody: who holds what was shared, what was handed on, what was recalled, what was consented to.

A message is named by its origin and the id that its origin gave it, whatever ids its forwarded copies travel under.
"""

from __future__ import annotations

from django.db import models

from comity.custody.rules import ConsentState, Mode, Status, SuccessorState

WORD = 16
ID = 36


class Holding(models.Model):
    """One administration holds one message, as far as is known here. holder: may be this administration itself.

    via: from whom the holder has it. keep_until, handling: as tightened. statement: the newest that was signed about
    it; told_by: by whom; is_proved: the signature was checked here. asked: the recall that waits for an answer.
    retain_ground, retain_until, retained_by: an officer's objection to purging our own copy. salt, log_index: of the
    commitment to our own statement in our log.
    """

    message_id = models.CharField(max_length=ID)
    origin = models.CharField(max_length=WORD)
    holder = models.CharField(max_length=WORD)
    via = models.CharField(max_length=WORD)
    kind = models.CharField(max_length=48)
    agreement = models.CharField(max_length=200)
    article = models.CharField(max_length=200)
    handling = models.CharField(max_length=WORD)
    keep_until = models.DateTimeField(null=True)
    since = models.DateTimeField()
    status = models.CharField(max_length=WORD, choices=[(each.value, each.value) for each in Status])
    ground = models.CharField(max_length=40, blank=True)
    asked = models.CharField(max_length=ID, blank=True)
    asked_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    told_by = models.CharField(max_length=WORD, blank=True)
    is_proved = models.BooleanField(default=False)
    statement = models.BinaryField(default=bytes)
    retain_ground = models.CharField(max_length=40, blank=True)
    retain_until = models.DateTimeField(null=True)
    retained_by = models.CharField(max_length=140, blank=True)
    salt = models.BinaryField(default=bytes)
    log_index = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["origin", "message_id", "holder"], name="custody_holding_once")]
        indexes = [
            models.Index(fields=["message_id"], name="custody_by_message"),
            models.Index(fields=["status", "due_at"], name="custody_due"),
            models.Index(fields=["holder", "-since"], name="custody_by_holder"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} at {self.holder}: {self.status}"


class Copy(models.Model):
    """One of our own copies of a message: who sent it under which id. A message may reach us by several ways."""

    holding = models.ForeignKey(Holding, on_delete=models.PROTECT, related_name="copies")
    sender = models.CharField(max_length=WORD)
    copy_id = models.CharField(max_length=ID)
    agreement = models.CharField(max_length=200)
    arrived_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "copy_id"], name="custody_copy_once")]

    def __str__(self) -> str:
        return f"{self.copy_id} from {self.sender}"


class HandOn(models.Model):
    """A message of another origin that we handed on: to whom, under which id, article and consent. Never deleted."""

    origin = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=ID)
    recipient = models.CharField(max_length=WORD)
    copy_id = models.CharField(max_length=ID, unique=True)
    agreement = models.CharField(max_length=200)
    article = models.CharField(max_length=200)
    consent = models.CharField(max_length=ID, blank=True)
    handed_at = models.DateTimeField()
    handed_by = models.CharField(max_length=140)
    wiped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["origin", "message_id"], name="custody_handed")]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.recipient}"


class Successor(models.Model):
    """The message that takes the place of one that we handed on: whoever got the old one from us is to get it, too.

    message_id: the new one, as its origin named it, whether or not it has come. handed: the old one, to whom and how.
    recall_id: the correction. why: an officer's, where it was put aside. ended_by: who handed it on or put it aside.
    """

    origin = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=ID)
    recipient = models.CharField(max_length=WORD)
    handed = models.ForeignKey(HandOn, on_delete=models.PROTECT, related_name="successors")
    recall_id = models.CharField(max_length=ID)
    since = models.DateTimeField()
    state = models.CharField(max_length=WORD, choices=[(each.value, each.value) for each in SuccessorState])
    why = models.CharField(max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=140, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "message_id", "recipient"], name="custody_successor_once")
        ]
        indexes = [models.Index(fields=["state", "since"], name="custody_successor_due")]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.recipient}: {self.state}"


class Recall(models.Model):
    """A recall, correction or tightening, made here or received. statement: what the origin signed."""

    recall_id = models.CharField(max_length=ID)
    origin = models.CharField(max_length=WORD)
    agreement = models.CharField(max_length=200)
    mode = models.CharField(max_length=WORD, choices=[(each.value, each.value) for each in Mode])
    ground = models.CharField(max_length=40)
    replacement = models.JSONField(default=dict)
    keep_until = models.DateTimeField(null=True)
    handling = models.CharField(max_length=WORD, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=140, blank=True)
    due_at = models.DateTimeField()
    taken_at = models.DateTimeField()
    statement = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["origin", "recall_id"], name="custody_recall_once")]
        indexes = [models.Index(fields=["-made_at"], name="custody_recall_newest")]

    def __str__(self) -> str:
        return f"{self.origin} {self.mode} {self.recall_id}"


class RecalledMessage(models.Model):
    """A message that a recall names. It is kept although the message may never come, or may come later."""

    recall = models.ForeignKey(Recall, on_delete=models.PROTECT, related_name="named")
    origin = models.CharField(max_length=WORD)
    message_id = models.CharField(max_length=ID)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recall", "message_id"], name="custody_named_once")]
        indexes = [models.Index(fields=["origin", "message_id"], name="custody_named")]

    def __str__(self) -> str:
        return self.message_id


class RecallHop(models.Model):
    """A recall on its way: to whom we sent it on (is_outward), or from whom it came and who waits for our answer."""

    recall = models.ForeignKey(Recall, on_delete=models.PROTECT, related_name="hops")
    partner = models.CharField(max_length=WORD)
    is_outward = models.BooleanField()
    message_id = models.CharField(max_length=ID)
    agreement = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recall", "partner", "is_outward"], name="custody_hop_once")]

    def __str__(self) -> str:
        return f"{'to' if self.is_outward else 'from'} {self.partner}"


class Consent(models.Model):
    """A consent to hand a message on: asked of us or by us, and the owner's signed answer.

    asker: who wants to hand it on. asked_in: the id of the message that asked. until: the last moment of handing on.
    """

    consent_id = models.CharField(max_length=ID, unique=True)
    message_id = models.CharField(max_length=ID)
    owner = models.CharField(max_length=WORD)
    asker = models.CharField(max_length=WORD)
    agreement = models.CharField(max_length=200)
    handling = models.CharField(max_length=WORD)
    recipients = models.JSONField()
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=WORD, choices=[(each.value, each.value) for each in ConsentState])
    asked_at = models.DateTimeField()
    asked_in = models.CharField(max_length=ID, blank=True)
    asked_by = models.CharField(max_length=140, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=140, blank=True)
    until = models.DateTimeField(null=True)
    statement = models.BinaryField(default=bytes)

    class Meta:
        indexes = [
            models.Index(fields=["owner", "message_id"], name="custody_consent_about"),
            models.Index(fields=["state", "asked_at"], name="custody_consent_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.recipients}: {self.state}"
