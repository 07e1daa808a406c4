"""Small cells are not told, and nothing that is told gives them away."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.insight.suppression import OTHER, THRESHOLD, Table, span_of, table_of

pytestmark = pytest.mark.once
COUNTS = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), st.integers(0, 14), min_size=1, max_size=9
)


def possible(table: Table) -> list[tuple[int, ...]]:
    """Every way to fill the suppressed cells that agrees with all that is told: by trying them all."""
    open_cells = [(i, j) for i, row in enumerate(table.cells) for j, cell in enumerate(row) if cell is None]
    most = [min(table.row_totals[i], table.column_totals[j]) for i, j in open_cells]
    found = []
    for filled in product(*(range(bound + 1) for bound in most)):
        known = dict(zip(open_cells, filled, strict=True))
        full = [[known.get((i, j), cell) for j, cell in enumerate(row)] for i, row in enumerate(table.cells)]
        rows_fit = all(sum(row) == total for row, total in zip(full, table.row_totals, strict=True))
        if rows_fit and [sum(column) for column in zip(*full, strict=True)] == list(table.column_totals):
            found.append(filled)
    return found


def test_a_small_cell_is_hidden_and_so_is_what_would_give_it_away():
    table = table_of("t", {("a", "x"): 2, ("a", "y"): 40, ("b", "x"): 30, ("b", "y"): 50})
    assert table.row_totals == (42, 80)
    assert table.column_totals == (32, 90)
    # With one cell alone hidden, its row's total would tell it.
    assert table.suppressed == 4


def test_lines_with_small_totals_stand_together():
    table = table_of("t", {("a", "x"): 1, ("b", "x"): 2, ("c", "x"): 3, ("d", "x"): 50})
    assert table.rows == ("d", OTHER)
    assert table.row_totals == (50, 6)


def test_a_single_small_line_takes_the_next_one_with_it():
    table = table_of("t", {("a", "x"): 1, ("b", "x"): 20, ("c", "x"): 50})
    assert table.rows == ("c", OTHER)
    assert table.row_totals == (50, 21)


@pytest.mark.parametrize("counts", [{}, {("a", "x"): 4}, {("a", "x"): 2, ("b", "y"): 2}])
def test_too_few_altogether_tell_nothing(counts: dict[tuple[str, str], int]):
    assert table_of("t", counts) == Table("t", (), (), (), (), ())


def test_large_counts_are_told_as_they_are():
    table = table_of("t", {("a", "x"): 5, ("a", "y"): 6, ("b", "x"): 7, ("b", "y"): 8})
    assert table.cells == ((5, 6), (7, 8))
    assert table.total == 26


@settings(max_examples=30)
@given(COUNTS)
def test_no_small_count_and_no_small_total_is_told(counts: dict[tuple[str, str], int]):
    table = table_of("t", counts)
    assert all(cell is None or cell == 0 or cell >= THRESHOLD for row in table.cells for cell in row)
    assert all(total >= THRESHOLD for total in (*table.row_totals, *table.column_totals))
    assert table.total in (0, sum(counts.values()))


@settings(max_examples=15)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=4))
def test_the_span_is_what_trying_everything_gives(values: list[int]):
    width = 2
    true = [values[:width], values[width : 2 * width]]
    hidden = {(i, j) for i in range(2) for j in range(width)}
    table = Table(
        "t",
        ("a", "b"),
        ("x", "y"),
        ((None,) * width, (None,) * width),
        tuple(sum(row) for row in true),
        tuple(sum(column) for column in zip(*true, strict=True)),
    )
    every = possible(table)
    for index, cell in enumerate(sorted(hidden)):
        least, most = min(each[index] for each in every), max(each[index] for each in every)
        count = true[cell[0]][cell[1]]
        wanted = (max(least, count - THRESHOLD), min(most, count + THRESHOLD))
        assert span_of(true, hidden, cell) == wanted


def test_what_is_hidden_cannot_be_narrowed():
    table = table_of("t", {("a", "x"): 2, ("a", "y"): 6, ("b", "x"): 6, ("b", "y"): 9})
    every = possible(table)
    assert table.suppressed == 4
    for index in range(table.suppressed):
        assert len({each[index] for each in every}) >= THRESHOLD
