"""What one server's machine knows: calls, agents' desks and their legs, and what is to be asked and told; pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from dialer.core.events import CallEnded, CallEvent
from dialer.core.types import AgentId, CallId, Supervision
from statuses.outcomes import EndedBy
from telephony_adapters.asterisk.config import Agents, Common, Server
from telephony_adapters.asterisk.messages import Ask, Request
from telephony_adapters.asterisk.names import Names, path_of
from telephony_adapters.sip.timers import Timer, Timers

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOK_AGAIN_S: Final = 3.0
"""A call that was hung up and is not said to be gone by then is hung up again; or is over, if Asterisk knows it not."""


class Phase(StrEnum):
    """How far a call is."""

    AWAITED = "awaited"
    """Its agent is called first."""
    PLACED = "placed"
    """It is being called, or rings."""
    ARRIVED = "arrived"
    """It rings at our hotline."""
    DETECTING = "detecting"
    """It is answered, and Asterisk finds out by what."""
    UP = "up"


class Call:
    """A customer's leg."""

    __slots__ = (
        "amd", "call_id", "channel", "desk", "ending", "held", "in_room", "joined", "joining", "limit", "music", "ours",
        "phase", "phone", "placed_at", "placing", "progressed", "prompt", "prompts", "rang", "signs", "summoned", "tap",
        "third", "timeout_s", "unsure", "waits",
    )  # fmt: skip

    def __init__(self, call_id: CallId, channel: str, phone: str, phase: Phase, now: float) -> None:
        self.call_id = call_id
        self.channel = channel
        self.phone = phone
        self.phase = phase
        self.placed_at = now
        self.placing = False
        """The request to place it is under way."""
        self.timeout_s = 0.0
        self.unsure = False
        """Nobody knows whether Asterisk has it: the request to place it was not answered."""
        self.signs = 0
        """How many signs of life the far side had given when it was placed."""
        self.amd = False
        self.rang = self.progressed = False
        self.ours: EndedBy | None = None
        """Who of us ends it, from then on."""
        self.ending: Timer | None = None
        """When it is looked at whether it is gone."""
        self.desk: Desk | None = None
        self.joining = self.joined = False
        """Asterisk was told to join it to its desk; and did."""
        self.in_room = False
        """It is in its desk's bridge, or may be."""
        self.summoned = False
        """Its agent was called first."""
        self.limit: Timer | None = None
        """When a join that takes too long is given up."""
        self.held = False
        self.music = False
        self.prompt: str | None = None
        self.prompts = 0
        self.waits: str | None = None
        """What is played when it is known who answered."""
        self.tap: str | None = None
        """The channel that listens for a recording."""
        self.third: Third | None = None

    @property
    def is_answered(self) -> bool:
        """Tell whether somebody answered."""
        return self.phase in {Phase.UP, Phase.DETECTING}

    @property
    def is_placed(self) -> bool:
        """Tell whether Asterisk has a channel for it, or may have."""
        return self.phase is not Phase.AWAITED


class Leg:
    """A channel of an agent's phone."""

    __slots__ = ("channel", "desk", "in_bridge", "since", "up")

    def __init__(self, channel: str, desk: Desk, now: float) -> None:
        self.channel = channel
        self.desk = desk
        self.up = False
        self.in_bridge = False
        self.since = now


class Third:
    """The channel of the number that a call is transferred to."""

    __slots__ = ("alone", "call", "channel", "joined", "up")

    def __init__(self, channel: str, call: Call) -> None:
        self.channel = channel
        self.call = call
        self.up = self.joined = False
        self.alone = False
        """Its agent hung up meanwhile: nobody is left to go back to."""


class Boss:
    """A supervisor in an agent's talk: the phone, and what listens to the agent's leg for it."""

    __slots__ = ("bridge", "channel", "desk", "ear", "mode", "supervisor", "up")

    def __init__(self, supervisor: AgentId, desk: Desk, channel: str, mode: Supervision) -> None:
        self.supervisor = supervisor
        self.desk = desk
        self.channel = channel
        self.mode = mode
        self.bridge = ""
        """Where it hears the ear; empty = none was made."""
        self.ear: str | None = None
        self.up = False


class Ear:
    """A channel that listens to an agent's leg for a supervisor."""

    __slots__ = ("boss", "channel", "up")

    def __init__(self, channel: str, boss: Boss) -> None:
        self.channel = channel
        self.boss = boss
        self.up = False


class Tap:
    """A channel that records a call."""

    __slots__ = ("call", "channel")

    def __init__(self, channel: str, call: Call) -> None:
        self.channel = channel
        self.call = call


class Room(StrEnum):
    """How far an agent's bridge is."""

    NONE = "none"
    ASKED = "asked"
    READY = "ready"


class Desk:
    """An agent: the bridge of all talks, the phone, and the call."""

    __slots__ = ("again", "agent_id", "call", "falls", "leaves", "leg", "room", "wanted")

    def __init__(self, agent_id: AgentId) -> None:
        self.agent_id = agent_id
        self.room = Room.NONE
        self.leg: Leg | None = None
        self.call: Call | None = None
        self.wanted = False
        """Its leg is to be kept up between calls."""
        self.leaves = False
        """Its agent is gone: the bridge is not needed after the talk."""
        self.falls = 0
        self.again: Timer | None = None
        """When a phone that fell is called again."""


Owner: TypeAlias = Call | Leg | Third | Boss | Ear | Tap


class Board:
    """The state of one server."""

    def __init__(self, server: Server, agents: Agents, common: Common, *, first: int = 0) -> None:
        self.server = server
        self.agents = agents
        self.common = common
        self.names = Names(common.app)
        self.timers = Timers()
        self.calls: dict[CallId, Call] = {}
        self.desks: dict[AgentId, Desk] = {}
        self.bosses: dict[AgentId, Boss] = {}
        self.channels: dict[str, Owner] = {}
        """Whose each channel is, by its name at Asterisk."""
        self.signs = 0
        """Signs of life that the far side gave: answers, ringing, refusals."""
        self.legs = first
        """The number of the last channel that was asked for: no two have one name, not even a dead process's."""
        self.asks: list[Request] = []
        self.told: list[CallEvent] = []

    def ask(  # noqa: PLR0917 -- the parts of a request, in their order
        self, ask: Ask, whom: str, lane: str, method: str, path: str,
        query: Mapping[str, str] | None = None, body: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        """Have a request sent."""
        self.asks.append(Request(ask, whom, lane, method, path, query or {}, body))

    def tell(self, event: CallEvent) -> None:
        """Have the engine told."""
        self.told.append(event)

    def add(self, call: Call) -> Call:
        """Take a call in."""
        self.calls[call.call_id] = self.channels[call.channel] = call
        return call

    def desk(self, agent_id: AgentId) -> Desk:
        """Return an agent's desk."""
        return self.desks.setdefault(agent_id, Desk(agent_id))

    def number(self) -> int:
        """Return a number that no other channel of this run has."""
        self.legs += 1
        return self.legs

    def hang_up_channel(self, channel: str) -> None:
        """End a leg that is no customer's; one that is gone already is fine."""
        self.ask(Ask.DROP, channel, channel, "DELETE", f"/channels/{path_of(channel)}")

    def act(self, ask: Ask, call: Call, method: str, what: str, query: Mapping[str, str] | None = None) -> None:
        """Ask something of a customer's channel, after what was asked before."""
        self.ask(ask, call.call_id, call.call_id, method, f"/channels/{path_of(call.channel)}{what}", query)

    def hang_up(self, call: Call, now: float) -> None:
        """Hang up on a customer, and see to it that the call is gone soon: its end may be said while nobody hears."""
        self.act(Ask.HANG_UP, call, "DELETE", "")
        self.timers.cancel(call.ending)
        call.ending = self.timers.set(now + LOOK_AGAIN_S, self.hang_up, call)

    def dial(self, ask: Ask, channel: str, endpoint: str, query: Mapping[str, str], *, lane: str,
             body: Mapping[str, object] | None = None) -> None:  # fmt: skip
        """Place a leg that comes to our application when it is answered."""
        said = {"endpoint": endpoint, "app": self.common.app, "channelId": channel, **query}
        self.ask(ask, channel, lane, "POST", "/channels", said, body)

    def take(self) -> tuple[Sequence[Request], Sequence[CallEvent]]:
        """Return what is to be asked and told, and forget it."""
        asks, told = self.asks, self.told
        self.asks, self.told = [], []
        return asks, told

    def forget(self, call: Call, end: CallEnded) -> None:
        """Let a call be over, once."""
        if self.drop(call):
            self.tell(end)

    def drop(self, call: Call) -> bool:
        """Know a call no longer; False: it was not known."""
        for timer in (call.limit, call.ending):
            self.timers.cancel(timer)
        self.channels.pop(call.channel, None)
        return self.calls.pop(call.call_id, None) is not None
