"""Calls that nobody wants: forks, and answers that come after we gave up, even from before a restart."""

from __future__ import annotations

from telephony_adapters.sip.dialogs import establish, nothing, proofs
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Response
from telephony_adapters.sip.outgoing import Outgoing
from telephony_adapters.sip.state import UaState


def hang_up_stray(state: UaState, flow: Flow, invite: Outgoing | None, response: Response, now: float) -> None:
    """Acknowledge and end the call that a 2xx makes (RFC 3261 section 13.2.2.4)."""
    leg = Leg(response.call_id, flow, is_caller=True, local_tag=response.from_tag)
    leg.local, leg.cseq = response.get("From") or "", response.cseq
    establish(leg, response)
    if not leg.target:
        state.counters["stray 2xx without Contact"] += 1
        return
    headers = proofs(invite.headers) if invite else ()
    state.sends.append(Send(leg.flow, state.request(leg, "ACK", cseq=response.cseq, headers=headers).data()))
    goodbye = state.request(leg, "BYE", cseq=response.cseq + 1)
    if (goodbye.branch, "BYE") not in state.transactions.clients:
        state.counters["ghost calls ended"] += 1
        state.begin(leg.flow, goodbye, nothing, leg, now)


def is_ours(state: UaState, response: Response) -> bool:
    """Tell whether a response answers an INVITE that this key made, even one that is forgotten."""
    if response.from_tag != state.ids.tag(response.call_id, "caller"):
        return False
    branch = state.ids.branch(f"{response.call_id}/{response.from_tag}/", response.cseq, "INVITE")
    return branch == response.via.branch
