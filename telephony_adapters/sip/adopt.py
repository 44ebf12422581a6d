"""Calls that a dead process left behind, ended from what its journal says (architecture.md sections 3 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from telephony_adapters.sip.calling import cancel_in
from telephony_adapters.sip.dialogs import bye
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Response
from telephony_adapters.sip.state import UaState
from telephony_adapters.sip.stray import hang_up_stray
from telephony_adapters.sip.tables import State
from telephony_adapters.sip.transact import INVITE_CLIENT_KIND, ClientTransaction


class LeftBehind(NamedTuple):
    """A leg as a journal holds it; `remote_tag` empty: it was not answered. Addresses are whole header values."""

    call_id: str
    flow: Flow
    local: str
    local_tag: str
    remote: str
    remote_tag: str
    target: str
    routes: Sequence[str]
    cseq: int

    @classmethod
    def of(cls, leg: Leg) -> LeftBehind:
        """Describe a leg of ours."""
        return cls(
            leg.call_id, leg.flow, leg.local, leg.local_tag, leg.remote, leg.remote_tag, leg.target, leg.routes,
            leg.cseq,
        )  # fmt: skip


SPARE: int = 100
"""How far the next CSeq is from the last that was written down: what was sent meanwhile is not known."""


def end_left_behind(state: UaState, left: LeftBehind, now: float) -> Leg:
    """End it by CANCEL or BYE under its own ids; an answer that comes yet is hung up. Ended follows a BYE."""
    leg = Leg(left.call_id, left.flow, is_caller=True, local_tag=left.local_tag)
    leg.local, leg.remote, leg.remote_tag = left.local, left.remote, left.remote_tag
    leg.target, leg.routes, leg.cseq = left.target, left.routes, left.cseq + SPARE
    if left.remote_tag:
        leg.state = LegState.CONFIRMED
        state.legs[leg.key] = leg
        bye(state, leg, now)
    else:
        for cseq in (left.cseq, left.cseq + 1):  # the second, if it was sent again with a password
            _cancel(state, leg, cseq, now)
    return leg


def _cancel(state: UaState, leg: Leg, cseq: int, now: float) -> None:
    request = state.request(leg, "INVITE", cseq=cseq)

    def over(transaction: ClientTransaction, status: int, response: Response | None, at: float) -> None:
        if response is not None and 200 <= status < 300:  # noqa: PLR2004 -- 2xx
            hang_up_stray(state, transaction.flow, transaction, response, at)

    key = (request.branch, "INVITE")
    transaction = ClientTransaction(INVITE_CLIENT_KIND, key, leg.flow, request, over, leg)
    transaction.state = State.PROCEEDING
    state.transactions.take_in(transaction)
    cancel_in(state, leg, transaction, now)
