"""The stage for the adapter cards around a real Asterisk: our carrier behind its trunk, a bank of phones for agents.

Who presses keys and who answers as a person or a machine does is played by the dialplan of the same Asterisk.
"""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from dialer.clock import SystemClock
from dialer.core.types import AgentId, CallId
from dialer.ports import Telephony
from simulator.wire.server import CarrierServer, Plan
from telephony_adapters.asterisk.adapter import AsteriskTelephony
from telephony_adapters.asterisk.config import parse
from telephony_adapters.conformance import FarEnd
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.offer import blank_offer
from telephony_adapters.sip.sdp import Origin
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.loop import SipLoop
from tests.plugins.asterisk import CONTEXT, Asterisk
from tests.plugins.processes import HOST
from tests.telephony_adapters.trunks.bank import Bank, Habits
from tests.telephony_adapters.wire_stage import NUMBERS

PROMPT_S: Final = 2
RATE: Final = 8000
CARRIER: Final = {
    **NUMBERS,
    FarEnd.TALKS_BRIEFLY: "+84959072001",
    FarEnd.TRANSFER_FAILS: NUMBERS[FarEnd.ANSWERS],
}
PLAYED: Final = {
    FarEnd.PRESSES_KEYS: ("keys12", "Answer()", "Wait(1)", "SendDTMF(12#)", "Wait(60)"),
    FarEnd.PERSON: ("person", "Answer()", "PlayTones(440)", "Wait(0.5)", "StopPlayTones()", "PlayTones(0)", "Wait(60)"),
    FarEnd.MACHINE: ("machine", "Answer()", "PlayTones(440)", "Wait(60)"),
}
"""By extension; a person says a word, then listens, a machine goes on and on."""


class AsteriskStage:
    """Implements telephony_adapters.conformance.Stage."""

    hotline = "+842471000001"
    trunk = "main"
    agents: tuple[AgentId, AgentId] = ("a1", "a2")
    absent: AgentId = "a9"
    no_prompt = "/nobody/has/such.wav"

    def __init__(
        self, asterisk: Asterisk, telephony: Telephony, *, desks: Bank, loop: SipLoop, carrier: str, prompt: Path
    ) -> None:
        self.telephony = telephony
        self.prompt = str(prompt)
        self._asterisk = asterisk
        self._desks = desks
        self._loop = loop
        self._carrier = carrier
        self._clock = SystemClock()
        self._calls = 0
        self._caller: Leg | None = None

    def phone(self, far_end: FarEnd) -> str:
        if far_end in PLAYED:
            return f"{PLAYED[far_end][0]}@{self._asterisk.address}"
        return f"{CARRIER[far_end]}@{self._carrier}"

    def transfer_phone(self, *, answers: bool) -> str:
        return self.phone(FarEnd.ANSWERS if answers else FarEnd.BUSY)

    async def agent_hangs_up(self, call_id: CallId, agent_id: AgentId) -> None:
        self._desks.hang_up(agent_id, self._clock.now())
        self._loop.kick()

    async def somebody_calls(self) -> None:
        self._calls += 1
        sdp = blank_offer(Origin("7", 1, HOST), HOST, 20_000).data
        self._caller = self._desks.ua.invite(
            self._clock.now(), flow=Flow("udp", HOST, self._asterisk.port),
            uri=self._asterisk.uri(f"hotline{self.hotline.removeprefix('+')}"),
            call_id=f"caller-{self._calls}-{self._clock.now()}",
            from_=f"<sip:0954000001@{HOST}>", to=f"<sip:{self.hotline}@{HOST}>", sdp=sdp,
            owner=self._desks.phone("caller"),
        )  # fmt: skip
        self._loop.kick()

    async def caller_hangs_up(self, call_id: CallId) -> None:
        assert self._caller is not None
        self._desks.ua.cancel(self._caller, self._clock.now())
        self._loop.kick()

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), seconds)

    def now(self) -> float:
        return self._clock.now()


def prepare(asterisk: Asterisk) -> None:
    """Teach the dialplan those who press keys and speak."""
    for name, *steps in PLAYED.values():
        for place, step in enumerate(steps, 1):
            asterisk.command(f"dialplan add extension {name},{place},{step} into {CONTEXT} replace")


def written(folder: Path) -> Path:
    """Write a prompt: a tone."""
    path = folder / "prompt.wav"
    tone = (round(6000 * math.sin(math.tau * 400 * place / RATE)) for place in range(PROMPT_S * RATE))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{PROMPT_S * RATE}h", *tone))
    return path


@asynccontextmanager
async def asterisk_stage(asterisk: Asterisk, folder: Path) -> AsyncIterator[AsteriskStage]:
    """Let a carrier and agents' phones listen, and make an adapter of an Asterisk that leads to them."""
    clock = SystemClock()
    plan = Plan(profile="clean", listens=[Listen("udp", HOST, 0)])
    server = CarrierServer(plan, show=lambda _snapshot: None, say=lambda _text: None)
    running = asyncio.create_task(server.run())
    desks = Bank(Flow("udp", HOST, 0), {AsteriskStage.absent: Habits(picks_up_s=None)})
    loop = SipLoop(desks, now=clock.now, after_turn=lambda: None)
    try:
        await server.ready.wait()
        (place,) = await loop.open([Listen("udp", HOST, 0)])
        desks.move(Flow("udp", HOST, place.port))
        text = asterisk.file("@", f"{HOST}:{place.port}", agents="ring_s = 2")
        telephony = AsteriskTelephony(parse(text.replace("{phone}@@", "{phone}")), clock=clock, home=folder)
        carrier = f"{HOST}:{server.listening[0].port}"
        yield AsteriskStage(asterisk, telephony, desks=desks, loop=loop, carrier=carrier, prompt=written(folder))
    finally:
        await loop.close()
        server.stop()
        await running
