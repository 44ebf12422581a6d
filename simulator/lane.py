"""One campaign inside a world: its engine, its leads, its agents, and the effects that go between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from dialer.core import effects as fx
from dialer.core.caps import caps_in_force
from dialer.core.engine import CampaignEngine
from dialer.core.events import CallConnected, Event, NumberChecked
from dialer.core.trunks import TrunkPool
from dialer.core.types import AgentId, CallId, CampaignSettings
from dialer.core.window import WindowClock, effective
from simulator.desks import Desks, DeskState
from simulator.exchange import Exchange
from simulator.leads import LeadBook
from simulator.meter import Meter
from simulator.watch import Watch


class Lane:
    """Turn one engine: one event, all effects, then the next event; re-arming its timer is the world's work."""

    def __init__(
        self, settings: CampaignSettings, pool: TrunkPool, book: LeadBook, watch: Watch, *, now: float
    ) -> None:
        self.settings = settings
        self.engine = CampaignEngine(settings, pool, now=now)
        self.book = book
        self.meter = Meter(settings.legal.connect_within_s)
        self.armed_at: float | None = None
        self.seconds: dict[DeskState, float] = {}
        """The agents' time up to the end of the working hours, given by the world."""
        self.desks: Desks
        """Given by the world, since desks speak to the lane."""
        self._exchange: Exchange
        self._watch = watch
        self._window = WindowClock(effective(settings))
        self._inbox: deque[Event] = deque()
        self._busy = False
        self._perform: dict[type[fx.Effect], Callable[[Any, float], None]] = {
            fx.LeaseLeads: self._lease,
            fx.ReleaseLeads: self._release,
            fx.BeginAttempts: self._begin,
            fx.RecordProgress: _nothing,
            fx.SettleAttempt: self._settle,
            fx.SettleLead: self._settle_lead,
            fx.Originate: self._originate,
            fx.Hangup: self._hangup,
            fx.Connect: self._connect,
            fx.Play: self._play,
            fx.BeginInbound: self._begin_inbound,
            fx.SeekLead: self._seek,
            fx.CheckNumber: self._check,
            fx.AnswerRequest: _nothing,
            fx.CommandAgent: self._command,
            fx.Hush: self._hush,
            fx.Answer: self._answer,
            fx.Hold: self._hold,
            fx.Summon: self._summon,
            fx.Transfer: self._transfer,
            fx.Record: self._record,
            fx.StopRecording: self._stop_recording,
            fx.Supervise: self._supervise,
        }

    def plug_in(self, exchange: Exchange, desks: Desks) -> None:
        """Join the lane to the switch and the desks."""
        self._exchange, self.desks = exchange, desks

    def take(self, event: Event, now: float) -> bool:
        """Let the engine take a fact and do all that follows; False: an effect made it, and its turn will come."""
        self._inbox.append(event)
        if self._busy:
            return False
        if type(event) is CallConnected:
            self.desks.joined(event.agent_id, event.call_id, now)
        self._work(now)
        return True

    def fire(self, now: float) -> None:
        """Fire every timer that is due."""
        engine = self.engine
        while (at := engine.next_timer()) is not None and at <= now:
            engine.handle_timer(now=now)
            self._work(now)

    def _work(self, now: float) -> None:
        engine, inbox, perform = self.engine, self._inbox, self._perform
        self._busy = True
        while True:
            effects = engine.take_effects()
            while effects:
                for effect in effects:
                    perform[type(effect)](effect, now)
                effects = engine.take_effects()
            if not inbox:
                break
            engine.receive(inbox.popleft(), now=now)
        self._busy = False

    def _lease(self, effect: fx.LeaseLeads, now: float) -> None:
        self._inbox.append(self.book.lease(effect.count, now, effect.prefer))

    def _release(self, effect: fx.ReleaseLeads, now: float) -> None:
        self.book.release(effect.lead_ids, now)

    def _begin(self, effect: fx.BeginAttempts, now: float) -> None:
        self._inbox.append(self.book.begin(effect, now))

    def _seek(self, effect: fx.SeekLead, now: float) -> None:
        self._inbox.append(self.book.seek(effect, now))

    def _check(self, effect: fx.CheckNumber, _now: float) -> None:
        self._inbox.append(NumberChecked(effect.call_id, effect.phone))  # no number of a simulated world is listed

    def _begin_inbound(self, effect: fx.BeginInbound, now: float) -> None:
        self._watch.arrived(effect.call_id, now)
        self._inbox.append(self.book.begin_inbound(effect))

    def _settle(self, effect: fx.SettleAttempt, now: float) -> None:
        record = effect.record
        rang = record.ringing_at is not None or record.answered_at is not None
        if record.originated_at is not None or self._watch.is_open(record.call_id):  # a voided intent sent nothing
            self._watch.settled(record.call_id, now, weighs=rang or caps_in_force(self.settings).strict)
        self.meter.settled(record)
        self.book.settle(record, now)

    def _settle_lead(self, effect: fx.SettleLead, now: float) -> None:
        self.book.settle_lead(effect.result, now)

    def _originate(self, effect: fx.Originate, now: float) -> None:
        self._watch.invited(effect.call_id, effect.phone, self._window, caps_in_force(self.settings), now)
        self._exchange.originate(
            effect.call_id, phone=effect.phone, hotline=effect.hotline, trunk=effect.trunk, now=now, owner=self,
            amd=effect.amd,
        )  # fmt: skip

    def _hangup(self, effect: fx.Hangup, now: float) -> None:
        self._exchange.hangup(effect.call_id, now)

    def _connect(self, effect: fx.Connect, now: float) -> None:
        self._reserve(effect.agent_id, effect.call_id, now)
        self._exchange.connect(effect.call_id, effect.agent_id, now)

    def _summon(self, effect: fx.Summon, now: float) -> None:
        self._reserve(effect.agent_id, effect.call_id, now)
        self._exchange.summon(effect.call_id, effect.agent_id, now, self)

    def _reserve(self, agent: AgentId, call_id: CallId, now: float) -> None:
        self._watch.reserved(agent, call_id, now, earlier_runs=self._is_busy(agent))

    def _is_busy(self, agent: AgentId) -> bool:
        earlier = self._watch.talk_of(agent)
        return earlier is not None and self._exchange.holder(earlier) == agent

    def _command(self, effect: fx.CommandAgent, now: float) -> None:
        if effect.order is fx.AgentOrder.OFFER:
            self._watch.asked(effect.agent_id, effect.call_id or "", now, earlier_runs=self._is_busy(effect.agent_id))
        self.desks.order(effect, now)

    def _play(self, effect: fx.Play, now: float) -> None:
        self._exchange.media.play(self._exchange.get(effect.call_id), now)

    def _hush(self, effect: fx.Hush, now: float) -> None:
        self._exchange.media.hush(self._exchange.get(effect.call_id), now)

    def _answer(self, effect: fx.Answer, now: float) -> None:
        self._exchange.answer(effect.call_id, now)

    def _hold(self, effect: fx.Hold, now: float) -> None:
        self._exchange.media.hold(self._exchange.get(effect.call_id), now, on=effect.on)

    def _transfer(self, effect: fx.Transfer, now: float) -> None:
        self._exchange.transfer(effect.call_id, effect.phone, now)

    def _record(self, effect: fx.Record, now: float) -> None:
        self._exchange.media.record(self._exchange.get(effect.call_id), now, limit_s=effect.limit_s)

    def _stop_recording(self, effect: fx.StopRecording, now: float) -> None:
        self._exchange.media.stop_tape(self._exchange.get(effect.call_id), now)

    def _supervise(self, effect: fx.Supervise, _now: float) -> None:
        self._exchange.media.supervise(self._exchange.get(effect.call_id), effect.supervisor, effect.mode)


def _nothing(_effect: fx.Effect, _now: float) -> None:
    """Leave progress and requests alone: the simulated store keeps results only."""
