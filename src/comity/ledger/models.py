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
    """The one row (id 1) that appends lock: the log's name and its signed checkpoint of nothing."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    origin = models.CharField(max_length=200)
    note = models.TextField()


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
    """Evidence that a log showed two histories: two notes that it signed and that cannot both be true."""

    origin = models.CharField(max_length=200, db_index=True)
    vkey = models.CharField(max_length=300)
    reason = models.CharField(max_length=200)
    seen_note = models.TextField()
    shown_note = models.TextField()
    found_at = models.DateTimeField()
