"""The home folder of an installation: secrets, and the note that says which process serves it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from dialer.errors import BadInput, ResourceBusy


class Secrets(msgspec.Struct, frozen=True):
    """What signs cookies, what lets the command line ask the running service, and this installation's name.

    A process that takes the place of a killed one owns its campaigns at once: same installation, same owner.
    """

    session: str
    service: str
    installation: str


class RunningService(msgspec.Struct, frozen=True):
    """The process that serves a home folder; `created` tells a reused process id from the real one."""

    pid: int
    created: float
    url: str


class Home:
    """One home folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path / "service.json"

    def prepare(self) -> None:
        """Make the folder; raise BadInput when it cannot be one."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"cannot use {self.path} as the home folder: {error.strerror}; name another with --home"
            ) from error

    def secrets(self) -> Secrets:
        """Return the installation's secrets, made at the first call, readable by the owner only."""
        file = self.path / "secrets.json"
        with contextlib.suppress(FileExistsError):
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "wb") as new:
                new.write(msgspec.json.encode(Secrets(*(secrets.token_urlsafe(32) for _ in range(3)))))
        return msgspec.json.decode(file.read_bytes(), type=Secrets)

    def running(self) -> RunningService | None:
        """Return the service that lives on this folder, None when there is none."""
        try:
            note = msgspec.json.decode(self._note.read_bytes(), type=RunningService)
            alive = abs(psutil.Process(note.pid).create_time() - note.created) < 1.0
        except (OSError, msgspec.MsgspecError, psutil.Error):
            return None
        return note if alive else None

    @contextlib.contextmanager
    def claimed(self, url: str) -> Iterator[Home]:
        """Hold the folder for this process; raise ResourceBusy when another one lives on it."""
        self.refuse_if_running()
        me = psutil.Process()
        text = json.dumps({"pid": me.pid, "created": me.create_time(), "url": url})
        self._note.write_text(text, encoding="utf-8")
        self._note.chmod(0o600)
        try:
            yield self
        finally:
            self._note.unlink(missing_ok=True)

    def refuse_if_running(self) -> None:
        """Raise ResourceBusy when another process serves this folder."""
        other = self.running()
        if other is not None and other.pid != os.getpid():
            raise ResourceBusy(
                f"{self.path} is served by process {other.pid} at {other.url}; "
                "use that one, stop it, or name another --home"
            )
