"""One attempt in flight and what is known of it."""

from __future__ import annotations

from enum import StrEnum

from dialer.core.agents import Agent
from dialer.core.events import AgentWrappedUp, CallEnded
from dialer.core.pacing.answering import Features
from dialer.core.run import Run
from dialer.core.types import AgentId, AttemptIntent, AttemptRecord, CallId, Direction, Lead, OfferMade
from statuses.classify import AttemptFacts
from statuses.outcomes import AmdResult, Announcement, CancelReason, EndedBy, LocalError


class Phase(StrEnum):
    """Where an attempt stands."""

    BEGINNING = "beginning"
    """The intent is not durable yet: nothing has been sent."""
    SUMMONING = "summoning"
    """The agent's leg comes up; the customer is called after it."""
    PLACED = "placed"
    RINGING = "ringing"
    WAITING = "waiting"
    """Answered, no agent yet."""
    ASKING = "asking"
    """Answered, agents are asked whether they take it."""
    JOINING = "joining"
    TALKING = "talking"
    AWAY = "away"
    """The customer was sent on to another number, and talks there."""
    OVERFLOW = "overflow"
    """The overflow message plays."""
    PROMPT = "prompt"
    """The script of a campaign that begins without an agent is followed."""
    ENDING = "ending"
    """We hung up and wait for the switch to say so."""


UNANSWERED = frozenset({Phase.BEGINNING, Phase.SUMMONING, Phase.PLACED, Phase.RINGING})


class Onward:
    """A number outside that `agent_id` sends a call on to; `trunk` while a channel of it is held."""

    __slots__ = ("agent_id", "phone", "request_id", "trunk")

    def __init__(self, phone: str, request_id: int, agent_id: AgentId) -> None:
        self.phone, self.request_id, self.agent_id = phone, request_id, agent_id
        self.trunk: str | None = None


class Call:
    """The mutable record of one attempt; times in epoch seconds, None = did not happen."""

    __slots__ = (
        "abandoned", "agent", "agent_lost", "agentless", "amd", "announcement", "answered_at", "asked", "bridged_at",
        "by_hand", "cancel_reason", "declined", "early_media_at", "exempt", "features", "giver", "inbound", "intent",
        "lead", "lift", "local_error", "offers", "on_hold", "onward", "originated_at", "phase", "progressed",
        "queue_left_at", "queued_at", "record", "recording", "request_id", "ringing_at", "run", "talked_with", "word",
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
        """A script is for the person who answered, not an agent (yet)."""
        self.local_error: LocalError | None = None
        # Exempt: taken up again from a script or an agent's hand, which the two-second rule is not about.
        self.abandoned = self.exempt = False
        self.progressed = False
        self.amd: AmdResult | None = None
        self.announcement: Announcement | None = None
        self.cancel_reason: CancelReason | None = None
        self.recording: bool | None = None
        """The switch was told to record it, and does so now; None = it never was."""
        self.record: AttemptRecord | None = None
        """The final record, kept for the wrap-up."""
        self.run: Run | None = None
        """Its way through the script of a campaign that begins without an agent."""
        self.by_hand = intent.by_hand
        """Its agent was there before it was placed, and is joined as soon as somebody answers."""
        self.request_id = 0
        """What asked for it, until that is answered."""
        self.talked_with: AgentId | None = None
        """Who was joined last."""
        self.giver: Agent | None = None
        """Who gave the customer away, until another agent has them."""
        self.word: AgentWrappedUp | None = None
        """What an agent said of the customer who goes on talking to somebody else."""
        self.onward: Onward | None = None
        """The number that the customer is to be sent on to, or was."""

    @property
    def call_id(self) -> CallId:
        """Return our id of the call."""
        return self.intent.call_id

    @property
    def waits_willingly(self) -> bool:
        """Tell whether the person called us, or asked for an agent by a key: the two-second rule is not about them."""
        return self.inbound or self.run is not None

    @property
    def _is_in_script(self) -> bool:
        """Tell whether leaving now without a key is leaving a script early (statuses.md 2.9, A9).

        Who heard it to its end and hangs up while our BYE is on its way is not; nor is who waits for an agent without
        ever having been asked for a key.
        """
        run = self.run
        if run is None or not run.has_begun or self.cancel_reason is CancelReason.PROMPT_ENDED:
            return False
        return self.agentless or run.script.asks

    def when(self, at: float | None, now: float) -> float:
        """Return when a fact was that is heard of now: as the switch says, but not before what was known already."""
        if at is None:
            return now
        known = self.bridged_at or self.answered_at or self.ringing_at or self.originated_at or self.intent.begun_at
        return min(now, max(at, known))

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
            ended_by=self._ended_by(ended),
            cancel_reason=None if self._agent_ended_talk else self.cancel_reason,
            announcement=self.announcement,
            amd=self.amd,
            ivr_entered=self._is_in_script,
            dtmf_count=0 if self.run is None else self.run.dtmf_count,
            agentless=self.agentless,
            agent_bridged=self.bridged_at is not None,
            agent_lost=self.agent_lost,
            setup_ms=round((until - start) * 1000),
            ring_ms=None if self.ringing_at is None else round((until - self.ringing_at) * 1000),
            trunk=self.intent.trunk,
            inbound=self.inbound,
        )

    @property
    def _agent_ended_talk(self) -> bool:
        return self.bridged_at is not None and self.cancel_reason is CancelReason.AGENT_HANGUP

    def _ended_by(self, ended: CallEnded) -> EndedBy | None:
        if self.cancel_reason is CancelReason.AGENT_HANGUP and ended.ended_by is not EndedBy.REMOTE:
            return EndedBy.AGENT
        return EndedBy.DIALER if ended.ended_by is None and self.cancel_reason is not None else ended.ended_by
