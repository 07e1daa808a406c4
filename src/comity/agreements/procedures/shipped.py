"""The procedures that ship with the program, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from comity.agreements.errors import AgreementFormError
from comity.agreements.procedures.reading import read_procedure
from comity.agreements.procedures.values import Procedure
from comity.agreements.vocabulary import meant
from comity.common import ComityError

FILES = Path(__file__).parent / "files"
CASES_SUFFIX = ".cases.yaml"


class UnknownProcedureError(ComityError):
    """No procedure of this name ships."""

    code = "unknown_procedure"


def procedure_names() -> tuple[str, ...]:
    """The names of the procedures that ship, sorted."""
    return tuple(path.stem for path in sorted(FILES.glob("*.yaml")) if not path.name.endswith(CASES_SUFFIX))


@cache
def procedure(name: str) -> Procedure:
    """The procedure of this name.

    Raises: UnknownProcedureError; AgreementFormError where its file is damaged.
    """
    names = procedure_names()
    if name not in names:
        raise UnknownProcedureError(f"There is no procedure {name[:60]!r}", remedy=meant(name, names))
    return read_file(FILES / f"{name}.yaml")


def read_file(path: Path) -> Procedure:
    """The procedure in this file, which is called as its file is.

    Raises: AgreementFormError naming the file and the line.
    """
    try:
        found = read_procedure(path.read_bytes())
    except AgreementFormError as error:
        raise AgreementFormError(error.what, where=f"{path.name}, {error.where}", remedy=error.remedy) from error
    if found.name != path.stem:
        raise AgreementFormError(
            f"The procedure is called {found.name}, but its file {path.name}", where="line 1", remedy="Rename one."
        )
    return found


def cases_path(name: str) -> Path:
    """Where the cases of a procedure stand."""
    return FILES / f"{name}{CASES_SUFFIX}"
