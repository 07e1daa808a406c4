"""What `comity doctor` says about each fact: values in, findings out. Pure; nothing here reads a clock or a disk.

Every limit is chosen so that there is time left to act: weeks for a certificate, days for a disk, minutes for a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from comity.common import show_instant

GOOD, WAITING, ATTENTION = "ok", "waiting", "attention"
_GIB = 1024**3

# A message that was made more than a day ahead is refused for good (protocol.md §5, R8): far below it a person acts.
SKEW_NOTICED_SECONDS, SKEW_BAD_SECONDS = 30.0, 300.0
DISK_LOW_BYTES, DISK_BAD_BYTES = 5 * _GIB, 1 * _GIB
DISK_LOW_DAYS, DISK_BAD_DAYS = 30.0, 7.0
WAL_LARGE_BYTES, WAL_BAD_BYTES = 256 * 1024**2, 1 * _GIB
CERTIFICATE_SOON_DAYS, CERTIFICATE_BAD_DAYS = 60, 30
AGREEMENT_SOON_DAYS, AGREEMENT_BAD_DAYS = 60, 14
BACKUP_OLD_DAYS = 7
OUTBOX_LATE, OUTBOX_BAD = timedelta(minutes=5), timedelta(hours=1)
INBOX_LATE, INBOX_BAD = timedelta(minutes=2), timedelta(minutes=15)
DATABASE_SLOW_SECONDS = 0.5
REPLICA_LAG_BYTES = 64 * 1024**2
PROBE_SLOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line. state: ok; waiting where it may mend itself or has time; attention where a person must act."""

    title: str
    state: str
    detail: str
    remedy: str = ""

    @property
    def needs_attention(self) -> bool:
        """Whether a person must act."""
        return self.state == ATTENTION


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system that the node writes on. used_for: home, database, evidence. growth_bytes: a day, as of late."""

    used_for: str
    total_bytes: int
    free_bytes: int
    growth_bytes: float = 0.0

    @property
    def days_left(self) -> float | None:
        """Until it is full at the present growth; None where nothing grows."""
        return self.free_bytes / self.growth_bytes if self.growth_bytes > 0 else None


@dataclass(frozen=True, slots=True)
class Line:
    """How the exchange with one partner stands. oldest_at: when the oldest message without an answer was posted."""

    partner: str
    is_suspended: bool
    failures: int
    last_error: str
    last_answer_at: datetime | None
    next_attempt_at: datetime | None
    waiting: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """What the newest probe to a partner showed. Seconds are None while they are not known."""

    partner: str
    asked_at: datetime | None
    state: str
    receipt_seconds: float | None
    answer_seconds: float | None
    version: str
    agreements: int
    error: str


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The database. engine: SQLite or PostgreSQL. problems: what its own check of integrity said; None: not made.

    wal_bytes: of SQLite's write-ahead log. lag_bytes: of the replica that is furthest behind; None without replicas.
    """

    engine: str
    answer_seconds: float | None
    size_bytes: int = 0
    problems: tuple[str, ...] | None = None
    wal_bytes: int = 0
    lag_bytes: int | None = None
    is_standby: bool = False
    error: str = ""


def check_skew(partner: str, skew_seconds: float | None) -> Check:
    """How far a partner's clock and ours differ."""
    title = f"clock of {partner}"
    if skew_seconds is None:
        return Check(title, WAITING, "not compared yet; a receipt tells")
    size = abs(skew_seconds)
    if size < SKEW_NOTICED_SECONDS:
        return Check(title, GOOD, "agrees with ours" if size < 1 else f"within {size:.0f} s of ours")
    side = "ahead of" if skew_seconds > 0 else "behind"
    detail = f"{duration(size)} {side} ours"
    remedy = "Find out whose clock is wrong: `timedatectl` here; ask the partner to look at its own."
    return Check(title, ATTENTION if size >= SKEW_BAD_SECONDS else WAITING, detail, remedy)


def check_system_clock(*, is_synchronised: bool | None, skews: Sequence[float]) -> Check:
    """Our own clock: what the system says of it, and whether all partners see it wrong alike."""
    title = "our clock"
    signs = {each > 0 for each in skews if abs(each) >= SKEW_NOTICED_SECONDS}
    wrong = [each for each in skews if abs(each) >= SKEW_NOTICED_SECONDS]
    if len(wrong) >= 2 and len(wrong) == len(skews) and len(signs) == 1:
        middle = sorted(wrong)[len(wrong) // 2]
        side = "behind" if middle > 0 else "ahead of"
        detail = f"{duration(abs(middle))} {side} every partner's: it is ours that is wrong"
        return Check(title, ATTENTION, detail, "Set the clock and let the system keep it by NTP.")
    if is_synchronised is None:
        return Check(title, GOOD, "the system does not tell whether it is synchronised")
    if is_synchronised:
        return Check(title, GOOD, "synchronised, says the system")
    return Check(
        title, WAITING, "not synchronised, says the system", "Let the system keep it by NTP (chrony, timesyncd)."
    )


def check_clock_file(path: str) -> Check | None:
    """A clock that is moved for an exercise must not be forgotten."""
    if not path:
        return None
    return Check("clock file", ATTENTION, f"time is moved by {path}", "Unset COMITY_CLOCK_FILE outside of exercises.")


def check_disk(disk: Disk) -> Check:
    """Free space and the days that it lasts."""
    share = disk.free_bytes / max(disk.total_bytes, 1)
    days = disk.days_left
    detail = f"{show_bytes(disk.free_bytes)} free of {show_bytes(disk.total_bytes)}"
    if days is not None:
        detail += f", {days:,.0f} days at the present growth" if days < 3650 else ", years at the present growth"
    is_bad = disk.free_bytes < DISK_BAD_BYTES or (days is not None and days < DISK_BAD_DAYS)
    is_low = (disk.free_bytes < DISK_LOW_BYTES and share < 0.2) or (days is not None and days < DISK_LOW_DAYS)
    remedy = "Make room or a larger disk. When it is full, nothing is taken in and nothing is lost." * (
        is_bad or is_low
    )
    return Check(f"disk of {disk.used_for}", ATTENTION if is_bad else WAITING if is_low else GOOD, detail, remedy)


def check_database(facts: DatabaseFacts) -> list[Check]:
    """Reachable, whole, not behind."""
    if facts.answer_seconds is None:
        return [
            Check("database", ATTENTION, f"{facts.engine} does not answer: {facts.error}", "Start it; see its log.")
        ]
    detail = f"{facts.engine}, {show_bytes(facts.size_bytes)}, answers in {facts.answer_seconds * 1000:.0f} ms"
    is_slow = facts.answer_seconds > DATABASE_SLOW_SECONDS
    checks = [Check("database", WAITING if is_slow else GOOD, detail, "See what else uses its machine." * is_slow)]
    if facts.problems:
        remedy = "Stop the node, keep a copy, and restore a backup (docs/guide/backup.md)."
        checks.append(Check("integrity", ATTENTION, f"damaged: {facts.problems[0]}", remedy))
    elif facts.problems is not None:
        checks.append(Check("integrity", GOOD, "every page holds what it should"))
    if facts.wal_bytes > WAL_LARGE_BYTES:
        state = ATTENTION if facts.wal_bytes > WAL_BAD_BYTES else WAITING
        remedy = "A reader holds it open: see what else reads the file; a restart of the node shortens it."
        checks.append(Check("write-ahead log", state, f"{show_bytes(facts.wal_bytes)} not yet in the database", remedy))
    if facts.is_standby:
        checks.append(Check("replication", ATTENTION, "this is a standby: it takes no writes", "Name the primary."))
    elif facts.lag_bytes is not None:
        is_behind = facts.lag_bytes > REPLICA_LAG_BYTES
        detail = f"the last replica is {show_bytes(facts.lag_bytes)} behind"
        checks.append(
            Check("replication", ATTENTION if is_behind else GOOD, detail, "See the replica's log." * is_behind)
        )
    return checks


def check_line(line: Line, at: datetime) -> Check:
    """Whether a partner can be reached; since when not, why, and what to do."""
    title = f"partner {line.partner}"
    if line.is_suspended:
        return Check(title, WAITING, "suspended", f"`comity partner resume {line.partner}` takes it up again.")
    age = at - line.oldest_at if line.oldest_at else timedelta(0)
    waits = (
        f"{line.waiting} waiting, the oldest for {duration(age.total_seconds())}" if line.waiting else "none waiting"
    )
    heard = f"answered last {_ago(line.last_answer_at, at)}" if line.last_answer_at else "never answered"
    if line.failures:
        again = f"; next attempt {show_instant(line.next_attempt_at)}" if line.next_attempt_at else ""
        detail = f"not reached in {line.failures} attempts, {heard}, {waits}{again}: {line.last_error}"
        return Check(title, ATTENTION, detail, _line_remedy(line))
    if age > OUTBOX_BAD:
        return Check(title, ATTENTION, f"{heard}, {waits}", "Is `comity serve` running? See the node's log.")
    return Check(title, WAITING if age > OUTBOX_LATE else GOOD, f"{heard}, {waits}")


def check_probe(probe: ProbeFacts, *, is_serving: bool) -> Check:
    """Whether the whole road works: receipt, journey, answer."""
    title = f"probe {probe.partner}"
    if probe.asked_at is None:
        return Check(title, WAITING, "never probed", "`comity doctor` without --no-probe does.")
    if probe.answer_seconds is not None:
        receipt = f"receipt after {probe.receipt_seconds:.1f} s, " if probe.receipt_seconds is not None else ""
        bound = f"{probe.agreements} agreements in force with us"
        detail = f"{receipt}answer after {probe.answer_seconds:.1f} s; version {probe.version}, {bound}"
        if not probe.agreements:
            return Check(title, WAITING, detail, "Both nodes adopt the same agreement: `comity agreement adopt FILE`.")
        return Check(title, WAITING if probe.answer_seconds > PROBE_SLOW_SECONDS else GOOD, detail)
    if probe.state == "refused":
        return Check(title, ATTENTION, f"refused: {probe.error}", "See `comity exchange refusals`.")
    if probe.receipt_seconds is None:
        return Check(
            title, ATTENTION, f"no receipt: {probe.error or 'nothing came back in time'}", "See its line above."
        )
    detail = f"receipt after {probe.receipt_seconds:.1f} s, no answer of the journey yet"
    if not is_serving:
        return Check(title, WAITING, detail, "The answer can only come while `comity serve` runs here.")
    return Check(title, ATTENTION, detail, "The partner's journeys do not run, or it cannot reach us: ask it to look.")


def check_expiry(title: str, ends_at: datetime, at: datetime, remedy: str) -> Check:
    """A certificate or a key document, before it ends."""
    days = (ends_at - at).total_seconds() / 86400
    if days < 0:
        return Check(title, ATTENTION, f"ended {show_instant(ends_at)}", remedy)
    detail = f"{days:.0f} days left, until {show_instant(ends_at)}"
    if days < CERTIFICATE_SOON_DAYS:
        return Check(title, ATTENTION if days < CERTIFICATE_BAD_DAYS else WAITING, detail, remedy)
    return Check(title, GOOD, detail)


def check_agreement(name: str, ends_at: datetime, at: datetime) -> Check | None:
    """An agreement that is about to end, or has ended within the last month; None where there is time."""
    days = (ends_at - at).total_seconds() / 86400
    if not -AGREEMENT_SOON_DAYS / 2 < days < AGREEMENT_SOON_DAYS:
        return None
    detail = f"ends in {days:.0f} days" if days >= 0 else f"ended {show_instant(ends_at)}"
    remedy = "Agree on its successor: after its last day nothing new travels under it."
    return Check(f"agreement {name}", ATTENTION if days < AGREEMENT_BAD_DAYS else WAITING, detail, remedy)


def check_inbox(*, due: int, failing: int, oldest_at: datetime | None, last_error: str, at: datetime) -> Check:
    """Journeys: what was accepted and has not been acted on."""
    age = at - oldest_at if oldest_at else timedelta(0)
    if failing:
        return Check(
            "journeys",
            ATTENTION,
            f"{failing} messages whose journey fails: {last_error}",
            "They are tried again by themselves; see the node's log for the cause.",
        )
    if not due:
        return Check("journeys", GOOD, "everything that was accepted has been acted on")
    detail = f"{due} accepted and not acted on, the oldest for {duration(age.total_seconds())}"
    if age > INBOX_LATE:
        state = ATTENTION if age > INBOX_BAD else WAITING
        return Check("journeys", state, detail, "Is `comity serve` running? See the node's log.")
    return Check("journeys", GOOD, detail)


def check_retention(overdue: int, oldest_at: datetime | None, at: datetime) -> Check:
    """What an agreement bids us to purge."""
    if not overdue:
        return Check("retention", GOOD, "nothing is kept longer than agreed")
    age = (at - oldest_at).total_seconds() if oldest_at else 0.0
    state = ATTENTION if age > 86400 else WAITING
    detail = f"{overdue} messages should be purged, the oldest for {duration(age)}"
    return Check("retention", state, detail, "`comity serve` purges them by itself; see the node's log.")


def check_permissions(exposed: Sequence[str]) -> Check:
    """What others on the machine could read or change."""
    if not exposed:
        return Check("file permissions", GOOD, "keys and database are for the node's own user alone")
    names = ", ".join(exposed[:4]) + (f" and {len(exposed) - 4} more" if len(exposed) > 4 else "")
    return Check("file permissions", ATTENTION, f"others may read or change {names}", "chmod -R go-rwx on these.")


def check_ports(*, console: bool, partners: bool, console_at: str, partners_at: str) -> Check:
    """Whether the node serves."""
    if console and partners:
        return Check("ports", GOOD, f"console on {console_at}, partners on {partners_at}")
    silent = " and ".join(where for where, is_open in ((console_at, console), (partners_at, partners)) if not is_open)
    return Check("ports", ATTENTION, f"nobody listens on {silent}", "Start the node: `comity serve`.")


def check_backup(last_at: datetime | None, born_at: datetime, at: datetime) -> Check:
    """When the last backup was made."""
    remedy = "`comity backup FILE --recipient …`, while the node runs (docs/guide/backup.md)."
    if last_at is None:
        state = ATTENTION if at - born_at > timedelta(days=BACKUP_OLD_DAYS) else WAITING
        return Check("backup", state, "none was made yet", remedy)
    days = (at - last_at).total_seconds() / 86400
    if days > BACKUP_OLD_DAYS:
        return Check("backup", ATTENTION, f"the last one is {days:.0f} days old", remedy)
    return Check("backup", GOOD, f"made {_ago(last_at, at)}")


def check_log(
    *, size: int, warnings: Sequence[str], split_views: Sequence[str], suspicions: Sequence[str] = ()
) -> list[Check]:
    """Our log and the partners': nobody may show two histories, we least of all. warnings: about our own.

    split_views: logs of which it is proved. suspicions: logs that only failed to show that they go on.
    """
    checks = [] if warnings else [Check("log", GOOD, f"{size} entries")]
    for text in warnings:
        remedy = "Nothing may be appended: see docs/guide/backup.md, and restore with --new-log where entries are lost."
        checks.append(Check("log", ATTENTION, text, remedy))
    for origin in split_views:
        remedy = "The proof page has both notes: show them to the partner and to the other parties."
        checks.append(Check(f"log {origin}", ATTENTION, "showed two histories", remedy))
    for origin in suspicions:
        remedy = "The monitor goes on asking; `comity ledger monitor --once` asks now."
        checks.append(Check(f"log {origin}", WAITING, "did not show that it continues what it showed before", remedy))
    return checks


def check_recovery(waiting: Sequence[str], behind: Sequence[str]) -> Check | None:
    """What a restored node still has to find out; None where nothing is left."""
    if behind:
        detail = f"{', '.join(behind)} received messages that the backup does not know of: entries of the log are lost"
        return Check("restore", ATTENTION, detail, "Restore the backup again with --new-log (docs/guide/backup.md).")
    if waiting:
        detail = f"{', '.join(waiting)} did not say yet what it has; nothing goes there before"
        remedy = (
            "It is asked every few seconds. Where it cannot be asked from here: `comity recover CODE --received N`."
        )
        return Check("restore", WAITING, detail, remedy)
    return None


def duration(seconds: float) -> str:
    """A length of time in one unit: 40 s, 12 min, 5 h, 3 days."""
    for unit, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def show_bytes(count: float) -> str:
    """A size in one unit: 512 B, 3.4 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _ago(moment: datetime, at: datetime) -> str:
    return f"{duration(max((at - moment).total_seconds(), 0.0))} ago"


def _line_remedy(line: Line) -> str:
    """By what the error says: each names the one place to look at first."""
    error = line.last_error.lower()
    if "certificate verify" in error or "certificate_" in error:
        return f"Compare keys: `comity partner show {line.partner}`; ask it for its present invitation."
    if "refused" in error and "connect" in error:
        return "Its machine answers and nobody listens: ask the partner to start its node."
    if "name" in error and ("resolution" in error or "known" in error or "service" in error):
        return "The name in its endpoint is not found: check DNS, or introduce it with --endpoint."
    if "answered 5" in error:
        return "Its node answers and cannot take it: ask the partner to run `comity doctor`."
    return f"Check network and firewall to its endpoint: `comity partner show {line.partner}`."


def check_models(champion: str, silence: str, detail: str) -> Check:
    """Whether the champion among the models can speak in assessments. champion: its name, empty without one."""
    if not champion:
        return Check("models", GOOD, "no champion; assessments go without a model")
    if not silence:
        return Check("models", GOOD, f"{champion} speaks in assessments")
    remedies = {
        "no_library": "Run `pip install 'comity[learning]'`; LightGBM needs the system library libgomp1.",
        "bad_model": "Bring the model back from a backup, or retire it: `comity risk model list`.",
    }
    remedy = remedies.get(silence, "Run `comity risk model refresh`, and read what it says.")
    state = WAITING if silence == "no_state" else ATTENTION
    return Check("models", state, f"{champion} cannot speak: {silence} {detail}".rstrip(), remedy)
