"""For which purposes the receiver may open what it received. Pure.

A message says what it was shared for. The article may name further purposes for which the same thing could have been
asked; then it may be opened for those as well, unless the article binds the receiver to the stated one (after WTO TFA
Art. 12.5.1(c)) or keeps it out of evidence (Art. 12.6.2).
"""

from __future__ import annotations

from comity.agreements.values import Article
from comity.agreements.vocabulary import Purpose, UseLimit


def permitted_uses(article: Article | None, stated: str) -> tuple[str, ...]:
    """The purposes, the stated one first. article: under which it was shared; None where it is not known here.

    An article without purposes shares for any, and so says nothing of further use: the stated one alone is left.
    """
    if article is None or UseLimit.STATED_PURPOSE_ONLY in article.use_limits:
        return (stated,)
    barred = {Purpose.EVIDENCE.value} if UseLimit.NOT_AS_EVIDENCE in article.use_limits else set()
    return (stated, *sorted(set(article.purposes) - barred - {stated}))
