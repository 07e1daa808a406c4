"""What the doctor finds and advises, sentence by sentence: its English shapes and the same as messages. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from comity.common import ComityError, parse_instant
from comity.console.sentences import Said
from comity.console.words import is_english

_Shapes = Sequence[tuple[str, str | Promise]]
_SPAN = r"\d+ (?:s|min|h|days)"
_AT = r"\d{4}-\d\d-\d\dT[\d:.]+Z"
_BYTES = r"[\d.]+ (?:B|KiB|MiB|GiB|TiB)"
_HEARD = rf"(?P<heard>never answered|answered last {_SPAN} ago)"
_WAITS = rf"(?P<waits>none waiting|\d+ waiting, the oldest for {_SPAN})"

_FOUND: _Shapes = (
    # clocks
    (r"not compared yet; a receipt tells", _("Not compared yet: the next receipt tells.")),
    (r"agrees with ours", _("It agrees with ours.")),
    (rf"within (?P<span>{_SPAN}) of ours", _("It agrees with ours within %(span)s.")),
    (rf"(?P<span>{_SPAN}) ahead of ours", _("It is %(span)s ahead of ours.")),
    (rf"(?P<span>{_SPAN}) behind ours", _("It is %(span)s behind ours.")),
    (
        rf"(?P<span>{_SPAN}) behind every partner's: it is ours that is wrong",
        _("It is %(span)s behind the clock of every partner: ours is the one that is wrong."),
    ),
    (
        rf"(?P<span>{_SPAN}) ahead of every partner's: it is ours that is wrong",
        _("It is %(span)s ahead of the clock of every partner: ours is the one that is wrong."),
    ),
    (
        r"the system does not tell whether it is synchronised",
        _("The machine does not tell whether it is kept right by a time service."),
    ),
    (r"synchronised, says the system", _("It is kept right by a time service.")),
    (r"not synchronised, says the system", _("No time service keeps it right.")),
    (r"time is moved by (?P<text>.+)", _("The time is moved by the file %(text)s.")),
    # machine
    (
        rf"(?P<free>{_BYTES}) free of (?P<all>{_BYTES})",
        _("%(free)s are free of %(all)s."),
    ),
    (
        rf"(?P<free>{_BYTES}) free of (?P<all>{_BYTES}), (?P<count>[\d,]+) days at the present growth",
        _("%(free)s are free of %(all)s; at the present growth that lasts %(count)s days."),
    ),
    (
        rf"(?P<free>{_BYTES}) free of (?P<all>{_BYTES}), years at the present growth",
        _("%(free)s are free of %(all)s; at the present growth that lasts for years."),
    ),
    (r"(?P<engine>SQLite|PostgreSQL) does not answer: (?P<text>.+)", _("%(engine)s does not answer: %(text)s")),
    (
        rf"(?P<engine>SQLite|PostgreSQL), (?P<all>{_BYTES}), answers in (?P<count>\d+) ms",
        _("%(engine)s with %(all)s answers in %(count)s ms."),
    ),
    (r"damaged: (?P<text>.+)", _("It is damaged: %(text)s")),
    (r"every page holds what it should", _("Every page of it holds what it should.")),
    (rf"(?P<all>{_BYTES}) not yet in the database", _("%(all)s are not yet in their place.")),
    (r"this is a standby: it takes no writes", _("This is the copy: nothing can be written to it.")),
    (rf"the last replica is (?P<all>{_BYTES}) behind", _("The last copy is %(all)s behind.")),
    (
        r"keys and database are for the node's own user alone",
        _("Keys and data can be read by the node alone."),
    ),
    (r"others may read or change (?P<text>.+)", _("Others on this machine may read or change: %(text)s")),
    (
        r"console on (?P<one>\S+), partners on (?P<two>\S+)",
        _("Open: the console at %(one)s, the door for partners at %(two)s."),
    ),
    (r"nobody listens on (?P<listed>.+)", _("Nobody listens at %(listed)s.")),
    (r"none was made yet", _("None was made yet.")),
    (r"the last one is (?P<count>\d+) days old", _("The last one is %(count)s days old.")),
    (rf"made (?P<span>{_SPAN}) ago", _("The last one was made %(span)s ago.")),
    (
        r"(?P<text>.+) received messages that the backup does not know of: entries of the log are lost",
        _("%(text)s received messages that the backup does not know of: entries of the log are lost."),
    ),
    (
        r"(?P<text>.+) did not say yet what it has; nothing goes there before",
        _("%(text)s did not say yet what it has; nothing is sent there before."),
    ),
    # lines and questions
    (r"suspended", _("The exchange is suspended.")),
    (
        rf"not reached in (?P<count>\d+) attempts, {_HEARD}, {_WAITS}; next attempt (?P<at>{_AT}): (?P<text>.*)",
        _("Not reached in %(count)s attempts; %(heard)s, %(waits)s. Next attempt %(at)s. Reason: %(text)s"),
    ),
    (
        rf"not reached in (?P<count>\d+) attempts, {_HEARD}, {_WAITS}: (?P<text>.*)",
        _("Not reached in %(count)s attempts; %(heard)s, %(waits)s. Reason: %(text)s"),
    ),
    (rf"{_HEARD}, {_WAITS}", _("No failure so far: %(heard)s, %(waits)s.")),
    (r"never probed", _("It was never asked.")),
    (
        (
            r"receipt after (?P<one>[\d.]+) s, answer after (?P<two>[\d.]+) s; version (?P<version>\S+), "
            r"(?P<count>\d+) agreements in force with us"
        ),
        _(
            "Receipt after %(one)s s, answer after %(two)s s; version %(version)s, agreements in force there "
            "with us: %(count)s."
        ),
    ),
    (
        r"answer after (?P<two>[\d.]+) s; version (?P<version>\S+), (?P<count>\d+) agreements in force with us",
        _("Answer after %(two)s s; version %(version)s, agreements in force there with us: %(count)s."),
    ),
    (r"refused: (?P<text>.*)", _("The partner refused it. %(text)s")),
    (r"no receipt: nothing came back in time", _("No receipt came back.")),
    (r"no receipt: (?P<text>.*)", _("No receipt came back: %(text)s")),
    (
        r"receipt after (?P<one>[\d.]+) s, no answer of the journey yet",
        _("Receipt after %(one)s s, but no answer yet: it was taken in there and not acted on."),
    ),
    # keys and agreements
    (rf"ended (?P<at>{_AT})", _("Ended on %(at)s.")),
    (rf"(?P<count>\d+) days left, until (?P<at>{_AT})", _("Valid for %(count)s more days, until %(at)s.")),
    (r"ends in (?P<count>\d+) days", _("Ends in %(count)s days.")),
    # messages and log
    (r"everything that was accepted has been acted on", _("Everything that was taken in has been acted on.")),
    (
        rf"(?P<count>\d+) accepted and not acted on, the oldest for (?P<span>{_SPAN})",
        _("Taken in and not acted on: %(count)s, the oldest for %(span)s."),
    ),
    (
        r"(?P<count>\d+) messages whose journey fails: (?P<text>.*)",
        _("Messages that cannot be acted on: %(count)s. Reason: %(text)s"),
    ),
    (r"nothing is kept longer than agreed", _("Nothing is kept longer than agreed.")),
    (
        rf"(?P<count>\d+) messages should be purged, the oldest for (?P<span>{_SPAN})",
        _("Messages that should be deleted: %(count)s, the oldest for %(span)s."),
    ),
    (r"(?P<count>\d+) entries", _("%(count)s entries; all that partners have seen of it fits together.")),
    (r"showed two histories", _("It is proved that this log showed two histories.")),
    (
        r"did not show that it continues what it showed before",
        _("Suspicion, being checked: the log did not show that it continues what it showed before."),
    ),
    (
        (
            r"(?P<one>\S+) holds a checkpoint of (?P<count>\d+) entries that this node signed; "
            r"its log has (?P<two>\d+)\. The database is older than that\. "
            r"Nothing is appended, so that no second history begins\."
        ),
        _(
            "%(one)s holds proof that our log once had %(count)s entries; now it has %(two)s: our data are older than "
            "what was shown. Nothing is written, so that no second history begins."
        ),
    ),
    (
        r"(?P<one>\S+) says that it has seen (?P<count>\d+) entries of our log, which has (?P<two>\d+)\.",
        _("%(one)s says that it has seen %(count)s entries of our log, which has %(two)s."),
    ),
    (
        r"Nothing is appended to our log until the partners were asked: (?P<text>.+)\.",
        _("Nothing is written to our log until the partners were asked: %(text)s."),
    ),
    (
        (
            r"(?:(?P<one>\S+) showed us|This node found) two notes of our own log that contradict each other\."
            r" Partners cosign it no longer\."
        ),
        _("It is proved that our own log showed two histories. Partners cosign it no longer."),
    ),
)

_ADVICE: _Shapes = (
    (
        r"Find out whose clock is wrong: `timedatectl` here; ask the partner to look at its own\.",
        _("Find out whose clock is wrong: `timedatectl` here; ask the partner to look at its own."),
    ),
    (
        r"Set the clock and let the system keep it by NTP\.",
        _("Set the clock, and let a time service (NTP) keep it."),
    ),
    (
        r"Let the system keep it by NTP \(chrony, timesyncd\)\.",
        _("Let a time service keep it: NTP by chrony or timesyncd."),
    ),
    (
        r"Unset COMITY_CLOCK_FILE outside of exercises\.",
        _("After the exercise, take away COMITY_CLOCK_FILE and start the node anew."),
    ),
    (
        r"Make room or a larger disk\. When it is full, nothing is taken in and nothing is lost\.",
        _("Make room, or put in a larger disk."),
    ),
    (r"Start it; see its log\.", _("Start it, and read its own log.")),
    (r"See what else uses its machine\.", _("See what else uses the machine.")),
    (
        r"Stop the node, keep a copy, and restore a backup \(docs/guide/backup\.md\)\.",
        _("Stop the node, keep a copy, and restore a backup (guide: backup)."),
    ),
    (
        r"A reader holds it open: see what else reads the file; a restart of the node shortens it\.",
        _("Another program holds the file open: find it, or start the node anew."),
    ),
    (r"Name the primary\.", _("Name the database that may be written to in the settings.")),
    (r"See the replica's log\.", _("Read the log of the copy.")),
    (
        r"(?P<text>`comity partner resume \S+`) takes it up again\.",
        _("Take the exchange up again on the partner's page, or by %(text)s."),
    ),
    (
        r"Compare keys: (?P<text>`[^`]+`); ask it for its present invitation\.",
        _("Compare keys: %(text)s. Ask the partner for its present invitation."),
    ),
    (
        r"Its machine answers and nobody listens: ask the partner to start its node\.",
        _("Its machine answers, but its node does not run: ask the partner to start it."),
    ),
    (
        r"The name in its endpoint is not found: check DNS, or introduce it with --endpoint\.",
        _("The name in its address is not found: check the name service (DNS), or correct the address."),
    ),
    (
        r"Its node answers and cannot take it: ask the partner to run `comity doctor`\.",
        _("Its node answers and cannot take it: ask the partner to run `comity doctor`."),
    ),
    (
        r"Check network and firewall to its endpoint: (?P<text>`[^`]+`)\.",
        _("Check the network and the firewall to its address: %(text)s. If they are right, call the partner."),
    ),
    (
        r"Is `comity serve` running\? See the node's log\.",
        _("See whether `comity serve` runs, and read the node's log."),
    ),
    (r"`comity doctor` without --no-probe does\.", _("Ask it here, or by `comity doctor`.")),
    (
        r"Both nodes adopt the same agreement: `comity agreement adopt FILE`\.",
        _("No agreement is in force there with us: both adopt the same one, `comity agreement adopt FILE`."),
    ),
    (r"See `comity exchange refusals`\.", _("Read the refusals on the partner's page.")),
    (r"See its line above\.", _("See what is said of its line.")),
    (
        r"The answer can only come while `comity serve` runs here\.",
        _("The answer can only come while `comity serve` runs here."),
    ),
    (
        r"The partner's journeys do not run, or it cannot reach us: ask it to look\.",
        _("Either nothing is acted on there, or the partner cannot reach us: call it and ask it to look."),
    ),
    (
        r"The node renews it by itself while it runs: see its log, and `comity keys show`\.",
        _("The node renews it by itself while it runs. If it has not: read its log, and `comity keys show`."),
    ),
    (
        r"`comity keys renew`; the running node takes it up and tells the partners\.",
        _("On the node: `comity keys renew`. It is taken up without a restart, and partners are told."),
    ),
    (
        r"Ask (?P<one>\S+) to run `comity keys renew` and to send its invitation\.",
        _("Ask %(one)s to run `comity keys renew`. The news comes by itself, or as an invitation in a file."),
    ),
    (
        r"Agree on its successor: after its last day nothing new travels under it\.",
        _("Agree on its successor with the other parties."),
    ),
    (
        r"They are tried again by themselves; see the node's log for the cause\.",
        _("They are tried again by themselves; the node's log names the cause."),
    ),
    (
        r"`comity serve` purges them by itself; see the node's log\.",
        _("The node deletes them by itself while it runs; if not, read its log."),
    ),
    (r"chmod -R go-rwx on these\.", _("On the node: `chmod -R go-rwx` for these files.")),
    (r"Start the node: `comity serve`\.", _("Start the node: `comity serve`.")),
    (
        r"`comity backup FILE --recipient …`, while the node runs \(docs/guide/backup\.md\)\.",
        _("On the node, while it runs: `comity backup FILE --recipient …` (guide: backup)."),
    ),
    (
        (r"Nothing may be appended: see docs/guide/backup\.md, and restore with --new-log where entries are lost\."),
        _("See what the proof page says to do. Restore a newer backup; `--new-log` where entries are lost."),
    ),
    (
        r"The proof page has both notes: show them to the partner and to the other parties\.",
        _("The proof page has the evidence and says what to do."),
    ),
    (
        r"The monitor goes on asking; `comity ledger monitor --once` asks now\.",
        _("The node goes on asking every minute. If it stays for a day, call the partner."),
    ),
    (
        r"Restore the backup again with --new-log \(docs/guide/backup\.md\)\.",
        _("Restore the backup once more with `--new-log` (guide: backup)."),
    ),
    (
        (
            r"It is asked every few seconds\. Where it cannot be asked from here: "
            r"`comity recover CODE --received N`\."
        ),
        _("It is asked every few seconds. Where it cannot be asked from here: `comity recover CODE --received N`."),
    ),
    (r"Run `comity init .+ first, or set COMITY_HOME to the node's folder\.", _("Start the node from its own folder.")),
)


def _compiled(shapes: _Shapes) -> tuple[tuple[re.Pattern[str], str | Promise], ...]:
    return tuple((re.compile(shape, re.DOTALL), message) for shape, message in shapes)


# What a line says of itself after each failure; the page has advice of its own.
_ADVICE_OF_LINES = " It is tried again by itself."
_READY_FOUND, _READY_ADVICE = _compiled(_FOUND), _compiled(_ADVICE)
_UNITS: Mapping[str, str | Promise] = {"KiB": _("KiB"), "MiB": _("MiB"), "GiB": _("GiB"), "TiB": _("TiB"), "B": "B"}


def say_finding(english: str) -> Said:
    """What was found."""
    return _said(english, _READY_FOUND)


def say_remedy(english: str) -> Said:
    """What to do about it."""
    return _said(english, _READY_ADVICE)


def cause_of(error: str) -> str:
    """What went wrong with a line, without the advice that it gives after each failure."""
    return error.partition(_ADVICE_OF_LINES)[0]


def say_span(seconds: float) -> str:
    """A length of time in one unit, as people say it."""
    for unit, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return _span(f"{seconds / unit:.0f} {name}")
    return _span(f"{seconds:.0f} s")


def _said(english: str, ready: tuple[tuple[re.Pattern[str], str | Promise], ...]) -> Said:
    for shape, message in ready:
        found = shape.fullmatch(english)
        if found:
            parts = {name: _part(name, text or "") for name, text in found.groupdict().items()}
            return Said((str(message) % parts).strip())
    return Said(english, is_foreign=not is_english())


def _part(name: str, text: str) -> str:
    text = cause_of(text)
    return _PARTS[name](text) if name in _PARTS else text


def _span(text: str) -> str:
    count, _space, unit = text.partition(" ")
    number = int(count)
    match unit:
        case "days":
            return ngettext("%(count)d day", "%(count)d days", number) % {"count": number}
        case "h":
            return gettext("%(count)d h") % {"count": number}
        case "min":
            return gettext("%(count)d min") % {"count": number}
    return gettext("%(count)d s") % {"count": number}


def _heard(text: str) -> str:
    if text == "never answered":
        return gettext("it never answered")
    span = text.removeprefix("answered last ").removesuffix(" ago")
    return gettext("it last answered %(span)s ago") % {"span": _span(span)}


def _waits(text: str) -> str:
    if text == "none waiting":
        return gettext("nothing waits for it")
    count, _words, span = text.partition(" waiting, the oldest for ")
    number = int(count)
    text = ngettext(
        "%(count)d message waits for it, for %(span)s",
        "%(count)d messages wait for it, the oldest for %(span)s",
        number,
    )
    return text % {"count": number, "span": _span(span)}


def _instant(text: str) -> str:
    try:
        at = parse_instant(text)
    except ComityError:
        return text
    day = date_format(at, "j M Y" if is_english() else "j N Y")
    return f"{day} {date_format(at, 'H:i')} UTC"


def _bytes(text: str) -> str:
    number, _space, unit = text.partition(" ")
    shown = number_format(number, decimal_pos=len(number.partition(".")[2]), use_l10n=True)
    return f"{shown}\u00a0{_UNITS.get(unit, unit)}"


def _count(text: str) -> str:
    return number_format(int(text.replace(",", "")), use_l10n=True, force_grouping=True)


def _seconds(text: str) -> str:
    is_number = re.fullmatch(r"[\d.]+", text) is not None
    return number_format(text, decimal_pos=len(text.partition(".")[2]), use_l10n=True) if is_number else text


def _listed(text: str) -> str:
    return f" {gettext('and')} ".join(text.split(" and "))


_PARTS: Mapping[str, Callable[[str], str]] = {
    "span": _span,
    "heard": _heard,
    "waits": _waits,
    "at": _instant,
    "free": _bytes,
    "all": _bytes,
    "count": _count,
    "one": _seconds,
    "two": _seconds,
    "listed": _listed,
}
