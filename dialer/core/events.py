"""Facts that reach the engine, in the past tense; each is one mutation."""

from __future__ import annotations

import msgspec

from dialer.core.script import ScriptText
from dialer.core.types import (
    AgentId,
    AttemptIntent,
    CallId,
    CampaignSettings,
    HoldReason,
    Lead,
    OpenAttempt,
    Refusal,
    Supervision,
)
from statuses.lead import Trigger
from statuses.outcomes import AmdResult, Announcement, EndedBy, LocalError


class Event(msgspec.Struct, frozen=True, gc=False):
    """Base of all events."""


class CallEvent(Event, frozen=True, gc=False):
    """Base of what a trunk says of one call."""

    call_id: CallId


class AgentEvent(Event, frozen=True, gc=False):
    """Base of what a desk says of one agent."""

    agent_id: AgentId


class CampaignStarted(Event, frozen=True, gc=False):
    """Dial; `answers` and `abandons` of the legal window so far (exact, from the store)."""

    answers: int = 0
    abandons: int = 0


class CampaignPaused(Event, frozen=True, gc=False):
    """Place no new calls; calls in progress go on."""


class CampaignStopped(Event, frozen=True, gc=False):
    """Place no new calls and cancel those that nobody has answered."""


class SettingsChanged(Event, frozen=True, gc=False):
    """New settings, or a new version of the script, from now on; calls in flight keep what they began with."""

    settings: CampaignSettings
    script: ScriptText | None = None


class EstimatesForgotten(Event, frozen=True, gc=False):
    """People had what was learned forgotten, for the `forgets`-th time."""

    forgets: int


class LeadsLeased(Event, frozen=True, gc=False):
    """Leads for the hopper; `next_due_at` is when the store may have more, None = nothing is waiting for a time."""

    leads: tuple[Lead, ...]
    next_due_at: float | None = None


class LeadsWithdrawn(Event, frozen=True, gc=False):
    """Leads that a person paused, removed or changed: out of the hopper."""

    lead_ids: tuple[int, ...]


class LeadsAdded(Event, frozen=True, gc=False):
    """The store has new or newly due leads: ask again."""


class AttemptsBegun(Event, frozen=True, gc=False):
    """The intents are durable: these may leave, those may not."""

    begun: tuple[CallId, ...]
    refused: tuple[Refusal, ...] = ()


class InboundBegun(Event, frozen=True, gc=False):
    """A call that arrived is written down, and this is its lead; None: it was refused, for the lease is over."""

    call_id: CallId
    intent: AttemptIntent | None
    lead: Lead | None


class CallAdopted(CallEvent, frozen=True, gc=False):
    """A talk that a dead process left behind goes on at the switch: it is ours again, with its lead and agent."""

    attempt: OpenAttempt


class CallArrived(CallEvent, frozen=True, gc=False):
    """Somebody calls a hotline; the id is the adapter's, made like ours."""

    phone: str
    hotline: str
    trunk: str = ""


class CallProgressed(CallEvent, frozen=True, gc=False):
    """100 Trying, or 183 without an announcement."""


class CallRinging(CallEvent, frozen=True, gc=False):
    """180 Ringing, or a ringback in early media."""

    at: float | None = None
    """When that was, where the switch says so; None: now."""


class EarlyMediaHeard(CallEvent, frozen=True, gc=False):
    """183 with a classified announcement (statuses.md 2.10)."""

    announcement: Announcement | None = None


class CallAnswered(CallEvent, frozen=True, gc=False):
    """200 OK; `amd` when the adapter already knows who answered."""

    amd: AmdResult | None = None
    at: float | None = None
    """When that was, where the switch says so; None: now."""


class MachineDetected(CallEvent, frozen=True, gc=False):
    """Answering-machine detection came to a result."""

    amd: AmdResult


class CallConnected(CallEvent, frozen=True, gc=False):
    """Agent and customer hear each other."""

    agent_id: AgentId


class ConnectFailed(CallEvent, frozen=True, gc=False):
    """The agent could not be joined; the customer is still on the line."""

    agent_id: AgentId


class AgentOnLine(CallEvent, frozen=True, gc=False):
    """The agent's leg is up for this call, which may be placed now."""

    agent_id: AgentId


class DigitPressed(CallEvent, frozen=True, gc=False):
    """The far end pressed a key: 0-9, * or #."""

    digit: str


class RecordingEnded(CallEvent, frozen=True, gc=False):
    """A recording is whole at the switch, or (`seconds` None) there is none."""

    seconds: float | None


class CallTransferred(CallEvent, frozen=True, gc=False):
    """The far end talks to another number now, or (`done` False) that number could not be had."""

    done: bool = True


class PromptEnded(CallEvent, frozen=True, gc=False):
    """A prompt is over; `played` False: the switch could not play it and nothing was heard."""

    played: bool = True


class CallEnded(CallEvent, frozen=True, gc=False):
    """The call is over: the final response or a BYE."""

    sip_status: int | None = None
    q850: int | None = None
    q850_location: str | None = None
    reason_text: str | None = None
    ended_by: EndedBy | None = None
    local_error: LocalError | None = None
    retry_after_s: float | None = None
    """The trunk rests so long: 503 Retry-After (RFC 3261 section 20.33), or a daily cap of it is used up."""
    at: float | None = None
    """When that was, where the switch says so; None: now."""


class AgentSignedIn(AgentEvent, frozen=True, gc=False):
    """An agent joined this campaign, not ready yet."""


class AgentReady(AgentEvent, frozen=True, gc=False):
    """The agent takes calls."""


class AgentPaused(AgentEvent, frozen=True, gc=False):
    """The agent takes no more calls after the present one."""

    code: str = ""


class AgentWrappedUp(AgentEvent, frozen=True, gc=False):
    """The agent finished after-call work; `trigger` ANSWERED, CALLBACK_ASKED or DO_NOT_RECALL."""

    trigger: Trigger = Trigger.ANSWERED
    disposition: str | None = None
    note: str | None = None
    callback_at: float | None = None
    ready: bool = True


class AgentAccepted(AgentEvent, frozen=True, gc=False):
    """The agent takes the call, or the lead, that was offered."""

    call_id: CallId | None = None
    lead_id: int | None = None


class AgentRejected(AgentEvent, frozen=True, gc=False):
    """The agent does not take what was offered."""

    call_id: CallId | None = None
    lead_id: int | None = None


class AgentHungUp(AgentEvent, frozen=True, gc=False):
    """The agent ends the talk from the desk."""


class AgentHeld(AgentEvent, frozen=True, gc=False):
    """The agent puts the customer on hold, or comes back."""

    on: bool


class AgentTransferred(AgentEvent, frozen=True, gc=False):
    """The agent gives the customer to another agent, or to a number (E.164)."""

    to_agent: AgentId | None = None
    to_phone: str | None = None


class DialRequested(AgentEvent, frozen=True, gc=False):
    """The agent wants this lead, or (`lead_id` 0) this number, called now; the agent's own leg comes first."""

    lead: Lead


class LeadFound(AgentEvent, frozen=True, gc=False):
    """The lead that SeekLead asked for is leased, or (None) may not be called for `reason`."""

    lead: Lead | None
    reason: HoldReason | None = None
    asked_lead: int = 0
    asked_phone: str = ""
    """What SeekLead asked for: the agent may have another wish by now."""


class NumberChecked(CallEvent, frozen=True, gc=False):
    """A number that a call may be sent on to is listed for `reason`, or (None) free."""

    phone: str
    reason: HoldReason | None = None


class SupervisionAsked(AgentEvent, frozen=True, gc=False):
    """A supervisor wants into, or out of (None), the talk of this agent."""

    supervisor: AgentId
    mode: Supervision | None


class Requested(Event, frozen=True, gc=False):
    """A person asked for this by the console or the API; AnswerRequest says what came of it."""

    request_id: int
    event: AgentHungUp | AgentHeld | AgentTransferred | DialRequested | SupervisionAsked | AgentWrappedUp


class AgentLost(AgentEvent, frozen=True, gc=False):
    """The agent signed out, or the link to the agent is gone."""


class TrunkClosed(Event, frozen=True, gc=False):
    """A trunk is down, or drains: no call may leave by it until TrunkOpened."""

    trunk: str
    why: str = ""


class TrunkOpened(Event, frozen=True, gc=False):
    """A trunk takes calls again; `channels`: at most so many at once, while it is being tried."""

    trunk: str
    channels: int | None = None


class HoldChanged(Event, frozen=True, gc=False):
    """The shell sets or lifts a brake from outside (store slow, an adapter that cannot); None lifts it."""

    reason: HoldReason | None
    detail: str = ""
    """For people, in English."""
