"""A cell of a CSV file that a spreadsheet would run begins with an apostrophe, and no other is touched."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from api.spreadsheets import shown


def written(rows: list[list[str]]) -> bytes:
    """As ClickHouse writes strings: each in quotes, with quotes doubled."""
    lines = (",".join('"{}"'.format(cell.replace('"', '""')) for cell in row) + "\n" for row in rows)
    return "".join(lines).encode()


def read(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


CELLS = st.text(alphabet="=+-@\t\r\n,\"'ab", max_size=8)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=4))
def test_cells_that_would_be_run_and_no_others_are_changed(rows: list[list[str]]) -> None:
    wanted = [[f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell for cell in row] for row in rows]
    assert read(shown(written(rows))) == wanted


def test_numbers_stay_numbers() -> None:
    assert shown(b'"a",-5\n+1,"-5"\n') == b'"a",-5\n+1,"\'-5"\n'
