"""The only loop that turns engines: one mutation, drain the effects, hand them to the ports, repeat."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, assert_never

from dialer.core.effects import (
    AnswerRequest,
    AnyEffect,
    BeginAttempts,
    BeginInbound,
    CheckNumber,
    CommandAgent,
    Connect,
    Hangup,
    LeaseLeads,
    MediaEffect,
    Originate,
    Play,
    RecordProgress,
    ReleaseLeads,
    SeekLead,
    SettleAttempt,
    SettleLead,
    Summon,
)
from dialer.core.events import (
    AgentLost,
    AgentReady,
    AgentSignedIn,
    AgentWrappedUp,
    CallAdopted,
    CallAnswered,
    CallArrived,
    CallEnded,
    CallEvent,
    CampaignStopped,
    Event,
    InboundBegun,
    PromptEnded,
    RecordingEnded,
    TrunkClosed,
    TrunkOpened,
)
from dialer.core.types import CallId, CampaignKind, OpenAttempt
from dialer.errors import AdapterError
from dialer.ports import AgentLink, Clock, LeadStore, Owned, Telephony
from dialer.service.crash import Fault
from dialer.service.media import MediaOrders
from dialer.service.placing import Placing
from dialer.service.prompts import AsNamed
from dialer.service.seat import Seat, takes
from dialer.service.writer import Writer
from dialer.speech import PromptFault, Prompts
from statuses.outcomes import CancelReason, EndedBy, LocalError

log = logging.getLogger(__name__)

EARLY_EVENTS = 10_000
"""Agent events kept for a campaign whose engine is not seated yet."""


def _no_fault(_point: str) -> None:
    """Go on."""


def _no_recording(_event: RecordingEnded) -> None:
    """Leave it: nobody collects recordings."""


def _no_trunks(_event: TrunkClosed | TrunkOpened) -> None:
    """Leave it: nobody keeps a pool of trunks."""


class Driver:
    """Turn the engines of all seated campaigns."""

    def __init__(
        self,
        store: LeadStore,
        telephony: Telephony,
        agents: AgentLink,
        clock: Clock,
        *,
        fault: Fault | None = None,
        prompts: Prompts | None = None,
    ) -> None:
        self.seats: dict[int, Seat] = {}
        self.clock = clock
        self.writer = Writer(store, clock, self.deliver)
        self._telephony = telephony
        self._agents = agents
        self._media = MediaOrders(telephony, self.deliver)
        self._placing = Placing(prompts or AsNamed())
        self._fault = fault or _no_fault
        self._inbox: deque[tuple[int, Event]] = deque()
        self._early: defaultdict[int, deque[Event]] = defaultdict(lambda: deque(maxlen=EARLY_EVENTS))
        self._calls: dict[CallId, int] = {}
        self._summoned: set[CallId] = set()
        """Calls for which an agent's leg is up, or comes up."""
        self.no_calls = asyncio.Event()
        """Set while the trunks carry none of our calls."""
        self.no_calls.set()
        self.fenced_calls = 0
        """Calls that were not placed because the lease was over."""
        self.on_trunk: Callable[[TrunkClosed | TrunkOpened], None] = _no_trunks
        """Told of trunks that go down and come back."""
        self.on_recording: Callable[[RecordingEnded], None] = _no_recording
        """Told of recordings that have ended, their calls being over or not."""
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def deliver(self, campaign_id: int, event: Event) -> None:
        """Queue an event for a campaign's engine."""
        self._inbox.append((campaign_id, event))
        self._wake.set()

    def seat(self, campaign_id: int, seat: Seat) -> None:
        """Let a campaign be turned; events that came too early follow."""
        self.seats[campaign_id] = seat
        self._spawn(self._agents.announce(campaign_id))
        for event in self._early.pop(campaign_id, ()):
            self.deliver(campaign_id, event)

    def expect(self, campaign_id: int, call_ids: Iterable[CallId]) -> None:
        """Keep what the switch says of these calls for a campaign that is about to be seated."""
        self._calls.update(dict.fromkeys(call_ids, campaign_id))

    def adopt(self, campaign_id: int, attempts: Sequence[OpenAttempt]) -> None:
        """Give the campaign those of the expected calls that go on, before anything that was said of them since."""
        going_on = {attempt.intent.call_id for attempt in attempts}
        for call_id in self.calls_of(campaign_id):
            if call_id not in going_on:
                self._forget(call_id)
        for attempt in attempts:
            self._early[campaign_id].appendleft(CallAdopted(attempt.intent.call_id, attempt))
            self.no_calls.clear()

    def unseat(self, campaign_id: int) -> None:
        """Forget a campaign; its calls, if any, are another engine's to settle."""
        if self.seats.pop(campaign_id, None) is not None:
            self._spawn(self._agents.leave(campaign_id))
        for call_id in self.calls_of(campaign_id):
            self._forget(call_id)

    def abandon(self, campaign_id: int) -> None:
        """Forget a campaign that another engine owns now, and end its calls: nobody would hear their end."""
        for call_id in self.calls_of(campaign_id):
            self._spawn(self._telephony.hangup(call_id, reason=CancelReason.ADMIN))
        self.unseat(campaign_id)

    def calls_of(self, campaign_id: int) -> list[CallId]:
        """List a campaign's calls on the trunks."""
        return [call_id for call_id, owner in self._calls.items() if owner == campaign_id]

    def finish_wrap_ups(self) -> None:
        """End every agent's after-call work, as its timeout would: the process stops, the lead must not wait for it."""
        for campaign_id, seat in self.seats.items():
            for agent_id in seat.engine.agents_wrapping_up:
                self.deliver(campaign_id, AgentWrappedUp(agent_id, ready=False))

    def cut(self, campaign_id: int) -> None:
        """End every call of a campaign; the talks that are cut were talks all the same."""
        self.deliver(campaign_id, CampaignStopped())
        for call_id in self.calls_of(campaign_id):
            self._spawn(self._telephony.hangup(call_id, reason=CancelReason.ADMIN))

    @property
    def calls_in_flight(self) -> int:
        """Count the calls on the trunks."""
        return len(self._calls)

    async def run(self) -> None:
        """Turn engines until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.writer.run(), name="writer")
            group.create_task(self._hear_trunk(), name="trunk events")
            group.create_task(self._hear_agents(), name="agent events")
            group.create_task(self._loop(), name="engines")

    async def quiet(self) -> None:
        """Return when every event that was delivered has been turned."""
        while self._inbox:  # noqa: ASYNC110 -- the loop that empties it is the one that sleeps here
            await asyncio.sleep(0)

    @property
    def is_busy(self) -> bool:
        """Tell whether an event waits for an engine, or an order for a port."""
        return bool(self._inbox or self._tasks)

    async def _loop(self) -> None:
        alarm: asyncio.Task[None] | None = None
        armed: float | None = None
        try:
            while True:
                self._wake.clear()
                while self._inbox:
                    self._turn(*self._inbox.popleft())
                due = self._fire_timers()
                if due != armed:
                    if alarm is not None:
                        alarm.cancel()
                    armed, alarm = due, None if due is None else asyncio.create_task(self._alarm(due))
                if not self._inbox:
                    await self._wake.wait()
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _alarm(self, due: float) -> None:
        await self.clock.sleep_until(due)
        self._wake.set()

    def _turn(self, campaign_id: int, event: Event) -> None:
        seat = self.seats.get(campaign_id)
        if seat is None:
            self._early[campaign_id].append(event)
            return
        # What an engine cannot bear ends the process, and is seen: the next one begins from what is durable.
        seat.engine.receive(event, now=self.clock.now())
        if isinstance(event, InboundBegun) and event.intent is None:
            self._forget(event.call_id)  # declined: nothing will be settled
        self._perform(campaign_id, seat)

    def _fire_timers(self) -> float | None:
        """Fire each timer that is due; return when the next one is."""
        dues: list[float] = []
        for campaign_id, seat in tuple(self.seats.items()):
            while (due := seat.engine.next_timer()) is not None and due <= (now := self.clock.now()):
                seat.engine.handle_timer(now=now)
                self._perform(campaign_id, seat)
            if due is not None:
                dues.append(due)
        return min(dues, default=None)

    def _perform(self, campaign_id: int, seat: Seat) -> None:
        for effect in seat.engine.take_effects():
            self._dispatch(campaign_id, seat, effect)

    def _dispatch(self, campaign_id: int, seat: Seat, effect: AnyEffect) -> None:
        match effect:
            case (
                LeaseLeads() | ReleaseLeads() | BeginAttempts() | BeginInbound() | RecordProgress() | SettleLead()
                | SeekLead() | CheckNumber() | AnswerRequest()
            ):  # fmt: skip
                self.writer.put(Owned(seat.fence, effect))
            case SettleAttempt():
                self._forget(effect.record.call_id)
                self.writer.put(Owned(seat.fence, effect))
            case Originate():
                self._keep(effect.call_id, campaign_id)
                self._spawn(self._originate(campaign_id, seat, effect))
            case Hangup():
                self._hang_up(campaign_id, effect)
            case Connect():
                self._spawn(self._telephony.connect(effect.call_id, agent_id=effect.agent_id))
            case Play():
                self._spawn(self._play(campaign_id, effect))
            case CommandAgent():
                self._spawn(self._agents.command(campaign_id, effect))
            case MediaEffect():
                if isinstance(effect, Summon):
                    self._keep(effect.call_id, campaign_id)
                    self._summoned.add(effect.call_id)
                self._spawn(self._media.order(campaign_id, effect))
            case _:
                assert_never(effect)

    def _hang_up(self, campaign_id: int, effect: Hangup) -> None:
        if self._placing.take_out(effect.call_id):
            self._never_left(campaign_id, CallEnded(effect.call_id, ended_by=EndedBy.DIALER))
        else:
            self._spawn(self._telephony.hangup(effect.call_id, reason=effect.reason))

    def _never_left(self, campaign_id: int, event: CallEnded) -> None:
        """Say that a call is over which the switch never got; an agent's leg that is up for it goes too."""
        self.deliver(campaign_id, event)
        if event.call_id in self._summoned:
            self._spawn(self._telephony.hangup(event.call_id, reason=CancelReason.ADMIN))

    def _keep(self, call_id: CallId, campaign_id: int) -> None:
        """Know whose call it is: what the switch says of it is this campaign's from now on."""
        self._calls[call_id] = campaign_id
        self.no_calls.clear()

    def _forget(self, call_id: CallId) -> None:
        self._placing.take_out(call_id)
        self._calls.pop(call_id, None)
        self._summoned.discard(call_id)
        if not self._calls:
            self.no_calls.set()

    async def _originate(self, campaign_id: int, seat: Seat, effect: Originate) -> None:
        fault = await self._placing.ready(effect.call_id, effect.prompts)
        if not self._placing.take_out(effect.call_id):
            return
        if fault is not None:
            self._never_left(campaign_id, CallEnded(effect.call_id, local_error=fault, ended_by=EndedBy.DIALER))
            return
        if seat.engine.voids(effect.call_id, now=self.clock.now()):  # it was paused while a prompt was made
            self._never_left(campaign_id, CallEnded(effect.call_id, ended_by=EndedBy.DIALER))
            return
        # A process that was held up past its lease must not dial: another engine may own the lead by now.
        if not seat.owns(self.clock.now()):
            self.fenced_calls += 1
            log.error("lease lost, call not placed", extra={"action": "call.fenced", "call_id": effect.call_id})
            lost = CallEnded(effect.call_id, local_error=LocalError.LOST, ended_by=EndedBy.DIALER)
            self._never_left(campaign_id, lost)
            return
        self._fault("invite.before")
        try:
            await self._telephony.originate(
                effect.call_id,
                phone=effect.phone,
                hotline=effect.hotline,
                trunk=effect.trunk,
                ring_timeout_s=effect.ring_timeout_s,
                amd=effect.amd,
            )
            self._fault("invite.sent")
        except AdapterError as error:
            log.warning(
                "trunk refused", extra={"action": "call.refused", "call_id": effect.call_id, "why": repr(error)}
            )
            # A transport that fails counts as a 503 (RFC 3261 section 8.1.3.1).
            self._never_left(campaign_id, CallEnded(effect.call_id, sip_status=503))

    async def _play(self, campaign_id: int, effect: Play) -> None:
        try:
            await self._telephony.play(effect.call_id, prompt=await self._placing.path(effect.prompt))
        except (AdapterError, PromptFault) as error:
            log.warning(
                "prompt not played",
                extra={"action": "prompt.failed", "call_id": effect.call_id, "why": repr(error)},
            )
            self.deliver(campaign_id, PromptEnded(effect.call_id, played=False))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a port failed", extra={"action": "port.failed"}, exc_info=error)

    async def _hear_trunk(self) -> None:
        async for event in self._telephony.events():
            if not isinstance(event, CallEvent):
                self.on_trunk(event)
                continue
            if isinstance(event, RecordingEnded):
                self.on_recording(event)
            campaign_id = self._route(event) if isinstance(event, CallArrived) else self._calls.get(event.call_id)
            if campaign_id is not None:
                self.deliver(campaign_id, event)
            elif isinstance(event, CallAnswered):  # its engine gave it up: nobody would ever talk on it, or end it
                self._spawn(self._telephony.hangup(event.call_id, reason=CancelReason.ADMIN))

    def _route(self, event: CallArrived) -> int | None:
        """Find the campaign of a hotline that was called, inbound ones first; nobody's call is declined."""
        takers = [seat.row for seat in self.seats.values() if not seat.declines and takes(seat.row, event.hotline)]
        row = min(takers, key=lambda row: row.settings.kind is not CampaignKind.INBOUND, default=None)
        if row is None:
            log.warning("nobody takes calls to this hotline", extra={"action": "call.unrouted"})
            self._spawn(self._telephony.hangup(event.call_id, reason=CancelReason.ADMIN))
            return None
        self._calls[event.call_id] = row.settings.campaign_id
        self.no_calls.clear()
        return row.settings.campaign_id

    async def _hear_agents(self) -> None:
        async for campaign_id, event in self._agents.events():
            self.deliver(campaign_id, event)
            if isinstance(event, AgentSignedIn | AgentReady | AgentLost):
                self._spawn(self._telephony.station(event.agent_id, up=not isinstance(event, AgentLost)))
