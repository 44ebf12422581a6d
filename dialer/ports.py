"""The ports: what the inside asks of the outside (architecture.md section 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Literal, Protocol, Self

import msgspec

from dialer.core.campaign import CampaignState
from dialer.core.effects import CommandAgent, StoreEffect
from dialer.core.events import AgentEvent, Event, Requested
from dialer.core.script import ScriptText
from dialer.core.types import AgentId, CallId, CampaignSettings, Fence, OpenAttempt, SavedEstimates
from dialer.switch import CallStatusAtSwitch, Capabilities, Telephony

__all__ = ["CallStatusAtSwitch", "Capabilities", "Telephony"]
"""Of another module: whoever wants a port finds it here."""


class Clock(Protocol):
    """The only source of time in the shell; may run faster than the wall's."""

    speed: float

    def now(self) -> float:
        """Return UTC epoch seconds; never runs backwards."""
        ...

    async def sleep_until(self, at: float) -> None:
        """Return when `now() >= at`."""
        ...


class AgentLink(Protocol):
    """The way to agents' desks."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def events(self) -> AsyncIterator[tuple[int, AgentEvent]]:
        """Yield (campaign_id, agent event) until the link closes."""
        ...

    async def command(self, campaign_id: int, order: CommandAgent) -> None:
        """Tell one desk."""
        ...

    async def announce(self, campaign_id: int) -> None:
        """Have every agent of a campaign say again whether they are ready: a new engine has taken it."""
        ...

    async def leave(self, campaign_id: int) -> None:
        """Say nothing more to the agents of a campaign: this process turns its engine no longer."""
        ...


class AgentAccount(msgspec.Struct, frozen=True):
    """A person who takes calls, as the store knows them."""

    agent_id: AgentId
    name: str = ""
    supervisor: bool = False
    """May come into the talks of others."""
    secret: str = ""
    """The hash of the password."""
    active: bool = True
    """False: may not sign in."""


class AgentAccounts(Protocol):
    """Who the agents are."""

    async def find(self, agent_id: AgentId) -> AgentAccount | None:
        """Return an agent's account."""
        ...

    async def all(self) -> Sequence[AgentAccount]:
        """List the accounts, by id."""
        ...


class CampaignRow(msgspec.Struct, frozen=True):
    """A campaign as the store holds it; `revision` grows with each change of settings, state or leads by people."""

    settings: CampaignSettings
    state: CampaignState
    resumes_by_schedule: bool
    revision: int
    state_since: float
    script: ScriptText | None = None
    """What the store holds under the name of the campaign's script; None: it names none."""


class Owned(msgspec.Struct, frozen=True, gc=False):
    """A store effect under the fence of its campaign."""

    fence: Fence
    effect: StoreEffect


class BadEffects(Exception):
    """Some effects of a batch could not be performed; all the others were, and `answers` are theirs.

    `failures` are (call id, what was wrong).
    """

    def __init__(self, failures: Sequence[tuple[str, Exception]], answers: Sequence[tuple[int, Event]]) -> None:
        self.failures = tuple(failures)
        self.answers = tuple(answers)
        told = "; ".join(f"{call_id}: {error}" for call_id, error in self.failures[:20])
        super().__init__(f"{len(self.failures)} store effects could not be performed: {told}")


class LeadStore(Protocol):
    """Leases, write-ahead attempts, settlements; every write of an engine goes through `commit`."""

    async def campaigns(self) -> Sequence[CampaignRow]:
        """List the campaigns that are not ended."""
        ...

    async def acquire(self, campaign_id: int, *, owner: str, now: float, ttl_s: float) -> Fence | None:
        """Take or take over (expired) a campaign with a higher epoch; None while another owner's lease is valid.

        Taking over also frees the leases (not the begun attempts) of earlier epochs.
        """
        ...

    async def renew(self, fence: Fence, *, now: float, ttl_s: float) -> Fence:
        """Prolong; raise Fenced when the epoch has moved on."""
        ...

    async def resign(self, fence: Fence) -> None:
        """Give the campaign and its unused leases back."""
        ...

    async def beat(self, owner: str, *, now: float, ttl_s: float) -> None:
        """Note that this engine lives, and will be taken for dead when it does not say so again within `ttl_s`."""
        ...

    async def engines(self, *, now: float) -> int:
        """Count the engines that live."""
        ...

    async def leave(self, owner: str) -> None:
        """Forget this engine: the others take its share."""
        ...

    async def commit(self, batch: Sequence[Owned], *, now: float) -> Sequence[tuple[int, Event]]:
        """Perform all effects in one transaction; return (campaign_id, answering event) in order.

        LeaseLeads -> LeadsLeased, BeginAttempts -> AttemptsBegun; the others answer nothing. An effect under a stale
        fence is refused (HoldReason.FENCED), except SettleAttempt / SettleLead / RecordProgress of an attempt that this
        owner began, which are always taken once (a second settlement of one call is ignored). Attempt rows, lead
        transitions and outbox events of one effect are atomic.
        """
        ...

    async def open_attempts(self, campaign_id: int) -> Sequence[OpenAttempt]:
        """List the attempts begun and not settled."""
        ...

    async def unfinished_talks(self, campaign_id: int) -> Sequence[tuple[CallId, int, AgentId | None]]:
        """List (call, lead, agent) of settled answered calls whose lead still waits for its wrap-up."""
        ...

    async def legal_counts(self, campaign_id: int, *, since: float) -> tuple[int, int]:
        """Count (answered by a person, abandoned) attempts ended since then."""
        ...

    async def withdrawn(self, campaign_id: int, lead_ids: Sequence[int]) -> Sequence[int]:
        """Return those of these leased leads that people have since paused, removed, suppressed or switched off."""
        ...

    async def set_state(
        self, seen: CampaignRow, state: CampaignState, *, resumes_by_schedule: bool, now: float
    ) -> bool:
        """Write a campaign state that the schedule decided, unless a person changed the campaign since it was seen."""
        ...

    async def requests(self, fences: Sequence[Fence], *, now: float, fresh_s: float) -> Sequence[tuple[int, Requested]]:
        """Take what people ask of these campaigns, as (campaign id, fact), each once, oldest first.

        What was asked more than `fresh_s` ago is refused instead: the person has turned away.
        """
        ...

    async def publish(self, fence: Fence, runtime: bytes, *, now: float) -> None:
        """Store the engine's latest live figures (JSON) for other processes to show."""
        ...

    async def learned(self, campaign_id: int) -> SavedEstimates:
        """Return what was remembered last; empty when nothing was, or people had it forgotten."""
        ...

    async def remember(self, fence: Fence, learned: SavedEstimates) -> bool:
        """Store what an engine has learned; False, and nothing is stored, for an owner that lost the campaign.

        The same when people had it forgotten since: `learned.forgets` is not the store's.
        """
        ...


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of the event log; offsets grow by record within a partition."""

    partition: int
    offset: int
    key: str
    value: bytes


class EventLog(Protocol):
    """The log of CDR events as a projector reads it; appending happens inside the store's transaction."""

    topic: str

    async def partitions(self) -> Sequence[int]:
        """List the partitions to read."""
        ...

    async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> Sequence[LogRecord]:
        """Return records with `after` < offset (<= `until`), in order; empty when there are none yet.

        Raises PartitionGone when the partition belongs to another reader by now.
        """
        ...

    async def extent(self, partition: int) -> tuple[int, int]:
        """Return the first and the last offset that the log holds now, (0, 0) when it holds none; raises as `read`."""
        ...


class OffsetRange(msgspec.Struct, frozen=True, gc=False):
    """A batch boundary: first and last offset, both included."""

    partition: int
    first: int
    last: int

    @property
    def is_hold(self) -> bool:
        """Say whether this is no range but the mark that the projection is being rebuilt (offsets start at 1)."""
        return self.last == 0


class RangeFenced(Exception):
    """Another projector is at this partition: it moved the position or began another range; nothing was written."""


class OffsetLedger(Protocol):
    """Durable batch ranges: what was begun and what was confirmed (architecture.md section 6)."""

    async def position(self, projection: str, partition: int) -> int:
        """Return the last confirmed offset, 0 at the start."""
        ...

    async def pending(self, projection: str, partition: int) -> OffsetRange | None:
        """Return the range that was begun and never confirmed."""
        ...

    async def begin(self, projection: str, span: OffsetRange) -> None:
        """Make the range durable before the insert.

        Raises RangeFenced when the position is past its first offset or another range is pending.
        """
        ...

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        """Make the range done and move the position to its last offset; a second time does nothing.

        Raises RangeFenced when it is neither pending nor done.
        """
        ...

    async def hold(self, projection: str, partition: int) -> None:
        """Let nobody begin a range until `restart`; a second time does nothing.

        Raises RangeFenced while a range is pending.
        """
        ...

    async def restart(self, projection: str, partition: int, *, position: int) -> None:
        """Set the position, whatever is pending or held."""
        ...


class TraceColumn(msgspec.Struct, frozen=True):
    """Who took part in a call's signalling: the dialer, a trunk, an agent's phone; `address` is HOST:PORT."""

    role: Literal["dialer", "trunk", "agent"]
    address: str


class TraceStep(msgspec.Struct, frozen=True):
    """One message of a call, `ms` after the first; `source` and `target` count the columns from 0."""

    ms: float
    source: int
    target: int
    label: str
    kind: Literal["request", "provisional", "success", "failure"]
    again: bool = False
    """The same message as before: a retransmission."""


class CallTrace(msgspec.Struct, frozen=True):
    """The ladder of one call; numbers are masked."""

    started_at: float
    """UTC epoch seconds of the first message that is kept."""
    whole: bool
    """False when the beginning is no longer kept."""
    columns: tuple[TraceColumn, ...]
    steps: tuple[TraceStep, ...]


class CallTraces(Protocol):
    """What an adapter kept of the signalling of single calls; each answers None for a call that it has nothing of."""

    async def trace(self, call_id: str) -> CallTrace | None:
        """Return the call's ladder."""
        ...

    async def text(self, call_id: str) -> str | None:
        """Return the ladder and the messages as text."""
        ...

    async def pcap(self, call_id: str) -> bytes | None:
        """Return the messages as a pcap file."""
        ...
