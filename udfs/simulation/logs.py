"""Event logs from disk, as records for a source mapping: CSV, NDJSON and XES, each also gzipped.

Every record gets the field `_position`, its running number from 0 as text: the identity of records without an id. One
that has the field keeps it, so that a log cut out of another, or shuffled, keeps its identities. A record that can't be
read takes a number too, so that mending it moves no other, and comes out as a `BadRecord`.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from xml.etree import ElementTree as xml

from orjson import JSONDecodeError, loads

from udfs.packs.mapping import POSITION

Record = dict[str, Any]
MAX_FIELD = 1 << 24
SAMPLE = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class BadRecord:
    """What can't be read; `reason` is one of the dead letters', `raw` what the file has (of CSV: its fields)."""

    position: str
    line: int
    reason: str
    detail: str
    raw: bytes


class LogError(ValueError):
    """A log that can't be read on. `line` is 0 where the fault has none."""

    def __init__(self, file: str | Path, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = str(file)
        self.line = line


def read_log(path: str | Path) -> Iterator[Record | BadRecord]:
    """The records of a log in the file's order, read as they are asked for.

    Raises LogError: at once if the file isn't there or of no known kind, later if it is damaged from somewhere on.
    """
    file = Path(path)
    read = _reader(file)
    if not file.is_file():
        raise LogError(file, 0, "there is no such file")
    return read(file)


def count_hint(path: str | Path) -> int:
    """Roughly how many records the log holds, by its size and its first megabyte: for a progress bar only."""
    file = Path(path)
    mark = b"<event" if _reader(file) is _read_xes else b"\n"
    with _opened(file) as stream:
        sample = stream.read(SAMPLE)
        if len(sample) < SAMPLE:
            return sample.count(mark)
    return sample.count(mark) * _size(file) // SAMPLE


def _size(file: Path) -> int:
    """The bytes behind the compression. gzip's own note of it, in the last four bytes, counts modulo 4 GiB."""
    if file.suffix != ".gz":
        return file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(-4, io.SEEK_END)
        return int.from_bytes(stream.read(4), "little")


def _reader(file: Path) -> Callable[[Path], Iterator[Record | BadRecord]]:
    suffix = Path(file.stem if file.suffix == ".gz" else file.name).suffix.lower()
    match suffix:
        case ".csv":
            return _read_csv
        case ".ndjson" | ".jsonl":
            return _read_ndjson
        case ".xes":
            return _read_xes
    raise LogError(file, 0, f"`{suffix or file.name}` is no kind of log; use .csv, .ndjson, .jsonl or .xes (.gz)")


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The file's bytes without their compression. What can't be read or unpacked becomes a LogError."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise LogError(file, 0, f"is damaged or not gzip ({fault}); fetch it again") from fault
    except OSError as fault:
        raise LogError(file, 0, f"can't be read: {fault.strerror or fault}") from fault


def _read_csv(file: Path) -> Iterator[Record | BadRecord]:
    csv.field_size_limit(MAX_FIELD)
    with _opened(file) as stream:
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        rows = None
        try:
            first = lines.readline()
            rows = csv.reader(lines, delimiter=_delimiter(first), strict=True)
            names = _header(file, next(csv.reader([first], delimiter=_delimiter(first)), []))
            position = 0
            for row in rows:
                if row:
                    yield _csv_record(names, row, str(position), rows.line_num + 1)
                    position += 1
        except UnicodeDecodeError as fault:
            line = rows.line_num + 2 if rows else 1
            raise LogError(file, line, f"is not UTF-8 here or soon after ({fault.reason}); save it as UTF-8") from fault
        except csv.Error as fault:
            raise LogError(file, rows.line_num + 1 if rows else 1, f"is not CSV: {fault}; check the quotes") from fault


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _header(file: Path, names: list[str]) -> list[str]:
    if not any(names):
        raise LogError(file, 1, "has no header; the first line must name the columns")
    for name in names:
        if not name or names.count(name) > 1:
            fault = f"the column `{name}` is there twice" if name else "a column has no name"
            raise LogError(file, 1, f"{fault}; give each column a name of its own")
    return names


def _csv_record(names: list[str], row: list[str], position: str, line: int) -> Record | BadRecord:
    if len(row) != len(names):
        detail = f"the row on line {line} has {len(row)} fields, the header {len(names)}"
        return BadRecord(position, line, "invalid_event", detail, ",".join(row).encode())
    record: Record = dict(zip(names, row, strict=True))
    record.setdefault(POSITION, position)
    return record


def _read_ndjson(file: Path) -> Iterator[Record | BadRecord]:
    with _opened(file) as stream:
        position = 0
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield _json_record(line, str(position), number)
                position += 1


def _json_record(line: bytes, position: str, number: int) -> Record | BadRecord:
    try:
        record = loads(line)
    except JSONDecodeError as fault:
        if line.startswith(BYTE_ORDER_MARK):
            return _json_record(line.removeprefix(BYTE_ORDER_MARK), position, number)
        return BadRecord(position, number, "not_json", f"line {number} is not JSON: {fault}", line.rstrip(b"\r\n"))
    if not isinstance(record, dict):
        detail = f"line {number} holds no JSON object"
        return BadRecord(position, number, "not_an_object", detail, line.rstrip(b"\r\n"))
    record.setdefault(POSITION, position)
    return record


def _read_xes(file: Path) -> Iterator[Record | BadRecord]:
    """An event is a record: its own attributes by their keys, its trace's as `case:` and the key."""
    with _opened(file) as stream:
        position = 0
        try:
            # The parser fetches nothing from outside, and expat bounds what entities may grow to.
            parsed = xml.iterparse(stream, events=("start", "end"))  # noqa: S314
            _, root = next(parsed)
            for moment, element in parsed:
                if moment == "end" and _tag(element) == "trace":
                    for event in _xes_trace(element):
                        yield {POSITION: str(position), **event}
                        position += 1
                    root.clear()
        except xml.ParseError as fault:
            raise LogError(file, fault.position[0], f"is not XML: {fault}; it may be cut off") from fault


def _xes_trace(trace: xml.Element) -> Iterator[Record]:
    case = {f"case:{name}": value for name, value in _xes_attributes(trace).items()}
    for element in trace:
        if _tag(element) == "event":
            yield {**case, **_xes_attributes(element)}


def _xes_attributes(parent: xml.Element) -> Record:
    return {
        child.attrib["key"]: _xes_value(_tag(child), child.attrib["value"])
        for child in parent
        if "key" in child.attrib and "value" in child.attrib
    }


def _xes_value(kind: str, text: str) -> str | int | float | bool:
    """Numbers and truth values as such; time stamps, and what isn't what it says, as text."""
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.strip().lower()]
    except (ValueError, KeyError):
        pass
    return text


def _tag(element: xml.Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]
