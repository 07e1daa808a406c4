"""Running files of cases, of agreements and of procedures alike, and everything that ships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from comity.agreements import Agreement, AgreementFormError, CaseFile, Engine, run_case
from comity.agreements.library import read_case_file
from comity.agreements.procedures import cases_path, procedure, procedure_names
from comity.operations import named_procedure, read_procedure_cases, run_procedure_case


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What came of one case. faults: none: it passed."""

    file: Path
    line: int
    name: str
    faults: tuple[str, ...]


def run_files(files: Iterable[Path]) -> Iterator[CaseOutcome]:
    """The outcome of every case in these files. A file names the agreement, or the procedure, that it asks.

    Raises: AgreementFormError naming the file and the line; UnknownProcedureError.
    """
    for file in files:
        try:
            data = file.read_bytes()
            name = named_procedure(data)
            yield from _of_procedure(file, name, data) if name else _of_agreement(file)
        except AgreementFormError as error:
            if str(file) in error.where:
                raise
            raise AgreementFormError(error.what, where=f"{file}, {error.where}", remedy=error.remedy) from error


def run_read(file: Path, cases: CaseFile, agreement: Agreement) -> Iterator[CaseOutcome]:
    """The outcomes of cases that were read, put to their agreement."""
    engine = Engine([agreement])
    for case in cases.cases:
        yield CaseOutcome(file, case.line, case.name, run_case(engine, case).faults)


def shipped_files() -> tuple[Path, ...]:
    """The files of cases of every procedure that ships."""
    return tuple(path for name in procedure_names() if (path := cases_path(name)).is_file())


def _of_procedure(file: Path, name: str, data: bytes) -> Iterator[CaseOutcome]:
    kind = procedure(name)
    for case in read_procedure_cases(kind, data):
        yield CaseOutcome(file, case.line, case.name, run_procedure_case(kind, case).faults)


def _of_agreement(file: Path) -> Iterator[CaseOutcome]:
    read = read_case_file(file)
    yield from run_read(file, read.file, read.agreement)
