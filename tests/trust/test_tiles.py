"""Names and contents of tiles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales.reader import Tile
from tlog_scales.tiles import tile_path as their_path

from comity.trust.tiles import (
    ENTRIES,
    TileError,
    TilePath,
    pack_entries,
    parse_tile_path,
    tile_path,
    unpack_entries,
)


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ((0, 0), "tile/0/000"),
        ((0, 1_234_067), "tile/0/x001/x234/067"),
        ((1, 0, 17), "tile/1/000.p/17"),
        ((63, 999, 255), "tile/63/999.p/255"),
        ((ENTRIES, 1000), "tile/entries/x001/000"),
        ((ENTRIES, 5, 1), "tile/entries/005.p/1"),
    ],
)
def test_tiles_have_the_names_of_the_specification(place: tuple[int, ...], path: str) -> None:
    assert tile_path(*place) == path
    assert parse_tile_path(path) == TilePath(*place)


@settings(deadline=None)
@given(st.integers(ENTRIES, 63), st.integers(0, 10**15), st.integers(1, 256))
def test_names_read_back_and_a_second_implementation_agrees(level: int, n: int, width: int) -> None:
    path = tile_path(level, n, width)
    assert parse_tile_path(path) == TilePath(level, n, width)
    assert path == "/".join(their_path(level, n, 0 if width == 256 else width))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/" + "x001/" * 40 + "001",
    ],
)
def test_one_tile_has_one_name(path: str) -> None:
    with pytest.raises(TileError):
        parse_tile_path(path)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        found = parse_tile_path("tile/" + text)
    except TileError:
        return
    assert tile_path(found.level, found.n, found.width) == "tile/" + text


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=40))
def test_bundles_read_back_and_a_second_implementation_agrees(entries: list[bytes]) -> None:
    bundle = pack_entries(entries)
    assert unpack_entries(bundle) == entries
    assert Tile.from_entries_bytes(bundle).entries == entries


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=9), st.data())
def test_a_cut_bundle_is_refused_or_ends_at_an_entry(entries: list[bytes], data: st.DataObject) -> None:
    bundle = pack_entries(entries)
    cut = data.draw(st.integers(0, len(bundle) - 1))
    try:
        found = unpack_entries(bundle[:cut])
    except TileError:
        return
    assert found == entries[: len(found)]


def test_an_entry_has_at_most_65535_bytes() -> None:
    assert unpack_entries(pack_entries([b"x" * 65_535, b""])) == [b"x" * 65_535, b""]
    with pytest.raises(TileError, match="65536 bytes"):
        pack_entries([b"x" * 65_536])
    with pytest.raises(TileError, match="cut short"):
        unpack_entries(b"\0")
