"""The legs that are up, on disk: what a restarted process needs to end the calls of a dead one.

One line for each step of a leg, written without waiting for the disk: it outlives the process, not the machine.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from dialer.errors import BadInput, ResourceBusy
from telephony_adapters.sip.adopt import LeftBehind
from telephony_adapters.sip.leg import Leg

log = logging.getLogger(__name__)

_ROOM: Final = 50_000
"""Lines after which the file is written anew with the legs that are up."""


class _Line(msgspec.Struct, omit_defaults=True):
    key: str
    left: LeftBehind | None = None
    """None: it is over."""


_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(_Line).decode


class Journal:
    """Append to one file, which belongs to this process alone. Close it when the loop is closed.

    A disk that takes nothing ends no call: what was not written is, with the next line that can be.
    """

    def __init__(self, path: Path) -> None:
        """Open it; raise BadInput when it cannot be read or written, ResourceBusy when another process has it."""
        self._path = path
        self._live: dict[str, LeftBehind] = {}
        self._lines = 0
        self._is_behind = False
        """The file lacks lines."""
        self.failures = 0
        """Lines that could not be written when they should have been."""
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise _not_opened(path, error) from error
        try:
            _claim(self._file, path)
            self.left_behind = tuple(_read(path).values())
            """What the process before this one had not ended."""
        except OSError as error:
            self.close()
            raise _not_opened(path, error) from error
        except ResourceBusy:
            self.close()
            raise
        for left in self.left_behind:
            self._live[_key(left)] = left

    def note(self, what: str, leg: Leg, _now: float) -> None:
        """Write down that a leg was placed, answered, or is over."""
        self.write(LeftBehind.of(leg), is_over=what == "over")

    def write(self, left: LeftBehind, *, is_over: bool) -> None:
        """Write down what is known of a leg, or that it is over."""
        key = _key(left)
        if not is_over:
            self._live[key] = left
        elif self._live.pop(key, None) is None:
            return
        try:
            self._append(_ENCODE(_Line(key, None if is_over else left)) + b"\n")
        except OSError as error:
            self._failed(error)

    def _append(self, line: bytes) -> None:
        """Write one line; after a failure, which may have left half of one, write everything anew. Raises OSError."""
        _write(self._file, b"\n" + line if self._is_behind else line)
        self._lines += 1
        if self._is_behind or (self._lines > _ROOM and self._lines > 4 * len(self._live)):
            self._rewrite()
            if self._is_behind:
                self._is_behind = False
                log.info("the journal of calls is written again", extra={"action": "journal.mended"})

    def _rewrite(self) -> None:
        fresh = self._path.with_suffix(".new")
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(number, b"".join(_ENCODE(_Line(key, left)) + b"\n" for key, left in self._live.items()))
            fresh.replace(self._path)
        except OSError:
            os.close(number)
            raise
        os.close(self._file)
        self._file, self._lines = number, len(self._live)

    def _failed(self, error: OSError) -> None:
        """Count it, and say so once until it works again: the calls go on."""
        self.failures += 1
        if not self._is_behind:
            self._is_behind = True
            log.error(
                "the journal of calls %s cannot be written: %s; a restart may miss calls to end", self._path,
                error.strerror, extra={"action": "journal.failed"},
            )  # fmt: skip

    def close(self) -> None:
        """Close the file; legs that are still up stay in it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _claim(number: int, path: Path) -> None:
    """Lock the file for as long as it is open; raise ResourceBusy when a living process holds it, or put it there."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = os.path.samestat(os.fstat(number), path.stat())
    except BlockingIOError:
        is_ours = False
    if not is_ours:
        raise ResourceBusy(
            f"the journal of calls {path} belongs to a process that runs: its calls would be hung up; stop that "
            "process, or give each its own [sip] journal"
        )


def _not_opened(path: Path, error: OSError) -> BadInput:
    return BadInput(f"the journal of calls {path} cannot be opened: {error.strerror}; see [sip] journal")


def _write(number: int, data: bytes) -> None:
    if os.write(number, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _key(left: LeftBehind) -> str:
    return f"{left.call_id}/{left.local_tag}"


def _read(path: Path) -> dict[str, LeftBehind]:
    live: dict[str, LeftBehind] = {}
    if not path.exists():
        return live
    for text in path.read_bytes().splitlines():
        try:
            line = _DECODE(text)
        except msgspec.DecodeError:
            continue  # the last line of a process that died while writing it
        if line.left is None:
            live.pop(line.key, None)
        else:
            live[line.key] = line.left
    return live
