"""baresip for tests: a softphone with sound but without a sound card, controlled over its own TCP port."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.plugins.components import register
from tests.plugins.processes import HOST, RTP_PORTS, Program, filled, free_port, is_open, probed

CONFIG: Final = Path(__file__).parents[1] / "servers" / "sip" / "baresip.config"
MODULES: Final = Path("/usr/lib/baresip/modules")
WAIT_S: Final = 10.0
_POLL_S: Final = 0.05
_QUIT_S: Final = 0.3
"""In which it says goodbye (BYE, un-REGISTER); it would wait for a second or two, so a second signal ends it."""


class Rtp(NamedTuple):
    """RTP packets of the call that it is in, or else of its last one."""

    sent: int
    received: int


class Phone:
    """One softphone: `uri` is where it can be called without any registrar."""

    def __init__(self, baresip: Program, name: str, port: int, control: int) -> None:
        self._program = baresip
        self._control = control
        self._tokens = itertools.count()
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._come = asyncio.Condition()
        self._seen = 0
        self._reader: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.events: list[dict[str, Any]] = []
        self.name = name
        self.port = port
        self.address = f"{HOST}:{port}"
        self.uri = f"sip:{name}@{self.address}"

    async def connect(self) -> None:
        """Open its control connection."""
        reader, self._writer = await asyncio.open_connection(HOST, self._control)
        self._reader = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take netstrings: an answer goes to who asked, an event to those who wait."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while size := (await reader.readuntil(b":"))[:-1]:
                message = json.loads((await reader.readexactly(int(size) + 1))[:-1])
                if "response" in message:
                    self._answers.pop(message["token"]).set_result(message.get("data", ""))
                    continue
                async with self._come:
                    self.events.append(message)
                    self._come.notify_all()

    async def command(self, command: str, params: str = "") -> str:
        """Give a command of baresip's menu (`help` lists them), and return what it says."""
        assert self._writer is not None
        token = str(next(self._tokens))
        answer = self._answers[token] = asyncio.get_running_loop().create_future()
        words = json.dumps({"command": command, "params": params, "token": token}).encode()
        self._writer.write(b"%d:%s," % (len(words), words))
        return await asyncio.wait_for(answer, WAIT_S)

    async def until(self, event: str, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """Wait for an event of a kind (`CALL_ESTABLISHED` ...) that is newer than the one that this returned before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._come:
                await self._come.wait_for(lambda: self._next(event) is not None)
        if (number := self._next(event)) is None:
            had = ", ".join(one["type"] for one in self.events)
            self._program.fail(f"waited {timeout_s:g} s in vain for {event}; it had {had or 'none'}")
        self._seen = number + 1
        return self.events[number]

    def _next(self, event: str) -> int | None:
        later = range(self._seen, len(self.events))
        return next((number for number in later if self.events[number]["type"] == event), None)

    async def dial(self, uri: str) -> None:
        """Call somebody; `until("CALL_ESTABLISHED")` waits for the answer."""
        await self.command("dial", uri)

    async def answer(self) -> None:
        """Take the call that rings, by a phone that does not do so itself."""
        await self.command("accept")

    async def hang_up(self) -> None:
        """End the call."""
        await self.command("hangup")

    async def hold(self) -> None:
        """Put the call on hold, by a re-INVITE."""
        await self.command("hold")

    async def resume(self) -> None:
        """Take it back."""
        await self.command("resume")

    async def is_in_call(self) -> bool:
        """Say whether a call is up."""
        return "ESTABLISHED" in await self.command("listcalls")

    async def rtp(self) -> Rtp:
        """Count the RTP packets of its call so far, those before a re-INVITE too."""
        said = await self.command("audio_debug")
        if sent := re.search(r"TX: packets=(\d+)", said):
            return Rtp(int(sent[1]), sum(map(int, re.findall(r"rcvd=(\d+)", said))))
        ended = re.findall(r"packets:\s+(\d+)\s+(\d+)", self.log())
        return Rtp(*map(int, ended[-1])) if ended else Rtp(0, 0)

    async def two_way(self, packets: int = 10, timeout_s: float = WAIT_S) -> Rtp:
        """Wait until it has sent and received so many RTP packets more than now; the test fails if it does not."""
        start = now = await self.rtp()
        deadline = time.monotonic() + timeout_s
        while min(now.sent - start.sent, now.received - start.received) < packets:
            if time.monotonic() > deadline:
                self._program.fail(f"had {start}, and {timeout_s:g} s later {now}")
            await asyncio.sleep(_POLL_S)
            now = await self.rtp()
        return now

    def log(self) -> str:
        """Return what it has said so far."""
        return self._program.log()

    async def stop(self) -> None:
        """Hang up, un-register and end."""
        self._program.send(signal.SIGTERM)
        if not await asyncio.to_thread(self._program.has_ended, _QUIT_S):
            await asyncio.to_thread(self._program.stop)
        if self._reader is not None:
            await self._reader
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()


class Phones:
    """Starts any number of phones, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._phones: list[Phone] = []

    async def start(
        self, name: str, *, registrar: str = "", password: str = "", answers: bool = True,
        codecs: tuple[str, ...] = ("PCMU", "PCMA"), tone_hz: int = 440, more: str = "",
    ) -> Phone:  # fmt: skip
        """Start a phone; it signs in as `name` with a `registrar` (host:port). `more` are parameters of its account."""
        port, control = free_port(2), free_port()  # it takes the second one for TLS
        phone = Phone(self._process(name, port, control, tone_hz), name, port, control)
        self._phones.append(phone)
        await phone.connect()
        mode = "auto" if answers else "manual"
        account = f"<sip:{name}@{registrar or phone.address}>;auth_pass={password};regint={600 if registrar else 0}"
        await phone.command("uanew", f"{account};answermode={mode};audio_codecs={','.join(codecs)}{more}")
        if registrar:
            await phone.until("REGISTER_OK")
        return phone

    def _process(self, name: str, port: int, control: int, tone_hz: int) -> Program:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))
        first, last = RTP_PORTS
        config = filled(
            CONFIG, port=port, control=control, tone_hz=tone_hz, modules=MODULES, rtp_first=first, rtp_last=last
        )
        (folder / "config").write_text(config)
        for unused in ("accounts", "contacts"):  # it would write samples
            (folder / unused).touch()
        baresip = Program(["baresip", "-4", "-f", folder], folder)
        baresip.ready(lambda: is_open(control, "tcp") and is_open(port, "udp", "tcp"))
        return baresip

    async def stop(self) -> None:
        """End all of them at once."""
        await asyncio.gather(*(phone.stop() for phone in self._phones))


register("baresip", lambda: probed("baresip", "baresip-core", "-h"), fixtures=["phones"])


@pytest.fixture
async def phones() -> AsyncIterator[Phones]:
    """Give what starts phones for the test."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-baresip-"))
    every = Phones(folder)
    yield every
    await every.stop()
    shutil.rmtree(folder, ignore_errors=True)
