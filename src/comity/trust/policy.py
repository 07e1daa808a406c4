"""Whose cosignatures make a checkpoint count (C2SP tlog-policy): known logs, named witnesses, groups and a quorum.

A caller may give names that need no line of their own, such as the parties of an agreement. Their keys come when a
checkpoint is weighed, and may be several: so a witness keeps its place in a policy when it changes its key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from comity.trust.errors import NoteError, TrustError
from comity.trust.notes import Checkpoint, LogVerifier, NoteKind, open_checkpoint

MAX_CHARS = 32_768
MAX_NAMES = 256
NO_QUORUM = "none"

# tlog-policy, "Character set": of the control characters only tab and newline. Surrogates are no text.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_GAPS = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_FORMS = {
    "log": "log VKEY [URL]",
    "witness": "witness NAME VKEY [URL]",
    "group": "group NAME any|all|NUMBER MEMBER...",
    "quorum": "quorum NAME, or quorum none",
}

Keys = Mapping[str, Sequence[LogVerifier]]


class PolicyError(TrustError):
    """A text is no policy. where: its line."""

    code = "bad_policy"


class QuorumError(TrustError):
    """A checkpoint lacks cosignatures that the policy asks for. missing: the witnesses whose line is not there."""

    code = "no_quorum"

    def __init__(self, what: str, *, where: str, missing: tuple[str, ...]) -> None:
        super().__init__(what, where=where, remedy="Ask again when the missing witnesses have cosigned a newer one.")
        self.missing = missing


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log whose checkpoints count. url: where it is served, as the policy says; may be empty."""

    verifier: LogVerifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class NamedWitness:
    """A witness that the policy names with its key."""

    name: str
    verifier: LogVerifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """At least `threshold` of the members, each a witness or an earlier group."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a policy says of one checkpoint.

    seen_by: POSIX seconds by the name of each witness of the policy that cosigned it. missing: the others that the
    quorum counts. is_met: whether the quorum is there.
    """

    checkpoint: Checkpoint
    seen_by: Mapping[str, int]
    missing: tuple[str, ...]
    is_met: bool

    def require(self) -> Weighed:
        """Itself. Raises: QuorumError where the quorum is not there."""
        if not self.is_met:
            raise QuorumError(
                f"The checkpoint lacks the quorum: seen by {_listed(sorted(self.seen_by)) or 'no witness'}",
                where=f"{self.checkpoint.origin}, size {self.checkpoint.size}; missing {_listed(self.missing)}",
                missing=self.missing,
            )
        return self


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy. quorum: the name of a witness or group, or `none`. known: names that need no line of their own."""

    quorum: str
    logs: tuple[KnownLog, ...] = ()
    witnesses: tuple[NamedWitness, ...] = ()
    groups: tuple[Group, ...] = ()
    known: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The policy as it is written: without comments, logs first, the quorum last; one line each."""
        lines = [_line("log", each.verifier.vkey, each.url) for each in self.logs]
        lines += [_line("witness", each.name, each.verifier.vkey, each.url) for each in self.witnesses]
        lines += [_line("group", each.name, _threshold(each), *each.members) for each in self.groups]
        return "".join([*lines, _line("quorum", self.quorum)])

    @property
    def counted(self) -> tuple[str, ...]:
        """The names of the witnesses that the quorum counts, sorted."""
        groups = {each.name: each for each in self.groups}
        found, open_names = set(), [self.quorum]
        while open_names:
            name = open_names.pop()
            if name in groups:
                open_names += groups[name].members
            elif name != NO_QUORUM:
                found.add(name)
        return tuple(sorted(found))

    def is_met_by(self, names: Collection[str]) -> bool:
        """Whether these witnesses together are a quorum."""
        met = {NO_QUORUM, *names} - {each.name for each in self.groups}
        for group in self.groups:  # a group names only what stands above it
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    def with_keys(self, keys: Mapping[str, LogVerifier]) -> Policy:
        """The policy that any other program can evaluate: the known names get witness lines with these keys.

        Raises: PolicyError where the key of a counted name is missing.
        """
        lacking = [name for name in self.counted if name in self.known and name not in keys]
        if lacking:
            raise PolicyError("The key of a witness is not known", where=_listed(lacking), remedy="Introduce it first.")
        added = [NamedWitness(name, keys[name]) for name in self.counted if name in self.known]
        return replace(self, witnesses=(*self.witnesses, *added), known=frozenset())

    def weigh(self, note: str, *, log: LogVerifier | None = None, keys: Keys | None = None, owner: str = "") -> Weighed:
        """Verify a checkpoint's signatures and say what the policy makes of them.

        log: whose checkpoint it must be, where the policy names no log. keys: of the known names. owner: whose log it
        is: nobody is a witness of his own log.
        Raises: NoteError where no such log signed the note, or a signature of a witness is wrong.
        """
        named = self._keys(keys or {})
        named.pop(owner, None)
        names = {verifier.vkey: name for name, verifiers in named.items() for verifier in verifiers}
        verifiers = [verifier for each in named.values() for verifier in each]
        checkpoint, signed_by = self._open(note, log, verifiers)
        seen_by: dict[str, int] = {}
        for vkey, seconds in signed_by.items():
            if vkey in names and seconds is not None:
                seen_by[names[vkey]] = max(seconds, seen_by.get(names[vkey], 0))
        missing = tuple(name for name in self.counted if name not in seen_by and name != owner)
        return Weighed(checkpoint, seen_by, missing, self.is_met_by(seen_by))

    def satisfied(
        self, note: str, *, log: LogVerifier | None = None, keys: Keys | None = None, owner: str = ""
    ) -> Weighed:
        """As `weigh`, where the quorum is there. Raises: NoteError; QuorumError naming who is missing."""
        return self.weigh(note, log=log, keys=keys, owner=owner).require()

    def _keys(self, keys: Keys) -> dict[str, tuple[LogVerifier, ...]]:
        named = {each.name: (each.verifier,) for each in self.witnesses}
        return named | {name: tuple(keys.get(name, ())) for name in self.known}

    def _open(
        self, note: str, log: LogVerifier | None, verifiers: Sequence[LogVerifier]
    ) -> tuple[Checkpoint, Mapping[str, int | None]]:
        logs = [each.verifier for each in self.logs if log is None or each.verifier == log]
        if log is not None and not self.logs:
            logs = [log]
        origin = note.partition("\n")[0]
        for each in logs:
            if each.name == origin:
                checkpoint, opened = open_checkpoint(note, each, verifiers)
                return checkpoint, opened.signed_by
        raise NoteError("The checkpoint is not of a log of this policy", where=repr(origin)[:120])


def parse_policy(text: str, *, known: Iterable[str] = ()) -> Policy:
    """Read a policy. known: names of witnesses that need no line of their own.

    Raises: PolicyError with the line and what to write.
    """
    if len(text) > MAX_CHARS:
        _fail("The policy is too long", 1, f"At most {MAX_CHARS} characters.")
    reader = _PolicyReader(frozenset(known))
    for number, line in enumerate(text.split("\n"), start=1):
        if found := _FORBIDDEN.search(line):
            _fail(f"There is a character {found[0]!r}", number, "Take it out.")
        words = [word for word in _GAPS.split(line) if word]
        if words and not words[0].startswith("#"):
            reader.read(words, number)
    return reader.policy()


class _PolicyReader:
    """Takes the lines one after the other; each may name only what stands above it."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._logs: list[KnownLog] = []
        self._witnesses: list[NamedWitness] = []
        self._groups: list[Group] = []
        self._quorum = ""
        self._members: dict[str, str] = {}

    def read(self, words: list[str], number: int) -> None:
        """Take one line."""
        readers: Mapping[str, Callable[[list[str], int], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._take_quorum,
        }
        reader = readers.get(words[0])
        if reader is None:
            _fail(f"A line begins with {words[0][:40]!r}", number, f"Write one of: {'; '.join(_FORMS.values())}.")
        if len(self._logs) + len(self._witnesses) + len(self._groups) >= MAX_NAMES:
            _fail(f"The policy has more than {MAX_NAMES} lines", number, "Shorten it.")
        reader(words[1:], number)

    def policy(self) -> Policy:
        """What was read. Raises: PolicyError where there was no quorum line."""
        if not self._quorum:
            raise PolicyError("The policy has no quorum line", where="end", remedy=f"Write {_FORMS['quorum']}.")
        return Policy(self._quorum, tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._known)

    def _log(self, words: list[str], number: int) -> None:
        if not 1 <= len(words) <= 2:
            _fail("A log line has one or two words after it", number, f"Write {_FORMS['log']}.")
        verifier = _verifier(words[0], NoteKind.NOTE, number)
        if any(each.verifier.key == verifier.key for each in self._logs):
            _fail("Two logs have one key", number, "Name each log once.")
        self._logs.append(KnownLog(verifier, "".join(words[1:])))

    def _witness(self, words: list[str], number: int) -> None:
        if not 2 <= len(words) <= 3:
            _fail("A witness line has two or three words after it", number, f"Write {_FORMS['witness']}.")
        self._check_new(words[0], number)
        verifier = _verifier(words[1], NoteKind.COSIGNATURE, number)
        if any(each.verifier.key == verifier.key for each in self._witnesses):
            _fail("Two witnesses have one key", number, "Name each witness once.")
        self._witnesses.append(NamedWitness(words[0], verifier, "".join(words[2:])))

    def _group(self, words: list[str], number: int) -> None:
        if len(words) < 3:
            _fail("A group has a name, how many it asks for, and members", number, f"Write {_FORMS['group']}.")
        name, asked, *members = words
        self._check_new(name, number)
        for member in members:
            self._check_defined(member, number)
            if member == NO_QUORUM:
                _fail(f"{NO_QUORUM} is no member of a group", number, "Leave it out.")
            if member in self._members:
                where = f"It stands in group {self._members[member]} already: each counts in one way only."
                _fail(f"{member[:60]!r} is named as a member twice", number, where)
            self._members[member] = name
        if asked not in ("any", "all") and not (_NUMBER.fullmatch(asked) and int(asked) <= len(members)):
            _fail(f"A group asks for {asked[:40]!r}", number, f"Write any, all, or 1 to {len(members)}.")
        threshold = {"any": 1, "all": len(members)}.get(asked) or int(asked)
        self._groups.append(Group(name, threshold, tuple(members)))

    def _take_quorum(self, words: list[str], number: int) -> None:
        if len(words) != 1:
            _fail("A quorum line has one word after it", number, f"Write {_FORMS['quorum']}.")
        if self._quorum:
            _fail("There is a second quorum line", number, "Write one; groups can join others.")
        self._check_defined(words[0], number)
        self._quorum = words[0]

    def _names(self) -> set[str]:
        own = [*(each.name for each in self._witnesses), *(each.name for each in self._groups)]
        return {NO_QUORUM, *self._known, *own}

    def _check_new(self, name: str, number: int) -> None:
        if name in self._known:
            _fail(f"{name[:60]!r} is known already and needs no line", number, "Take the line out, or choose a name.")
        if name in self._names():
            _fail(f"The name {name[:60]!r} is taken", number, "Choose another name.")

    def _check_defined(self, name: str, number: int) -> None:
        if name not in self._names():
            known = _listed(sorted(self._names() - {NO_QUORUM})) or "nobody"
            _fail(f"Nothing above is named {name[:60]!r}", number, f"Known here: {known[:200]}.")


def _verifier(vkey: str, kind: NoteKind, number: int) -> LogVerifier:
    try:
        verifier = LogVerifier.from_vkey(vkey)
    except TrustError as error:
        _fail(f"{error.what}: {vkey[:60]!r}", number, "Write the verifier key as its owner handed it out.")
    if verifier.kind is not kind:
        _fail(
            f"{vkey[:60]!r} is a key of the wrong type",
            number,
            "A log has a key of type 1, a witness one for cosignatures, type 4.",
        )
    return verifier


def _threshold(group: Group) -> str:
    words = {len(group.members): "all", 1: "any"}  # of one member: any
    return words.get(group.threshold, str(group.threshold))


def _line(*words: str) -> str:
    return " ".join(word for word in words if word) + "\n"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _fail(what: str, number: int, remedy: str) -> NoReturn:
    raise PolicyError(what, where=f"line {number}", remedy=remedy)
