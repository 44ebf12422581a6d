from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.errors import BadInput, NotFound, Unreachable
from store.recording_files import FsspecFiles, bare, open_place
from tests.store.s3 import BUCKET, S3, s3_server

PATH = "2026/11/26/call-1.mp3"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "file://", "memory://", "s3://"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FsspecFiles:
    match request.param:
        case "folder":
            return FsspecFiles("", home=tmp_path / "recordings")
        case "file://":
            return FsspecFiles(tmp_path.as_uri(), home=tmp_path / "unused")
        case "memory://":
            return FsspecFiles(f"memory://{tmp_path.name}", home=tmp_path)
        case _:
            request.getfixturevalue("s3")
            return FsspecFiles(f"s3://{BUCKET}/{tmp_path.name}", home=tmp_path)


def left(folder: Path) -> list[str]:
    """Name every file below a folder."""
    return [file.name for file in folder.rglob("*") if file.is_file()]


async def test_what_is_put_is_read_until_it_is_removed(files: FsspecFiles) -> None:
    await files.put(PATH, b"one")
    await files.put(PATH, b"the second, which counts")
    assert await files.read(files.storage, PATH) == b"the second, which counts"
    await files.remove(files.storage, PATH)
    await files.remove(files.storage, PATH)
    with pytest.raises(NotFound, match=r"call-1\.mp3 is not in"):
        await files.read(files.storage, PATH)
    assert await files.look() in {files.storage, "the home folder's recordings"}


async def test_files_of_an_earlier_setting_are_still_found(tmp_path: Path) -> None:
    before = FsspecFiles("", home=tmp_path / "recordings")
    await before.put(PATH, b"old")
    now = FsspecFiles(f"memory://{tmp_path.name}", home=tmp_path / "recordings")
    assert await now.read(before.storage, PATH) == b"old"


async def test_a_bucket_that_is_not_there_is_a_storage_that_is_away(s3: S3, tmp_path: Path) -> None:
    files = FsspecFiles("s3://nobodys/x", home=tmp_path)
    with pytest.raises(Unreachable, match=r"s3://nobodys/x.*recording_url"):
        await files.put(PATH, b"one")


async def test_a_folder_that_takes_nothing_is_a_storage_that_is_away(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "recordings").write_text, "a file, not a folder")
    files = FsspecFiles("", home=tmp_path / "recordings")
    with pytest.raises(Unreachable, match=r"home folder's recordings.*does not take or give"):
        await files.put(PATH, b"one")


async def test_nobody_ever_reads_half_a_file(tmp_path: Path) -> None:
    """A reader beside many writers sees one whole file or the other."""
    files = FsspecFiles("", home=tmp_path)
    bodies = [bytes([number]) * 300_000 for number in range(8)]
    await files.put(PATH, bodies[0])
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add((tmp_path / PATH).read_bytes())

    reading = asyncio.create_task(asyncio.to_thread(read))
    for body in bodies:
        await files.put(PATH, body)
    stop.set()
    await reading
    assert seen <= set(bodies)
    assert left(tmp_path) == ["call-1.mp3"]


async def test_where_files_appear_bit_by_bit_they_are_moved_into_place(tmp_path: Path) -> None:
    """`dir` is one of fsspec's that is neither local nor an object store."""
    files = FsspecFiles(f"dir::{tmp_path.as_uri()}", home=tmp_path)
    await files.put(PATH, b"one")
    await files.put(PATH, b"two")
    assert await files.read(files.storage, PATH) == b"two"
    assert left(tmp_path) == ["call-1.mp3"]


def test_a_url_that_names_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no storage that can be opened"):
        open_place("nonsense://x")


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(BadInput, match=r"s3:// needs a driver \(Install s3fs.*dialer\[s3\]"):
        open_place("s3://bucket")


def test_a_password_stays_out_of_what_is_written_down() -> None:
    assert bare("sftp://me:secret@host:22/x") == "sftp://host:22/x"
    assert bare("s3://bucket/prefix") == "s3://bucket/prefix"
    assert bare("") == ""
