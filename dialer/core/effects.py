"""What the engine wants done, in the imperative; performed by a driver, answered by events."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from dialer.core.types import AgentId, AttemptIntent, AttemptRecord, CallId, LeadResult
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


StoreEffect: TypeAlias = LeaseLeads | ReleaseLeads | BeginAttempts | RecordProgress | SettleAttempt | SettleLead


class Originate(Effect, frozen=True, gc=False):
    """Place the call; the intent is durable."""

    call_id: CallId
    phone: str
    hotline: str
    trunk: str
    ring_timeout_s: float


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


CallEffect: TypeAlias = Originate | Hangup | Connect | Play


class AgentOrder(StrEnum):
    """What an agent's desk is told."""

    RESERVE = "reserve"
    RELEASE = "release"
    WRAP_UP = "wrap_up"
    READY = "ready"
    OFFLINE = "offline"


class CommandAgent(Effect, frozen=True, gc=False):
    """Tell the agent's desk; `call_id` and `wrap_up_s` where they apply."""

    agent_id: AgentId
    order: AgentOrder
    call_id: CallId | None = None
    lead_id: int | None = None
    wrap_up_s: float | None = None


AnyEffect: TypeAlias = StoreEffect | CallEffect | CommandAgent
