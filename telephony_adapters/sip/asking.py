"""Requests outside any dialog: OPTIONS, REGISTER (RFC 3261 sections 10 and 11)."""

from __future__ import annotations

from collections.abc import Sequence

from telephony_adapters.sip.dialogs import challenged, credentials
from telephony_adapters.sip.digest import Attempt, DigestSession
from telephony_adapters.sip.events import Responded
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Header, Response
from telephony_adapters.sip.state import UaState
from telephony_adapters.sip.transact import ClientTransaction


def ask(  # noqa: PLR0913 -- a request has as many sides
    state: UaState, now: float, *, flow: Flow, method: str, uri: str, from_: str, to: str, call_id: str, cseq: int,
    token: object, headers: Sequence[Header] = (), body: bytes = b"", auth: DigestSession | None = None,
) -> None:  # fmt: skip
    """Send a request; Responded follows. `cseq` must grow within a Call-ID; each challenge takes one more.

    A REGISTER without Contact asks who is registered (section 10.2.3): it gets none of its own accord.
    """
    leg = Leg(call_id, flow, is_caller=True, local_tag=state.ids.tag(call_id, f"asker/{method}"))
    leg.auth, leg.target, leg.cseq, leg.remote = auth, uri, cseq, to
    leg.local = f"{from_};tag={leg.local_tag}"
    own: list[Header] = [("User-Agent", state.config.user_agent)]
    if method != "REGISTER" and all(name != "Contact" for name, _ in headers):
        own.append(("Contact", state.contact(flow)))
    attempt = Attempt()

    def send(at: float) -> None:
        shown = [*own, *headers, *credentials(state, leg, method, uri, body)]
        request = state.request(leg, method, cseq=leg.cseq, headers=shown, body=body)
        state.transactions.begin(flow, request, over, leg, at)

    def over(_transaction: ClientTransaction, status: int, response: Response | None, at: float) -> None:
        if response is not None and challenged(leg, response, attempt):
            leg.cseq += 1
            send(at)
        else:
            state.events.append(Responded(token, status, response))

    send(now)
