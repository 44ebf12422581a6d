"""Answered calls sent on to another number: music until somebody answers there, or the agent again; pure."""

from __future__ import annotations

from typing import Final

from dialer.core.events import CallTransferred
from statuses.outcomes import EndedBy
from telephony_adapters.asterisk import holding
from telephony_adapters.asterisk.board import Board, Call, Phase, Third
from telephony_adapters.asterisk.desks import Desks
from telephony_adapters.asterisk.messages import Ask
from telephony_adapters.asterisk.names import path_of
from telephony_adapters.asterisk.numbers import dialled

RING_S: Final = 40
"""How long the other number rings."""


class Transfers:
    """The calls of one server that are sent on."""

    def __init__(self, board: Board, desks: Desks) -> None:
        self._board = board
        self._desks = desks

    def begin(self, call: Call, phone: str, hotline: str) -> None:
        """Call the other number, while the customer hears music; CallTransferred follows."""
        board, server = self._board, self._board.server
        if call.phase is not Phase.UP or call.third is not None or call.ours is not None:
            board.tell(CallTransferred(call.call_id, done=False))
            return
        holding.stop_prompt(board, call)
        holding.hold(board, call, on=True)
        channel = board.names.third(call.call_id, board.number())
        call.third = Third(channel, call)
        board.channels[channel] = call.third
        bridge = f"/bridges/{path_of(board.names.talk(call.call_id))}"
        board.ask(Ask.OTHER, call.call_id, call.call_id, "POST", bridge, {"type": "mixing"})
        endpoint = server.endpoint.replace("{phone}", dialled(server, phone))
        said = {"callerId": dialled(server, hotline), "timeout": str(RING_S)}
        board.dial(Ask.TRANSFER, channel, endpoint, said, lane=call.call_id)

    def answered(self, third: Third) -> None:
        """Join the two: somebody answered there."""
        board, call = self._board, third.call
        if call.third is not third:
            board.hang_up_channel(third.channel)
            return
        if third.up:
            return
        third.up = True
        holding.end_music(board, call)
        path = f"/bridges/{path_of(board.names.talk(call.call_id))}/addChannel"
        both = {"channel": f"{call.channel},{third.channel}"}
        board.ask(Ask.JOIN_THIRD, call.call_id, call.call_id, "POST", path, both)

    def joined(self, call: Call, now: float, *, done: bool) -> None:
        """Let the agent go: the customer talks to the other number; or give that up."""
        third = call.third
        if third is None:
            return
        if not done:
            self._back(third, now)
            return
        third.joined, call.held, call.in_room = True, False, False
        self._desks.part(call)
        self._board.tell(CallTransferred(call.call_id))

    def refused(self, channel: str, now: float) -> None:
        """Take in that Asterisk would not call the other number."""
        third = self._board.channels.get(channel)
        if isinstance(third, Third):
            self.gone(third, now)

    def gone(self, third: Third, now: float) -> None:
        """Give the customer the agent back, if there is one, when nobody answered; end the call after that talk."""
        self._board.channels.pop(third.channel, None)
        call = third.call
        if call.third is not third:
            return
        if third.joined:
            call.third = None
            call.ours = call.ours or EndedBy.REMOTE
            self._board.hang_up(call, now)
            self._no_bridge(call)
        else:
            self._back(third, now)

    def _back(self, third: Third, now: float) -> None:
        self.give_up(third.call)
        if third.alone:
            third.call.ours = third.call.ours or EndedBy.AGENT
            self._board.hang_up(third.call, now)

    def give_up(self, call: Call) -> None:
        """Take a call back from the other number."""
        third, call.third = call.third, None
        if third is None:
            return
        self._board.hang_up_channel(third.channel)
        self._no_bridge(call)
        holding.hold(self._board, call, on=False)
        if not third.joined:
            self._board.tell(CallTransferred(call.call_id, done=False))

    def over(self, call: Call) -> None:
        """Hang up on the other number: the customer is gone."""
        if call.third is not None:
            self._board.hang_up_channel(call.third.channel)
            self._no_bridge(call)
            call.third = None

    def _no_bridge(self, call: Call) -> None:
        bridge = f"/bridges/{path_of(self._board.names.talk(call.call_id))}"
        self._board.ask(Ask.OTHER, call.call_id, call.call_id, "DELETE", bridge)
