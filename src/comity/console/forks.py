"""Logs that showed two histories, in plain words: what is proved, what is suspected, what is wrong with our own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.exchange.directory import load_peers
from comity.exchange.witnesses import log_owner
from comity.ledger import selectors as ledger
from comity.ledger.selectors import ForkEvidence, OwnForkWarning

_REASONS: Mapping[str, str | Promise] = {
    "What the log shows now does not continue what it showed before": gettext_lazy(
        "What the log shows now does not continue what it showed before."
    ),
}
# The first two states prove it; the rest is for whoever wants to know how it went on.
MOST_FURTHER = 20
_TOLD_OTHERWISE = "The log showed another history to "


@dataclass(frozen=True, slots=True)
class Fork:
    """Evidence against a log. owner: whose log it is, our own code too; empty where it is no partner's any more.

    further: more evidence against the same log, the newest first; where a log forked, each look may find some.
    """

    evidence: ForkEvidence
    owner: str
    owner_name: str
    reporter_name: str
    is_ours: bool
    reason: str
    small: int
    large: int
    further: tuple[ForkEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sentence for every page. code: of whom: ours or theirs; anchor: where on the page of proofs."""

    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class OwnTrouble:
    """What is wrong with our own log: what it means, and what to do, step by step."""

    code: str
    title: str
    text: str
    steps: tuple[str, ...]


def forks_of(views: Iterable[ForkEvidence]) -> list[Fork]:
    """With whose logs they are, and by which names people know them."""
    found = list(views)
    names = {peer.administration: peer.name for peer in load_peers().values()} if found else {}
    return [_fork(each, names) for each in found]


def proven_forks(forks: Iterable[Fork]) -> list[Fork]:
    """What is proved, once for each log: what was found first, with the rest beside it."""
    by_log: dict[str, list[Fork]] = {}
    for each in forks:
        if each.evidence.is_proven:
            by_log.setdefault(each.evidence.vkey, []).append(each)
    return [
        replace(found[-1], further=tuple(each.evidence for each in found[:-1][:MOST_FURTHER]))
        for found in by_log.values()
    ]


def alarms() -> list[Alarm]:
    """What every officer must know, whatever page is open: proved forks, and a log of ours that is held."""
    said = [Alarm(_own_alarm(each), "our-log") for each in ledger.own_fork_warnings() if each.code != "claimed"]
    proven = [each for each in ledger.split_views() if each.is_proven]
    owners: dict[str, Alarm] = {}
    for fork in forks_of(proven):
        if not fork.is_ours:
            text = _("It is proved that the log of %(owner)s showed two histories.")
            owners[fork.evidence.vkey] = Alarm(text % {"owner": fork.owner_name}, "two-histories")
    return [*dict.fromkeys(said), *owners.values()]


def own_troubles() -> list[OwnTrouble]:
    """What is wrong with our own log; two proofs of one fork are one trouble."""
    found = {each.code: each for each in reversed(ledger.own_fork_warnings())}
    order = ("forked", "behind", "held", "claimed")
    return [_own_trouble(found[code]) for code in order if code in found]


def _fork(evidence: ForkEvidence, names: Mapping[str, str]) -> Fork:
    is_ours = evidence.vkey == settings.COMITY_KEYRING.log.vkey or evidence.origin == settings.COMITY_KEYRING.log.name
    owner = settings.COMITY_ADMINISTRATION if is_ours else log_owner(evidence.vkey)
    small, large = sorted(evidence.sizes)
    return Fork(
        evidence=evidence,
        owner=owner,
        owner_name=f"{names[owner]} ({owner})" if owner in names else owner or evidence.origin,
        reporter_name=_name(evidence.reported_by, names),
        is_ours=is_ours,
        reason=_reason(evidence.reason, names),
        small=small,
        large=large,
    )


def _name(code: str, names: Mapping[str, str]) -> str:
    return f"{names[code]} ({code})" if code in names else code


def _reason(english: str, names: Mapping[str, str]) -> str:
    if english.startswith(_TOLD_OTHERWISE):
        other = _name(english.removeprefix(_TOLD_OTHERWISE), names)
        return _("It showed another history to %(partner)s than to the rest.") % {"partner": other}
    return str(_REASONS.get(english, "")) or english


def _own_alarm(warning: OwnForkWarning) -> str:
    match warning.code:
        case "forked":
            return _("It is proved that our own log showed two histories. Partners cosign it no longer.")
        case "behind":
            return _(
                "Our log is older than what partners have seen of it. Nothing is sent or received until it is mended."
            )
    return _("Our log rests until the partners were asked. Nothing is sent or received meanwhile.")


def _own_trouble(warning: OwnForkWarning) -> OwnTrouble:
    facts = {"witness": warning.witness, "seen": warning.seen_size, "size": warning.size}
    match warning.code:
        case "forked":
            return OwnTrouble("forked", _("Our own log showed two histories"), _FORKED % facts, _steps(_FORKED_STEPS))
        case "behind":
            return OwnTrouble(
                "behind", _("Our log is older than what was shown"), _BEHIND % facts, _steps(_BEHIND_STEPS)
            )
        case "held":
            return OwnTrouble("held", _("Our log rests"), str(_HELD), _steps(_HELD_STEPS))
    return OwnTrouble(
        "claimed", _("A partner says that our log is incomplete"), _CLAIMED % facts, _steps(_CLAIMED_STEPS)
    )


def _steps(texts: Iterable[str | Promise]) -> tuple[str, ...]:
    return tuple(str(each) for each in texts)


_FORKED = gettext_lazy(
    "Two states of our log exist, both signed by this node, and they contradict each other. Most often an old backup "
    "was put back by hand, or two machines ran with the same keys. Partners were told, and cosign our log no "
    "longer. Messages still pass and receipts still bind."
)
_FORKED_STEPS = (
    gettext_lazy("Tell the supervisor and the administrator of the node today."),
    gettext_lazy("Find out how it came about: an old backup, a copied key, two machines with one key."),
    gettext_lazy("Call the contact point of each partner and explain; they have the evidence already."),
    gettext_lazy(
        "The administrator begins a log with a new name: `comity restore` with `--new-log` (guide: witnesses)."
    ),
)
_BEHIND = gettext_lazy(
    "%(witness)s holds proof that our log had %(seen)d entries; now it has %(size)d. Our data are older than what was "
    "shown, as after an old backup. So that no second history begins, nothing is written, sent or received; partners "
    "keep what they have."
)
_BEHIND_STEPS = (
    gettext_lazy("Tell the administrator of the node at once: no message passes."),
    gettext_lazy("Restore a newer backup. The log goes on by itself when it has reached what partners have seen."),
    gettext_lazy("If there is no newer backup: `comity restore` with `--new-log` goes on under a new name."),
)
_HELD = gettext_lazy(
    "After a restore our log waits until every partner was asked what it has seen. Nothing is lost; it goes on by "
    "itself when all have answered."
)
_HELD_STEPS = (
    gettext_lazy("See on the page of health which partner does not answer, and bring up the line to it."),
    gettext_lazy("To ask at once: `comity ledger monitor --once`."),
    gettext_lazy(
        "If a partner cannot be asked for long, its contact point can say what it has seen; then "
        "`comity ledger release --reason …`."
    ),
)
_CLAIMED = gettext_lazy(
    "%(witness)s says that it has seen %(seen)d entries of our log, which has %(size)d. It has not shown it, so it "
    "may be a mistake."
)
_CLAIMED_STEPS = (
    gettext_lazy("The node asks it to show it every minute. To ask at once: `comity ledger monitor --once`."),
)
