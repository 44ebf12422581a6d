"""What a user agent tells its owner, in the past tense. `leg` is its `Leg`; `sdp` a body of type application/sdp."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from telephony_adapters.sip.flow import Flow
    from telephony_adapters.sip.leg import Leg
    from telephony_adapters.sip.message import Request, Response
    from telephony_adapters.sip.transact import ServerTransaction


class Progressed(NamedTuple):
    """A provisional response came (100, 180, 183 ...); a reliable one was acknowledged already (RFC 3262)."""

    leg: Leg
    status: int
    sdp: bytes | None
    message: Response


class Accepted(NamedTuple):
    """The first 2xx came, and was acknowledged; `needs_answer`: its SDP is an offer that waits for `answer`."""

    leg: Leg
    sdp: bytes | None
    message: Response
    needs_answer: bool


class Refused(NamedTuple):
    """The INVITE failed for good. `message` None: nobody said so, it was made here (408 Timer B, 503 transport)."""

    leg: Leg
    status: int
    message: Response | None


class Ended(NamedTuple):
    """A call that was answered is over: by `remote` (BYE), `local` (our BYE), `timer` (RFC 4028), `lost` (481, 408).

    Also one of ours that a 2xx answered while we cancelled it (`local`), and a caller's that never sent PRACK (`lost`).
    """

    leg: Leg
    by: str
    message: Request | Response | None


class Incoming(NamedTuple):
    """An initial INVITE came: `provisional`, `accept`, `refuse`, or `forget` it."""

    leg: Leg
    request: Request


class Cancelled(NamedTuple):
    """The caller gave up an INVITE before the answer; 487 was sent. After a re-INVITE the call goes on."""

    leg: Leg
    request: Request


class Confirmed(NamedTuple):
    """The ACK of our 2xx came; `sdp` is the answer when our 2xx carried the offer."""

    leg: Leg
    sdp: bytes | None


class Offered(NamedTuple):
    """The peer changes the session (re-INVITE or UPDATE): `accept` or `refuse`. No SDP: it asks for our offer."""

    leg: Leg
    sdp: bytes | None
    request: Request


class Renegotiated(NamedTuple):
    """Our re-INVITE is decided: 200 with the peer's SDP, or the failure, after glare was tried again (section 14.1).

    None follows when the call ends first, or when a later re-INVITE takes the place of one that had to wait.
    """

    leg: Leg
    status: int
    sdp: bytes | None
    needs_answer: bool = False
    offer: bytes | None = None
    """What we had offered."""


class Requested(NamedTuple):
    """A request outside any dialog came (OPTIONS, REGISTER, MESSAGE ...): `respond`."""

    transaction: ServerTransaction
    request: Request
    flow: Flow


class Responded(NamedTuple):
    """A request that `ask` sent is decided; `message` None: 408 or 503 made here. `token` is the asker's."""

    token: object
    status: int
    message: Response | None


SipEvent: TypeAlias = (
    Progressed | Accepted | Refused | Ended | Incoming | Cancelled | Confirmed | Offered | Renegotiated | Requested
    | Responded
)  # fmt: skip
