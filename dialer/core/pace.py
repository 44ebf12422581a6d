"""Decide how many calls to place, write the intents down, and keep the hopper filled."""

from __future__ import annotations

from dialer.core import hand
from dialer.core.agents import AgentState
from dialer.core.callflow import ended
from dialer.core.calls import Call, Phase
from dialer.core.chance import UPCOMING, best_lists, chances, features_of, lift, weigh
from dialer.core.effects import BeginAttempts, Hangup, LeaseLeads, Originate, ReleaseLeads
from dialer.core.events import AttemptsBegun, CallEnded
from dialer.core.ids import call_id
from dialer.core.pacing.base import Allowance, Snapshot
from dialer.core.pacing.guard import guarded
from dialer.core.pacing.progressive import Progressive
from dialer.core.prompts import prepare
from dialer.core.state import Decision, EngineState
from dialer.core.trunks import NO_TRUNK
from dialer.core.types import AttemptIntent, CampaignKind, HoldReason, Lead
from statuses.outcomes import CancelReason, EndedBy, LocalError

PACE_GAP_S = 0.25
"""Two decisions are at least this far apart."""
PACE_EVERY_S = 1.0
"""A dry hopper is looked at again after this."""
SETUP_ALLOWANCE_S = 10.0
"""Time for a call to start ringing before the ring timer takes it for dead."""
VOIDS = frozenset(
    {HoldReason.CAMPAIGN_NOT_RUNNING, HoldReason.WINDOW, HoldReason.SCHEDULED, HoldReason.NO_AGENT},
)
"""What voids an intent that becomes durable too late."""
LEASE_RETRY_S = 15.0
"""Ask a dry store again after this, whatever it said."""
PARKED_MOST = 1000
"""Leads whose trunks have no room are held beyond the hopper's size up to this, so that others come to their turn.

More of them in a row, at the head of the store's order, keep what is behind them waiting until their trunks have room.
"""


def snapshot(state: EngineState, now: float) -> Snapshot:
    """Describe the moment to a pacer."""
    staff = state.roster.in_state
    settings = state.settings
    talking = [now - a.since for a in staff(AgentState.TALKING).values() if not a.pause_after]
    for soon in (AgentState.RESERVED, AgentState.RINGING):
        talking += [0.0 for a in staff(soon).values() if not a.pause_after]
    wrapping = [now - a.since for a in staff(AgentState.WRAP_UP).values() if not a.pause_after]
    known = state.estimators.estimates()
    weigh(state, now)
    idle, paused = len(staff(AgentState.READY)), len(staff(AgentState.NOT_READY))
    return Snapshot(
        idle=idle,
        talking=tuple(talking),
        wrapping=tuple(wrapping),
        ringing=tuple([now - c.intent.begun_at for c in state.dialing.values()]),
        waiting=len(state.waiting) + len(state.arrivals),
        estimates=known,
        theta=state.estimators.theta,
        ratio=settings.ratio,
        max_ratio=settings.max_ratio,
        room=settings.max_calls - len(state.calls),
        leaving=len(state.roster) - paused - idle - len(talking) - len(wrapping),
        paused=paused,
        chances=chances([c.lift for c in state.dialing.values()], known.p_answer),
        upcoming=chances(state.hopper.lifts(UPCOMING), known.p_answer),
        tally=state.totals.tally(),
        recent=state.estimators.recent,
    )


def closed_by(state: EngineState, now: float) -> HoldReason | None:
    """Return what forbids any call at this moment."""
    if not state.running:
        return HoldReason.CAMPAIGN_NOT_RUNNING
    if state.hold is HoldReason.ADAPTER:
        return state.hold
    if state.settings.kind is CampaignKind.INBOUND:
        return HoldReason.INBOUND_ONLY
    if not state.window.is_open(now):
        return HoldReason.WINDOW  # before any brake: what becomes durable late must not leave after hours
    if state.settings.starts_at is not None and now < state.settings.starts_at:
        return HoldReason.SCHEDULED
    return state.hold or _lacks(state, now)


def _lacks(state: EngineState, now: float) -> HoldReason | None:
    if state.content.holds(now, for_good=isinstance(state.script, LocalError)):
        return HoldReason.CONTENT
    return None if state.agents_at_work or not state.meets_agents else HoldReason.NO_AGENT


def decide(state: EngineState, now: float) -> None:
    """Make one pacing decision and begin the calls it allows."""
    state.timers.set("pace", now + state.pacer.period_s)
    reason = closed_by(state, now)
    if reason is not None:
        close(state, reason, now)
        return
    moment = snapshot(state, now)
    wanted = _wanted(state, moment, now)
    # the law caps calls that find no agent; a script needs none at first
    allowance = wanted if state.scripted else guarded(wanted, moment, state.budget, now)
    count, limit, detail = limited(state, allowance, now)
    placed, waits = begin(state, count, now)
    if waits is not None:
        limit, detail = _parked(state, waits, now)
    if wanted.dials > 0:
        state.estimators.risk.limited = placed < wanted.dials
    state.decision = Decision(placed, limit, detail)
    refill(state, now)


def _wanted(state: EngineState, moment: Snapshot, now: float) -> Allowance:
    """Ask the pacer; when it cannot decide, decide progressively this once, say so and count it."""
    try:
        return state.pacer.allowance(moment, now=now)
    except (ArithmeticError, ValueError) as error:
        state.totals.fallbacks += 1
        plain = Progressive().allowance(moment, now=now)
        return Allowance(plain.dials, plain.reason, f"progressive, since {state.pacer.name} failed: {error}")


def close(state: EngineState, reason: HoldReason, now: float) -> None:
    """Say why nothing is dialed, give the leads back, and come back when it may change by itself."""
    state.decision = Decision(0, reason, _closed_detail(state, reason))
    if reason is HoldReason.STORE_SLOW:
        return
    empty_hopper(state)
    opens = opens_at(state, now) if reason in {HoldReason.WINDOW, HoldReason.SCHEDULED} else None
    if reason is HoldReason.CONTENT and not isinstance(state.script, LocalError):
        opens = state.content.retry_at(now)  # a script that is broken or gone comes back as a change of settings
    if opens is None:
        state.timers.cancel("pace")
    else:
        state.timers.set("pace", max(opens, now + PACE_GAP_S))


def _closed_detail(state: EngineState, reason: HoldReason) -> str:
    match reason:
        case HoldReason.CONTENT:
            return f"{state.content.error}"
        case HoldReason.NO_AGENT:
            return "no agent of the campaign is signed in and at work"
        case _ if reason is state.hold:
            return state.hold_detail
        case _:
            return ""


def opens_at(state: EngineState, now: float) -> float | None:
    """Return the first moment from now on at which both the window and the campaign's start allow calls."""
    return state.window.next_open(max(now, state.settings.starts_at or now))


def empty_hopper(state: EngineState) -> None:
    """Give all waiting leads back."""
    state.turned_down.clear()
    if ids := state.hopper.empty():
        state.effects.append(ReleaseLeads(ids))


def limited(state: EngineState, allowance: Allowance, now: float) -> tuple[int, HoldReason | None, str]:
    """Apply the limits in series, smallest wins: pacing and law, trunk, campaign cap, leads (pacing.md 3.4)."""
    count, reason, detail = allowance.dials, allowance.reason, allowance.detail
    if count <= 0:
        return 0, reason, detail
    room, why = state.pool.room(now)
    if room < count:
        count, reason, detail = (
            room,
            why or HoldReason.TRUNK_CAPACITY,
            f"{allowance.dials} wanted, the trunks take {room} now",
        )
        if (token_at := state.pool.next_token_at(now)) is not None:
            state.timers.set_earlier("pace", max(token_at, now + PACE_GAP_S))
    cap = state.settings.max_calls - len(state.calls)
    if cap < count:
        count, reason, detail = (
            max(0, cap),
            HoldReason.CAMPAIGN_CAP,
            f"at most {state.settings.max_calls} calls at once",
        )
    count = min(count, _untried(state, count))
    if len(state.hopper) < count:
        count = len(state.hopper)
        reason = HoldReason.NOTHING_DUE if state.hopper.dry else HoldReason.HOPPER_EMPTY
        detail = f"{allowance.dials} wanted, {count} leads are ready"
    if count > 0 and not state.hotlines.healthy(now):
        count, reason, detail = 0, HoldReason.NO_HOTLINE, "no healthy hotline is configured"
    return count, reason, detail


def _untried(state: EngineState, count: int) -> int:
    """Return how many calls may be begun while it is not sure that what they would play is there."""
    room = state.content.room() if state.plays else None
    return count if room is None else room


def begin(state: EngineState, count: int, now: float) -> tuple[int, Lead | None]:
    """Write down intents for up to `count` leads; return how many, and the first lead passed over if there were fewer.

    A lead whose trunks have no room now keeps its place in the hopper, and those behind it go first. One that no trunk
    serves is written down without a trunk: it ends as soon as that is durable, and its record says why.
    """
    intents: list[AttemptIntent] = []
    parked: list[Lead] = []
    for lead in state.hopper.in_turn(best_first=state.settings.best_time) if count else ():
        trunk = state.pool.take(now, lead.phone)
        if trunk is None and state.pool.serves(lead.phone):
            parked.append(lead)
            continue
        intents.append(intend(state, lead, trunk or NO_TRUNK, now))
        if len(intents) == count:
            break
    state.parked = len(parked)
    state.hopper.withdraw([intent.lead_id for intent in intents])
    if intents:
        state.effects.append(BeginAttempts(tuple(intents)))
    return len(intents), parked[0] if parked and len(intents) < count else None


def intend(state: EngineState, lead: Lead, trunk: str, now: float, *, by_hand: bool = False) -> AttemptIntent:
    """Make the intent of a call, and the call; a healthy hotline must be there."""
    hotline = state.hotlines.pick(lead, now)
    if hotline is None:
        raise RuntimeError("a call was begun without a healthy hotline; `limited` lets none begin")
    number = lead.dialed + 1
    intent = AttemptIntent(
        call_id=call_id(state.settings.campaign_id, lead.lead_id, number, state.epoch, now),
        lead_id=lead.lead_id, customer_id=lead.customer_id, list_id=lead.list_id, phone=lead.phone,
        hotline=hotline, trunk=trunk, attempt_no=number, begun_at=now, by_hand=by_hand,
    )  # fmt: skip
    features = features_of(lead, trunk, state.window.local_hour(now))
    call = state.calls[intent.call_id] = Call(intent, lead, features=features, lift=lift(state, features))
    if state.plays:
        state.content.begun(intent.call_id)
    state.dialing[intent.call_id] = call
    return intent


def _parked(state: EngineState, waits: Lead, now: float) -> tuple[HoldReason, str]:
    """Say why leads are passed over, and come back when time alone gives the first of them room."""
    if (token_at := state.pool.next_token_at(now, waits.phone)) is not None:
        state.timers.set_earlier("pace", max(token_at, now + PACE_GAP_S))
    reason = state.pool.holds(now, waits.phone) or HoldReason.TRUNK_CAPACITY
    return reason, f"{state.parked} leads wait for room on the trunks that serve their numbers"


def begun(state: EngineState, event: AttemptsBegun, now: float) -> None:
    """Place the calls whose intents are durable; forget those that the store refused.

    The window and the campaign's state are checked again at this moment: an intent that comes too late is voided.
    """
    for call_id_ in event.begun:
        call = state.calls.get(call_id_)
        if call is None:
            state.totals.strays += 1
            continue
        hand.answer(state, call.request_id, call_id=call_id_, lead_id=call.lead.lead_id)
        if closed_by(state, now) in VOIDS:
            call.cancel_reason = call.cancel_reason or CancelReason.CAMPAIGN_STOPPED
        if call.cancel_reason is not None:
            ended(state, CallEnded(call_id_, ended_by=EndedBy.DIALER), now)
            continue
        if call.intent.trunk == NO_TRUNK:
            ended(state, CallEnded(call_id_, ended_by=EndedBy.DIALER, local_error=LocalError.NO_ROUTE), now)
            continue
        if call.by_hand:
            hand.summon(state, call, now)
        else:
            place(state, call, now)
    for refusal in event.refused:
        call = state.calls.pop(refusal.call_id, None)
        if call is not None:
            state.content.dropped(refusal.call_id)
            del state.dialing[refusal.call_id]
            state.pool.give(call.intent.trunk, call.intent.begun_at)
            if call.by_hand:
                hand.not_begun(state, call, refusal.reason, now)


def place(state: EngineState, call: Call, now: float) -> None:
    """Call the customer, once all that the call may have to play can be named."""
    intent, ring_timeout_s = call.intent, state.settings.ring_timeout_s
    prompts = prepare(state, call)
    if isinstance(prompts, LocalError):
        drop(state, call, prompts, now)
        return
    call.originated_at, call.phase = now, Phase.PLACED
    state.timers.set(("ring", call.call_id), now + ring_timeout_s + SETUP_ALLOWANCE_S)
    state.effects.append(Originate(
        call.call_id, intent.phone, intent.hotline, intent.trunk, ring_timeout_s,
        state.settings.amd and not call.by_hand, prompts,
    ))  # fmt: skip
    state.totals.placed += 1


def drop(state: EngineState, call: Call, error: LocalError | None, now: float) -> None:
    """End a call that does not leave; an agent's leg that is up for it goes too."""
    if call.by_hand:
        state.effects.append(Hangup(call.call_id, CancelReason.ADMIN))
    ended(state, CallEnded(call.call_id, ended_by=EndedBy.DIALER, local_error=error), now)


def refill(state: EngineState, now: float) -> None:
    """Ask for leads when the hopper is below half, not counting what is parked, unless it is asked or dry."""
    hopper = state.hopper
    target = state.settings.hopper_size or max(20, 4 * state.agents_at_work)
    extra = min(state.parked, PARKED_MOST)
    if hopper.asked or (len(hopper) - extra) * 2 > target:
        return
    if hopper.dry:
        if not len(hopper):
            state.timers.cancel("pace")  # nothing to decide about until the store is asked again
        due = now + LEASE_RETRY_S if hopper.next_due_at is None else min(hopper.next_due_at, now + LEASE_RETRY_S)
        state.timers.set_earlier("lease", max(due, now + PACE_EVERY_S))
        return
    hopper.asked = True
    prefer = best_lists(state, now) if state.settings.best_time else ()
    state.effects.append(LeaseLeads(target + extra - len(hopper), prefer))
