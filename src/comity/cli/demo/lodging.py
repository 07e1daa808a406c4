"""A day of trade is lodged: by HTTP, by command and by the watched folder, as different administrations would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from comity.cli.demo.federation import Federation
from comity.cli.demo.nodes import DemoError, DemoNode, command
from comity.training.files import Expected, TradeFile

_PATIENCE_SECONDS = 30.0
_SETTLED = "done"


def lodge(federation: Federation, files: Iterable[TradeFile]) -> Expected:
    """Lodge each file at its administration and see that it came to what it should. Returns the totals.

    XC's files go in over HTTP, XA's by `comity import`, XB's through the watched folder.
    Raises: DemoError where a file came to something else.
    """
    imported = warned = refused = 0
    for file in files:
        came_to = _LODGERS[file.administration](federation, file)
        if came_to != file.expected:
            raise DemoError(f"{file.name} came to {came_to}, not to {file.expected}", where=file.administration)
        imported += came_to.imported
        warned += came_to.warned
        refused += came_to.refused
    return Expected(imported, warned, refused)


def _by_http(federation: Federation, file: TradeFile) -> Expected:
    receipt = federation.officer(file.administration).send_file(
        file.name, file.media_type, file.data, file.mapping or ""
    )
    return Expected(len(receipt["imported"]), receipt["warned"], len(receipt["refused"]))


def _by_command(federation: Federation, file: TradeFile) -> Expected:
    node = federation.nodes[file.administration]
    folder = node.home / "lodged"
    folder.mkdir(exist_ok=True)
    path = folder / file.name
    path.write_bytes(file.data)
    last = command(node, "import", str(path)).strip().splitlines()[-1]
    imported, warned, refused = (int(part.split()[0]) for part in last.split(", "))
    return Expected(imported, warned, refused)


def _by_folder(federation: Federation, file: TradeFile) -> Expected:
    node = federation.nodes[file.administration]
    desk = federation.officer(file.administration)
    before = desk.get("/records")["total"]
    _drop(node, file)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not any((node.home / "inbox" / _SETTLED).glob(f"*-{file.name}")):
        if time.monotonic() > deadline:
            raise DemoError(f"{file.name} was not taken from the watched folder", where=node.code)
        time.sleep(0.2)
    return Expected(desk.get("/records")["total"] - before)


def _drop(node: DemoNode, file: TradeFile) -> None:
    """Write beside and rename: a watched folder never sees half a file."""
    unfinished = node.home / "inbox" / f"{file.name}.part"
    unfinished.write_bytes(file.data)
    unfinished.rename(node.home / "inbox" / file.name)


_LODGERS: dict[str, Callable[[Federation, TradeFile], Expected]] = {
    "XA": _by_command,
    "XB": _by_folder,
    "XC": _by_http,
}
