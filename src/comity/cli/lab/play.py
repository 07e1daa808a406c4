"""Playing a scenario: each step moves the stage or asks it something; the answers are the verdict."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from comity.cli.demo.nodes import command
from comity.cli.lab.links import Wire
from comity.cli.lab.scenario import Scenario, Step
from comity.cli.lab.stage import Actor, Stage
from comity.common import ComityError

# A machine that is busy with other things needs it; a node that is well needs a second or two.
_WITHIN_SECONDS = 180.0
_PAUSE_SECONDS = 1.0


class NotAsExpectedError(ComityError):
    """The nodes are not as the scenario expects."""

    code = "not_as_expected"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the verdict."""

    step: Step
    is_ok: bool
    detail: str


@dataclass(slots=True)
class Player:
    """Plays one scenario on one stage."""

    stage: Stage
    chance: random.Random
    say: Callable[[str], None]
    lines: list[Line] = field(default_factory=list)

    def play(self, scenario: Scenario) -> list[Line]:
        """Every step in order; what fails ends the play, since what follows rests on it."""
        for step in scenario.steps:
            self.say(f"line {step.line}: {step.name} {_show(step)}".rstrip())
            try:
                self.lines.append(Line(step, is_ok=True, detail=_DEEDS[step.name](self, step)))
            except (ComityError, OSError) as error:
                self.lines.append(Line(step, is_ok=False, detail=str(error)))
                break
        return self.lines

    def until(self, step: Step, look: Callable[[Mapping[str, Any]], str]) -> str:
        """Look until it holds. look: returns what was seen. Raises: NotAsExpectedError from the last look."""
        deadline = monotonic() + step.number("within", _WITHIN_SECONDS)
        while True:
            try:
                return look(self.stage.look())
            except NotAsExpectedError:
                if monotonic() > deadline:
                    raise
            self.stage.wait(_PAUSE_SECONDS)

    # Deeds

    def post(self, step: Step) -> str:
        """Alerts from one to another; `any` draws both by lot."""
        count = int(step.number("count", 1))
        pairs: dict[tuple[str, str], int] = {}
        for _ in range(count):
            source = self._drawn(step.text("from"), "")
            pair = (source, self._drawn(step.text("to"), source))
            pairs[pair] = pairs.get(pair, 0) + 1
        for (source, target), part in sorted(pairs.items()):
            self.stage.actors[source].inside("post", target, str(part))
        return f"{count} posted"

    def partition(self, step: Step) -> str:
        """No link between two sides."""
        ends = [(a, b) for a in step.codes("between") for b in step.codes("and") if a != b]
        both = ends + [(b, a) for a, b in ends]
        self.stage.links.set_wire(both, Wire.SILENT if step.words.get("silent") else Wire.CUT)
        return f"{len(both)} links"

    def heal(self, _step: Step) -> str:
        """Every link is open."""
        self.stage.links.set_wire(self._all_links(), Wire.OPEN)
        self.stage.links.set_delay(self._all_links(), 0.0)
        return "every link is open"

    def latency(self, step: Step) -> str:
        """Every link is slow."""
        self.stage.links.set_delay(self._all_links(), step.number("seconds", 0.0))
        return f"{step.number('seconds', 0.0)} s for each piece of bytes"

    def kill(self, step: Step) -> str:
        """kill -9."""
        self.stage.actors[step.text("node")].kill()
        return "kill -9"

    def restart(self, step: Step) -> str:
        """In order where it runs; as it is where it was killed."""
        actor = self.stage.actors[step.text("node")]
        actor.end()
        actor.start()
        return "serves"

    def skew(self, step: Step) -> str:
        """One clock is wrong."""
        length = _length(step)
        self.stage.actors[step.text("node")].move_clock(length)
        return f"{step.text('node')} is {length} from the others"

    def advance_clock(self, step: Step) -> str:
        """Time passes for all."""
        length = _length(step)
        for actor in self.stage.actors.values():
            actor.move_clock(length)
        return f"+ {length}"

    def disk(self, step: Step) -> str:
        """The disk of a node is full, or free again."""
        is_full = step.name == "disk_full"
        self.stage.actors[step.text("node")].fill_disk(is_full=is_full)
        return "the kernel refuses its writes" if is_full else "it may write again"

    def forge_receipts(self, step: Step) -> str:
        """A node is replaced by a liar with its keys."""
        actor = self.stage.actors[step.text("node")]
        actor.end()
        actor.start("lab-node", "lie", str(actor.node.partners_port))
        return "answers with receipts that no log holds"

    def show_two_histories(self, step: Step) -> str:
        """A node shows one partner a log that it shows to nobody else."""
        said = self.stage.actors[step.text("node")].inside("fork", step.text("to"))
        return f"another history was shown; answered {said}"

    def steal_key(self, step: Step) -> str:
        """A copy of a node's keys is in other hands."""
        return f"copied to {self.stage.steal(step.text('of')).name}"

    def revoke_key(self, step: Step) -> str:
        """The stolen key is revoked by its owner; the partners hear of it by themselves."""
        actor = self.stage.actors[step.text("of")]
        words = ("keys", "revoke", _signing_keyid(actor), "--reason", "stolen in the lab")
        return command(actor.node, *words).splitlines()[0]

    def use_stolen_key(self, step: Step) -> str:
        """What the thief gets for an answer; `code: ok` means that it was taken."""
        actor, wanted = self.stage.actors[step.text("of")], step.text("code", "ok")
        loot, deadline, said = self.stage.steal(step.text("of")), monotonic() + _WITHIN_SECONDS, ""
        while monotonic() < deadline:
            status, code = actor.inside("use-key", str(loot), step.text("to"))
            said = code or ("ok" if status == 200 else str(status))
            if said == wanted:
                return f"the thief is answered: {said}"
            self.stage.wait(_PAUSE_SECONDS)
        raise NotAsExpectedError(f"the thief is answered {said}, expected {wanted}")

    def suspend(self, step: Step) -> str:
        """By the administration, in its own node."""
        words = ["--reason", "in the lab"] if step.name == "suspend" else []
        return command(
            self.stage.actors[step.text("node")].node, "partner", step.name, step.text("partner"), *words
        ).strip()

    def wait(self, step: Step) -> str:
        """Time passes for us."""
        self.stage.wait(step.number("seconds", 0.0))
        return f"{step.number('seconds', 0.0)} s"

    # Expectations

    def expect_delivered(self, step: Step) -> str:
        """Everything posted is delivered, by signed receipt."""
        sources, targets = step.codes("from") or self.stage.codes, step.codes("to") or self.stage.codes

        def look(seen: Mapping[str, Any]) -> str:
            posted = [each for code in sources for each in seen[code]["posted"] if each[0] in targets]
            left = [each for each in posted if each[2] != "delivered"]
            if left or not posted:
                raise NotAsExpectedError(f"{len(left)} of {len(posted)} messages are not delivered")
            return f"{len(posted)} delivered"

        return self.until(step, look)

    def expect_waiting(self, step: Step) -> str:
        """Something is still kept for a partner, and nothing was called delivered that was not."""

        def look(seen: Mapping[str, Any]) -> str:
            sent = seen[step.text("from")]["sent"]
            left = sum(sent.get(f"{step.text('to')} {state}", 0) for state in ("waiting", "sent"))
            if not left:
                raise NotAsExpectedError(f"nothing waits for {step.text('to')}")
            return f"{left} wait, none is lost"

        return look(self.stage.look())

    def expect_refused(self, step: Step) -> str:
        """A refusal with this code stands at a node: its own, or one that it was given."""

        def look(seen: Mapping[str, Any]) -> str:
            codes = seen[step.text("at")]["refusals"]
            if step.text("code") not in codes:
                raise NotAsExpectedError(f"refusals at {step.text('at')}: {', '.join(sorted(set(codes))) or 'none'}")
            return f"{codes.count(step.text('code'))} times {step.text('code')}"

        return self.until(step, look)

    def expect_split_view(self, step: Step) -> str:
        """A node keeps the evidence that another showed two histories."""
        origin = f"comity.{step.text('of').lower()}/log"

        def look(seen: Mapping[str, Any]) -> str:
            views = seen[step.text("at")]["split_views"]
            if origin not in views:
                raise NotAsExpectedError(f"{step.text('at')} knows of no split view of {step.text('of')}")
            return f"the evidence against {step.text('of')} is kept"

        return self.until(step, look)

    def expect_warned(self, step: Step) -> str:
        """`comity doctor` says so."""
        node, deadline, said = self.stage.actors[step.text("at")].node, monotonic() + step.number("within", 90), ""
        while True:
            said = command(node, "doctor", "--no-probe", check=False)
            found = [line for line in said.splitlines() if step.text("text").lower() in line.lower()]
            if found:
                return found[0].strip()[:160]
            if monotonic() > deadline:
                raise NotAsExpectedError(f"comity doctor at {step.text('at')} does not speak of {step.text('text')}")
            self.stage.wait(_PAUSE_SECONDS)

    def expect_consistent(self, step: Step) -> str:
        """Every message that was posted is stored once where it was delivered, was acted on, and all logs verify."""

        def look(seen: Mapping[str, Any]) -> str:
            count = 0
            for code, view in seen.items():
                if view["log"]:
                    raise NotAsExpectedError(f"the log of {code}: {view['log'][0]}")
                if view["unprocessed"]:
                    raise NotAsExpectedError(f"{view['unprocessed']} messages wait at {code} for their journey")
                for partner, message_id, state in view["posted"]:
                    arrived = seen[partner]["arrived"].count([code, message_id, True])
                    if arrived != (state == "delivered"):
                        raise NotAsExpectedError(f"{message_id} of {code} is {state}, and {arrived} times at {partner}")
                    count += 1
            return f"{count} messages, each where it belongs; {len(seen)} logs verify"

        return self.until(step, look)

    def _all_links(self) -> list[tuple[str, str]]:
        return [(a, b) for a in self.stage.codes for b in self.stage.codes if a != b]

    def _drawn(self, code: str, other: str) -> str:
        return self.chance.choice([each for each in self.stage.codes if each != other]) if code == "any" else code


def _length(step: Step) -> timedelta:
    length = step.words["by"]
    return length if isinstance(length, timedelta) else timedelta()


def _show(step: Step) -> str:
    return ", ".join(f"{word} {value}" for word, value in step.words.items())


def _signing_keyid(actor: Actor) -> str:
    """The key in use, as `comity keys show` names it."""
    said = command(actor.node, "keys", "show", check=False)
    for line in said.splitlines():
        words = line.split()
        if words and words[0] == "signing":
            return words[1]
    raise NotAsExpectedError(f"no signing key is shown: {said[:300]}")


_DEEDS: Mapping[str, Callable[[Player, Step], str]] = {
    "post": Player.post,
    "partition": Player.partition,
    "heal": Player.heal,
    "latency": Player.latency,
    "kill": Player.kill,
    "restart": Player.restart,
    "skew": Player.skew,
    "advance_clock": Player.advance_clock,
    "disk_full": Player.disk,
    "disk_free": Player.disk,
    "forge_receipts": Player.forge_receipts,
    "show_two_histories": Player.show_two_histories,
    "steal_key": Player.steal_key,
    "revoke_key": Player.revoke_key,
    "use_stolen_key": Player.use_stolen_key,
    "suspend": Player.suspend,
    "resume": Player.suspend,
    "wait": Player.wait,
    "expect_delivered": Player.expect_delivered,
    "expect_waiting": Player.expect_waiting,
    "expect_refused": Player.expect_refused,
    "expect_split_view": Player.expect_split_view,
    "expect_warned": Player.expect_warned,
    "expect_consistent": Player.expect_consistent,
}
