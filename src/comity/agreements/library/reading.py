"""From the files of the library to its values. Pure. docs/guide/clauses.md describes the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from comity.agreements.library.parameters import check_value
from comity.agreements.library.values import Clause, Instrument, Parameter, ParameterType, Placed, Plain, Template
from comity.agreements.markup import Mapped, Node, Scalar, read_yaml
from comity.agreements.reader import Reader, fail, read_flag, read_list, read_matching, read_text, read_word, unique
from comity.agreements.values import Wording
from comity.agreements.vocabulary import ARTICLE_ID, TERM, Tag

LANGUAGES = ("en", "fr")
_KEYS = ("type", "default", "least", "most", "among", "help")
_PART = "%"


@dataclass(frozen=True, slots=True)
class Common:
    """What clauses share. parameters: name -> what it is unless a clause says otherwise. fields: named sets."""

    parameters: Mapping[str, Mapping[str, Node]]
    fields: Mapping[str, tuple[str, ...]]


def read_common(data: bytes) -> Common:
    """The parameters and sets of fields that clauses share.

    Raises: AgreementFormError naming the line.
    """
    reader = Reader(read_yaml(data), "The file of parameters")
    parameters, fields = reader.need("parameters"), Reader(reader.need("fields"), "fields")
    reader.finish()
    return Common(
        parameters={name: _items(node) for name, node in _items(parameters).items()},
        fields={
            name: tuple(read_text(each, name) for each in read_list(fields.need(name), name))
            for name in sorted(fields.keys())
        },
    )


def read_instrument(data: bytes, common: Common) -> Instrument:
    """The clauses of one instrument.

    Raises: AgreementFormError naming the line.
    """
    reader = Reader(read_yaml(data), "The file of clauses")
    name = read_text(reader.need("instrument"), "instrument")
    items = read_list(reader.need("clauses"), "clauses")
    instrument = Instrument(
        id=name,
        title=_wording(reader.need("title"), "title"),
        standing=_wording(reader.need("standing"), "standing"),
        clauses=tuple(_clause(Reader(item, "The clause"), name, common) for item in items),
    )
    reader.finish()
    unique([(clause.id, item) for clause, item in zip(instrument.clauses, items, strict=True)], "clauses")
    return instrument


def read_template(data: bytes, common: Common) -> Template:
    """One template.

    Raises: AgreementFormError naming the line.
    """
    reader = Reader(read_yaml(data), "The template")
    parameters = _parameters(reader.need("parameters"), common)
    items = read_list(reader.need("articles"), "articles")
    form = plain(reader.need("agreement"))
    template = Template(
        id=read_text(reader.need("template"), "template"),
        title=_wording(reader.need("title"), "title"),
        summary=_wording(reader.need("summary"), "summary"),
        roles=tuple(each for each in parameters if each.type is ParameterType.PARTIES),
        parameters=tuple(each for each in parameters if each.type is not ParameterType.PARTIES),
        form=form if isinstance(form, dict) else {},
        articles=tuple(_placed(Reader(item, "The article")) for item in items),
    )
    reader.finish()
    unique([(each.article_id, item) for each, item in zip(template.articles, items, strict=True)], "articles")
    return template


def plain(node: Node) -> Plain:
    """A node without its lines."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapped):
        return {key: plain(item) for key, item in node.items.items()}
    return [plain(item) for item in node.items]


def _clause(reader: Reader, instrument: str, common: Common) -> Clause:
    flag = reader.need("verified")
    clause = Clause(
        id=read_text(reader.need("id"), "id"),
        instrument=instrument,
        title=_wording(reader.need("title"), "title"),
        text=_wording(reader.need("text"), "text"),
        note=_wording(note, "note") if (note := reader.take("note")) else Wording(()),
        source=read_text(reader.need("source"), "source"),
        tag=Tag(read_word(reader.need("tag"), "tag", tuple(Tag))),
        is_verified=read_flag(flag, "verified"),
        parameters=_parameters(node, common) if (node := reader.take("parameters")) else (),
        form=_form(reader.need("article"), common),
        obligations=_mappings(reader.take("obligations")),
        procedures=_mappings(reader.take("procedures")),
    )
    reader.finish()
    if clause.is_verified and clause.tag is not Tag.SEEN:
        fail(f"{clause.id} is verified, but its source was not seen", flag, "Only tag S can be verified.")
    return clause


def _form(node: Node, common: Common) -> Mapping[str, Plain]:
    """The article's form; a field such as %alert stands for the set of fields of that name."""
    form = {key: plain(item) for key, item in _items(node).items()}
    fields = form.get("fields")
    if isinstance(fields, list):
        form["fields"] = [path for each in fields for path in _spread(str(each), node, common)]
    return form


def _spread(path: str, node: Node, common: Common) -> Iterable[str]:
    if not path.startswith(_PART):
        return (path,)
    name = path.removeprefix(_PART)
    if name not in common.fields:
        fail(f"There is no set of fields {name!r}", node, f"Known are: {', '.join(sorted(common.fields))}.")
    return common.fields[name]


def _placed(reader: Reader) -> Placed:
    settings = reader.take("set")
    placed = Placed(
        article_id=read_matching(reader.need("id"), "id", ARTICLE_ID, "a short id such as 3 or 12.4"),
        clause=read_text(reader.need("clause"), "clause"),
        settings={name: plain(node) for name, node in _items(settings).items()} if settings else {},
    )
    reader.finish()
    return placed


def _parameters(node: Node, common: Common) -> tuple[Parameter, ...]:
    if isinstance(node, Mapped):
        return tuple(_parameter(name, item, common) for name, item in node.items.items())
    names = [
        (read_matching(item, "parameters", TERM, "the name of a parameter"), item) for item in read_list(node, "it")
    ]
    return tuple(_parameter(name, item, common) for name, item in names)


def _parameter(name: str, node: Node, common: Common) -> Parameter:
    given = dict(common.parameters.get(name, {})) | (dict(node.items) if isinstance(node, Mapped) else {})
    for key in given:
        if key not in _KEYS:
            fail(f"The parameter {name!r} has no {key!r}", node, f"Known are: {', '.join(_KEYS)}.")
    if "type" not in given or "help" not in given:
        fail(f"The parameter {name!r} needs a type and a help", node, "Write them, or name one that all clauses share.")
    default = given.get("default")
    parameter = Parameter(
        name=name,
        type=ParameterType(read_word(given["type"], "type", tuple(ParameterType))),
        default=None,
        help=_wording(given["help"], f"help of {name}"),
        least=read_text(given["least"], "least") if "least" in given else "",
        most=read_text(given["most"], "most") if "most" in given else "",
        among=tuple(read_text(each, "among") for each in read_list(given["among"], "among"))
        if "among" in given
        else (),
    )
    if default is None:
        return parameter
    value = check_value(parameter, plain(default))
    return Parameter(name, parameter.type, value, parameter.help, parameter.least, parameter.most, parameter.among)


def _items(node: Node) -> Mapping[str, Node]:
    if not isinstance(node, Mapped):
        fail("This must be a mapping", node, "Write `word: value` lines beneath it.")
    return node.items


def _mappings(node: Node | None) -> tuple[Mapping[str, Plain], ...]:
    if node is None:
        return ()
    return tuple({key: plain(item) for key, item in _items(each).items()} for each in read_list(node, "it"))


def _wording(node: Node, name: str) -> Wording:
    reader = Reader(node, name)
    texts = tuple((language, read_text(reader.need(language), f"{name} in {language}")) for language in LANGUAGES)
    reader.finish()
    return Wording(texts)
