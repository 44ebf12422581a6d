"""Simulated agents who speak real MQTT: they sign in, accept, talk, wrap up, and count what they got.

A load for any broker and engine, and the tests' agents::

    ats = {"an": MqttAt("127.0.0.1", 1883, user="an", password="..."), ...}  # one connection an agent
    async with SimulatedAgents(ats, campaign="spring", habits=Habits(wrap_s=(0.1, 0.3)), seed=7) as people:
        await people.ready()                     # all have signed in and are ready
        ...                                      # the campaign runs
        people.desks["an"].lose()                # a laptop is gone (last will); `drop()`: and comes back
        await people.until(lambda n: n.talks >= 500, within_s=60)
        print(people.counts, people.doubles)     # doubles: agents who were given a call while they had one; must be []

With the engines' own user (`dialer/#`) one address serves all agents: `dict.fromkeys(ids, at)`. Agents need no phone
here: the switch's side has phones of its own, named by the agents' ids (or their accounts' `phone`).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import msgspec

from dialer.agents.desk import Desk
from dialer.agents.messages import (
    Accept,
    Command,
    DeskState,
    HangUp,
    Offer,
    OfferKind,
    Ready,
    Reject,
    Result,
    State,
    WrapUp,
)
from dialer.agents.mqtt_at import KEEP_ALIVE_S, MqttAt
from dialer.errors import Unreachable

CALL_BACK_IN: Final = timedelta(days=1)
Range = tuple[float, float]


class Habits(msgspec.Struct, frozen=True):
    """How simulated agents behave; ranges are seconds, drawn evenly; shares are 0 to 1."""

    accept_after_s: Range = (0.1, 0.5)
    rejects: float = 0.0
    """Of the offers."""
    misses: float = 0.0
    """Of the offers: nothing is said to them."""
    talk_s: Range | None = None
    """After so long the agent hangs up; None: the customer does."""
    wrap_s: Range = (0.5, 2.0)
    callbacks: float = 0.1
    """Of the talks."""
    do_not_recall: float = 0.02
    disposition: str | None = None
    """The result code of every talk."""


class Counts(msgspec.Struct):
    """What simulated agents have seen."""

    offers: int = 0
    accepted: int = 0
    rejected: int = 0
    missed: int = 0
    reserved: int = 0
    talks: int = 0
    wrapped: int = 0
    callbacks: int = 0
    do_not_recall: int = 0
    refused: int = 0
    """Commands that the dialer did not obey."""


class SimulatedAgent:
    """One agent at a desk: does what the desk's state asks for."""

    def __init__(self, desk: Desk, habits: Habits, counts: Counts, chance: random.Random) -> None:
        self.desk = desk
        self.calls: list[str] = []
        """Every call that was given to the agent, in order."""
        self.doubled = False
        """A call was given while another one lasted."""
        self._habits, self._counts, self._chance = habits, counts, chance
        self._before = (DeskState.OFFLINE, "")
        self._at_work: set[asyncio.Task[None]] = set()
        desk.on_state, desk.on_offer = self._state, self._offer

    def rest(self) -> None:
        """Leave what is being done."""
        for task in self._at_work:
            task.cancel()

    def _do(self, after_s: Range, kind: type[Command], **fields: object) -> None:
        task = asyncio.create_task(self._say(self._chance.uniform(*after_s), kind, fields))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _say(self, after_s: float, kind: type[Command], fields: dict[str, object]) -> None:
        await asyncio.sleep(after_s)
        with contextlib.suppress(Unreachable):
            answer = await self.desk.ask(kind, **fields)
            self._counts.refused += answer.error is not None

    def _offer(self, offer: Offer) -> None:
        counts, draw = self._counts, self._chance.random()
        if offer.type is OfferKind.WITHDRAW:
            counts.missed += offer.code == "missed"
            return
        counts.offers += 1
        if draw < self._habits.misses:
            return
        kind: type[Command] = Reject if draw < self._habits.misses + self._habits.rejects else Accept
        counts.rejected += kind is Reject
        counts.accepted += kind is Accept
        self._do(self._habits.accept_after_s, kind, call_id=offer.call_id, lead_id=offer.lead_id)

    def _state(self, state: State) -> None:
        now = (state.state, state.call_id or "")
        before, self._before = self._before, now
        if now == before:
            return
        match state.state:
            case DeskState.RESERVED:
                self._counts.reserved += 1
                self._got(now[1], before)
            case DeskState.TALKING:
                self._counts.talks += 1
                self._got(now[1], before)
                if self._habits.talk_s is not None:
                    self._do(self._habits.talk_s, HangUp, call_id=now[1])
            case DeskState.WRAP_UP:
                self._wrap_up(now[1])
            case DeskState.NOT_READY if state.code in {"missed", "unreachable"}:
                self._do(self._habits.accept_after_s, Ready)

    def _got(self, call_id: str, before: tuple[DeskState, str]) -> None:
        if call_id and (not self.calls or self.calls[-1] != call_id):
            self.calls.append(call_id)
            self.doubled |= before[0] in {DeskState.RESERVED, DeskState.TALKING} and bool(before[1])

    def _wrap_up(self, call_id: str) -> None:
        self._counts.wrapped += 1
        draw, habits = self._chance.random(), self._habits
        fields: dict[str, object] = {"call_id": call_id, "disposition": habits.disposition}
        if draw < habits.callbacks:
            self._counts.callbacks += 1
            fields |= {"result": Result.CALLBACK, "callback_at": datetime.now(UTC) + CALL_BACK_IN}
        elif draw < habits.callbacks + habits.do_not_recall:
            self._counts.do_not_recall += 1
            fields["result"] = Result.DO_NOT_RECALL
        self._do(habits.wrap_s, WrapUp, **fields)


class SimulatedAgents:
    """Many agents; entering connects them, `ready` signs them in, leaving signs nobody out but closes the desks."""

    def __init__(
        self, ats: Mapping[str, MqttAt], *, campaign: str, habits: Habits | None = None, seed: int = 7,
        keep_alive_s: int = KEEP_ALIVE_S,
    ) -> None:  # fmt: skip
        self.counts = Counts()
        self.campaign = campaign
        self.desks = {who: Desk(at, who, keep_alive_s=keep_alive_s) for who, at in ats.items()}
        self.people = {
            who: SimulatedAgent(desk, habits or Habits(), self.counts, random.Random(f"{seed}:{who}"))  # noqa: S311 -- the same seed, the same people
            for who, desk in self.desks.items()
        }
        self._running: list[asyncio.Task[None]] = []

    @property
    def doubles(self) -> list[str]:
        """Return the agents who were given a call while they had one."""
        return [who for who, person in self.people.items() if person.doubled]

    async def __aenter__(self) -> Self:
        """Switch the desks on."""
        self._running = [asyncio.create_task(desk.run(), name=f"desk {who}") for who, desk in self.desks.items()]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch them off: they say that they are offline."""
        for person in self.people.values():
            person.rest()
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def ready(self, *, within_s: float = 60.0) -> None:
        """Sign everybody in and make them ready; TimeoutError when that takes longer."""
        async with asyncio.timeout(within_s), asyncio.TaskGroup() as group:
            for desk in self.desks.values():
                group.create_task(self._join(desk))

    async def _join(self, desk: Desk) -> None:
        await desk.connected.wait()
        while not await _tried(desk, self.campaign):  # noqa: ASYNC110 -- the engine may be about to take the campaign
            await asyncio.sleep(0.5)

    async def until(self, holds: Callable[[Counts], bool], *, within_s: float) -> Counts:
        """Return the counts when this holds of them; TimeoutError when it does not within the time."""
        async with asyncio.timeout(within_s):
            while not holds(self.counts):  # noqa: ASYNC110 -- every desk changes them
                await asyncio.sleep(0.05)
        return self.counts


async def _tried(desk: Desk, campaign: str) -> bool:
    try:
        return (await desk.sign_in(campaign)).error is None and (await desk.ready()).error is None
    except Unreachable:
        return False
