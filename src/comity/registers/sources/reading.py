"""Which reader a file is for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from comity.registers.errors import ListFormError
from comity.registers.sources.eu import read_eu
from comity.registers.sources.ftm import read_ftm
from comity.registers.sources.ofac import read_ofac, table_of
from comity.registers.sources.un import read_un
from comity.registers.values import ListFormat, Reading

# The largest lists that are published have some 100 MB.
MAX_BYTES = 256_000_000
_MAX_MEMBERS = 20
_ZIP = b"PK\x03\x04"


def read_list(form: ListFormat, files: Sequence[tuple[str, bytes]]) -> Reading:
    """What the files of a list say. A zip file stands for the files in it.

    Raises: ListFormError where they are not of the form or too large.
    """
    whole = _unpacked(files)
    if sum(len(data) for _, data in whole) > MAX_BYTES:
        raise ListFormError(f"The list has more than {MAX_BYTES} bytes")
    if form is ListFormat.OFAC:
        return read_ofac(_tables(whole))
    if len(whole) != 1:
        raise ListFormError(f"A list of the form {form} is one file", where=f"{len(whole)} files")
    ((_, data),) = whole
    if form is ListFormat.FTM:
        return read_ftm(data)
    if form is ListFormat.UN:
        return read_un(data, limit_bytes=MAX_BYTES)
    if form is ListFormat.EU:
        return read_eu(data, limit_bytes=MAX_BYTES)
    raise ListFormError(f"A watch list has no form {form}", remedy="Use un, ofac, eu or ftm.")


def _tables(files: Sequence[tuple[str, bytes]]) -> Mapping[str, bytes]:
    if len(files) == 1 and not table_of(files[0][0]):
        return {"sdn": files[0][1]}
    return {table_of(name): data for name, data in files if table_of(name)}


def _unpacked(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for name, data in files:
        found += _members(name, data) if data.startswith(_ZIP) else [(name, data)]
    return found


def _members(name: str, data: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if len(infos) > _MAX_MEMBERS or sum(info.file_size for info in infos) > MAX_BYTES:
                raise ListFormError("The zip file holds too much", where=name)
            found = []
            for info in infos:
                with archive.open(info) as member:
                    found.append((info.filename, member.read(MAX_BYTES + 1)))
            return found
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ListFormError("The zip file cannot be opened", where=name) from error
