"""The legs that are up, on disk: what a restarted process needs to end the calls of a dead one.

One line for each step of a leg, written in each turn of the loop before the turn's messages leave, without waiting for
the disk: it outlives the process, not the machine.
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
    """Append to one file, which belongs to this process alone. Close it when the loop is closed."""

    def __init__(self, path: Path) -> None:
        """Open it, and write it anew: a line that a dying process tore is gone.

        Raises BadInput when it cannot be read or written, ResourceBusy while another process keeps it.
        """
        self.failed = False
        """It could not be written: the calls go on, a restart would not know of all of them."""
        self.failures = 0
        self._path = path
        self._file = self._lock = -1
        self._buffer: list[bytes] = []
        try:
            self._lock = _locked(path)
            self._live = _read(path)
            self._rewrite()
        except OSError as error:
            self.close()
            raise BadInput(
                f"the journal of calls {path} cannot be opened: {error.strerror}; see [sip] journal"
            ) from error
        self.left_behind = tuple(self._live.values())
        """What the process before this one had not ended."""

    def note(self, what: str, leg: Leg, _now: float) -> None:
        """Note that a leg was placed, answered, or is over; `flush` writes it down."""
        key = f"{leg.call_id}/{leg.local_tag}"
        if what != "over":
            left = self._live[key] = LeftBehind.of(leg)
            self._buffer.append(_ENCODE(_Line(key, left)))
        elif self._live.pop(key, None) is not None:
            self._buffer.append(_ENCODE(_Line(key)))

    def flush(self) -> None:
        """Write down what was noted; a disk that takes no more is told to people once, and calls go on."""
        if not self._buffer:
            return
        lines, self._buffer = self._buffer, []
        data = b"\n".join(lines) + b"\n"
        self._lines += len(lines)
        try:
            if self.failed or (self._lines > _ROOM and self._lines > 4 * len(self._live)):
                self._rewrite()
            else:
                _write_all(self._file, data)
        except OSError as error:
            if not self.failed:
                extra = {"action": "journal.failed", "why": error.strerror}
                log.error("calls are not written down: a restart could not end them", extra=extra)  # noqa: TRY400 -- the disk's affair
            self.failed = True
            self.failures += 1

    def _rewrite(self) -> None:
        fresh = self._path.with_suffix(".new")
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            _write_all(number, b"".join(_ENCODE(_Line(key, left)) + b"\n" for key, left in self._live.items()))
            fresh.replace(self._path)
        except OSError:
            os.close(number)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._lines, self.failed = number, len(self._live), False

    def close(self) -> None:
        """Close the file; legs that are still up stay in it."""
        if self._file >= 0:
            self.flush()
        for number in (self._file, self._lock):
            if number >= 0:
                os.close(number)
        self._file = self._lock = -1


def _write_all(number: int, data: bytes) -> None:
    if os.write(number, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _locked(path: Path) -> int:
    """Return the lock of a journal, held; a process that dies lets it go."""
    number = os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise ResourceBusy(
            f"the journal of calls {path} belongs to another process: stop that, or give this one a home of its own"
        ) from None
    return number


def _read(path: Path) -> dict[str, LeftBehind]:
    live: dict[str, LeftBehind] = {}
    if not path.exists():
        return live
    for text in path.read_bytes().splitlines():
        try:
            line = _DECODE(text)
        except msgspec.DecodeError:
            continue  # torn: its process died while it wrote
        if line.left is None:
            live.pop(line.key, None)
        else:
            live[line.key] = line.left
    return live
