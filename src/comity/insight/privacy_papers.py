"""The answer to a person, and the record of processing, on paper and as JSON. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from comity.common import show_instant
from comity.insight.naming import Named
from comity.insight.paper import facts, heading, paper, paragraph, table
from comity.insight.privacy_words import closed, code_of, words_in
from comity.insight.processing import ArticleRecord, Record
from comity.insight.subjects import Item, Part, Shared

NATIONAL = "national"
_DECIMAL = re.compile(r"(\d)\.(\d)")
# Figures that stand as their source has them.
_VERBATIM = frozenset({"program", "numbers", "mark", "born"})


def answer_page(
    told: Iterable[Part], *, controller: tuple[str, str], reference: str, at: datetime, language: str = "en"
) -> str:
    """The answer to a person. controller: code and name. told: what `subjects.answer_of` let through."""
    words, (code, name) = words_in(language), controller
    parts = tuple(told)
    blocks = [
        paragraph(words["answer_intro"].format(reference=reference, day=at.date())),
        *([] if parts else [paragraph(words["answer_nothing"])]),
        *(_part(number, part, code, language) for number, part in enumerate(parts, start=1)),
        heading(words["notes"]) if parts else "",
        paragraph(words["answer_rights"]) if parts else "",
        paragraph(words["answer_law"]),
        paragraph(words["answer_search"], "small"),
    ]
    return paper(words["answer_title"].format(controller=name), code_of(language), blocks)


def record_page(record: Record, language: str = "en") -> str:
    """The record of processing under one agreement."""
    words = words_in(language)
    title = dict(record.title).get(language) or record.title[0][1]
    blocks = [
        paragraph(words["record_made"].format(day=record.made_at.date())),
        facts(_summary(record, language)),
        heading(words["transfers"]),
        paragraph(words["transfers_text"]),
        heading(words["articles"]),
        *(_article(each, language) for each in record.articles),
        heading(words["safeguards"]),
        "<ul>\n" + "".join(f"<li>{line}</li>\n" for line in _measures(record, language)) + "</ul>\n",
        heading(words["figures"]),
        table(
            (words["what"], ""),
            [
                (words["looks"], str(record.looks)),
                (words["refused_looks"], str(record.refused_looks)),
                (words["handed_on"], str(record.handed_on)),
                (words["overdue"], str(record.overdue_recalls)),
            ],
            numbers_from=1,
        ),
    ]
    return paper(words["record_title"].format(title=title), code_of(language), blocks)


def record_json(record: Record) -> str:
    """The same for programs: words of closed lists, instants in UTC."""
    form: dict[str, object] = {
        "form": "comity-processing/1",
        "made_at": show_instant(record.made_at),
        "controller": {"administration": record.controller, "name": record.controller_name},
        "agreement": {
            "id": record.agreement_id,
            "title": dict(record.title),
            "version": record.version,
            "state": record.state,
            "from": record.period.first.isoformat() if record.period.first else None,
            "until": record.period.last.isoformat() if record.period.last else None,
        },
        "partners": [{"administration": code, "name": name} for code, name in record.partners],
        "purposes": list(record.purposes),
        "data_subjects": list(record.subjects),
        "data": list(record.data),
        "articles": [_article_form(each) for each in record.articles],
        "safeguards": [{"measure": each.word, "value": each.value} for each in record.measures],
        "looks": record.looks,
        "refused_looks": record.refused_looks,
        "handed_on": record.handed_on,
        "overdue_recalls": record.overdue_recalls,
    }
    return json.dumps(form, ensure_ascii=False, indent=2) + "\n"


def item_words(item: Item, us: str, language: str) -> list[tuple[str, str]]:
    """Everything that is said of one thing: what and which, in a language."""
    words = words_in(language)
    legal = words["national"] if item.legal == NATIONAL else item.legal
    return [
        (words["reference"], item.title + (f" ({words['times'].format(n=item.count)})" if item.count > 1 else "")),
        (words["held_as"], "; ".join(_named(each, language) for each in item.named)),
        (words["since"], str(item.since.date())),
        (words["why"], closed(item.purpose, language)),
        (words["rests_on"], legal),
        (words["from"], words["ourselves"] if item.origin == us else item.origin),
        (words["shared_with"], ", ".join(_shared(each) for each in item.shared) or words["nobody"]),
        *((words[f"figure:{name}"], _figure(name, figure, language)) for name, figure in item.figures),
        (words["kept_until"], _end(item, words)),
        (words["notes"], ", ".join(_note(each, language) for each in item.notes)),
    ]


def _figure(name: str, figure: str, language: str) -> str:
    """Several words in one figure are parted by semicolons."""
    if name in _VERBATIM:
        return figure
    words = words_in(language)
    told = "; ".join(words.get(f"value:{each}", each) for each in figure.split("; "))
    return _DECIMAL.sub(r"\1,\2", told) if language == "fr" else told


def _end(item: Item, words: Mapping[str, str]) -> str:
    if item.ends:
        return words[f"ends:{item.ends}"]
    return str(item.keep_until.date()) if item.keep_until else words["no_end"]


def _part(number: int, part: Part, us: str, language: str) -> str:
    words = words_in(language)
    if not part.is_told:
        ground = part.decided.ground if part.decided else "investigation"
        text = words["withheld"].format(ground=words[f"ground:{ground}"])
        return f"<section>{heading(f'{number}.')}{paragraph(text, 'withheld')}</section>"
    title = heading(f"{number}. {words[part.item.what]}")
    return f"<section>{title}{facts(item_words(part.item, us, language))}</section>"


def _named(named: Named, language: str) -> str:
    return f"{closed(named.role, language)}: {named.spelling}"


def _shared(shared: Shared) -> str:
    article = f", art. {shared.article}" if shared.article else ""
    return f"{shared.to} ({shared.at.date()}{article})"


def _note(note: str, language: str) -> str:
    mode, _, ground = note.partition(":")
    return f"{words_in(language)[f'note:{mode}']} ({closed(ground, language)})"


def _summary(record: Record, language: str) -> Iterator[tuple[str, str]]:
    words = words_in(language)
    first, last = record.period.first, record.period.last
    yield words["controller"], f"{record.controller_name} ({record.controller})"
    yield words["agreement"], record.agreement_id
    yield words["version"], record.version
    yield words["state"], closed(record.state, language)
    yield words["period"], f"{first or '…'} – {last or '…'}"
    yield words["partners"], ", ".join(f"{name} ({code})" if name else code for code, name in record.partners)
    yield words["purposes"], ", ".join(closed(each, language) for each in record.purposes)
    yield words["data_subjects"], "; ".join(words[f"subject:{each}"] for each in record.subjects)
    yield words["data"], "; ".join(words[f"data:{each}"] for each in record.data)


def _article(article: ArticleRecord, language: str) -> str:
    words = words_in(language)
    title = dict(article.title).get(language) or (article.title[0][1] if article.title else "")
    source = article.source + ("" if article.is_verified else f" ({words['unverified']})")
    days = (
        words["days"].format(n=article.retention_days) if article.retention_days is not None else words["no_retention"]
    )
    rows = [
        (words["rests_on"], source.strip()),
        (words["what"], ", ".join(article.kinds)),
        (words["purposes"], ", ".join(closed(each, language) for each in article.purposes)),
        (words["we_send_to"], ", ".join(article.recipients)),
        (words["we_get_from"], ", ".join(article.senders)),
        (words["data_subjects"], "; ".join(words[f"subject:{each}"] for each in article.subjects)),
        (words["data"], "; ".join(words[f"data:{each}"] for each in article.data)),
        (words["retention"], days),
        (words["onward"], words[f"onward:{article.onward}"]),
        (words["duties"], ", ".join(closed(each, language) for each in article.use_limits)),
        (words["counts"], f"{article.sent} / {article.received} / {article.purged}"),
    ]
    line = f"{words['article']} {article.id}. {title}".rstrip()
    return f"<section>{heading(line, 3)}{facts(rows)}</section>"


def _measures(record: Record, language: str) -> Iterator[str]:
    words = words_in(language)
    for each in record.measures:
        yield words[f"measure:{each.word}"].format(value=closed(each.value, language))


def _article_form(article: ArticleRecord) -> dict[str, object]:
    return {
        "id": article.id,
        "title": dict(article.title),
        "source": article.source,
        "verified": article.is_verified,
        "kinds": list(article.kinds),
        "purposes": list(article.purposes),
        "recipients": list(article.recipients),
        "senders": list(article.senders),
        "data_subjects": list(article.subjects),
        "data": list(article.data),
        "retention_days": article.retention_days,
        "onward": article.onward,
        "use_limits": list(article.use_limits),
        "sent": article.sent,
        "received": article.received,
        "purged": article.purged,
    }
