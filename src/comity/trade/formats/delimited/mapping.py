"""The declared mapping of a CSV file's columns to the fields of a record, written in YAML."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from comity.trade.errors import TradeError
from comity.trade.formats.delimited.fields import DECLARATION_FIELDS, MANIFEST_FIELDS, Field

MAX_MAPPING_BYTES = 64 * 1024
_DELIMITERS = {",": ",", ";": ";", "|": "|", "\t": "\t", "tab": "\t"}
_KEYS = frozenset(
    ["name", "record", "delimiter", "encoding", "dates", "decimal_mark", "digit_group", "constants", "columns"]
)


class MappingError(TradeError):
    """A column mapping cannot be used; `where` names the key."""

    code = "bad_mapping"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How the rows of a file become records.

    columns: the fields that each column fills. constants: fields that no column fills. dates: strptime formats tried
    before RFC 3339. digit_group: what separates thousands, empty where nothing does.
    """

    name: str
    is_manifest: bool
    columns: Mapping[str, tuple[Field, ...]]
    constants: Mapping[str, str]
    delimiter: str = ","
    encoding: str = "utf-8"
    dates: tuple[str, ...] = ()
    decimal_mark: str = "."
    digit_group: str = ""

    @property
    def fields(self) -> Mapping[str, Field]:
        """Every field that a record of this kind has."""
        return MANIFEST_FIELDS if self.is_manifest else DECLARATION_FIELDS

    @property
    def reference(self) -> str:
        """The field whose value rows of one record share."""
        return "report_ref" if self.is_manifest else "lrn"

    def fits(self, first_line: str) -> bool:
        """Whether the first line of a file names every mapped column."""
        cells = {cell.strip().strip('"') for cell in first_line.removeprefix("\ufeff").split(self.delimiter)}
        return self.columns.keys() <= cells


def read_mapping(data: bytes) -> ColumnMapping:
    """The mapping that a YAML text declares.

    Raises: MappingError naming what is wrong.
    """
    table = _table_of(data)
    for key in table:
        if key not in _KEYS:
            raise MappingError("There is no such key", where=key, remedy=f"Use: {', '.join(sorted(_KEYS))}.")
    record = _word(table, "record", "declaration")
    if record not in {"declaration", "manifest"}:
        raise MappingError("A record is a declaration or a manifest", where="record")
    fields = MANIFEST_FIELDS if record == "manifest" else DECLARATION_FIELDS
    mapping = ColumnMapping(
        name=_word(table, "name", "mapping"),
        is_manifest=record == "manifest",
        columns=_columns(table, fields),
        constants=_constants(table, fields),
        delimiter=_delimiter(table),
        encoding=_encoding(table),
        dates=_dates(table),
        decimal_mark=_mark(table, "decimal_mark", ".", ".,"),
        digit_group=_mark(table, "digit_group", "", ".,' \u00a0\u202f"),
    )
    _check_whole(mapping)
    return mapping


def _check_whole(mapping: ColumnMapping) -> None:
    filled = [field.name for fields in mapping.columns.values() for field in fields]
    if mapping.reference not in filled:
        raise MappingError("No column gives the reference of the record", where=f"columns: {mapping.reference}")
    for name in filled:
        if filled.count(name) > 1:
            raise MappingError("Two columns give the same field", where=f"columns: {name}")
    if mapping.decimal_mark == mapping.digit_group:
        raise MappingError("The decimal mark cannot group digits too", where="digit_group")


def _table_of(data: bytes) -> dict[str, object]:
    if len(data) > MAX_MAPPING_BYTES:
        raise MappingError("The mapping is too large", where=f"{len(data)} bytes")
    try:
        # Every scalar stays a text: a column named "No" is no boolean. BaseLoader makes texts, lists and tables only.
        table = yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        what = str(error).replace("\n", " ")[:300]
        raise MappingError("The mapping is not valid YAML", where=what) from error
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise MappingError("The mapping must be a table of keys", remedy="See docs/formats.md.")
    return table


def _word(table: Mapping[str, object], key: str, default: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise MappingError("Must be a text", where=key)
    return value


def _mark(table: Mapping[str, object], key: str, default: str, allowed: str) -> str:
    mark = _word(table, key, default)
    if len(mark) > 1 or mark not in allowed:
        raise MappingError(f"Must be one of {allowed!r}", where=key)
    return mark


def _delimiter(table: Mapping[str, object]) -> str:
    word = _word(table, "delimiter", ",")
    if word not in _DELIMITERS:
        raise MappingError("A delimiter is one of , ; | or tab", where="delimiter")
    return _DELIMITERS[word]


def _encoding(table: Mapping[str, object]) -> str:
    word = _word(table, "encoding", "utf-8")
    try:
        name = codecs.lookup(word).name
        # Only encodings in which each line break is one byte of its own, as in ASCII.
        is_plain = bytes(range(128)).decode(name) == "".join(map(chr, range(128)))
    except (LookupError, UnicodeError, ValueError) as error:
        raise MappingError(f"There is no encoding {word[:40]!r}", where="encoding") from error
    if not is_plain:
        raise MappingError("This encoding is not read", where="encoding", remedy="Use utf-8 or a windows-125x page.")
    return name


def _dates(table: Mapping[str, object]) -> tuple[str, ...]:
    value = table.get("dates", [])
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) and "%" in entry for entry in entries):
        raise MappingError("Must be a list of formats such as %d.%m.%Y", where="dates")
    return tuple(entries)


def _columns(table: Mapping[str, object], fields: Mapping[str, Field]) -> dict[str, tuple[Field, ...]]:
    columns = table.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise MappingError("Must name at least one column and its field", where="columns")
    found = {}
    for column, value in columns.items():
        names = value if isinstance(value, list) else [value]
        found[str(column).strip()] = tuple(_field(fields, name, f"columns: {column}") for name in names)
    return found


def _constants(table: Mapping[str, object], fields: Mapping[str, Field]) -> dict[str, str]:
    constants = table.get("constants", {})
    if not isinstance(constants, dict):
        raise MappingError("Must be a table of fields and texts", where="constants")
    for name, value in constants.items():
        _field(fields, name, f"constants: {name}")
        if not isinstance(value, str) or not value.strip():
            raise MappingError("Must be a text", where=f"constants: {name}")
    return {str(name): value.strip() for name, value in constants.items()}


def _field(fields: Mapping[str, Field], name: object, where: str) -> Field:
    if not isinstance(name, str) or name not in fields:
        raise MappingError(f"There is no field {str(name)[:60]!r}", where=where, remedy="See docs/formats.md.")
    return fields[name]
