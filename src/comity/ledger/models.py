"""Tables of the log: one row for each append, never one for each entry."""

from __future__ import annotations

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class RowNumberField(models.BigIntegerField):  # type: ignore[type-arg]  # not generic when it runs
    """A 64-bit key. SQLite keeps rows by it, without an index beside them, only where its type is spelt `integer`."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """The column's type."""
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class LogState(models.Model):
    """The one row (id 1) that appends lock: the log's name and its signed checkpoint of nothing.

    seen_size, seen_note, seen_by: the largest checkpoint with our own signature that a partner showed us, if it was
    larger than the log then was. claimed_size, claimed_by: the same by a partner's word alone. held_at, hold_reason:
    nothing is appended until the partners were asked.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    origin = models.CharField(max_length=200)
    note = models.TextField()
    seen_size = models.BigIntegerField(default=0)
    seen_note = models.TextField(blank=True)
    seen_by = models.CharField(max_length=16, blank=True)
    claimed_size = models.BigIntegerField(default=0)
    claimed_by = models.CharField(max_length=16, blank=True)
    held_at = models.DateTimeField(null=True)
    hold_reason = models.CharField(max_length=200, blank=True)


class Batch(models.Model):
    """What one append wrote; never changed. The last one is where the next begins.

    size: of the log after the append. appended_us: when, in microseconds of POSIX time. note: the checkpoint of that
    size with our signature. stack: the right edge of the tree then, perfect subtrees largest first. hashes: of the
    leaves. entries: as in an entry bundle of tlog-tiles.
    """

    first_index = RowNumberField(primary_key=True)
    size = models.BigIntegerField()
    appended_us = models.BigIntegerField()
    note = models.TextField()
    stack = models.BinaryField()
    hashes = models.BinaryField()
    entries = models.BinaryField()


class Subtree(models.Model):
    """The hash of a complete subtree of 256^level entries: one hash of a tile at level 1 and above.

    id: the level times 2^56, plus the position of the subtree in its level; see `subtree_id`.
    """

    id = RowNumberField(primary_key=True)
    hash = models.BinaryField()


class Cosignature(models.Model):
    """A partner's cosignature on one of our checkpoints.

    size: of the checkpoint. line: the signature line. seconds: the POSIX time that it states.
    """

    size = models.BigIntegerField()
    vkey = models.CharField(max_length=300)
    line = models.TextField()
    seconds = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["size", "vkey"], name="ledger_one_cosignature_a_key")]


class PartnerHead(models.Model):
    """The largest checkpoint of a partner's log that we found consistent, and our cosignature on it."""

    origin = models.CharField(max_length=200, primary_key=True)
    vkey = models.CharField(max_length=300)
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.TextField()
    line = models.TextField()
    seen_at = models.DateTimeField()


class SplitView(models.Model):
    """Evidence that a log showed two histories: two notes that it signed and that cannot both be true.

    digest: SHA-256 of the log's key and both texts, so that one pair is kept once. prefix_root, path: the proof where
    the sizes differ. is_proven: anyone can check it offline; else the log only failed to show that it goes on.
    reported_by: the partner that told us, empty where it was found here. told_at: when the partners were told.
    """

    origin = models.CharField(max_length=200, db_index=True)
    vkey = models.CharField(max_length=300)
    reason = models.CharField(max_length=200)
    seen_note = models.TextField()
    shown_note = models.TextField()
    found_at = models.DateTimeField()
    digest = models.CharField(max_length=64, unique=True)
    prefix_root = models.BinaryField(default=bytes)
    path = models.JSONField(default=list)
    is_proven = models.BooleanField(default=False)
    reported_by = models.CharField(max_length=16, blank=True)
    told_at = models.DateTimeField(null=True)


class LogLook(models.Model):
    """What the monitor last found of a partner's log. state: a word of rules.LookState; detail: a sentence."""

    administration = models.CharField(max_length=16, primary_key=True)
    origin = models.CharField(max_length=200)
    state = models.CharField(max_length=16)
    detail = models.CharField(max_length=300)
    size = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField()
