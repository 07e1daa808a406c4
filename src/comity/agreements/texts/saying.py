"""What these tools found, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from comity.agreements.texts.conflicts import Clause, Conflict, Rule
from comity.agreements.texts.difference import Change, Difference
from comity.agreements.texts.dry_run import Seen
from comity.agreements.texts.gaps import Gap, GapKind, Shadow
from comity.agreements.texts.goods import GoodsSet
from comity.agreements.texts.space import KIND, RECEIVER, SENDER, Box, Owner, Space, bits
from comity.agreements.texts.speech import Speech
from comity.agreements.values import SharingRequest
from comity.trade import Handling

MOST_CODES = 12


def say_request(request: SharingRequest, language: str = "en") -> str:
    """One request in words."""
    speech = Speech(language)
    return speech.say(
        "request",
        what=speech.word(f"an {request.kind}"),
        sender=request.sender,
        receiver=request.receiver,
        purpose=speech.word(request.purpose) or speech.say("not stated"),
        handling=speech.word(request.handling.word),
        more="".join(_more(request, speech)),
        day=speech.day(request.at.date()),
    )


def say_conflict(conflict: Conflict, language: str = "en") -> str:
    """A conflict with its example and the rule that is the most restrictive."""
    speech, rule = Speech(language), conflict.rule
    is_word = rule not in (Rule.RETENTION, Rule.WITHHELD)
    strictest = speech.words(conflict.strictest) if is_word else speech.listed(conflict.strictest)
    return speech.say(
        f"conflict {rule.value}",
        example=_capital(say_request(conflict.example, language)),
        one=_clause(conflict.one, speech),
        other=_clause(conflict.other, speech),
        strictest=strictest,
        looser=_looser(conflict, speech),
    )


def say_change(difference: Difference, change: Change, language: str = "en") -> tuple[str, ...]:
    """A change of the answers, one line for each of its boxes, each with what is gained and lost."""
    speech = Speech(language)
    old, new = (outcome.article_id for outcome in (change.old, change.new))
    told = [
        speech.say("gained", words=speech.listed(change.gained)) if change.gained else "",
        speech.say("lost", words=speech.listed(change.lost)) if change.lost else "",
        speech.say("looser", words=_rules(change.looser, speech)) if change.looser else "",
        speech.say("stricter", words=_rules(change.stricter, speech)) if change.stricter else "",
    ]
    ending = "; ".join(each for each in told if each)
    lines = (
        speech.say(f"turn {change.turn.value}", box=say_box(difference.space, box, language), old=old, new=new)
        for box in change.boxes
    )
    return tuple(f"{line}; {ending}" if ending else line for line in lines)


def say_gap(gap: Gap, language: str = "en") -> str:
    """A gap in one sentence."""
    speech = Speech(language)
    is_field = gap.what is GapKind.FIELD
    return speech.say(
        f"gap {gap.what.value}",
        words=speech.listed(gap.words) if is_field else speech.words(gap.words, "or"),
        kind=_capital(speech.word(gap.kind)),
        routes=", ".join(speech.say("route", one=one, other=other) for one, other in gap.routes),
    )


def say_shadow(shadow: Shadow, language: str = "en") -> str:
    """Why an article never answers."""
    speech = Speech(language)
    return speech.say(f"shadow {shadow.what.value}", id=shadow.article_id, by=speech.listed(shadow.by))


def say_seen(seen: Seen, language: str = "en") -> str:
    """What a party sees of a field."""
    return Speech(language).word(f"sight {seen.sight.value}").format(article=seen.article_id)


def say_box(space: Space, box: Box, language: str = "en") -> str:
    """A set of requests in words: the way, then each condition that is not open to all."""
    speech = Speech(language)
    kinds = [str(kind) for kind in space.axes[KIND].chosen(box.masks[KIND])]
    senders, receivers = (
        speech.listed((str(each) for each in space.axes[number].chosen(box.masks[number])), "or")
        for number in (SENDER, RECEIVER)
    )
    parts = [speech.say("box", kinds=speech.words(kinds, "or"), senders=senders, receivers=receivers)]
    for number, axis in enumerate(space.axes):
        mask = box.masks[number]
        if number not in (KIND, SENDER, RECEIVER) and mask != axis.every:
            tell = _AXES.get(axis.name, _words)
            parts.append(speech.say(f"box {axis.name}", words=tell(axis.steps, mask, speech)))
    if box.goods != space.goods:
        parts.append(speech.say("box goods", words=_goods(space, box.goods, speech)))
    return "; ".join(parts)


def _more(request: SharingRequest, speech: Speech) -> Iterator[str]:
    if request.hs_codes:
        yield speech.say("request hs", words=speech.listed(request.hs_codes))
    if request.origin:
        yield speech.say("request origin", word=request.origin)
    for name, word in sorted(request.attributes.items()):
        yield speech.say(f"request {name}", word=speech.word(word))
    if request.size_bytes is not None:
        yield speech.say("request size", bytes=speech.number(request.size_bytes))
    if request.onward_from == "":
        yield speech.say("request unowned")
    elif request.onward_from is not None:
        key = "request consent" if request.owner_consents else "request owner"
        yield speech.say(key, word=request.onward_from)


def _clause(clause: Clause, speech: Speech) -> str:
    found = clause.agreement
    return speech.say(
        "clause",
        version=found.version,
        id=found.short_id,
        article=clause.article.id,
    )


def _looser(conflict: Conflict, speech: Speech) -> str:
    article = conflict.one.article
    if conflict.rule is Rule.ONWARD:
        return speech.word(article.onward.value)
    days = article.retention_days
    return speech.say("forever") if days is None else speech.say("days", days=days)


def _rules(names: Iterable[str], speech: Speech) -> str:
    return speech.listed(speech.say(f"rule {name}") for name in names)


def _words(steps: tuple[object, ...], mask: int, speech: Speech) -> str:
    """Words of an axis; the last of the steps stands for everything that is not named."""
    last = len(steps) - 1
    if mask >> last & 1:
        but = [steps[number] for number in range(last) if not mask >> number & 1]
        return speech.say("anything but", words=speech.listed((_word(each, speech) for each in but), "or"))
    return speech.listed((_word(steps[number], speech) for number in bits(mask)), "or")


def _word(step: object, speech: Speech) -> str:
    return speech.word(str(step)) or speech.say("not stated")


def _levels(steps: tuple[object, ...], mask: int, speech: Speech) -> str:
    return speech.words((cast(Handling, steps[number]).word for number in bits(mask)), "or")


def _days(steps: tuple[object, ...], mask: int, speech: Speech) -> str:
    """Spans of time; steps that follow one another are one span. Each step but the first begins at midnight."""
    spans: list[list[int]] = []
    for number in bits(mask):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    days = [cast(datetime, step).date() for step in steps]
    told = []
    for first, last in spans:
        ends = last + 1 < len(days)
        end = speech.day(days[last + 1] - timedelta(days=1)) if ends else ""
        begin = speech.day(days[first])
        if first == 0:
            told.append(speech.say("until", last=end))
        else:
            told.append(speech.say("from until", first=begin, last=end) if ends else speech.say("from", first=begin))
    return speech.say("box time or").join(told)


def _owners(steps: tuple[object, ...], mask: int, speech: Speech) -> str:
    told, last = [], len(steps) - 1
    for number in bits(mask):
        owner = cast(Owner, steps[number])
        if owner.is_own:
            told.append(speech.say("owner own"))
        elif owner.consents:
            told.append(speech.say("owner consents"))
        elif number == last:
            told.append(speech.say("owner other"))
        else:
            told.append(speech.say("owner of", word=owner.code) if owner.code else speech.say("owner unstated"))
    return speech.listed(told, "or")


def _sizes(steps: tuple[object, ...], mask: int, speech: Speech) -> str:
    """Sizes; the largest step of those that follow one another says how far they go."""
    last, told = len(steps) - 1, []
    if mask & 1:
        told.append(speech.say("size none"))
    chosen = [number for number in bits(mask) if 0 < number < last]
    if chosen:
        told.append(speech.say("size up to", bytes=speech.number(cast(int, steps[chosen[-1]]))))
    if mask >> last & 1:
        told.append(speech.say("size above", bytes=speech.number(cast(int, steps[last]) - 1)))
    return speech.listed(told, "or")


_AXES: Mapping[str, Callable[[tuple[object, ...], int, Speech], str]] = {
    "handling": _levels,
    "time": _days,
    "owner": _owners,
    "size": _sizes,
}


def _goods(space: Space, goods: GoodsSet, speech: Speech) -> str:
    """Lists of codes, by the prefixes that tell them apart."""
    told = [speech.say("goods none")] if goods.has_none else []
    for within, hits in goods.cells:
        rules = [speech.say("goods any", words=_codes(space, hit, speech)) for hit in sorted(hits)]
        if within != space.classes.every or not hits:
            rules.insert(0, speech.say("goods all", words=_codes(space, within, speech)))
        told.append(speech.listed(rules))
    return speech.listed(told, "or")


def _codes(space: Space, mask: int, speech: Speech) -> str:
    told = [speech.say(f"goods {how}", code=code) for how, code in space.classes.names(mask)]
    more = [speech.say("goods more")] if len(told) > MOST_CODES else []
    return speech.listed([*told[:MOST_CODES], *more], "or")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
