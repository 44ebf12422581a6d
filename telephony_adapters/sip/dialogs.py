"""What both sides do within a dialog: BYE, session refreshes, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence

from telephony_adapters.sip.digest import Attempt, Outcome
from telephony_adapters.sip.events import Ended
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Request, Response
from telephony_adapters.sip.state import UaState, next_flow, peer_address
from telephony_adapters.sip.transact import ClientTransaction


def bye(state: UaState, leg: Leg, now: float, *, reason: str | None = None, by: str = "local") -> None:
    """End a confirmed call (section 15.1.1); a callee waits for the ACK of its 2xx, or for its time-out, first."""
    if leg.is_over:
        return
    leg.bye_reason = reason
    if leg.accepted is not None and by != "timer":
        leg.bye_waits = True
        return
    leg.state = LegState.ENDING
    _send_bye(state, leg, (by, 0, Attempt()), now)


def _send_bye(state: UaState, leg: Leg, why: tuple[str, int, Attempt], now: float) -> None:
    leg.cseq += 1
    headers: list[Header] = [("Reason", leg.bye_reason)] if leg.bye_reason else []
    request = state.request(leg, "BYE", cseq=leg.cseq)
    request.headers = [*headers, *credentials(state, leg, "BYE", request.uri)]

    def over(_transaction: ClientTransaction, status: int, response: Response | None, at: float) -> None:
        by, lost, attempt = why
        if response is not None and challenged(leg, response, attempt):
            _send_bye(state, leg, why, at)
        elif response is None and status == 503 and not lost:  # noqa: PLR2004 -- the connection broke: one more try
            _send_bye(state, leg, (by, 1, attempt), at)
        else:
            end(state, leg, by, response)

    state.begin(leg.flow, request, over, leg, now)


def end(state: UaState, leg: Leg, by: str, message: Request | Response | None = None) -> None:
    """Tell the owner, once, that an answered call is over."""
    if leg.state is LegState.ENDED:
        return
    state.forget(leg)
    state.events.append(Ended(leg, by, message))


def credentials(state: UaState, leg: Leg, method: str, uri: str, body: bytes = b"") -> Sequence[Header]:
    """Return the Authorization headers of a request; none before the first challenge."""
    if leg.auth is None:
        return ()
    cnonce = state.ids.tag(f"{leg.call_id}/{leg.cseq}", f"cnonce/{method}")
    return leg.auth.authorize(method, uri, cnonce, body)


def challenged(leg: Leg, response: Response, attempt: Attempt) -> bool:
    """Take a 401 or 407; True when the request is worth sending again with a password."""
    if leg.auth is None or response.status not in {401, 407}:
        return False
    header = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"  # noqa: PLR2004 -- SIP codes
    return leg.auth.challenged(response.status, response.all(header), attempt) is Outcome.RETRY


def establish(leg: Leg, response: Response) -> None:
    """Fill the caller's dialog from the response that makes it (section 12.1.2)."""
    leg.remote_tag = response.to_tag
    leg.remote = response.get("To") or leg.remote
    leg.target = peer_address(response, "Contact") or leg.target
    recorded = response.all("Record-Route")
    leg.routes = recorded[::-1] if recorded else ()
    leg.flow = next_flow(leg.flow, leg.target, leg.routes)


def proofs(headers: Sequence[Header]) -> list[Header]:
    """Return the credentials among headers."""
    return [header for header in headers if header[0] in {"Authorization", "Proxy-Authorization"}]


def nothing(_transaction: ClientTransaction, _status: int, _response: Response | None, _now: float) -> None:
    """Leave it: what matters comes by another way, or nobody asked."""
