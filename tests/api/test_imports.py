"""A pack from an archive: nothing leads out of it, nothing blows up, and what is fine comes through as it is."""

from __future__ import annotations

import errno
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api import imports
from api.imports import UnsafeArchive, unpacked

FILES = {"pack/workflow.yaml": b"workflow: w\n", "pack/runbooks/a.md": b"# a\n"}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz", **member: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in member.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


MAKE: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": zipped,
    "tar": lambda files: tarred(files, "w"),
    "tar.gz": tarred,
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_a_pack_comes_out_as_it_went_in(make: Callable[[dict[str, bytes]], bytes]) -> None:
    assert unpacked(make(FILES)) == FILES


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@pytest.mark.parametrize(
    "name",
    [
        "../a.yaml",
        "/etc/a.yaml",
        "a/../../b.yaml",
        "..\\a.yaml",
        "C:a.yaml",
        "a/b/c/d/e/f/g.yaml",
        "a.py",
        ".env",
        "x\n.md",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(make: Callable[[dict[str, bytes]], bytes], name: str) -> None:
    with pytest.raises(UnsafeArchive):
        unpacked(make({**FILES, name: b"x"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_what_is_no_plain_file_is_refused(kind: bytes) -> None:
    with pytest.raises(UnsafeArchive, match="no plain file"):
        unpacked(tarred({"a.yaml": b""}, type=kind, linkname="/etc/passwd"))
    link = zipfile.ZipInfo("a.yaml")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeArchive, match="is a link"):
        unpacked(out.getvalue())


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_a_bomb_does_not_go_off(make: Callable[[dict[str, bytes]], bytes]) -> None:
    one = {"a.yaml": b"\0" * (imports.MEMBER_BYTES + 1)}
    many = {f"{n}.yaml": b"\0" * imports.MEMBER_BYTES for n in range(11)}
    crowd = {f"{n}.yaml": b"" for n in range(imports.MEMBERS + 1)}
    for bomb in (one, many, crowd):
        with pytest.raises(UnsafeArchive):
            unpacked(make(bomb))


def test_a_tar_that_is_all_padding_is_not_unpacked_whole() -> None:
    with pytest.raises(UnsafeArchive, match="bytes when it is unpacked"):
        unpacked(gzip.compress(b"\0" * 50_000_000, 1))


def test_a_size_that_lies_changes_nothing() -> None:
    archive = bytearray(zipped({"a.yaml": b"\0" * (imports.MEMBER_BYTES + 1)}))
    at = archive.index(b"PK\x01\x02") + 24
    archive[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(UnsafeArchive):
        unpacked(bytes(archive))


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: zipped(FILES)[:-30] + tail))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with suppress(UnsafeArchive):
        assert unpacked(data)


def hostile() -> dict[str, bytes]:
    """Archives that the standard library stumbles over in ways of their own."""
    latin = zipped({"\u00e9.yaml": b"x: 1"}).replace("\u00e9".encode(), b"\xff\xfe")
    packed = bytearray(zipped({"workflow.yaml": b"x: 1\n" * 100}, zipfile.ZIP_LZMA))
    place = 30 + len("workflow.yaml")
    packed[place + 4 : place + 12] = b"\xff" * 8
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a.yaml", "GNU.sparse.realsize": "9"}
    older = {"GNU.sparse.map": "a,b", "GNU.sparse.size": "z"}
    text = {"a.yaml": b"hello, not a number\n" * 30}
    return {
        "a name that is no UTF-8": latin,
        "broken LZMA": bytes(packed),
        "sparse": tarred(text, "w", pax_headers=sparse),
        "sparse, the older way": tarred(text, "w", pax_headers=older),
        "a file that is a folder": zipped({"a.yaml": b"", "a.yaml/workflow.yaml": b""}),
        "a folder that is a file": tarred({"b/a.yaml/workflow.yaml": b"", "b/a.yaml": b""}),
        "a long name": zipped({"\u00e9" * 190 + ".yaml": b""}),
    }


@pytest.mark.parametrize("name", hostile())
def test_an_archive_made_to_stumble_over_is_refused(client: TestClient, name: str) -> None:
    with pytest.raises(UnsafeArchive):
        unpacked(hostile()[name])
    answer = client.post("/api/v1/packs", params={"check": True}, content=hostile()[name])
    assert (answer.status_code, answer.json()["title"]) == (422, "Invalid archive")


def test_a_server_without_room_to_unpack_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    answer = client.post("/api/v1/packs", params={"check": True}, content=zipped(FILES))
    assert (answer.status_code, "No space left" in answer.json()["detail"]) == (503, True)


def test_a_name_of_200_bytes_is_taken_and_one_of_201_is_not() -> None:
    assert unpacked(zipped({"x" * 195 + ".yaml": b""}))
    with pytest.raises(UnsafeArchive, match="too long"):
        unpacked(zipped({"x" * 196 + ".yaml": b""}))


def test_a_pack_is_checked_and_every_fault_has_its_place(client: TestClient) -> None:
    good = (Path(__file__).parents[2] / "rules" / "file_receipt").rglob("*.yaml")
    files = {f"p/{file.name}": file.read_bytes() for file in good if file.parent.name == "file_receipt"}
    answer = client.post("/api/v1/packs?check=true", content=zipped(files))
    assert answer.status_code == 200, answer.text
    assert answer.json()["workflows"]
    wrong = client.post("/api/v1/packs", content=zipped({"p/workflow.yaml": b"workflow: w\n"}))
    assert wrong.status_code == 422
    assert "p/workflow.yaml" in wrong.json()["errors"][0]["field"]
    for data in (zipped({"../../x.yaml": b""}), zipped({"a.md": b""}), b"garbage", b""):
        assert client.post("/api/v1/packs", content=data).status_code == 422
