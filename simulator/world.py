"""The world on a virtual clock: one heap of (time, sequence, what, payload), the real engines, no event loop."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from dialer.core.events import CallArrived, CampaignPaused, CampaignStarted, Event
from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.core.types import CampaignKind
from simulator.callers import Inflow
from simulator.carrier import Carrier
from simulator.desks import Desks
from simulator.exchange import Exchange
from simulator.lane import Lane
from simulator.leads import LeadBook, synthetic_phone
from simulator.numbers import NumberLedger
from simulator.scenario import Scenario, settings
from simulator.script import Script
from simulator.watch import InvariantBroken, Watch

What: TypeAlias = Callable[[Any, float], None]
WIND_DOWN_S = 4 * 3600.0
"""Calls and wrap-ups that are not over so long after the end mean that something is lost."""
PROGRESS_EVERY_S = 60.0


class World:
    """Everything that happens in a scenario with a seed; `run` once, then read the lanes.

    Raises InvariantBroken when the engine does what it must never do.
    """

    def __init__(self, scenario: Scenario, *, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        self.started_at = scenario.starts_at.timestamp()
        self.ends_at = self.started_at + scenario.hours * 3600.0
        self.now = self.started_at
        self.steps = 0
        """Entries taken from the heap."""
        self._heap: list[tuple[float, int, What, Any]] = []
        self._pushed = 0
        self.watch = Watch(scenario.title, seed)
        self.carrier = Carrier(scenario.carrier, seed=seed, started_at=self.started_at, trunks=scenario.trunks)
        self.exchange = Exchange(self.carrier, self.schedule, self._deliver)
        self.lanes = self._lanes()
        self._takers = self._who_takes()
        self.inflow = Inflow(
            self.carrier, self.schedule, hotlines=scenario.carrier.callers.hotlines or tuple(self._takers),
            called=self.exchange.called, arrive=self._arrive,
        )  # fmt: skip
        self.inflow.until = self.ends_at

    def _lanes(self) -> list[Lane]:
        scenario, lanes = self.scenario, list[Lane]()
        pool = TrunkPool([TrunkLimit(t.name, t.channels, t.cps, max(1, int(t.cps))) for t in scenario.own_trunks])
        ledger, first_agent = NumberLedger(), 1
        for number, plan in enumerate(scenario.campaigns, 1):
            phones = [synthetic_phone(number, lead) for lead in range(1, plan.leads + 1)]
            chosen = settings(plan, number)
            lane = Lane(
                chosen, pool, LeadBook(chosen, phones, ledger, lists=plan.lists), self.watch, now=self.started_at
            )
            desks = Desks(
                plan.agents, seed=self.seed, now=self.started_at, schedule=self.schedule,
                emit=partial(self._deliver, lane), link_lost=self.exchange.agent_gone,
                is_live=lambda call_id: self.exchange.get(call_id) is not None, first_number=first_agent,
            )  # fmt: skip
            lane.plug_in(self.exchange, desks)
            lanes.append(lane)
            first_agent += plan.agents.count
        return lanes

    def _who_takes(self) -> dict[str, Lane]:
        """Return whose the calls to each hotline are: inbound campaigns come first, as in the service."""
        takers: dict[str, Lane] = {}
        for lane in sorted(self.lanes, key=lambda lane: lane.settings.kind is not CampaignKind.INBOUND):
            if lane.settings.inbound or lane.settings.kind is CampaignKind.INBOUND:
                for hotline in lane.settings.hotlines:
                    takers.setdefault(hotline, lane)
        return takers

    def _arrive(self, event: CallArrived, script: Script, now: float, number: int) -> None:
        lane = self._takers.get(event.hotline)
        if lane is not None:  # nobody's hotline: declined before it rings
            self.exchange.arrive(event, script, now, number=number, owner=lane)

    def schedule(self, at: float, what: What, payload: object) -> None:
        """Put something on the heap."""
        self._pushed += 1
        heapq.heappush(self._heap, (at, self._pushed, what, payload))

    def run(self, progress: Callable[[float], None] | None = None) -> None:
        """Play the scenario; `progress` gets the share of its time that has passed."""
        if progress is not None:
            self.schedule(self.now, self._report_progress, progress)
        for lane in self.lanes:
            lane.desks.open(self.now)
            self._deliver(lane, CampaignStarted(), self.now)
        self.inflow.open(self.now)
        self._play(self.ends_at)
        self._close()
        self._play(self.ends_at + WIND_DOWN_S)
        self.watch.finished(self.now)

    def _play(self, until: float) -> None:
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until:
            now, _, what, payload = pop(heap)
            self.now = now
            self.steps += 1
            what(payload, now)
        self.now = max(self.now, min(until, self.ends_at))

    def _close(self) -> None:
        """Place no more calls; the agents' time is booked up to here."""
        now = self.now = self.ends_at
        for lane in self.lanes:
            lane.desks.settle(now)
            lane.seconds = dict(lane.desks.seconds)
            self._deliver(lane, CampaignPaused(), now)

    def _deliver(self, lane: Lane, event: Event, now: float) -> None:
        if lane.take(event, now):
            self._arm(lane)

    def _arm(self, lane: Lane) -> None:
        at = lane.engine.next_timer()
        if at is not None and (lane.armed_at is None or at < lane.armed_at):
            lane.armed_at = at
            self.schedule(at, self._timer, lane)

    def _timer(self, lane: Lane, now: float) -> None:
        if lane.armed_at != now:
            return  # an earlier timer was armed after this one and has taken its place
        lane.armed_at = None
        lane.fire(now)
        self._arm(lane)

    def _report_progress(self, progress: Callable[[float], None], now: float) -> None:
        if now < self.ends_at:
            progress((now - self.started_at) / (self.ends_at - self.started_at))
            self.schedule(now + PROGRESS_EVERY_S, self._report_progress, progress)


__all__ = ["InvariantBroken", "World"]
