"""Watch lists for a run: read from their publishers' files as a node reads them, kept beside the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from comity.registers import ListFormat, TooManyBrokenError
from comity.registers.encoding import entry_of, entry_to_json
from comity.registers.matching import Screener
from comity.registers.rules import is_too_broken, told_broken
from comity.registers.sources import read_list
from comity.registers.sources.reading import MAX_BYTES
from comity.risk.bulk.files import make_durable
from comity.risk.bulk.orders import UsedList
from comity.risk.errors import RunError

LISTS = "lists.jsonl"
FORMS = (ListFormat.UN, ListFormat.OFAC, ListFormat.EU, ListFormat.FTM)


def list_from(word: str) -> UsedList:
    """The list that a word such as un=UN.xml or ofac=sdn.csv,add.csv,alt.csv names.

    Raises: RunError, ListFormError, TooManyBrokenError: more than 2 in 100 of its rows cannot be read.
    """
    form, _, names = word.partition("=")
    if form not in set(FORMS) or not names:
        forms = ", ".join(each.value for each in FORMS)
        raise RunError("A list is named as FORM=FILE", where=word[:80], remedy=f"Forms are {forms}.")
    files = tuple((Path(name).name, _bytes(Path(name))) for name in names.split(","))
    reading = read_list(ListFormat(form), files)
    if is_too_broken(len(reading.entries), len(reading.broken)):
        raise TooManyBrokenError(
            f"{len(reading.broken)} of {len(reading.entries) + len(reading.broken)} rows cannot be read; "
            "nothing was screened",
            broken=told_broken(reading.broken),
            where=f"{names}, {reading.broken[0]}",
            remedy="Mend the file or fetch it again; up to 2 in 100 may be broken.",
        )
    if not reading.entries:
        raise RunError("The list has no entry", where=names)
    digest = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for _, data in files)).hexdigest()
    return UsedList(form, digest, reading.entries, told_broken(reading.broken))


def named_apart(lists: Sequence[UsedList]) -> tuple[UsedList, ...]:
    """The same lists; of several with one code the later ones are numbered."""
    found: dict[str, UsedList] = {}
    for each in lists:
        code, number = each.code, 1
        while code in found:
            number += 1
            code = f"{each.code}-{number}"
        found[code] = UsedList(code, each.sha256, each.entries, each.left_out)
    return tuple(found.values())


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RunError(f"The file has more than {MAX_BYTES:,} bytes", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"The list cannot be read: {error.strerror}", where=str(path)) from error


def keep_lists(out: Path, lists: Sequence[UsedList]) -> None:
    """Write the entries into the folder of the result, for whoever screens, wherever that is."""
    partial = out / f"{LISTS}.partial"
    with partial.open("w", encoding="utf-8") as file:
        for used in lists:
            for entry in used.entries:
                line = [used.code, entry.ref, entry.kind.value, entry_to_json(entry)]
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
    make_durable(partial)
    partial.replace(out / LISTS)


class KeptLists:
    """The lists of a run in one index."""

    def __init__(self, path: Path) -> None:
        entries, self._codes = [], []
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                code, ref, kind, body = json.loads(line)
                entries.append(entry_of(ref, kind, body))
                self._codes.append(str(code))
        self.screener = Screener(entries)

    def code_of(self, place: int) -> str:
        """The list that an entry is on."""
        return self._codes[place]


@lru_cache(maxsize=1)
def kept_lists(path: Path, _digest: str) -> KeptLists:
    """The lists that a run keeps, indexed once in a process. _digest: of what is in them."""
    return KeptLists(path)


def digest_of(lists: Sequence[UsedList]) -> str:
    """SHA-256 over the codes and the files of the lists."""
    return hashlib.sha256(json.dumps([[each.code, each.sha256] for each in lists]).encode()).hexdigest()
