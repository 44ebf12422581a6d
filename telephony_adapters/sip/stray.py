"""Calls that nobody wants: forks, and answers that come after we gave up, even from before a restart."""

from __future__ import annotations

from typing import Final

from telephony_adapters.sip.dialogs import Goodbye, establish, proofs
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Response
from telephony_adapters.sip.state import UaState
from telephony_adapters.sip.transact import LIMIT_S, ClientTransaction

_FORGOTTEN: Final = 100
"""CSeqs that the PRACKs of a forgotten INVITE may have used: a BYE with a lower one would be refused by 500."""


def hang_up_stray(state: UaState, flow: Flow, invite: ClientTransaction | None, response: Response, now: float) -> None:
    """Acknowledge, each time, and end, once, the call that a 2xx makes (RFC 3261 section 13.2.2.4)."""
    leg = Leg(response.call_id, flow, is_caller=True, local_tag=response.from_tag)
    leg.local, leg.state = response.get("From") or "", LegState.ENDING
    if invite is None:
        leg.cseq = response.cseq + _FORGOTTEN
    else:
        leg.auth, leg.cseq = invite.owner.auth, max(invite.owner.cseq, response.cseq)
    establish(leg, response)
    if not leg.target:
        state.counters["stray 2xx without Contact"] += 1
        return
    headers = proofs(invite.request.headers) if invite else ()
    state.sends.append(Send(leg.flow, state.request(leg, "ACK", cseq=response.cseq, headers=headers).data()))
    call = (leg.call_id, leg.local_tag, leg.remote_tag)
    if call not in state.hung_up:
        state.counters["ghost calls ended"] += 1
        state.hung_up.add(call)
        state.timers.after(LIMIT_S, now, lambda known, _now: state.hung_up.discard(known), call)
        Goodbye(state, leg, "").send(now)


def is_ours(state: UaState, response: Response) -> bool:
    """Tell whether a response answers an INVITE that this key made, even one that is forgotten."""
    if response.from_tag != state.ids.tag(response.call_id, "caller"):
        return False
    branch = state.ids.branch(f"{response.call_id}/{response.from_tag}/", response.cseq, "INVITE")
    return branch == response.via.branch
