"""Own a folder: one process at a time, and the second one is told which process has it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from dialer.errors import DialerError, ResourceBusy

LOCK_NAME: Final = "owner.lock"


class FolderLock:
    """A lock on a folder that the system gives back when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Make the folder if need be and own it; ResourceBusy names the owner, DialerError a folder that cannot be."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise ResourceBusy(self._busy(owner)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return os.open(self.folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DialerError(f"{self.folder}: the analytics folder cannot be used: {error.strerror}") from error

    def _busy(self, owner: str) -> str:
        who = f"process {owner}" if owner else "another process"
        return (
            f"{self.folder}: the call records are open in {who}; stop it, or use `dialer cdr` with the same --home, "
            "which asks the running service"
        )
