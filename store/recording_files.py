"""The files of recordings, through fsspec: a folder by default, S3 or whatever fsspec knows by URL."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from dialer.errors import BadInput, NotFound, Unreachable

T = TypeVar("T")
_WHOLE: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "oci", "memory"})
"""Stores in which a file appears whole or not at all; elsewhere it is written beside its place and moved there."""
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "s3": {"config_kwargs": {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 2}}},
}
_FRESH: Final = {"skip_instance_cache": True, "use_listings_cache": False}


class FsspecFiles:
    """RecordingFiles below `url` (empty = the folder `home`), in threads of their own.

    Raises BadInput for a URL that fsspec cannot take, or whose driver is not installed.
    """

    def __init__(self, url: str, *, home: Path) -> None:
        self._url, self._home = url, home
        self.storage = bare(url)
        self._open: dict[str, tuple[Any, str]] = {}
        self._place(self.storage)

    async def put(self, path: str, data: bytes) -> None:
        """Store a file whole or not at all, over one of the same name; raise Unreachable when it cannot be."""
        system, root = self._place(self.storage)
        put = _put_whole if _is_whole(system) else _put_local if isinstance(system, LocalFileSystem) else _put_beside
        await _asked(self.storage, lambda: put(system, f"{root}/{path}", data))

    async def read(self, storage: str, path: str) -> bytes:
        """Return a file; raise NotFound when it is not there, Unreachable when that cannot be told."""
        system, root = self._place(storage)
        found = await _asked(storage, lambda: _read(system, f"{root}/{path}"))
        if found is None:
            raise NotFound(f"{path} is not in {_named(storage)}: somebody has moved or deleted it there")
        return found

    async def remove(self, storage: str, path: str) -> None:
        """Delete a file; one that is not there is no error."""
        system, root = self._place(storage)
        await _asked(storage, lambda: _remove(system, f"{root}/{path}"))

    async def look(self) -> str:
        """Write, read and delete a small file; return where, or raise Unreachable."""
        probe = f".probe-{os.getpid()}"
        await self.put(probe, b"probe")
        await self.read(self.storage, probe)
        await self.remove(self.storage, probe)
        return _named(self.storage)

    def _place(self, storage: str) -> tuple[Any, str]:
        """Return the file system and the root of a storage, which may be an earlier setting's."""
        if storage not in self._open:
            url = self._url if storage == self.storage else storage
            self._open[storage] = open_place(url or self._home.absolute().as_uri())
        return self._open[storage]


def open_place(url: str) -> tuple[Any, str]:
    """Return fsspec's file system and the path in it; nothing is connected to yet."""
    scheme = urlsplit(url).scheme
    try:
        system, root = fsspec.core.url_to_fs(url, **_FRESH, **_OPTIONS.get(scheme, {}))
    except ImportError as error:
        raise BadInput(f"recording_url: {scheme}:// needs a driver ({error}); S3's comes with `dialer[s3]`") from error
    except (ValueError, OSError) as error:
        raise BadInput(f"recording_url: {bare(url)} is no storage that can be opened: {error}") from error
    return system, str(root).rstrip("/")


def bare(url: str) -> str:
    """Return a URL without its user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def _named(storage: str) -> str:
    return storage or "the home folder's recordings"


def _is_whole(system: Any) -> bool:
    names = system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)
    return not _WHOLE.isdisjoint(names)


async def _asked(storage: str, work: Callable[[], T]) -> T:
    """Run it in a thread; each driver fails in its own way, and all of them mean that the storage is away."""
    try:
        return await asyncio.to_thread(work)
    except Exception as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Unreachable(
            f"the storage of recordings ({_named(storage)}) does not take or give files: {why}; "
            "check recording_url, its rights and its space"
        ) from error


def _read(system: Any, path: str) -> bytes | None:
    try:
        return bytes(system.cat_file(path))
    except FileNotFoundError:
        return None


def _put_whole(system: Any, path: str, data: bytes) -> None:
    system.pipe_file(path, data)
    if (there := system.size(path)) != len(data):
        raise OSError(f"{there} bytes arrived of {len(data)}")


def _put_beside(system: Any, path: str, data: bytes) -> None:
    part = f"{path}.part"
    system.makedirs(path.rpartition("/")[0], exist_ok=True)
    _put_whole(system, part, data)
    if system.exists(path):
        system.rm_file(path)
    system.mv(part, path)


def _put_local(_system: Any, path: str, data: bytes) -> None:
    """Survive a power cut too: first the bytes, then the name; what a killed process had begun is cleared away."""
    place = Path(path)
    folder = place.parent
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f".{place.name}.*"):
        old.unlink(missing_ok=True)
    number, part = tempfile.mkstemp(prefix=f".{place.name}.", dir=folder)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    _sync(folder)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove(system: Any, path: str) -> None:
    try:
        system.rm_file(path)
    except FileNotFoundError:
        return
