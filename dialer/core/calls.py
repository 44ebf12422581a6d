"""One attempt in flight and what is known of it."""

from __future__ import annotations

from enum import StrEnum

from dialer.core.agents import Agent
from dialer.core.events import CallEnded
from dialer.core.pacing.answering import Features
from dialer.core.types import AgentId, AttemptIntent, AttemptRecord, CallId, Direction, Lead, OfferMade
from statuses.classify import AttemptFacts
from statuses.outcomes import AmdResult, Announcement, CancelReason, EndedBy, LocalError


class Phase(StrEnum):
    """Where an attempt stands."""

    BEGINNING = "beginning"
    """The intent is not durable yet: nothing has been sent."""
    PLACED = "placed"
    RINGING = "ringing"
    WAITING = "waiting"
    """Answered, no agent yet."""
    ASKING = "asking"
    """Answered, agents are asked whether they take it."""
    JOINING = "joining"
    TALKING = "talking"
    OVERFLOW = "overflow"
    """The overflow message plays."""
    PROMPT = "prompt"
    """The message of a campaign without agents plays."""
    ENDING = "ending"
    """We hung up and wait for the switch to say so."""


UNANSWERED = frozenset({Phase.BEGINNING, Phase.PLACED, Phase.RINGING})


class Call:
    """The mutable record of one attempt; times in epoch seconds, None = did not happen."""

    __slots__ = (
        "abandoned", "agent", "agent_lost", "agentless", "amd", "announcement", "answered_at", "asked", "bridged_at",
        "cancel_reason", "declined", "early_media_at", "features", "inbound", "intent", "lead", "lift", "local_error",
        "offers", "on_hold", "originated_at", "phase", "progressed", "queue_left_at", "queued_at", "record",
        "recorded", "ringing_at",
    )  # fmt: skip

    def __init__(
        self, intent: AttemptIntent, lead: Lead, *, features: Features | None = None, lift: float = 1.0
    ) -> None:
        self.intent = intent
        self.lead = lead
        self.features = features
        self.lift = lift
        """The chance of an answer as a multiple of the campaign's, when it was placed."""
        self.phase = Phase.BEGINNING
        self.originated_at: float | None = None
        self.ringing_at: float | None = None
        self.early_media_at: float | None = None
        self.answered_at: float | None = None
        self.bridged_at: float | None = None
        self.agent: Agent | None = None
        self.inbound = intent.direction is Direction.INBOUND
        """The customer calls us."""
        self.asked: dict[AgentId, float] = {}
        """Who is asked whether they take it, since when."""
        self.declined: dict[AgentId, float] = {}
        """Who did not take it when they were asked last, and when that was."""
        self.offers: list[OfferMade] = []
        self.queued_at: float | None = None
        self.queue_left_at: float | None = None
        self.on_hold = False
        """Hears music."""
        self.agent_lost = False
        self.agentless = False
        """A message was for the person who answered, not an agent."""
        self.local_error: LocalError | None = None
        self.abandoned = False
        self.progressed = False
        self.amd: AmdResult | None = None
        self.announcement: Announcement | None = None
        self.cancel_reason: CancelReason | None = None
        self.recorded = False
        """The switch was told to record it."""
        self.record: AttemptRecord | None = None
        """The final record, kept for the wrap-up."""

    @property
    def call_id(self) -> CallId:
        """Return our id of the call."""
        return self.intent.call_id

    def facts(self, ended: CallEnded, now: float) -> AttemptFacts:
        """Return what classification needs (statuses.md 2.3)."""
        start = self.originated_at if self.originated_at is not None else self.intent.begun_at
        until = self.answered_at if self.answered_at is not None else now
        return AttemptFacts(
            local_error=ended.local_error or self.local_error,
            sip_status=ended.sip_status,
            q850=ended.q850,
            q850_location=ended.q850_location,
            reason_text=ended.reason_text,
            progressed=self.progressed,
            rang=self.ringing_at is not None,
            answered=self.answered_at is not None,
            ended_by=EndedBy.DIALER if ended.ended_by is None and self.cancel_reason is not None else ended.ended_by,
            cancel_reason=self.cancel_reason,
            announcement=self.announcement,
            amd=self.amd,
            # Who heard the message to its end and hung up while our BYE was on its way did not leave it early (A9).
            ivr_entered=self.agentless and self.cancel_reason is not CancelReason.PROMPT_ENDED,
            agentless=self.agentless,
            agent_bridged=self.bridged_at is not None,
            agent_lost=self.agent_lost,
            setup_ms=round((until - start) * 1000),
            ring_ms=None if self.ringing_at is None else round((until - self.ringing_at) * 1000),
            trunk=self.intent.trunk,
            inbound=self.inbound,
        )
