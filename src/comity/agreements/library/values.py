"""Instruments, clauses, their parameters, and the templates that put clauses together. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from comity.agreements.values import Wording
from comity.agreements.vocabulary import Tag

# A piece of the form of an agreement as YAML has it: texts, lists, mappings.
Plain = str | list["Plain"] | dict[str, "Plain"]
Value = str | tuple[str, ...]

# The parameter that always holds every party of the agreement.
EVERYBODY = "members"


class ParameterType(StrEnum):
    """What a parameter holds. From `parties` on: several words."""

    NUMBER = "number"
    SIZE = "size"
    HANDLING = "handling"
    ONWARD = "onward"
    DAY = "day"
    TERM = "term"
    TEXT = "text"
    PARTIES = "parties"
    KINDS = "kinds"
    PURPOSES = "purposes"
    CATEGORIES = "categories"
    RISK_TYPES = "risk_types"
    GOODS = "goods"
    LANGUAGES = "languages"

    @property
    def is_list(self) -> bool:
        """Whether it holds several words."""
        names = list(ParameterType)
        return names.index(self) >= names.index(ParameterType.PARTIES)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that whoever drafts may choose. default: None where it must be given; empty: nothing is asked.

    least, most: bounds, in the words of the type; of a list they count its entries. among: the words that may stand.
    """

    name: str
    type: ParameterType
    default: Value | None
    help: Wording
    least: str = ""
    most: str = ""
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A ready article. text: for people, with {parameters}. form: for the engine, with $parameters.

    note: what whoever uses it ought to know, such as that its treaty is not in force. obligations, procedures: what
    comes into the agreement with the article.
    """

    id: str
    instrument: str
    title: Wording
    text: Wording
    note: Wording
    source: str
    tag: Tag
    is_verified: bool
    parameters: tuple[Parameter, ...]
    form: Mapping[str, Plain]
    obligations: tuple[Mapping[str, Plain], ...] = ()
    procedures: tuple[Mapping[str, Plain], ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name."""
        return next((each for each in self.parameters if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A treaty, regulation or custom from which clauses come. standing: whether it is in force, and what was seen."""

    id: str
    title: Wording
    standing: Wording
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A clause as an article of a template. settings: parameter -> value, or $parameter of the template."""

    article_id: str
    clause: str
    settings: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Template:
    """An agreement with its blanks. roles: parameters of the type parties, filled with codes in their order.

    form: title, version, period, definitions and whatever else stands beside the articles.
    """

    id: str
    title: Wording
    summary: Wording
    roles: tuple[Parameter, ...]
    parameters: tuple[Parameter, ...]
    form: Mapping[str, Plain]
    articles: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """What is to be composed. parties: role -> codes; the role "" holds those that fill the roles in their order.

    settings: parameter -> value; `4.retention_days` sets it in article 4 alone. without: articles to leave out.
    reservations: party -> the articles in which it takes no part.
    """

    template: str
    parties: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    reservations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that ships."""

    instruments: tuple[Instrument, ...]
    templates: tuple[Template, ...]

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause, by instrument."""
        return tuple(clause for instrument in self.instruments for clause in instrument.clauses)
