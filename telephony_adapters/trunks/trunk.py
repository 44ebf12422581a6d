"""What the machine asks of a trunk and of the agents' phones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from dialer.core.events import CallEnded, CallEvent, TrunkClosed, TrunkOpened
from statuses.classify import AttemptFacts
from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.digest import DigestSession
from telephony_adapters.sip.events import Responded
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.message import Header, Response


class Invitation(NamedTuple):
    """An INVITE to be sent: where to, and what it says; `from_` and `to` without tags."""

    flow: Flow
    uri: str
    from_: str
    to: str
    headers: Sequence[Header] = ()
    interval_s: int = 0
    """The session interval to ask for (RFC 4028); 0 = none."""
    reliable: bool = False
    """Whether provisional responses may be reliable (RFC 3262)."""


class Trunk(Protocol):
    """One trunk: what may be called over it, by which server, and whether it is well."""

    name: str
    offer: str | None
    """The direction of the first offer: sendrecv or inactive; None = the INVITE makes none."""
    auth: DigestSession | None
    ring_limit_s: float
    call_limit_s: float

    def admit(self, call_id: str, phone: str, now: float) -> CallEnded | float:
        """Take a call in and return when its INVITE may leave, or how it ended before it began."""
        ...

    def invitation(self, phone: str, hotline: str, now: float, tried: Collection[Flow] = ()) -> Invitation | None:
        """Return what is to be sent now, None while no server of the trunk is known.

        `tried`: servers that could not be reached just now; None, too, when no other one lives.

        Raises ValueError for a number that no URI can hold.
        """
        ...

    def unreachable(self, flow: Flow, now: float) -> None:
        """Learn that nothing can be sent to a server: the next invitation is for another one (RFC 3263 4.3)."""
        ...

    def progress(self, call_id: str, message: Response, *, has_sdp: bool) -> CallEvent:
        """Return what a provisional response means, or what a 200 says beside that it is one."""
        ...

    def answered(self, call_id: str, now: float) -> None:
        """Learn that a call is billed from now on."""
        ...

    def ended(self, call_id: str, phone: str, facts: AttemptFacts | None, flow: Flow | None, now: float) -> None:
        """Learn how a call ended, for caps and for health; `facts` None: it never began."""
        ...

    def asked_for_rest(self, seconds: float, now: float) -> None:
        """Learn that a 503 asked for rest (RFC 3261 section 20.33)."""
        ...

    def over(self, now: float) -> Sequence[str]:
        """Name the calls that have to end now, for a cap."""
        ...

    def responded(self, event: Responded, now: float) -> None:
        """Learn what became of an OPTIONS or a REGISTER of ours; another trunk's is left alone."""
        ...

    def poll(self, ua: UserAgent, now: float) -> None:
        """Ask by OPTIONS and REGISTER what is due."""
        ...

    def next_at(self) -> float | None:
        """Return when `poll` or `over` has something to do."""
        ...

    def close(self, ua: UserAgent, now: float) -> None:
        """Take leave of the registrar."""
        ...

    def take_changes(self) -> list[TrunkClosed | TrunkOpened]:
        """Return what the engine is to know of the trunk, and forget it."""
        ...


class Phones(Protocol):
    """The agents' phones."""

    nailed_up: bool
    """Kept on the line between calls."""
    auth: DigestSession | None
    answer_limit_s: float
    join_limit_s: float

    def invitation(self, agent_id: str, now: float) -> Invitation | None:
        """Return how an agent's phone is called; None for an agent without one, or while no server is known."""
        ...


class NoPhones:
    """Implements `Phones` where there are none: nobody can be joined to a customer."""

    nailed_up = False
    auth: DigestSession | None = None
    answer_limit_s = join_limit_s = 1.0

    def invitation(self, agent_id: str, now: float) -> Invitation | None:  # noqa: ARG002 -- the protocol's
        """Return that there is no such phone."""
        return None
