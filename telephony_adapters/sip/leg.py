"""One call of ours with one peer: its INVITE, its dialog (RFC 3261 section 12) and its session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from telephony_adapters.sip.digest import DigestSession
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.message import Header, Request
from telephony_adapters.sip.session_timer import SessionTimer
from telephony_adapters.sip.timers import Timer
from telephony_adapters.sip.transact import ClientTransaction, ServerTransaction

Hook: TypeAlias = Callable[["Leg", float], None]


class Early(NamedTuple):
    """An early dialog: the last reliable response that we acknowledged (0 = none), and the answer in one of them."""

    rseq: int = 0
    sdp: bytes | None = None


class LegState(StrEnum):
    """How far a leg has come."""

    INVITED = "invited"
    """The INVITE is out, or came in."""
    EARLY = "early"
    """A provisional response named the dialog."""
    CONFIRMED = "confirmed"
    """A 2xx was sent or received."""
    ENDING = "ending"
    """Our BYE is out."""
    ENDED = "ended"


class Leg:
    """`owner` belongs to whoever placed or took the call. Addresses are whole header values, with tags."""

    __slots__ = (
        "accepted",
        "ack_wait",
        "agreed",
        "auth",
        "bye_reason",
        "bye_waits",
        "call_id",
        "cancel",
        "cancel_reason",
        "cancelled",
        "cseq",
        "early",
        "extra",
        "flow",
        "held",
        "holds_answer",
        "interval_s",
        "invite",
        "invite_cseq",
        "is_caller",
        "keep_crossing",
        "local",
        "local_sdp",
        "local_tag",
        "owner",
        "pending",
        "prack_waits",
        "remote",
        "remote_cseq",
        "remote_sdp",
        "remote_tag",
        "reoffer",
        "retry",
        "routes",
        "rseq",
        "session",
        "state",
        "takes_reliable",
        "takes_update",
        "target",
        "update",
        "waiting",
    )  # fmt: skip

    def __init__(  # noqa: PLR0915 -- nothing but the fields
        self, call_id: str, flow: Flow, *, is_caller: bool, local_tag: str, owner: Any = None
    ) -> None:
        self.call_id = call_id
        self.flow = flow
        self.is_caller = is_caller
        self.owner = owner
        self.state = LegState.INVITED
        self.local_tag = local_tag
        self.remote_tag = ""
        self.local = self.remote = ""
        self.target = ""
        """The Request-URI of the next request: the peer's Contact."""
        self.routes: Sequence[str] = ()
        self.cseq = self.invite_cseq = 0
        self.remote_cseq = -1
        self.invite: Request | None = None
        """The INVITE that came in."""
        self.extra: Sequence[Header] = ()
        """Headers of the INVITE that a repetition of it bears again."""
        self.auth: DigestSession | None = None
        self.local_sdp: bytes | None = None
        self.remote_sdp: bytes | None = None

        self.pending: ClientTransaction | None = None
        """Our INVITE or re-INVITE that has no final response yet."""
        self.waiting: ServerTransaction | None = None
        """The peer's INVITE or re-INVITE that we have not answered yet."""
        self.update: ServerTransaction | None = None
        self.reoffer: ClientTransaction | None = None
        """Our INVITE whose 2xx made an offer that waits for our answer."""
        self.cancelled = False
        self.cancel: ClientTransaction | None = None
        self.cancel_reason: str | None = None
        self.keep_crossing = False
        """A 2xx that crosses our CANCEL is the owner's, not hung up at once."""
        self.bye_waits = False
        """BYE as soon as the ACK is here (section 15)."""
        self.bye_reason: str | None = None
        self.retry: Timer | None = None
        """When a re-INVITE of ours that had to wait is tried."""
        self.early: dict[str, Early] = {}
        """The early dialogs of our INVITE, by the peer's tag."""

        self.accepted: Send | None = None
        """Our 2xx, repeated until its ACK comes (section 13.3.1.4)."""
        self.ack_wait: list[Timer] = []
        self.rseq = 0
        self.prack_waits: list[Timer] = []
        """While a reliable provisional response of ours waits for its PRACK (RFC 3262)."""
        self.holds_answer = False
        """That response has a session description: no 2xx before its PRACK."""
        self.held: list[Hook] = []
        """What is said after the PRACK."""
        self.session: Timer | None = None
        """When the session is refreshed, or given up (RFC 4028)."""
        self.agreed: SessionTimer | None = None
        self.interval_s = 0
        """The session interval that our INVITE asks for; 0 = none."""
        self.takes_reliable = True
        """Whether the provisional responses to our INVITE may be reliable (RFC 3262)."""
        self.takes_update = False

    @property
    def is_over(self) -> bool:
        """Tell whether nothing can be said in it any more."""
        return self.state in {LegState.ENDING, LegState.ENDED}

    @property
    def key(self) -> tuple[str, str]:
        """Return what tells it apart among all legs: Call-ID and our tag."""
        return self.call_id, self.local_tag
