"""The engine of one campaign: never awaits, never reads a clock, never draws a number that it was not given.

`receive` and `handle_timer` make one mutation each; `take_effects` drains what it wants done; `next_timer` says when to
come back. The live driver, the simulator and the tests drive this same object (architecture.md section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from dialer.core import adopting, asking, bridge, callflow, deskflow, deskwork, events, flow, inbound, manual, pace
from dialer.core.agents import Agent, AgentState
from dialer.core.calls import Call, Phase
from dialer.core.effects import AnyEffect
from dialer.core.figures import LiveFigures
from dialer.core.measure import Measure
from dialer.core.script import ScriptText
from dialer.core.state import EngineState
from dialer.core.trunks import TrunkPool
from dialer.core.types import CallId, CampaignSettings, SavedEstimates
from statuses.classify import Override
from statuses.outcomes import CancelReason

Handler = Callable[[EngineState, Any, float], None]


def _started(state: EngineState, event: events.CampaignStarted, _now: float) -> None:
    state.running = True
    if state.budget_known:
        return  # our own count is newer than the store's: calls in flight are in it
    state.budget_known = True
    state.budget = type(state.budget)(state.settings.legal, event.answers, event.abandons)


def _paused(state: EngineState, _event: events.CampaignPaused, _now: float) -> None:
    state.running = False


def _stopped(state: EngineState, _event: events.CampaignStopped, now: float) -> None:
    state.running = False
    callflow.cancel_unanswered(state, CancelReason.CAMPAIGN_STOPPED, now)


def _settings(state: EngineState, event: events.SettingsChanged, now: float) -> None:
    legal, script, overflow = state.settings.legal, state.script, state.overflow
    state.configure(event.settings, event.script)
    if (state.script, state.overflow) != (script, overflow):
        # What it says now may name fields that the leads were leased without.
        manual.withdraw(state, [lead.lead_id for lead in state.previews.values()], now, give_back=True)
        pace.empty_hopper(state)
    if state.settings.legal != legal:
        state.budget = type(state.budget)(state.settings.legal, *state.budget.counts(now))


def _forgotten(state: EngineState, event: events.EstimatesForgotten, _now: float) -> None:
    if event.forgets != state.forgets:  # told twice, it must not lose what it has learned since
        state.forget(event.forgets)


def _leased(state: EngineState, event: events.LeadsLeased, _now: float) -> None:
    state.hopper.fill(event.leads, event.next_due_at)


def _withdrawn(state: EngineState, event: events.LeadsWithdrawn, now: float) -> None:
    state.hopper.withdraw(event.lead_ids)
    manual.withdraw(state, event.lead_ids, now)


def _added(state: EngineState, _event: events.LeadsAdded, _now: float) -> None:
    state.hopper.dry = False


def _requested(state: EngineState, event: events.Requested, now: float) -> None:
    ASKED[type(event.event)](state, event.event, now, event.request_id)


def _decide(state: EngineState, now: float) -> None:
    """Make one decision: agents choose whom to call, or pacing does."""
    (manual.decide if manual.is_by_hand(state) else pace.decide)(state, now)


def _hold(state: EngineState, event: events.HoldChanged, _now: float) -> None:
    state.hold, state.hold_detail = event.reason, event.detail


def _accepted(state: EngineState, event: events.AgentAccepted, now: float) -> None:
    if event.call_id is None and event.agent_id in state.previews:
        manual.accepted(state, event.agent_id, event.lead_id, now)
    else:
        asking.accepted(state, event, now)


def _rejected(state: EngineState, event: events.AgentRejected, now: float) -> None:
    if event.call_id is None and event.agent_id in state.previews:
        manual.rejected(state, event.agent_id, event.lead_id, now)
    else:
        asking.rejected(state, event, now)


Asked = Callable[[EngineState, Any, float, int], None]
ASKED: dict[type[events.Event], Asked] = {
    events.DialRequested: manual.dial,
    events.AgentHungUp: deskwork.hung_up,
    events.AgentHeld: deskwork.held,
    events.AgentTransferred: deskwork.transferred,
    events.SupervisionAsked: deskwork.supervised,
    events.AgentWrappedUp: deskwork.wrapped_up,
}
"""What a person may ask of a desk -> what it does; the last argument is the request."""

HANDLERS: dict[type[events.Event], tuple[Handler, bool]] = {
    events.CampaignStarted: (_started, True),
    events.CampaignPaused: (_paused, True),
    events.CampaignStopped: (_stopped, True),
    events.SettingsChanged: (_settings, True),
    events.EstimatesForgotten: (_forgotten, True),
    events.LeadsLeased: (_leased, True),
    events.LeadsWithdrawn: (_withdrawn, False),
    events.LeadsAdded: (_added, True),
    events.HoldChanged: (_hold, True),
    events.AttemptsBegun: (pace.begun, False),
    events.CallAdopted: (adopting.adopted, False),
    events.CallArrived: (inbound.arrived, False),
    events.InboundBegun: (inbound.begun, True),
    events.CallProgressed: (callflow.progressed, False),
    events.CallRinging: (callflow.ringing, False),
    events.EarlyMediaHeard: (callflow.early_media, False),
    events.CallAnswered: (callflow.answered, True),
    events.MachineDetected: (callflow.machine, True),
    events.PromptEnded: (callflow.prompt_ended, False),
    events.DigitPressed: (flow.key_pressed, False),
    events.RecordingEnded: (flow.recording_ended, False),
    events.CallEnded: (callflow.ended, True),
    events.CallConnected: (bridge.connected, False),
    events.ConnectFailed: (manual.leg_failed, True),
    events.AgentOnLine: (manual.on_line, False),
    events.DialRequested: (manual.dial, False),
    events.LeadFound: (manual.found, True),
    events.AgentAccepted: (_accepted, True),
    events.AgentRejected: (_rejected, True),
    events.AgentHungUp: (deskwork.hung_up, False),
    events.AgentHeld: (deskwork.held, False),
    events.AgentTransferred: (deskwork.transferred, True),
    events.NumberChecked: (deskwork.checked, False),
    events.CallTransferred: (deskwork.sent_on, True),
    events.SupervisionAsked: (deskwork.supervised, False),
    events.Requested: (_requested, True),
    events.AgentSignedIn: (deskflow.signed_in, False),
    events.AgentReady: (deskflow.ready, True),
    events.AgentPaused: (deskflow.paused, True),
    events.AgentWrappedUp: (deskflow.wrapped_up, True),
    events.AgentLost: (deskflow.lost, True),
}
"""Event type -> (what it does, whether a new pacing decision follows)."""


def _join_over(state: EngineState, call: Call, now: float) -> None:
    if call.agent is not None:
        bridge.connect_failed(state, events.ConnectFailed(call.call_id, call.agent.agent_id), now)


def _overflow_over(state: EngineState, call: Call, now: float) -> None:
    if call.phase is Phase.OVERFLOW:
        bridge.hang_up(state, call, CancelReason.OVERFLOW, now)


TIMERS: dict[str, Callable[[EngineState, Call, float], None]] = {
    "ring": callflow.ring_timeout,
    "answer": inbound.not_answered,
    "summon": manual.too_slow,
    "queue": inbound.queue_over,
    "reask": asking.ask_again,
    "connect": bridge.too_late,
    "join": _join_over,
    "overflow": _overflow_over,
    "flow": flow.flow_timer,
    "ending": callflow.switch_silent,
}
"""Timer of a call -> what it does when it fires."""
AGENT_TIMERS: dict[str, Callable[[EngineState, Agent, float], None]] = {
    "wrap": deskflow.wrap_timeout,
    "offer": asking.missed,
    "preview": manual.missed,
}
"""Timer of an agent -> what it does when it fires."""


class CampaignEngine:
    """Dial one campaign. `pool` is shared by all engines of a process; `epoch` is the fencing epoch of the owner.

    `script`: what the store holds under the name that the settings give.
    """

    def __init__(
        self,
        settings: CampaignSettings,
        pool: TrunkPool,
        *,
        now: float,
        overrides: tuple[Override, ...] = (),
        epoch: int = 0,
        script: ScriptText | None = None,
    ) -> None:
        self.state = EngineState(settings, pool, overrides, epoch, script)
        self._decided_at = now - pace.PACE_GAP_S
        self._measure = Measure(self.state, now)

    def receive(self, event: events.Event, *, now: float) -> None:
        """Take one fact; times never run backwards."""
        handler, paces = HANDLERS[type(event)]
        handler(self.state, event, now)
        if paces:
            self._pace_soon(now)

    def handle_timer(self, *, now: float) -> None:
        """Fire the earliest timer that is due."""
        key = self.state.timers.pop(now)
        if key is not None:
            self._fire(key, now)

    def voids(self, call_id: CallId, *, now: float) -> bool:
        """Give up a call that is about to leave when the campaign may not call any more; tell whether it may not."""
        call = self.state.calls.get(call_id)
        if call is None or pace.closed_by(self.state, now) not in pace.VOIDS:
            return False
        call.cancel_reason = CancelReason.CAMPAIGN_STOPPED
        return True

    def take_effects(self) -> list[AnyEffect]:
        """Return what is to be done, in order, and forget it."""
        effects = self.state.effects
        self.state.effects = []
        return effects

    def next_timer(self) -> float | None:
        """Return when `handle_timer` is due, None when nothing waits for a time."""
        return self.state.timers.next()

    def figures(self, now: float) -> LiveFigures:
        """Return the live figures."""
        return self._measure.figures(now)

    def learned(self) -> bytes:
        """Return what was learned about calls and agents so far, for `recall`."""
        return self.state.estimators.dump()

    def recall(self, learned: SavedEstimates, *, now: float) -> None:
        """Put back, before the first decision, what an engine of this campaign had learned; old knowledge weighs less.

        Raises ValueError for bytes that are damaged or another program's; the engine then starts cold.
        """
        self.state.forgets = learned.forgets
        if learned.blob:
            self.state.recall(learned.blob, age_s=now - learned.saved_at)

    @property
    def forgets(self) -> int:
        """Return how often people had forgotten what was learned before `learned`."""
        return self.state.forgets

    @property
    def expected_answer_rate(self) -> float:
        """Return the share of calls, 0..1, that pacing expects to be answered."""
        return self.state.estimators.estimates().p_answer

    def give_back_trunks(self) -> None:
        """Free what the calls hold in the shared pool: the engine is dropped, its calls are another's to settle."""
        for call in self.state.calls.values():
            if call.inbound:
                continue
            self.state.pool.give(call.intent.trunk, call.intent.begun_at)
            if call.onward is not None and call.onward.trunk is not None:
                self.state.pool.give(call.onward.trunk)
        self.state.calls.clear()

    @property
    def agents_wrapping_up(self) -> tuple[str, ...]:
        """Return the ids of the agents in after-call work."""
        return tuple(self.state.roster.in_state(AgentState.WRAP_UP))

    @property
    def leased_leads(self) -> tuple[int, ...]:
        """Return the ids of the leads that wait in the hopper, or that agents are asked about."""
        return (*self.state.hopper.ids(), *(lead.lead_id for lead in self.state.previews.values()))

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing is in flight: no call, no wrap-up, no lead in the hopper, no lease request out."""
        return not (self.has_work or self.leased_leads)

    @property
    def has_work(self) -> bool:
        """Tell whether something is to be waited for: a call, a wrap-up, or an answer about leads."""
        state = self.state
        busy = any(agent.call is not None for s in AgentState for agent in state.roster.in_state(s).values())
        return bool(state.calls or state.arrivals or busy or state.wishes or state.hopper.asked)

    @property
    def is_dry(self) -> bool:
        """Tell whether the store's last word was that no lead waits, neither now nor for a time."""
        hopper = self.state.hopper
        return self.is_quiet and hopper.dry and hopper.next_due_at is None

    def _pace_soon(self, now: float) -> None:
        if now - self._decided_at >= pace.PACE_GAP_S:
            self._decided_at = now
            _decide(self.state, now)
        else:
            self.state.timers.set_earlier("pace", self._decided_at + pace.PACE_GAP_S)

    def _fire(self, key: Hashable, now: float) -> None:
        state = self.state
        if key == "pace":
            self._decided_at = now
            _decide(state, now)
        elif key == "lease":
            state.hopper.dry = False
            self._pace_soon(now)
        elif key == "sample":
            self._measure.sample(now)
        elif isinstance(key, tuple):
            self._fire_named(key[0], key[1], now)

    def _fire_named(self, kind: str, name: str, now: float) -> None:
        state = self.state
        if (fires := AGENT_TIMERS.get(kind)) is not None:
            if (agent := state.roster.get(name)) is not None:
                fires(state, agent, now)
                self._pace_soon(now)
            return
        if (call := state.calls.get(name)) is not None:
            TIMERS[kind](state, call, now)
        if kind in {"ending", "summon"}:
            self._pace_soon(now)
