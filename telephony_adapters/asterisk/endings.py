"""How calls end, once each, and what was there for them with them; pure."""

from __future__ import annotations

import msgspec

from dialer.core.events import CallEnded
from statuses.outcomes import EndedBy
from telephony_adapters.asterisk import causes
from telephony_adapters.asterisk.board import Board, Call, Phase
from telephony_adapters.asterisk.desks import Desks
from telephony_adapters.asterisk.messages import NO_REPLY, AriEvent
from telephony_adapters.asterisk.recording import Recorder
from telephony_adapters.asterisk.transferring import Transfers

_NOTHING = AriEvent("")
"""What is known of an end that nobody heard."""


class Endings:
    """The ends of one server's calls."""

    def __init__(self, board: Board, desks: Desks, recorder: Recorder, transfers: Transfers) -> None:
        self._board = board
        self._desks = desks
        self._recorder = recorder
        self._transfers = transfers

    def facts(self, call: Call, event: AriEvent, now: float) -> causes.End:
        """Return what is known of a call that is gone."""
        return causes.End(
            event.cause, event.tech_cause, call.is_answered, call.ours, not (call.rang or call.progressed),
            now - call.placed_at, call.timeout_s,
        )  # fmt: skip

    def over(self, call: Call, end: CallEnded) -> None:
        """Let a call end, and what was there for it."""
        self._transfers.over(call)
        self._recorder.over(call)
        self._desks.part(call, gone=True)
        self._board.forget(call, end)

    def gone(self, call: Call, event: AriEvent, now: float, at: float | None = None) -> None:
        """End a call by what Asterisk says of it; `at` is when it ended, where that is known."""
        end = causes.ended(call.call_id, self.facts(call, event, now))
        self.over(call, msgspec.structs.replace(end, at=at))

    def unheard(self, call: Call, now: float) -> None:
        """End a call that is gone, and whose end was not heard."""
        if call.unsure:
            self.over(call, causes.not_placed(call.call_id))
        elif call.phase is Phase.ARRIVED:
            self.vanished(call)
        else:
            self.gone(call, _NOTHING, now)

    def not_placed(self, call: Call, status: int, now: float) -> None:
        """End a call that Asterisk refused; if nobody knows whether it did, it is hung up first."""
        if status == NO_REPLY:
            call.ours, call.unsure = call.ours or EndedBy.DIALER, True
            self._board.hang_up(call, now)
        else:
            self.over(call, causes.not_placed(call.call_id))

    def vanished(self, call: Call) -> None:
        """End a call that Asterisk does not know any more; the caller of one that only rang here hung up."""
        if call.phase is Phase.ARRIVED:
            self.over(call, CallEnded(call.call_id, q850=16, ended_by=EndedBy.REMOTE))
        else:
            self.over(call, causes.vanished(call.call_id, answered=call.is_answered))
