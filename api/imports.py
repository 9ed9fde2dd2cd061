"""Takes a pack out of an archive (zip, tar, tar.gz) that somebody sent: bounded, and nothing leads out of it. Pure."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

MEMBERS = 500
MEMBER_BYTES = 2_000_000
TOTAL_BYTES = 20_000_000
DEPTH = 6
LONGEST = 200  # bytes of a path
SUFFIXES = (".yaml", ".yml", ".md", ".json", ".ndjson", ".jsonl", ".csv")
GZIP = b"\x1f\x8b"


class UnsafeArchive(ValueError):
    """An archive that is not taken; the text says which member of it is at fault, and why."""


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of an archive by their paths inside it. Raises UnsafeArchive.

    What a member says of its size is not relied upon: no more is ever unpacked than may be there.
    """
    files: dict[str, bytes] = {}
    folders: set[str] = set()
    left = TOTAL_BYTES
    try:
        for name, content in _zipped(data) if zipfile.is_zipfile(io.BytesIO(data)) else _tarred(data):
            path = str(_safe(name))
            if path in files:
                raise UnsafeArchive(f"{path!r} is there twice")
            folders |= {str(folder) for folder in PurePosixPath(path).parents}
            left -= len(content)
            if left < 0:
                raise UnsafeArchive(f"it has more than {TOTAL_BYTES:,} bytes when it is unpacked")
            files[path] = content
            if len(files) > MEMBERS:
                raise UnsafeArchive(f"it has more than {MEMBERS} files")
    except UnsafeArchive:
        raise
    except Exception as fault:  # names, numbers and sizes that are broken end in errors of many kinds
        raise UnsafeArchive(f"it is no zip and no tar that can be read: {fault}") from fault
    if both := sorted(folders & files.keys()):
        raise UnsafeArchive(f"{both[0]!r} is there as a file and as a folder")
    if not files:
        raise UnsafeArchive("there is no file in it")
    return files


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                raise UnsafeArchive(f"{member.filename!r} is encrypted")
            if (member.external_attr >> 16) & 0o170000 == 0o120000:
                raise UnsafeArchive(f"{member.filename!r} is a link")
            with archive.open(member) as file:
                yield member.filename, _bounded(member.filename, file.read(MEMBER_BYTES + 1))


def _tarred(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.startswith(GZIP):
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            data = packed.read(2 * TOTAL_BYTES + 1)  # headers and padding count too, and could be all of it
        if len(data) > 2 * TOTAL_BYTES:
            raise UnsafeArchive(f"it has more than {TOTAL_BYTES:,} bytes when it is unpacked")
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isreg():
                raise UnsafeArchive(f"{member.name!r} is no plain file")
            file = archive.extractfile(member)
            yield member.name, _bounded(member.name, file.read(MEMBER_BYTES + 1) if file else b"")


def _bounded(name: str, content: bytes) -> bytes:
    if len(content) > MEMBER_BYTES:
        raise UnsafeArchive(f"{name!r} has more than {MEMBER_BYTES:,} bytes")
    return content


def _safe(name: str) -> PurePosixPath:
    """The path of a member, which leads to a file of a pack and nowhere else."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable():
        raise UnsafeArchive(f"{name!r} leads out of the archive")
    if len(path.parts) > DEPTH or len(name.encode()) > LONGEST:
        raise UnsafeArchive(f"{name!r} is too deep or too long")
    if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
        raise UnsafeArchive(f"{name!r} is nothing that a pack consists of ({', '.join(SUFFIXES)})")
    return path
