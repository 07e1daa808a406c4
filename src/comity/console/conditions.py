"""The doctor's checks in the officer's language: what was looked at, what it means, what was found, what to do. Pure.

The doctor words its findings in English, in fixed shapes. Each is taken apart here and said again, times as people
write them; a sentence of another shape stays English and says so. The shapes are in findings.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comity.console.findings import say_finding, say_remedy
from comity.console.sentences import Said

_URGENCY: Mapping[str, int] = {"attention": 0, "waiting": 1, "ok": 2}


class Check(Protocol):
    """One line of the doctor. state: ok, waiting or attention."""

    @property
    def title(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def detail(self) -> str: ...

    @property
    def remedy(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Condition:
    """A check as a page shows it. subject: of whom or what; partner: its code where it is about one."""

    kind: str
    label: str
    subject: str
    partner: str
    state: str
    meaning: str
    finding: Said
    remedy: Said

    @property
    def tag(self) -> str:
        """The word of its state."""
        return tag_of(self.state)

    @property
    def is_urgent(self) -> bool:
        """Whether a person must act now."""
        return self.state == "attention"

    @property
    def is_coming(self) -> bool:
        """Whether there is time left, or it may mend itself."""
        return self.state == "waiting"


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of one field, the most urgent first."""

    name: str
    label: str | Promise
    conditions: tuple[Condition, ...]

    @property
    def troubles(self) -> tuple[Condition, ...]:
        """What asks for a person, now or soon."""
        return tuple(each for each in self.conditions if each.state != "ok")

    @property
    def working(self) -> tuple[Condition, ...]:
        """What asks for nothing."""
        return tuple(each for each in self.conditions if each.state == "ok")


@dataclass(frozen=True, slots=True)
class Summary:
    """All conditions. urgent, coming: those that ask for a person, now or soon; working: how many ask for nothing."""

    groups: tuple[Group, ...]
    urgent: tuple[Condition, ...]
    coming: tuple[Condition, ...]
    working: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """What people read for a check. has_subject: its title ends with a partner's code or a name."""

    group: str
    label: str | Promise
    meaning: str | Promise
    has_subject: bool = False
    is_of_partner: bool = False


_GROUPS: Mapping[str, str | Promise] = {
    "partners": _("Partners"),
    "work": _("Messages and log"),
    "keys": _("Keys and agreements"),
    "machine": _("This machine"),
}

# By the beginning of the check's title; the longer ones first where one begins another.
_KINDS: Mapping[str, _Kind] = {
    "partner": _Kind(
        "partners",
        _("Line"),
        _("Whether messages reach the partner and it answers them."),
        has_subject=True,
        is_of_partner=True,
    ),
    "probe": _Kind(
        "probes",
        _("Question to the partner"),
        _("A signed question that goes the whole way to the partner's work and back."),
        has_subject=True,
        is_of_partner=True,
    ),
    "clock of": _Kind(
        "partners",
        _("Clock"),
        _("A message that seems to come from tomorrow is refused; so clocks must agree."),
        has_subject=True,
        is_of_partner=True,
    ),
    "key document of": _Kind(
        "partners",
        _("Keys"),
        _("The list of the keys by which the partner signs and is written to."),
        has_subject=True,
        is_of_partner=True,
    ),
    "certificate of": _Kind(
        "partners",
        _("Certificate of the line"),
        _("When it ends, the connection to the partner is refused."),
        has_subject=True,
        is_of_partner=True,
    ),
    "journeys": _Kind(
        "work", _("Work on what came in"), _("Whether what partners sent is acted on: alerts, findings, recalls.")
    ),
    "retention": _Kind(
        "work", _("Deleting in time"), _("Whether what agreements tell us to delete is deleted when its time is over.")
    ),
    "log": _Kind(
        "work",
        _("Log"),
        _("The record that partners cosign. Nobody may show two versions of it."),
        has_subject=True,
    ),
    "our key document": _Kind(
        "keys",
        _("Our keys"),
        _("When the list of our keys ends, no new partner can be introduced and no agreement signed."),
    ),
    "our certificate": _Kind(
        "keys", _("Our certificate of the line"), _("When it ends, partners refuse the connection to us.")
    ),
    "agreement": _Kind(
        "keys", _("Agreement"), _("After its last day nothing new is shared under it."), has_subject=True
    ),
    "settings": _Kind("machine", _("Settings"), _("Where the node lives and listens.")),
    "ports": _Kind("machine", _("Doors"), _("The console for officers, and the door at which partners knock.")),
    "file permissions": _Kind(
        "machine", _("Protection of files"), _("Whether others on this machine could read our keys or change our data.")
    ),
    "database": _Kind("machine", _("Database"), _("Everything is kept in it; without it nothing works.")),
    "integrity": _Kind("machine", _("Soundness of the database"), _("Whether its file is damaged.")),
    "write-ahead log": _Kind(
        "machine", _("Journal of the database"), _("Changes that are safe, but not yet in their place.")
    ),
    "replication": _Kind("machine", _("Copy of the database"), _("How far the second copy is behind.")),
    "disk of": _Kind(
        "machine",
        _("Disk"),
        _("When it is full nothing more is taken in. What is there is not lost."),
        has_subject=True,
    ),
    "our clock": _Kind(
        "machine", _("Our clock"), _("A message that seems to come from tomorrow is refused; so clocks must agree.")
    ),
    "clock file": _Kind("machine", _("Moved clock"), _("For an exercise the time is moved. It must not be forgotten.")),
    "restore": _Kind(
        "machine",
        _("Restored backup"),
        _("After a restore each partner is asked what it has, before anything is sent."),
    ),
    "backup": _Kind("machine", _("Backup"), _("The copy from which the node is set up again after a loss.")),
}
_USES: Mapping[str, str | Promise] = {
    "home": _("settings and keys"),
    "database": _("database"),
    "evidence": _("evidence files"),
}


def tag_of(state: str) -> str:
    """The word for a state of the doctor: what waits has time, and becomes something to do soon."""
    return "check:soon" if state == "waiting" else f"check:{state}"


def conditions_of(checks: Iterable[Check]) -> tuple[Condition, ...]:
    """Every check as a page shows it, in the order of the doctor."""
    return tuple(_condition(each) for each in checks)


def summarise(conditions: Sequence[Condition]) -> Summary:
    """Grouped, with what asks for a person first."""
    ordered = sorted(conditions, key=lambda each: (_URGENCY.get(each.state, 0), each.partner))
    groups = (Group(name, label, _of_group(name, ordered)) for name, label in _GROUPS.items())
    return Summary(
        groups=tuple(group for group in groups if group.conditions),
        urgent=tuple(each for each in ordered if each.is_urgent),
        coming=tuple(each for each in ordered if each.is_coming),
        working=sum(each.state == "ok" for each in ordered),
    )


def _of_group(name: str, ordered: Sequence[Condition]) -> tuple[Condition, ...]:
    return tuple(each for each in ordered if _group_of(each.kind) == name)


def _group_of(name: str) -> str:
    return _KINDS[name].group if name in _KINDS else "machine"


def _condition(check: Check) -> Condition:
    name, rest = _name_of(check.title)
    kind = _KINDS.get(name)
    return Condition(
        kind=name,
        label=str(kind.label) if kind else check.title,
        subject=_subject(name, rest),
        partner=rest if kind and kind.is_of_partner else "",
        state=check.state,
        meaning=str(kind.meaning) if kind else "",
        finding=say_finding(check.detail),
        remedy=say_remedy(check.remedy),
    )


def _name_of(title: str) -> tuple[str, str]:
    """The kind of a check, and of whom it is."""
    if title in _KINDS:
        return title, ""
    for name, kind in _KINDS.items():
        if kind.has_subject and title.startswith(f"{name} "):
            return name, title.removeprefix(f"{name} ")
    return "", ""


def _subject(name: str, rest: str) -> str:
    if name != "disk of":
        return rest
    uses = [str(_USES.get(each, each)) for each in rest.split(" and ")]
    return f" {gettext('and')} ".join([", ".join(uses[:-1]), uses[-1]]) if len(uses) > 1 else uses[0]
