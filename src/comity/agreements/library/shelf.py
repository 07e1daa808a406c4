"""The library that ships with Comity: its files, read once; and the cases that ship with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TypeVar

from comity.agreements.cases import CaseFile, read_cases
from comity.agreements.errors import AgreementFormError
from comity.agreements.library.composing import compose
from comity.agreements.library.errors import CompositionError
from comity.agreements.library.reading import read_common, read_instrument, read_template
from comity.agreements.library.values import Composition, Library
from comity.agreements.parsing import parse_agreement
from comity.agreements.values import Agreement

FOLDER = Path(str(resources.files("comity.agreements.library")))

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class ReadCases:
    """A file of cases and the agreement that it asks."""

    path: Path
    file: CaseFile
    agreement: Agreement


@lru_cache(maxsize=1)
def shipped_library() -> Library:
    """Every clause and template that ships.

    Raises: AgreementFormError naming the file and the line.
    """
    common = _in_file(FOLDER / "parameters.yaml", read_common)
    return Library(
        tuple(_in_file(path, lambda data: read_instrument(data, common)) for path in _files("clauses")),
        tuple(_in_file(path, lambda data: read_template(data, common)) for path in _files("templates")),
    )


def shipped_case_files() -> tuple[Path, ...]:
    """The files of decision cases of the library, by name."""
    return _files("cases")


@lru_cache(maxsize=1)
def shipped_cases() -> tuple[ReadCases, ...]:
    """The decision cases of the library, each file with its agreement.

    Raises: AgreementFormError, CompositionError.
    """
    return tuple(read_case_file(path) for path in shipped_case_files())


def read_case_file(path: Path) -> ReadCases:
    """A file of cases with the agreement that it names: a file beside it, or a template of the library.

    Raises: AgreementFormError, CompositionError.
    """
    found = _in_file(path, read_cases)
    if found.composed is None:
        named = path.parent / found.agreement
        if not named.is_file():
            raise AgreementFormError(
                "The agreement that the cases are about is not there",
                where=f"{path}: {named}",
                remedy="Write its path relative to the file of cases.",
            )
        return ReadCases(path, found, _in_file(named, parse_agreement))
    asked = found.composed
    composition = Composition(
        asked.template, dict(asked.parties), dict(asked.settings), asked.without, dict(asked.reservations)
    )
    try:
        return ReadCases(path, found, parse_agreement(compose(shipped_library(), composition).encode()))
    except CompositionError as error:
        raise CompositionError(error.what, where=f"{path}: {error.where}", remedy=error.remedy) from error


def _files(folder: str) -> tuple[Path, ...]:
    return tuple(sorted((FOLDER / folder).glob("*.yaml")))


def _in_file(path: Path, read: Callable[[bytes], _Read]) -> _Read:
    try:
        return read(path.read_bytes())
    except AgreementFormError as error:
        raise AgreementFormError(error.what, where=f"{path}, {error.where}", remedy=error.remedy) from error
