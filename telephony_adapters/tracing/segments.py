"""Files that are only appended to, by several processes into one folder, and never exceed a bound together."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

SEGMENTS: Final = 16
"""Into so many files the bound is cut: as many processes can write at once."""
SHARE_MIN: Final = 4
"""A small one, of a process that ended early, counts as this part of a full one: there are never too many files."""
SUFFIX: Final = ".trace"
LOCK_NAME: Final = "lock"
RETRY_S: Final = 1.0
"""How long nothing is tried after a failure: a full disk must not cost the SIP loop its time."""
_CREATE: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Segments:
    """One process's part in the folder: the segment that it appends to, which is locked while it may grow."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._each = max_bytes // SEGMENTS
        self._file: int | None = None
        self._size = 0
        self._resting_until = float("-inf")
        self._ill = False

    def append(self, data: bytes, now: float) -> bool:
        """Append in one piece; False when it is too long, no room can be made, or the disk does not take it."""
        if len(data) > self._each or now < self._resting_until:
            return False
        try:
            done = self._append(data, now)
        except OSError as error:
            self._complain(error)
            self.close()
            done = False
        if done:
            self._ill = False
        else:
            self._resting_until = now + RETRY_S
        return done

    def close(self) -> None:
        """Let go of the segment; the next append begins another one."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, data: bytes, now: float) -> bool:
        if self._file is None or self._size + len(data) > self._each:
            self._turn(now)
        if self._file is None:
            return False
        written = os.write(self._file, data)
        if written < len(data):
            os.ftruncate(self._file, self._size)  # what stands there whole stays readable
            return False
        self._size += written
        return True

    def _turn(self, now: float) -> None:
        """Go on in a new segment if there is room for it; nobody waits for a process that holds the folder's lock."""
        self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(BlockingIOError), _locked(self._folder / LOCK_NAME):
            if self._make_room():
                self._file = self._create(now)
                self._size = 0

    def _make_room(self) -> bool:
        """Delete the oldest segments that nobody writes to; one that grows is counted as what it may grow to."""
        room = self._max_bytes - self._each
        done = {path: _is_done(path) for path in segments(self._folder)}
        least = {True: self._each // SHARE_MIN, False: self._each}
        charged = {path: max(path.stat().st_size, least[is_done]) for path, is_done in done.items()}
        used = sum(charged.values())
        for path, size in charged.items():
            if used <= room:
                break
            if done[path]:
                path.unlink()
                used -= size
        return used <= room

    def _create(self, now: float) -> int:
        for number in itertools.count():
            with contextlib.suppress(FileExistsError):
                path = self._folder / f"{int(now * 1000):015d}-{os.getpid()}-{number}{SUFFIX}"
                file = os.open(path, _CREATE, 0o600)
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
        raise AssertionError

    def _complain(self, error: OSError) -> None:
        if not self._ill:
            extra = {"action": "trace.failed", "reason": error.strerror}
            log.warning("the SIP trace cannot be written; calls go on without", extra=extra)
        self._ill = True


def segments(folder: Path) -> list[Path]:
    """List the segments in the folder, the oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock a file; raise BlockingIOError when somebody else has it. The system gives it back when a process dies."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(file)


def _is_done(path: Path) -> bool:
    try:
        with _locked(path):
            return True
    except BlockingIOError:
        return False
