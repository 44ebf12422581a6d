"""One call of ours with one peer: its INVITE, its dialog (RFC 3261 section 12) and its session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from telephony_adapters.sip.digest import DigestSession
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.message import Header, Request
from telephony_adapters.sip.timers import Timer
from telephony_adapters.sip.transact import ClientTransaction, ServerTransaction


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
        "auth",
        "bye_reason",
        "bye_waits",
        "call_id",
        "cancel",
        "cancel_reason",
        "cancelled",
        "cseq",
        "extra",
        "flow",
        "glares",
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
        "reliable",
        "remote",
        "remote_cseq",
        "remote_sdp",
        "remote_tag",
        "reoffer",
        "retry",
        "routes",
        "rseq",
        "rseqs",
        "session",
        "state",
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
        self.local = ""
        self.remote = ""
        self.target = ""
        """The Request-URI of the next request: the peer's Contact."""
        self.routes: Sequence[str] = ()
        self.cseq = 0
        self.invite_cseq = 0
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
        self.reliable = True
        self.cancelled = False
        self.cancel: ClientTransaction | None = None
        self.cancel_reason: str | None = None
        self.keep_crossing = False
        """A 2xx that crosses our CANCEL is the owner's, not hung up at once."""
        self.bye_waits = False
        """BYE as soon as the ACK is here (section 15)."""
        self.bye_reason: str | None = None
        self.glares = 0
        self.retry: Timer | None = None

        self.accepted: Send | None = None
        """Our 2xx, repeated until its ACK comes (section 13.3.1.4)."""
        self.ack_wait: list[Timer] = []
        self.rseq = 0
        self.rseqs: set[tuple[str, int]] = set()
        """(To tag, RSeq) of reliable provisional responses that were acknowledged (RFC 3262)."""
        self.prack_waits: list[Timer] = []
        self.session: Timer | None = None
        """When the session is refreshed, or given up (RFC 4028)."""
        self.interval_s = 0
        """The session interval that was asked for or agreed; 0 = none."""
        self.takes_update = False

    @property
    def is_over(self) -> bool:
        """Tell whether nothing can be said in it any more."""
        return self.state in {LegState.ENDING, LegState.ENDED}

    @property
    def key(self) -> tuple[str, str]:
        """Return what tells it apart among all legs: Call-ID and our tag."""
        return self.call_id, self.local_tag


Hook = Callable[[Leg, float], None]
