"""What may fail under load: the dialer by SIGKILL, Asterisk, its WebSocket, the MQTT broker, the agents' laptops."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import pytest

from dialer.agents.simulated import Habits
from statuses.outcomes import CallStatus
from tests.dialer.process import WAIT_S
from tests.dialer.switch_centre import SwitchCentre
from tests.plugins.figures import Figure
from tests.plugins.mosquitto import Mosquitto
from tests.plugins.proxy import Proxy
from tests.plugins.sipp import Sipp
from tests.plugins.sipp_by_number import refusing, ringing, waiting
from tests.plugins.switch import Switch

pytestmark = [
    pytest.mark.component("sqlite"),
    pytest.mark.component("chdb"),
    pytest.mark.component("asterisk"),
    pytest.mark.timeout(400),
]
UP, TALKS_UP = 50, 45
"""Calls of which so many are talks, and the others ring."""
LEADS, AGENTS = 3000, 20
RECOVERED_S: Final = 10.0
QUICK: Final = Habits(accept_after_s=(0.0, 0.05), wrap_s=(0.0, 0.2), callbacks=0.0, do_not_recall=0.0)
TALKING: Final = msgspec.structs.replace(QUICK, talk_s=(0.5, 3.0))
TALKS: Final = {"[0-7]": waiting(), "8": refusing("486 Busy Here"), "9": refusing("404 Not Found")}
"""Who answers talks until we hang up: a call that we forget stays at Asterisk for ever."""
STILL_S: Final = 1.5
"""Dialing has paused when no call has begun for so long: it begins several a second."""


def logged(centre: SwitchCentre, action: str) -> list[dict[str, Any]]:
    lines = (centre.home / "engine.log").read_text().split("\n")[:-1]
    return [line for line in map(json.loads, lines) if line["action"] == action]


def in_talks(centre: SwitchCentre) -> int:
    return sum(
        row["bridged_at"] is not None and row["ended_at"] is None for row in centre.attempts("bridged_at", "ended_at")
    )


async def test_after_sigkill_each_call_goes_on_or_has_ended_with_its_record(
    tmp_path: Path, switch: Switch, sipp: Sipp, mosquitto: Mosquitto, figure: Figure
) -> None:
    centre = SwitchCentre(tmp_path, switch, sipp, broker=mosquitto.url, fates={"9": ringing(), "[0-8]": waiting()})
    await centre.campaign(UP, ring_timeout_s=120.0)
    async with centre.agents(UP, QUICK) as people:
        async with centre.engine() as dialer:
            await people.ready()
            await centre.until(lambda: in_talks(centre) == TALKS_UP and switch.live_channels() == UP + TALKS_UP)
            await dialer.stop(signal.SIGKILL)
        async with centre.engine() as dialer:
            began = time.monotonic()
            await centre.until(lambda: bool(logged(centre, "recovery.settled")))
            took = time.monotonic() - began
            (recovered,) = logged(centre, "recovery.settled")
            assert (recovered["going_on"], recovered["attempts"]) == (TALKS_UP, UP - TALKS_UP)
            await centre.until(lambda: switch.live_channels() == 2 * TALKS_UP)
            switch.hang_up_all()
            await centre.until(lambda: centre.settled() == UP)
            assert (await dialer.stop())[0] == 0
        assert people.doubles == []
    statuses = Counter(row["status"] for row in centre.attempts("status"))
    assert statuses == {CallStatus.ANSWERED: TALKS_UP, CallStatus.FAILED: UP - TALKS_UP}
    assert took < RECOVERED_S
    assert centre.finals() == sorted(row["call_id"] for row in centre.attempts("call_id")), "a final record each"
    assert centre.double_booked() == []
    figure(
        f"killed with {UP} calls up at Asterisk: {took:.1f} s after the restart {TALKS_UP} talks went on, "
        f"{UP - TALKS_UP} calls that rang had ended, each with its record"
    )


async def until_still(centre: SwitchCentre) -> None:
    """Wait until no call begins any more."""
    seen, since = -1, time.monotonic()
    async with asyncio.timeout(WAIT_S):
        while time.monotonic() - since < STILL_S:
            begun = len(centre.attempts("call_id"))
            if begun != seen:
                seen, since = begun, time.monotonic()
            await asyncio.sleep(0.1)


@asynccontextmanager
async def crashed(server: Switch | Mosquitto, kill: Callable[[], None]) -> AsyncIterator[None]:
    """Have a server gone for the length of the block."""
    await asyncio.to_thread(kill)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


class Desks:
    """The agents, whose laptops may be lost and replaced by new ones."""

    def __init__(self, centre: SwitchCentre) -> None:
        self._centre = centre
        self._stack = AsyncExitStack()
        self.people = centre.agents(AGENTS, TALKING)
        self.doubles: list[str] = []

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.people)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        self.doubles += self.people.doubles

    @asynccontextmanager
    async def lost(self) -> AsyncIterator[None]:
        """Have all laptops gone without a word: the broker tells by their last wills."""
        for desk in self.people.desks.values():
            desk.lose()
        yield
        self.doubles += self.people.doubles
        self.people = await self._stack.enter_async_context(self._centre.agents(AGENTS, TALKING))
        await self.people.ready()

    async def talk_on(self) -> None:
        """Wait until agents have had more talks, by half of their number."""
        before = self.people.counts.talks
        await self.people.until(lambda counts: counts.talks >= before + AGENTS // 2, within_s=WAIT_S)


async def test_dialing_pauses_while_something_is_away_and_resumes_by_itself(
    tmp_path: Path, switch: Switch, sipp: Sipp, mosquitto: Mosquitto, figure: Figure
) -> None:
    async with Proxy(switch.http_port) as proxy:
        centre = SwitchCentre(tmp_path, switch, sipp, broker=mosquitto.url, fates=TALKS, http_port=proxy.port)
        await centre.campaign(LEADS)
        desks = Desks(centre)
        faults: dict[str, Callable[[], AbstractAsyncContextManager[None]]] = {
            "ARI": proxy.away,
            "Asterisk": lambda: crashed(switch, switch.kill),
            "the broker": lambda: crashed(mosquitto, mosquitto.stop),
            "all laptops": desks.lost,
        }
        said = []
        async with desks, centre.dialer() as dialer:
            await desks.people.ready()
            for what, away in faults.items():
                await desks.talk_on()
                await centre.until(lambda: in_talks(centre) >= AGENTS // 2)
                async with away():
                    await until_still(centre)
                back = time.monotonic()
                await desks.talk_on()
                said.append(f"{what} {time.monotonic() - back:.1f} s")
            await proxy.cut()
            await desks.talk_on()
            assert (await dialer.stop())[0] == 0
        assert desks.doubles == []
        attempts = len(centre.attempts("call_id"))
        assert centre.settled() == attempts
        talks = [row["status"] for row in centre.attempts("status", "bridged_at") if row["bridged_at"] is not None]
        assert set(talks) == {CallStatus.ANSWERED}, "a talk that something cut was one all the same"
        assert await centre.verified() == {"begun": attempts, "finals": attempts, "calls": attempts, "dead_letters": 0}
        await centre.until(lambda: switch.live_channels() == 0)
        assert centre.double_booked() == []
    figure(
        f"{attempts} calls through Asterisk under faults, {AGENTS // 2} and more up at each, none lost; talks go on "
        f"after the return of {', '.join(said)}"
    )
