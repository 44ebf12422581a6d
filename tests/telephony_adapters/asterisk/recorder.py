"""Record what goes through a machine over a real Asterisk, as JSON lines, and play it to another machine.

`python -m tests.telephony_adapters.asterisk.recorder` writes `recorded/*.jsonl` anew. A line is what went in (an order,
an event as it came from the WebSocket, an answer to a request, the time) with what came out: requests, and what the
engine was told.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from dialer.core.events import CallConnected, CallEnded, DigitPressed, MachineDetected, PromptEnded
from telephony_adapters.asterisk.config import parse
from telephony_adapters.asterisk.machine import Machine
from telephony_adapters.asterisk.messages import AriEvent, Request
from tests.plugins.asterisk import Asterisk, local_asterisk
from tests.telephony_adapters.asterisk.switching import HOTLINE, Switching, switching

FOLDER: Final = Path(__file__).parent / "recorded"
INPUTS: Final = (
    "originate", "answer", "hangup", "summon", "connect", "station", "play", "hush", "hold", "record",
    "stop_recording", "supervise", "transfer", "handle_timers",
)  # fmt: skip


class Recorder:
    """Stands before a link's machine and writes down what goes in and out."""

    def __init__(self, side: Switching, text: str) -> None:
        self.lines: list[dict[str, Any]] = [{"file": text}]
        self._machine = side.link.machine
        self._raw = ""
        side.link.ari.tap = self._came
        for name in INPUTS:
            setattr(self._machine, name, self._noted(name, getattr(self._machine, name)))
        stands = {"heard": self._heard, "answered": self._answered, "take": self._take}
        for name, before in stands.items():
            setattr(self._machine, name, before(getattr(self._machine, name)))  # type: ignore[operator]  # each its own
        self.lines[0]["first"] = self._machine.board.legs

    def _came(self, raw: str) -> None:
        self._raw = raw

    def _noted(self, name: str, do: Callable[..., object]) -> Callable[..., object]:
        def noted(*args: object, **named: object) -> object:
            self.lines.append({"in": name, "args": args, "named": named})
            return do(*args, **named)

        return noted

    def _heard(self, do: Callable[[AriEvent, float], None]) -> Callable[[AriEvent, float], None]:
        def heard(event: AriEvent, now: float) -> None:
            self.lines.append({"in": "heard", "event": json.loads(self._raw), "now": now})
            do(event, now)

        return heard

    def _answered(self, do: Callable[[Request, int, float], None]) -> Callable[[Request, int, float], None]:
        def answered(request: Request, status: int, now: float) -> None:
            self.lines.append({"in": "answered", "request": _plain(request), "status": status, "now": now})
            do(request, status, now)

        return answered

    def _take(self, do: Callable[[], Any]) -> Callable[[], Any]:
        def take() -> Any:
            asks, told = do()
            if asks or told:
                self.lines.append({"asks": [_plain(ask) for ask in asks], "told": [_shown(event) for event in told]})
            return asks, told

        return take

    def write(self, path: Path) -> None:
        """Write it down."""
        path.write_text("".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in self.lines))


def _plain(request: Request) -> Any:
    return msgspec.to_builtins(request)


def _shown(event: object) -> str:
    return f"{type(event).__name__} {msgspec.json.encode(event).decode()}"


def replay(path: Path) -> Iterator[tuple[Any, Any]]:
    """Play a recording to a new machine; yield what was asked and told then, and what is now."""
    first, *lines = (json.loads(line) for line in path.read_text().splitlines())
    file = parse(first["file"])
    machine = Machine(next(iter(file.servers.values())), file.agents, file.common)
    machine.board.legs = first["first"]
    for line in lines:
        match line:
            case {"in": "heard", "event": event, "now": now}:
                machine.heard(msgspec.convert(event, AriEvent), now)
            case {"in": "answered", "request": request, "status": status, "now": now}:
                machine.answered(msgspec.convert(request, Request), status, now)
            case {"in": name, "args": args, "named": named}:
                getattr(machine, name)(*args, **named)
            case _:
                asks, told = machine.take()
                yield line, {"asks": [_plain(ask) for ask in asks], "told": [_shown(event) for event in told]}


# --- what is recorded -------------------------------------------------------------------------------------------------


async def talk(side: Switching) -> None:
    """Hear keys, play a prompt that is missing, record, join an agent, hold, hang up."""
    switch = side.telephony
    await switch.station("tone", up=True)
    call = await side.answered("keys")
    await side.until(DigitPressed, call, nth=3)
    await switch.record(call)
    await switch.play(call, prompt="there-is-none")
    await side.until(PromptEnded, call)
    await switch.connect(call, agent_id="tone")
    await side.until(CallConnected, call)
    await switch.hold(call, on=True)
    await switch.hold(call, on=False)
    await asyncio.sleep(0.2)
    await side.hang_up(call)
    await side.over(call)


async def refused(side: Switching) -> None:
    """Call who does not answer."""
    for user in ("busy", "congestion", "cause1", "cause20", "nobody"):
        await side.over(await side.call(user))


async def machine(side: Switching) -> None:
    """Call a machine, and somebody who says nothing."""
    calls = [await side.call(user, amd=True) for user in ("tone", "echo")]
    for call in calls:
        await side.until(MachineDetected, call)
        await side.hang_up(call)
        await side.over(call)


async def sent_on(side: Switching) -> None:
    """Send a call on in vain, then to somebody who hangs up."""
    call = await side.joined("echo", "tone")
    for user in ("busy", "bye1"):
        await side.telephony.transfer(call, phone=user, hotline=HOTLINE, trunk="main")
        await asyncio.sleep(0.5)
    await side.over(call)


async def agent_hangs_up(side: Switching) -> None:
    """Join an agent who cannot be reached, then one who hangs up."""
    call = await side.answered("echo")
    await side.telephony.connect(call, agent_id="nobody")
    await asyncio.sleep(0.3)
    await side.telephony.connect(call, agent_id="bye1")
    await side.over(call)


SCENES: Final[tuple[Callable[[Switching], Awaitable[None]], ...]] = (talk, refused, machine, sent_on, agent_hangs_up)


async def _record(asterisk: Asterisk) -> None:
    FOLDER.mkdir(exist_ok=True)
    text = asterisk.file(asterisk.address, asterisk.address)
    for scene in SCENES:
        async with switching(text) as side:
            recorder = Recorder(side, text.replace(asterisk.password, "x"))
            await scene(side)
            assert side.of(CallEnded)
            recorder.write(FOLDER / f"{scene.__name__}.jsonl")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(), local_asterisk() as server:
        asyncio.run(_record(server))
