"""What the machine asks of a trunk and of the agents' phones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from dialer.core.events import CallEnded
from statuses.outcomes import Announcement
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
    routes: Sequence[str] = ()


class Trunk(Protocol):
    """One trunk: what may be called over it, by which server, and whether it is well."""

    name: str
    offer: str | None
    """The direction of the first offer: sendrecv or inactive; None = the INVITE makes none."""
    auth: DigestSession | None

    def admit(self, call_id: str, phone: str, hotline: str, ring_s: float, now: float) -> CallEnded | Invitation:
        """Take a call in, as far as guard, caps and health allow it; else say how it ended before it began."""
        ...

    def early_media(self, response: Response) -> tuple[bool, Announcement | None]:
        """Return whether a 183 means ringing, and what its announcement says."""
        ...

    def answered(self, call_id: str, now: float) -> None:
        """Learn that a call is billed from now on."""
        ...

    def ended(self, call_id: str, end: CallEnded, now: float) -> None:
        """Learn how a call ended: it counts for caps and for health."""
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

    def flow_lost(self, flow: Flow, now: float) -> None:
        """Learn that a connection broke."""
        ...


class Phones(Protocol):
    """The agents' phones."""

    nailed_up: bool
    """Kept on the line between calls."""
    auth: DigestSession | None

    def invitation(self, agent_id: str) -> Invitation | None:
        """Return how an agent's phone is called; None for an agent without one, or while no server is known."""
        ...
