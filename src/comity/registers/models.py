"""Tables of registers: dated versions of lists, and the entries of the version in force."""

from __future__ import annotations

from django.db import models

WORD = 16
REF = 100


class VersionRow(models.Model):
    """One version of a watch list or register. Entries are kept of the current one; of earlier ones this row stays."""

    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=WORD)
    format = models.CharField(max_length=WORD)
    publisher = models.CharField(max_length=200)
    published_on = models.DateField()
    sha256 = models.CharField(max_length=64)
    entry_count = models.PositiveIntegerField()
    ignored_count = models.PositiveIntegerField()
    broken_count = models.PositiveIntegerField()
    broken = models.JSONField()
    loaded_by = models.CharField(max_length=REF)
    loaded_at = models.DateTimeField()
    is_current = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(is_current=True), name="registers_one_current_version"
            )
        ]
        indexes = [models.Index(fields=["code", "loaded_at"], name="registers_version_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.published_on}"


class EntryRow(models.Model):
    """An entry of the current version. body: as `encoding` writes it. content: a digest of it, to see a change by."""

    version = models.ForeignKey(VersionRow, on_delete=models.CASCADE, related_name="entries")
    ref = models.CharField(max_length=REF)
    kind = models.CharField(max_length=WORD)
    name = models.CharField(max_length=500)
    content = models.CharField(max_length=16)
    body = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "ref"], name="registers_entry_ref")]

    def __str__(self) -> str:
        return f"{self.ref} {self.name}"
