"""The home folder of an installation: secrets, and the note that says which process serves it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import psutil

from dialer.errors import BadInput, ResourceBusy

Secret = Annotated[str, msgspec.Meta(min_length=32)]
CONSOLE = "service"
"""The part that serves the console; whichever process runs it answers the command line."""
ENGINE, RELAY, PROJECTOR = "engine", "relay", "projector"
"""The other parts of the dialer, each run by one process a home folder."""
MQTT = "mqtt"
"""The embedded broker, beside the engine."""


class Secrets(msgspec.Struct, frozen=True):
    """What signs cookies, what lets the command line ask the running service, and this installation's name.

    A process that takes the place of a killed one owns its campaigns at once: same installation, same owner.
    """

    session: Secret
    service: Secret
    installation: Secret


class RunningService(msgspec.Struct, frozen=True):
    """The process that serves a home folder; `created` tells a reused process id from the real one."""

    pid: int
    created: float
    url: str


class Home:
    """One home folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the folder; raise BadInput when it cannot be one."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"cannot use {self.path} as the home folder: {error.strerror}; name another with --home"
            ) from error

    def secrets(self) -> Secrets:
        """Return the installation's secrets, made at the first call, readable by the owner only.

        Raises BadInput for a file that is damaged or cannot be read.
        """
        file = self.path / "secrets.json"
        try:
            if not file.exists():
                _publish(file, msgspec.json.encode(Secrets(*(secrets.token_urlsafe(32) for _ in range(3)))))
            return msgspec.json.decode(file.read_bytes(), type=Secrets)
        except msgspec.MsgspecError as error:
            raise BadInput(
                f"{file} is damaged; put it back from a copy, or delete it: new secrets are made at the next start, "
                "and everybody signs in again"
            ) from error
        except OSError as error:
            raise BadInput(
                f"cannot use {file}: {error.strerror}; mend its permissions, or name another home folder with --home"
            ) from error

    def running(self, part: str = CONSOLE) -> RunningService | None:
        """Return the process that runs a part of the dialer on this folder, None when there is none."""
        try:
            note = msgspec.json.decode(self._note(part).read_bytes(), type=RunningService)
            alive = abs(psutil.Process(note.pid).create_time() - note.created) < 1.0
        except (OSError, msgspec.MsgspecError, psutil.Error):
            return None
        return note if alive else None

    @contextlib.contextmanager
    def claimed(self, url: str, parts: Sequence[str] = (CONSOLE,)) -> Iterator[Home]:
        """Hold these parts of the folder for this process; raise ResourceBusy when another one has any of them."""
        self.refuse_if_running(parts)
        me = psutil.Process()
        text = json.dumps({"pid": me.pid, "created": me.create_time(), "url": url})
        try:
            for part in parts:
                self._note(part).write_text(text, encoding="utf-8")
                self._note(part).chmod(0o600)
            yield self
        finally:
            for part in parts:
                self._note(part).unlink(missing_ok=True)

    def refuse_if_running(self, parts: Sequence[str] = (CONSOLE,)) -> None:
        """Raise ResourceBusy when another process runs one of these parts on the folder."""
        for part in parts:
            other = self.running(part)
            if other is not None and other.pid != os.getpid():
                raise ResourceBusy(
                    f"{self.path} is served by process {other.pid} at {other.url}; "
                    "use that one, stop it, or name another --home"
                )

    def _note(self, part: str) -> Path:
        return self.path / f"{part}.json"


def _publish(file: Path, text: bytes) -> None:
    """Give the file its content in one step, unless another process was first: nobody ever reads half of it."""
    number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(number, "wb") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()
