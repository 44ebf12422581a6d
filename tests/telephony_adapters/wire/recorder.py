"""A machine that writes down what it is told, answers as the test says, and can be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from telephony_adapters.sip.flow import Flow, Send

PATIENCE_S = 10.0


def message(name: str, *, size: int = 300) -> bytes:
    """Return a request as long as real ones, told apart by its name."""
    head = (
        f"OPTIONS sip:{name}@trunk.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-{name}\r\n"
        f"Call-ID: {name}\r\nContent-Length: "
    )
    body = "x" * max(0, size - len(head))
    return f"{head}{len(body)}\r\n\r\n{body}".encode()


class Recorder:
    """Implements Machine."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, Flow]] = []
        self.lost: list[tuple[Flow, str]] = []
        self.fired: list[float] = []
        self.out: list[Send] = []
        self.due: float | None = None
        self.react: Callable[[bytes, Flow], None] | None = None
        self._changed = asyncio.Event()

    @property
    def messages(self) -> list[bytes]:
        return [data for data, _flow in self.heard]

    def say(self, flow: Flow, *messages: bytes) -> None:
        """Have messages sent with the next turn."""
        self.out += [Send(flow, data) for data in messages]

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.heard.append((data, flow))
        self._changed.set()
        if self.react is not None:
            self.react(data, flow)

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        self.lost.append((flow, why))
        self._changed.set()

    def handle_timer(self, now: float) -> None:
        self.fired.append(now)
        self.due = None
        self._changed.set()

    def next_timer(self) -> float | None:
        return self.due

    def take_sends(self) -> list[Send]:
        out, self.out = self.out, []
        return out

    async def until(self, is_so: Callable[[], object]) -> None:
        """Return when it is so; look again whenever the machine was told something."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


@contextmanager
def echoing(machine: Recorder) -> Iterator[None]:
    """Answer each message with itself."""
    machine.react = lambda data, flow: machine.say(flow, data)
    yield
    machine.react = None
