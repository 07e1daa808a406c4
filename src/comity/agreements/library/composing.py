"""From a template, parties and settings to the text of an agreement. Pure.

What is written is a draft: its lawyers go on from there with any editor. So it is YAML with comments, and each article
says from which clause it comes and whether anybody has compared that with the official text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from comity.agreements.library.errors import CompositionError, UnknownClauseError
from comity.agreements.library.parameters import check_value, show_value
from comity.agreements.library.values import (
    EVERYBODY,
    Clause,
    Composition,
    Library,
    Parameter,
    ParameterType,
    Placed,
    Plain,
    Template,
    Value,
)
from comity.agreements.library.writing import Remarked, write_form
from comity.agreements.values import FORM

_BLANK = re.compile(r"\{([a-z][a-z0-9_]*)\}", re.ASCII)
_LANGUAGES_OF_CLAUSES = ("en", "fr")
# Where a parameter holds every party: on one side of a clause it is each of them, on the other side another one.
_EACH = {"en": "each party", "fr": "chaque partie"}
_ANOTHER = {"en": "another party", "fr": "une autre partie"}
_OTHER_SIDE = ("receiver", "asker")

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Scope:
    """Parameters with their values, as they hold in one place."""

    parameters: Mapping[str, Parameter]
    values: Mapping[str, Value]
    everybody: tuple[str, ...]

    def text(self, text: str, language: str) -> str:
        """The text with its {blanks} filled; what begins a sentence begins with a capital."""
        return _BLANK.sub(lambda found: self._shown(found, language), text)

    def _shown(self, found: re.Match[str], language: str) -> str:
        parameter, value = self.parameters[found[1]], self.values[found[1]]
        if parameter.type is ParameterType.PARTIES and set(value) == set(self.everybody):
            shown = (_ANOTHER if parameter.name in _OTHER_SIDE else _EACH)[language]
        else:
            shown = show_value(parameter.type, value, language)
        before = found.string[: found.start()].rstrip()
        return shown[:1].upper() + shown[1:] if not before or before.endswith(".") else shown


def clause_of(library: Library, name: str) -> Clause:
    """The clause of this name.

    Raises: UnknownClauseError with the one that was probably meant.
    """
    return _find({each.id: each for each in library.clauses}, name, "clause")


def template_of(library: Library, name: str) -> Template:
    """The template of this name.

    Raises: UnknownClauseError with the one that was probably meant.
    """
    return _find({each.id: each for each in library.templates}, name, "template")


def compose(library: Library, composition: Composition) -> str:
    """The agreement as YAML, each article beneath a comment on its clause.

    Raises: CompositionError, UnknownClauseError.
    """
    template = template_of(library, composition.template)
    _check_names(template, composition)
    scope = _scope_of_template(template, composition)
    languages = scope.values["languages"]
    placed = [each for each in template.articles if each.article_id not in composition.without]
    found = [(each, clause_of(library, each.clause)) for each in placed]
    scopes = [_scope_of_article(each, clause, scope, composition) for each, clause in found]
    form: dict[str, Plain] = {"form": FORM}
    head = _filled(dict(template.form), scope)
    form |= head if isinstance(head, dict) else {}
    # The agreement has the languages that were chosen; the library speaks two.
    form = {key: _in_languages(item, languages) for key, item in form.items()}
    articles = [
        Remarked(_remarks(clause, inner), _article(each, clause, inner, languages))
        for (each, clause), inner in zip(found, scopes, strict=True)
    ]
    obligations: list[Plain] = []
    procedures: list[Plain] = []
    for (each, clause), inner in zip(found, scopes, strict=True):
        obligations += [_obligation(owed, each, clause, inner, languages) for owed in clause.obligations]
        procedures += [_procedure(named, each, inner) for named in clause.procedures]
    after = {
        "reservations": _reservations(composition, scope, languages),
        "procedures": procedures,
        "obligations": obligations,
    }
    return write_form(_opening(template, composition), form, articles, after)


def values_by_default(clause: Clause, parties: tuple[str, ...]) -> Mapping[str, Value]:
    """The values of a clause's parameters where nobody chooses; parties stand where it asks for some."""
    return {each.name: _default(each, parties) for each in clause.parameters}


def text_of(clause: Clause, values: Mapping[str, Value], language: str) -> str:
    """The text of a clause with these values in its blanks."""
    parties = [each.name for each in clause.parameters if each.type is ParameterType.PARTIES]
    everybody = {code for name in parties for code in values[name]}
    return _scope(clause.parameters, values, tuple(everybody)).text(clause.text.in_(language), language)


def _scope(parameters: Iterable[Parameter], values: Mapping[str, Value], everybody: Value) -> Scope:
    return Scope({each.name: each for each in parameters}, values, tuple(everybody))


def _default(parameter: Parameter, parties: tuple[str, ...]) -> Value:
    if parameter.type is ParameterType.PARTIES:
        return parameter.default or parties
    return "" if parameter.default is None else parameter.default


def _check_names(template: Template, composition: Composition) -> None:
    articles = {each.article_id for each in template.articles}
    for name in composition.without:
        if name not in articles:
            raise CompositionError(
                f"The template {template.id!r} has no article {name!r}", remedy=_known(name, articles)
            )
    own = {each.name for each in template.parameters}
    for name in composition.settings:
        article, _, _ = name.rpartition(".")
        if article and article not in articles:
            raise CompositionError(
                f"The template {template.id!r} has no article {article!r}", remedy=_known(article, articles)
            )
        if not article and name not in own:
            raise CompositionError(
                f"The template {template.id!r} has no parameter {name!r}",
                remedy=f"{_known(name, own)} One of article 4 alone is set as 4.{name}.",
            )


def _scope_of_template(template: Template, composition: Composition) -> Scope:
    roles = _fill_roles(template, composition)
    everybody = tuple(code for codes in roles.values() for code in codes)
    values: dict[str, Value] = {EVERYBODY: everybody, **roles}
    for parameter in template.parameters:
        given = composition.settings.get(parameter.name)
        if given is None and parameter.default is None:
            raise CompositionError(
                f"The template {template.id!r} needs the parameter {parameter.name!r}",
                remedy=f"{parameter.help.in_('en')} Write --set {parameter.name}=…",
            )
        values[parameter.name] = check_value(parameter, given) if given is not None else parameter.default or ""
    all_of_them = Parameter(EVERYBODY, ParameterType.PARTIES, (), template.title)
    return _scope([all_of_them, *template.roles, *template.parameters], values, everybody)


def _fill_roles(template: Template, composition: Composition) -> dict[str, tuple[str, ...]]:
    known = {role.name for role in template.roles}
    for name in composition.parties:
        if name and name not in known:
            raise CompositionError(f"The template {template.id!r} has no role {name!r}", remedy=_known(name, known))
    filled = {role.name: list(composition.parties.get(role.name, ())) for role in template.roles}
    for code in composition.parties.get("", ()):
        free = [each for each in template.roles if not each.most or len(filled[each.name]) < int(each.most)]
        if not free:
            raise CompositionError(f"The template {template.id!r} has no place for {code}", remedy="Leave it out.")
        filled[free[0].name].append(code)
    roles = {}
    for role in template.roles:
        roles[role.name] = tuple(check_value(role, list(filled[role.name])))
    codes = [code for role in roles.values() for code in role]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise CompositionError(f"{twice[0]} stands in two roles", remedy="A party has one role.")
    return roles


def _scope_of_article(placed: Placed, clause: Clause, outer: Scope, composition: Composition) -> Scope:
    prefix = f"{placed.article_id}."
    chosen = {
        name.removeprefix(prefix): text
        for name, text in composition.settings.items()
        if name.startswith(prefix) and "." not in name.removeprefix(prefix)
    }
    for name in (*placed.settings, *chosen):
        if clause.parameter(name) is None:
            known = _known(name, {each.name for each in clause.parameters})
            raise CompositionError(f"The clause {clause.id!r} has no parameter {name!r}", remedy=known)
    everybody = outer.values[EVERYBODY]
    values: dict[str, Value] = {}
    for parameter in clause.parameters:
        given: Plain | None = chosen.get(parameter.name)
        if given is None and parameter.name in placed.settings:
            given = _filled(placed.settings[parameter.name], outer)
        if given is None:
            values[parameter.name] = _default(parameter, tuple(everybody))
            continue
        values[parameter.name] = _checked(parameter, given, placed)
    missing = [
        each.name for each in clause.parameters if each.default is None and each.type.is_list and not values[each.name]
    ]
    if missing:
        raise CompositionError(f"Article {placed.article_id} needs {missing[0]!r}", remedy=f"Set {prefix}{missing[0]}.")
    return _scope(clause.parameters, values, everybody)


def _checked(parameter: Parameter, given: Plain, placed: Placed) -> Value:
    try:
        return check_value(parameter, given)
    except CompositionError as error:
        raise CompositionError(error.what, where=f"article {placed.article_id}", remedy=error.remedy) from error


def _filled(item: Plain, scope: Scope) -> Plain:
    """The item with each $parameter in the place of its value; what is left empty goes."""
    if isinstance(item, dict):
        return {key: value for key, each in item.items() if (value := _filled(each, scope)) not in ("", [], {})}
    if isinstance(item, list):
        filled = [_filled(each, scope) for each in item]
        flat: list[Plain] = []
        for before, each in zip(item, filled, strict=True):
            is_spread = isinstance(before, str) and isinstance(each, list)
            flat.extend(each if is_spread and isinstance(each, list) else [each])
        return flat
    if not item.startswith("$"):
        return item
    held = scope.values[item[1:]]
    return list(held) if isinstance(held, tuple) else held


def _in_languages(item: Plain, languages: Value) -> Plain:
    """A wording only in the languages of the agreement; anything else as it is."""
    if not isinstance(item, dict):
        return item
    if set(item) == set(_LANGUAGES_OF_CLAUSES):
        return {language: text for language, text in item.items() if language in languages}
    return {key: _in_languages(each, languages) for key, each in item.items()}


def _article(placed: Placed, clause: Clause, scope: Scope, languages: Value) -> dict[str, Plain]:
    form = _filled(dict(clause.form), scope)
    return {
        "id": placed.article_id,
        **_head_of(form, "effect"),
        "title": _wording(clause.title.texts, scope, languages),
        "text": _wording(clause.text.texts, scope, languages),
        **_rest_of(form, "effect"),
        "source": clause.source,
        "tag": clause.tag.value,
        "verified": "true" if clause.is_verified else "false",
    }


def _head_of(form: Plain, key: str) -> dict[str, Plain]:
    return {key: form[key]} if isinstance(form, dict) else {}


def _rest_of(form: Plain, key: str) -> dict[str, Plain]:
    return {name: item for name, item in form.items() if name != key} if isinstance(form, dict) else {}


def _wording(texts: tuple[tuple[str, str], ...], scope: Scope, languages: Value) -> dict[str, Plain]:
    return {language: scope.text(text, language) for language, text in texts if language in languages}


def _obligation(
    owed: Mapping[str, Plain], placed: Placed, clause: Clause, scope: Scope, languages: Value
) -> dict[str, Plain]:
    form = _filled(dict(owed), scope)
    form = form if isinstance(form, dict) else {}
    title = form.pop("title")
    texts = tuple((language, str(text)) for language, text in title.items()) if isinstance(title, dict) else ()
    return {
        "id": f"{placed.article_id}-{form.pop('id')}",
        **form,
        "title": _wording(texts, scope, languages),
        "source": clause.source,
        "tag": clause.tag.value,
        "verified": "true" if clause.is_verified else "false",
    }


def _reservations(composition: Composition, scope: Scope, languages: Value) -> list[Plain]:
    """Each in plain words; the parties may say it at more length."""
    found: list[Plain] = []
    for party, articles in composition.reservations.items():
        if party not in scope.values[EVERYBODY]:
            raise CompositionError(f"{party[:10]} is no party, so it can reserve nothing", remedy="Name a party.")
        listed = {language: show_value(ParameterType.TEXT, articles, language) for language in _LANGUAGES_OF_CLAUSES}
        text: dict[str, Plain] = {
            "en": f"{party} takes no part in article {listed['en']}.",
            "fr": f"{party} ne participe pas à l'article {listed['fr']}.",
        }
        found.append({"party": party, "articles": list(articles), "text": _in_languages(text, languages)})
    return found


def _procedure(named: Mapping[str, Plain], placed: Placed, scope: Scope) -> dict[str, Plain]:
    form = _filled(dict(named), scope)
    rest = form if isinstance(form, dict) else {}
    return {"procedure": rest["procedure"], "article": placed.article_id, **_rest_of(rest, "procedure")}


def _remarks(clause: Clause, scope: Scope) -> tuple[str, ...]:
    standing = "true" if clause.is_verified else "false"
    chosen = "; ".join(f"{name}: {_one_line(value)}" for name, value in scope.values.items())
    lines = [f"Clause {clause.id}. {clause.source}. tag {clause.tag.value}, verified: {standing}"]
    if chosen:
        lines.append(f"Chosen: {chosen}")
    if clause.note.texts:
        lines.append(clause.note.in_("en"))
    return tuple(lines)


def _one_line(value: Value) -> str:
    text = value if isinstance(value, str) else ", ".join(value)
    return text or "any"


def _opening(template: Template, composition: Composition) -> tuple[str, ...]:
    settings = [f"{name}={text}" for name, text in composition.settings.items()]
    without = [f"without article {name}" for name in composition.without]
    return (
        f"{template.title.in_('en')}: a draft composed of the clause library, template {template.id}.",
        *([f"Chosen: {'; '.join([*settings, *without])}"] if settings or without else []),
        "Each article is worded by the library, not by its source; tag S: the source was seen, P: a paraphrase of it,",
        "M: general knowledge. verified: false until your lawyers have compared the article with the official text.",
    )


def _find(known: Mapping[str, _Found], name: str, noun: str) -> _Found:
    if name not in known:
        raise UnknownClauseError(f"The library has no {noun} {name[:60]!r}", remedy=_known(name, set(known)))
    return known[name]


def _known(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(_in_order(names))}."


def _in_order(names: Iterable[str]) -> Iterator[str]:
    return iter(sorted(names, key=lambda name: (len(name) if name.isdigit() else 0, name)))
