"""What the engine wants done, in the imperative; performed by a driver, answered by events."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from dialer.core.types import AgentId, AttemptIntent, AttemptRecord, CallId, LeadResult, Supervision
from statuses.outcomes import CancelReason


class Effect(msgspec.Struct, frozen=True, gc=False):
    """Base of all effects."""


class LeaseLeads(Effect, frozen=True, gc=False):
    """Lease up to `count` dialable leads; answered by LeadsLeased."""

    count: int
    prefer: tuple[int, ...] = ()
    """Lists whose leads come first among those of the same class (appointments, retries, new), best first."""


class ReleaseLeads(Effect, frozen=True, gc=False):
    """Give leases back; the leads are dialable again."""

    lead_ids: tuple[int, ...]


class BeginAttempts(Effect, frozen=True, gc=False):
    """Make these intents durable after the last guards; answered by AttemptsBegun."""

    intents: tuple[AttemptIntent, ...]


class BeginInbound(Effect, frozen=True, gc=False):
    """Match a call that arrived to its lead, making one for a stranger, and write it down; answered by InboundBegun."""

    call_id: CallId
    phone: str
    hotline: str
    trunk: str
    at: float


class RecordProgress(Effect, frozen=True, gc=False):
    """Make durable that a person answered, or was bridged to `agent_id`."""

    call_id: CallId
    at: float
    agent_id: AgentId | None = None
    """None: answered. Set: bridged."""


class SettleAttempt(Effect, frozen=True, gc=False):
    """Write the final CDR of an attempt and what it does to the lead, in one transaction."""

    record: AttemptRecord


class SettleLead(Effect, frozen=True, gc=False):
    """Write what the agent's wrap-up means for the lead."""

    result: LeadResult


class SeekLead(Effect, frozen=True, gc=False):
    """Lease this lead, or the lead of this number, for a call by hand; answered by LeadFound.

    A number that nobody knows becomes a customer and a lead on the list "Manual". The lead's own due time does not
    matter, the guards of its number do.
    """

    agent_id: AgentId
    lead_id: int
    phone: str
    name: str = ""


class CheckNumber(Effect, frozen=True, gc=False):
    """Ask whether the law or a list forbids a number that a call is to be sent on to; answered by NumberChecked."""

    call_id: CallId
    phone: str


class AnswerRequest(Effect, frozen=True, gc=False):
    """Write what came of a person's request: `code` None = it is done."""

    request_id: int
    code: str | None = None
    call_id: CallId | None = None
    lead_id: int | None = None


StoreEffect: TypeAlias = (
    LeaseLeads
    | ReleaseLeads
    | BeginAttempts
    | BeginInbound
    | RecordProgress
    | SettleAttempt
    | SettleLead
    | SeekLead
    | CheckNumber
    | AnswerRequest
)


class Originate(Effect, frozen=True, gc=False):
    """Place the call; the intent is durable."""

    call_id: CallId
    phone: str
    hotline: str
    trunk: str
    ring_timeout_s: float
    amd: bool = False
    prompts: tuple[str, ...] = ()
    """What this call may have to play: all of it must be ready before anyone is called."""


class Hangup(Effect, frozen=True, gc=False):
    """End the call: CANCEL before the answer, BYE after it."""

    call_id: CallId
    reason: CancelReason


class Connect(Effect, frozen=True, gc=False):
    """Join the answered call to the agent."""

    call_id: CallId
    agent_id: AgentId


class Play(Effect, frozen=True, gc=False):
    """Play a prompt to an answered call; answered by PromptEnded."""

    call_id: CallId
    prompt: str


class MediaEffect(Effect, frozen=True, gc=False):
    """Base of the orders that a switch obeys or cannot: what comes of them is an event."""


class Hush(MediaEffect, frozen=True, gc=False):
    """Stop the prompt that plays."""

    call_id: CallId


class Answer(MediaEffect, frozen=True, gc=False):
    """Take a call that arrived; answered by CallAnswered."""

    call_id: CallId


class Hold(MediaEffect, frozen=True, gc=False):
    """Give the far end music, or end that."""

    call_id: CallId
    on: bool


class Summon(MediaEffect, frozen=True, gc=False):
    """Bring the agent's leg up before the customer is called; answered by AgentOnLine or ConnectFailed."""

    call_id: CallId
    agent_id: AgentId
    trunk: str = ""
    """By which the customer will be called: the leg has to come up where that trunk is."""


class Transfer(MediaEffect, frozen=True, gc=False):
    """Send the far end on to another number; answered by CallTransferred."""

    call_id: CallId
    phone: str
    hotline: str
    trunk: str


class Record(MediaEffect, frozen=True, gc=False):
    """Record the call from now on; answered by RecordingEnded."""

    call_id: CallId
    limit_s: float | None = None


class StopRecording(MediaEffect, frozen=True, gc=False):
    """End the recording of a call that goes on."""

    call_id: CallId


class Supervise(MediaEffect, frozen=True, gc=False):
    """Bring a supervisor into a talk, change what they may do, or take them out."""

    call_id: CallId
    supervisor: AgentId
    mode: Supervision | None


CallEffect: TypeAlias = Originate | Hangup | Connect | Play | MediaEffect


class AgentOrder(StrEnum):
    """What an agent's desk is told."""

    OFFER = "offer"
    """Ask whether the agent takes this call, or (`lead_id` alone) wants this lead called."""
    WITHDRAW = "withdraw"
    """The offer is over: taken by another, given up, or too late."""
    RESERVE = "reserve"
    TALK = "talk"
    """Agent and customer hear each other."""
    RELEASE = "release"
    """Nothing came of it; with a `code` the agent is off calls too."""
    WRAP_UP = "wrap_up"
    READY = "ready"
    PAUSE = "pause"
    """The wrap-up is over, and the agent off calls, as they wished."""
    REFUSED = "refused"
    """What the agent asked for is not done: `code` says why (a HoldReason or a Declined)."""
    OFFLINE = "offline"


class CommandAgent(Effect, frozen=True, gc=False):
    """Tell the agent's desk; the rest where it applies."""

    agent_id: AgentId
    order: AgentOrder
    call_id: CallId | None = None
    lead_id: int | None = None
    wrap_up_s: float | None = None
    offer_s: float | None = None
    """How long an offer stands."""
    phone: str = ""
    """Who calls, or is to be called."""
    name: str = ""
    code: str = ""
    """Why the agent was taken off calls (missed, unreachable), or is refused what was asked for."""


AnyEffect: TypeAlias = StoreEffect | CallEffect | CommandAgent
