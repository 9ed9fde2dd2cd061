"""Logs from disk: three formats, gzipped or not, and what is said when they are damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from udfs.simulation.logs import BadRecord, LogError, count_hint, read_log

XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <global scope="event"><string key="concept:name" value="none"/></global>
  <string key="origin" value="made for this test"/>
  <trace>
    <string key="concept:name" value="C1"/>
    <float key="amount" value="1.5"/>
    <event>
      <string key="concept:name" value="send"/>
      <date key="time:timestamp" value="2026-01-05T09:00:00.000+01:00"/>
      <int key="n" value="7"/>
      <boolean key="ok" value="true"/>
    </event>
    <event><string key="concept:name" value="reply"/><int key="n" value="many"/></event>
  </trace>
  <trace>
    <string key="concept:name" value="C2"/>
    <event><string key="concept:name" value="send"/></event>
  </trace>
</log>
"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    raw = content.encode() if isinstance(content, str) else content
    file = folder / name
    file.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return file


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "LOG.CSV"])
def test_a_csv_row_is_a_record_of_texts_with_its_position(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, name, 'case,what,sum\nC1,"a, ""b""\nc",1.5\n\nC2,d,\n')
    assert list(read_log(file)) == [
        {"case": "C1", "what": 'a, "b"\nc', "sum": "1.5", "_position": "0"},
        {"case": "C2", "what": "d", "sum": "", "_position": "1"},
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_header_tells_how_columns_are_separated(tmp_path: Path, separator: str) -> None:
    file = write(tmp_path, "log.csv", f"a{separator}b\n1{separator}2\n")
    assert list(read_log(file)) == [{"a": "1", "b": "2", "_position": "0"}]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert list(read_log(write(tmp_path, "log.csv", "\ufeffa,b\n1,2\n"))) == [{"a": "1", "b": "2", "_position": "0"}]


def test_a_row_of_another_length_is_a_bad_record_and_reading_goes_on(tmp_path: Path) -> None:
    bad, good = read_log(write(tmp_path, "log.csv", "a,b\n1,2,3\n4,5\n"))
    assert bad == BadRecord("0", 2, "invalid_event", "the row on line 2 has 3 fields, the header 2", b"1,2,3")
    assert good == {"a": "4", "b": "5", "_position": "1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "1: has no header; the first line must name the columns"),
        ("a,b,a\n", "1: the column `a` is there twice; give each column a name of its own"),
        ("a,,c\n", "1: a column has no name; give each column a name of its own"),
        ('a,b\n1,2\n3,"4\n', "is not CSV: unexpected end of data; check the quotes"),
        (b"a,b\n1,\xff\n", "is not UTF-8 here or soon after"),
    ],
)
def test_a_csv_that_can_not_be_read_says_where(tmp_path: Path, content: str | bytes, message: str) -> None:
    file = write(tmp_path, "log.csv", content)
    with pytest.raises(LogError) as caught:
        list(read_log(file))
    assert str(caught.value).startswith(f"{file}:")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["log.ndjson", "log.jsonl.gz"])
def test_a_line_of_ndjson_is_a_record(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, name, '\ufeff{"a": 1}\r\n\n{"a": {"b": [2]}}')
    assert list(read_log(file)) == [{"a": 1, "_position": "0"}, {"a": {"b": [2]}, "_position": "1"}]


def test_a_line_that_is_no_json_object_is_a_bad_record_and_reading_goes_on(tmp_path: Path) -> None:
    file = write(tmp_path, "log.ndjson", b'{"a": 1}\n{"a": \n\xff\n[1]\n{"a": 2}\n')
    first, cut, bytes_, listed, last = read_log(file)
    assert (first, last) == ({"a": 1, "_position": "0"}, {"a": 2, "_position": "4"})
    assert [
        (bad.position, bad.line, bad.reason, bad.raw) for bad in (cut, bytes_, listed) if isinstance(bad, BadRecord)
    ] == [
        ("1", 2, "not_json", b'{"a": '),
        ("2", 3, "not_json", b"\xff"),
        ("3", 4, "not_an_object", b"[1]"),
    ]


@pytest.mark.parametrize(
    ("name", "content"), [("cut.ndjson", '{"_position": "7", "a": "x"}'), ("cut.csv", "_position,a\n7,x\n")]
)
def test_a_log_that_was_cut_out_of_another_keeps_its_positions(tmp_path: Path, name: str, content: str) -> None:
    assert list(read_log(write(tmp_path, name, content))) == [{"_position": "7", "a": "x"}]


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz"])
def test_an_event_of_xes_has_its_own_attributes_and_those_of_its_case(tmp_path: Path, name: str) -> None:
    case = {"case:concept:name": "C1", "case:amount": 1.5}
    assert list(read_log(write(tmp_path, name, XES))) == [
        {
            **case,
            "concept:name": "send",
            "time:timestamp": "2026-01-05T09:00:00.000+01:00",
            "n": 7,
            "ok": True,
            "_position": "0",
        },
        {**case, "concept:name": "reply", "n": "many", "_position": "1"},
        {"case:concept:name": "C2", "concept:name": "send", "_position": "2"},
    ]


def test_a_xes_that_is_cut_off_gives_what_was_whole_and_says_where(tmp_path: Path) -> None:
    file = write(tmp_path, "log.xes", XES[: XES.index("C2")])
    records = read_log(file)
    assert [next(records)["concept:name"], next(records)["concept:name"]] == ["send", "reply"]  # type: ignore[index]
    with pytest.raises(LogError, match=r"is not XML: .* it may be cut off") as caught:
        next(records)
    assert caught.value.line == XES[: XES.index("C2")].count("\n") + 1


@pytest.mark.parametrize("name", ["log.csv", "log.ndjson", "log.xes"])
def test_a_damaged_gzip_says_so(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.gz"
    file.write_bytes(gzip.compress(XES.encode() * 50)[:-40])
    with pytest.raises(LogError, match=r"is damaged or not gzip|is not XML|is not CSV"):
        list(read_log(file))
    file.write_bytes(b"not gzip at all")
    with pytest.raises(LogError, match="is damaged or not gzip"):
        list(read_log(file))


def test_a_file_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="there is no such file"):
        read_log(tmp_path / "log.csv")


@pytest.mark.parametrize("name", ["log", "log.txt", "log.xml.gz", "log.gz"])
def test_a_log_of_no_known_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LogError, match=r"is no kind of log; use \.csv, \.ndjson, \.jsonl or \.xes"):
        read_log(write(tmp_path, name, "a\n"))


@pytest.mark.parametrize("name", ["log.ndjson", "log.ndjson.gz"])
def test_the_hint_is_near_the_number_of_records(tmp_path: Path, name: str) -> None:
    records = 60_000
    file = write(tmp_path, name, "".join(f'{{"number": {n}, "text": "some more text"}}\n' for n in range(records)))
    assert records * 0.9 < count_hint(file) < records * 1.1
    small = write(tmp_path, f"small.{name}", '{"a": 1}\n' * 5)
    assert count_hint(small) == 5
