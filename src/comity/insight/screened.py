"""What the screening keeps of somebody: likenesses to entries of watch lists, what officers and partners decided.

Told outright is what was decided to be somebody else. What waits, what was found to be the same, what stands on a list
that is not published and what partners ask is told only as an officer decides: to tell it could give a control away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from comity.exchange import MessageUnknownError
from comity.exchange.selectors import message
from comity.insight.mentions import mark_of
from comity.insight.naming import Named, named_in_hit, normal_id
from comity.insight.subjects import Item, Shared
from comity.registers.selectors import published_lists
from comity.risk.hit_advice import Asked
from comity.risk.hit_files import HitFile, HitState, PartnersWord, hit_files, partners_words
from comity.trade import Handling
from comity.trade.knowledge import HitVerdict

PURPOSE, LEGAL = "risk_assessment", "national"
Figures = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Screened:
    """The hits of those who may be meant. guarded: entries of which nothing is told before an officer decides."""

    items: tuple[Item, ...]
    guarded: frozenset[str]


def screened_of(
    record_ids: Collection[UUID],
    decision_ids: Collection[int],
    among: Callable[[Iterable[Named]], tuple[Named, ...]],
    us: str,
) -> Screened:
    """The hits in these records, and these decisions. among: those who may be meant."""
    published = published_lists()
    meant = [(each, among(named_in_hit(each.ours))) for each in hit_files(record_ids, decision_ids)]
    items = [_hit(each, named, us, is_guarded=_is_guarded(each, published)) for each, named in meant if named]
    guarded = {each.entry for each, named in meant if named and _is_guarded(each, published)}
    return Screened(tuple(items), frozenset(guarded))


def words_meant(items: Iterable[Item], ids: frozenset[str]) -> Iterator[tuple[PartnersWord, tuple[Named, ...]]]:
    """What partners asked or decided of those who are named in items, or have these numbers, with whom they meant."""
    known = dict.fromkeys(each for item in items for each in item.named)
    numbers = {normal_id(each.id) for each in known}
    named = [*known, *(Named("party", id=each) for each in sorted(ids - numbers))]
    parties = [{"name": each.name, "country": each.country, "numbers": each.id} for each in named]
    for word in partners_words(parties) if parties else ():
        yield word, tuple(named[place] for place in word.parties)


def as_word(item: Item, word: PartnersWord, guarded: frozenset[str]) -> Item:
    """A partner's message as what it says of a hit. guarded: entries of which nothing is told without a decision."""
    is_told = word.verdict is HitVerdict.NOT_SAME and word.entry not in guarded
    if word.verdict is None:
        what, figures = "hit_question", Figures()
    else:
        ground = f"ground_{word.ground.value}" if word.ground else ""
        day = str(word.decided_at.date()) if word.decided_at else ""
        what = "hit_advice"
        figures = (("hit", word.verdict.value), ("hit_ground", ground), ("hit_day", day), ("list_of", word.list_of))
    return replace(
        item,
        what=what,
        title=f"{word.publisher}, {word.entry}",
        handling=item.handling if is_told else max(item.handling, Handling.RESTRICTED),
        figures=tuple((name, figure) for name, figure in figures if figure),
    )


def _hit(file: HitFile, named: tuple[Named, ...], us: str, *, is_guarded: bool) -> Item:
    told = f": {file.entry_name}" if file.entry_name else ""
    sent = sorted({*file.asked, *file.told}, key=lambda each: (each.asked_at, each.message_id))
    return Item(
        ref=f"hit:{mark_of(f'{file.list_code} {file.entry} {file.subject_key}')}",
        what="hit",
        title=f"{file.publisher}, {file.entry}{told}",
        named=named,
        origin=us,
        since=file.since,
        purpose=PURPOSE,
        legal=LEGAL,
        handling=Handling.RESTRICTED if is_guarded else Handling.OFFICIAL,
        shared=tuple(_shared(each) for each in sent),
        figures=tuple((name, figure) for name, figure in _figures(file) if figure),
        ends="hits",
    )


def _is_guarded(file: HitFile, published: frozenset[str]) -> bool:
    """Who is told of a list that is not published learns whom somebody looks for."""
    return file.list_code not in published or file.state is not HitState.NOT_SAME


def _figures(file: HitFile) -> Iterator[tuple[str, str]]:
    yield "list_of", file.list_of
    yield "hit_records", str(file.records) if file.records else ""
    yield "score", file.score
    for verdict in ("agrees", "near", "differs"):
        yield verdict, "; ".join(f"ground_{feature}" for feature, found in file.compared if found == verdict)
    yield "hit", file.state.value
    if file.decided_at is not None and file.ground is not None and file.state is not HitState.OPEN:
        yield "hit_ground", f"ground_{file.ground.value}"
        yield "hit_day", str(file.decided_at.date())
    yield "hit_decisions", str(file.decisions) if file.decisions > 1 else ""
    yield "hit_asked", ", ".join(dict.fromkeys(each.partner for each in file.asked))
    yield "hit_told", ", ".join(dict.fromkeys(each.partner for each in file.told))


def _shared(each: Asked) -> Shared:
    try:
        line = message(each.message_id).line
    except MessageUnknownError:
        return Shared(each.partner, "", "", each.asked_at)
    return Shared(each.partner, line.agreement, line.article, each.asked_at)
