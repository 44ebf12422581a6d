"""Agents' phones and talks: joined in the agent's own bridge, which outlives talks; pure.

A talk costs one request, `addChannel`: the bridge is there, and so is a phone that stays on the line. A phone that is
called for each talk costs two more.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

from dialer.core.events import AgentOnLine, CallConnected, ConnectFailed
from dialer.core.types import AgentId
from statuses.outcomes import EndedBy
from telephony_adapters.asterisk.board import Board, Call, Desk, Leg, Phase, Room
from telephony_adapters.asterisk.holding import begin_music, end_music, leave_room, stop_prompt
from telephony_adapters.asterisk.messages import Ask, is_done
from telephony_adapters.asterisk.names import path_of
from telephony_adapters.asterisk.supervising import Supervisors

JOIN_S: Final = 4.5
"""A join that takes longer is given up: the engine waits for 5 s (dialer.switch)."""
AGAIN_S: Final = 1.0
"""A phone that is to stay on the line and fell is called again after so long; twice as long each further time."""
AGAIN_MAX_S: Final = 60.0
STEADY_S: Final = 30.0
"""A phone that stayed on the line for so long begins with the shortest wait again."""
GONE_S: Final = 1.0
"""A join that Asterisk refuses waits for so long: the end of the leg that is gone, which says whose it was, follows."""

_REFUSED: Final = 4
"""The class of the statuses that say: one of them is not there."""


class Desks:
    """Every agent."""

    def __init__(self, board: Board, supervisors: Supervisors) -> None:
        self._board = board
        self._supervisors = supervisors

    def states(self) -> Counter[str]:
        """Count the agents' phones by state: down, calling, up."""
        legs = (desk.leg for desk in self._board.desks.values())
        return Counter("down" if leg is None else "up" if leg.up else "calling" for leg in legs)

    # --- orders ----------------------------------------------------------------------------------------------------

    def station(self, agent_id: AgentId, now: float, *, up: bool) -> None:
        """Make an agent's bridge ready, and keep the phone on the line where phones are kept so; or let both go."""
        desk = self._board.desk(agent_id)
        desk.wanted, desk.leaves = up and self._board.agents.nailed_up, not up
        if up:
            self._need_room(desk)
            if desk.wanted and desk.leg is None and desk.again is None:
                self._call(desk, now, self._board.agents.ring_s)
            return
        self._board.timers.cancel(desk.again)
        desk.again = None
        if desk.call is None:
            self._drop(desk)
            self._close(desk)

    def connect(self, call: Call, agent_id: AgentId, now: float) -> None:
        """Join; CallConnected or ConnectFailed follows within JOIN_S. The last word of the engine counts.

        Of a call that is being ended, or was not answered, CallEnded says all: no agent is to blame.
        """
        board, desk = self._board, self._board.desk(agent_id)
        if not call.is_answered or call.ours is not None:
            return
        if call.desk is desk and call.joined:
            board.tell(CallConnected(call.call_id, agent_id))
            return
        if desk.call not in {None, call}:
            board.tell(ConnectFailed(call.call_id, agent_id))
            return
        if call.desk is not None and call.desk is not desk:
            self.part(call)
        call.desk, desk.call, call.held = desk, call, False  # its music, if any, ends with the join
        board.timers.cancel(call.limit)
        call.limit = board.timers.set(now + JOIN_S, self._too_late, call)
        self._need_room(desk)
        if desk.leg is None:
            self._call(desk, now, JOIN_S, shown=call.phone)
        self.go_on(call)

    def summon(self, call: Call, agent_id: AgentId, now: float) -> None:
        """Bring an agent's leg up for a call that is not placed yet; AgentOnLine or ConnectFailed follows."""
        board, desk = self._board, self._board.desk(agent_id)
        if desk.call not in {None, call}:
            board.tell(ConnectFailed(call.call_id, agent_id))
            return
        call.desk, desk.call, call.summoned = desk, call, True
        self._need_room(desk)
        if desk.leg is None:
            self._call(desk, now, board.agents.ring_s, shown=call.phone)
        elif desk.leg.up:
            board.tell(AgentOnLine(call.call_id, agent_id))

    # --- the agent's leg -------------------------------------------------------------------------------------------

    def leg_up(self, leg: Leg, now: float) -> None:
        """Go on: an agent's phone was picked up."""
        desk, board = leg.desk, self._board
        if desk.leg is not leg:
            board.hang_up_channel(leg.channel)  # picked up after we gave it up
            return
        leg.up, leg.since = True, now
        call = desk.call
        if call is not None and call.summoned and not call.is_answered:
            board.tell(AgentOnLine(call.call_id, desk.agent_id))
        elif call is not None:
            self.go_on(call)
        elif desk.wanted:
            self._seat(desk, leg)
        else:
            self._drop(desk)

    def leg_down(self, leg: Leg, now: float) -> None:
        """Take in that an agent's phone hung up, or was never picked up."""
        desk, board = leg.desk, self._board
        board.channels.pop(leg.channel, None)
        if desk.leg is not leg:
            return
        desk.leg = None
        call = desk.call
        if call is not None and call.joined and call.third is not None:
            call.third.alone = True  # whether it goes on is decided there
            self.part(call)
        elif call is not None and (call.joined or (call.summoned and call.is_placed)):
            call.ours = call.ours or EndedBy.AGENT
            board.hang_up(call, now)
        elif call is not None:
            self.fail(call)
        if desk.wanted:
            desk.falls = 0 if leg.up and now - leg.since >= STEADY_S else desk.falls + 1
            wait = min(AGAIN_S * 2 ** max(0, desk.falls - 1), AGAIN_MAX_S)
            desk.again = board.timers.set(now + wait, self._again, desk)

    def _again(self, desk: Desk, now: float) -> None:
        desk.again = None
        if desk.wanted and desk.leg is None:
            self._call(desk, now, self._board.agents.ring_s)

    def _call(self, desk: Desk, now: float, ring_s: float, shown: str = "") -> None:
        board = self._board
        channel = board.names.leg(desk.agent_id, board.number())
        leg = desk.leg = Leg(channel, desk, now)
        board.channels[channel] = leg
        said = {"timeout": str(max(1, math.floor(ring_s)))} | ({"callerId": shown} if shown else {})
        headers = {"PJSIP_HEADER(add,Call-Info)": "<sip:dialer>;answer-after=0"} if board.agents.auto_answer else None
        body = {"variables": headers} if headers else None
        board.dial(Ask.LEG, channel, board.agents.dialled(desk.agent_id), said, lane=channel, body=body)

    def leg_refused(self, channel: str, now: float) -> None:
        """Take in that Asterisk would not call an agent's phone: nobody is signed in there."""
        leg = self._board.channels.get(channel)
        if isinstance(leg, Leg) and not leg.up:
            self.leg_down(leg, now)

    # --- bridges ---------------------------------------------------------------------------------------------------

    def _need_room(self, desk: Desk) -> None:
        if desk.room is Room.NONE:
            desk.room = Room.ASKED
            bridge = self._board.names.desk(desk.agent_id)
            path = f"/bridges/{path_of(bridge)}"
            self._board.ask(Ask.BRIDGE, desk.agent_id, bridge, "POST", path, {"type": "mixing"})

    def room_made(self, agent_id: AgentId, *, done: bool) -> None:
        """Go on: an agent's bridge is there, or is not to be had."""
        desk = self._board.desk(agent_id)
        desk.room = Room.READY if done else Room.NONE
        if desk.call is None and desk.leaves:
            self._close(desk)
        elif desk.call is not None and done:
            self.go_on(desk.call)
        elif desk.call is not None and not desk.call.joined:
            self.fail(desk.call)
        elif done and desk.leg is not None and desk.leg.up:
            self._seat(desk, desk.leg)

    def _seat(self, desk: Desk, leg: Leg) -> None:
        """Let a phone that stays on the line wait in its bridge: a talk then needs the customer only."""
        if desk.room is Room.READY and not leg.in_bridge:
            leg.in_bridge = True
            bridge = self._board.names.desk(desk.agent_id)
            path = f"/bridges/{path_of(bridge)}/addChannel"
            self._board.ask(Ask.OTHER, leg.channel, leg.channel, "POST", path, {"channel": leg.channel})

    def go_on(self, call: Call) -> None:
        """Join the two as soon as both are there, and the bridge is."""
        board, desk = self._board, call.desk
        if (
            desk is None
            or call.joined
            or call.limit is None
            or call.phase is not Phase.UP
            or desk.room is not Room.READY
        ):
            return
        leg = desk.leg
        if leg is None or not leg.up or call.joining:
            return
        call.joining = call.in_room = True
        stop_prompt(board, call)
        end_music(board, call)
        both = [call.channel] if leg.in_bridge else [call.channel, leg.channel]
        path = f"/bridges/{path_of(board.names.desk(desk.agent_id))}/addChannel"
        board.ask(Ask.JOIN, call.call_id, call.call_id, "POST", path, {"channel": ",".join(both)})

    def joined(self, call: Call, status: int, now: float) -> None:
        """Take in whether Asterisk has joined them; if not because a channel is gone, its end says which."""
        desk = call.desk
        if desk is not None and desk.leg is not None and status // 100 == _REFUSED and call.joining:
            self._board.timers.cancel(call.limit)
            call.limit = self._board.timers.set(now + GONE_S, self._too_late, call)
            return
        call.joining = False
        if desk is None or call.joined:
            return
        if not is_done(status) or desk.leg is None:
            self.fail(call)
            return
        desk.leg.in_bridge = True
        call.joined = True
        self._board.timers.cancel(call.limit)
        call.limit = None
        self._board.tell(CallConnected(call.call_id, desk.agent_id))
        if call.held:
            leave_room(self._board, call, desk)
            begin_music(self._board, call)

    # --- apart -----------------------------------------------------------------------------------------------------

    def _too_late(self, call: Call, _now: float) -> None:
        call.limit = None
        if call.desk is not None and not call.joined:
            self.fail(call)

    def fail(self, call: Call) -> None:
        """Give a join up; the customer stays, unless we end it. A call that only waited for its agent was never one."""
        desk = call.desk
        self.part(call)
        if desk is not None and call.ours is None:
            self._board.tell(ConnectFailed(call.call_id, desk.agent_id))
        if not call.is_placed:
            self._board.drop(call)

    def part(self, call: Call, *, gone: bool = False) -> None:
        """Take a call, unless it is `gone`, and its agent apart; a phone that does not stay on the line is hung up."""
        desk, board = call.desk, self._board
        if desk is None:
            return
        self._supervisors.over(call)
        board.timers.cancel(call.limit)
        call.limit, call.desk, desk.call = None, None, None
        if call.in_room and not gone:
            leave_room(board, call, desk)
        call.joined = call.summoned = call.joining = False
        if not desk.wanted:
            self._drop(desk)
        if desk.leaves:
            self._close(desk)

    def _close(self, desk: Desk) -> None:
        """Let the bridge of an agent who is gone be gone."""
        if desk.room is Room.READY:
            desk.room = Room.NONE
            bridge = self._board.names.desk(desk.agent_id)
            self._board.ask(Ask.OTHER, bridge, bridge, "DELETE", f"/bridges/{path_of(bridge)}")

    def unclaimed(self, desk: Desk, _now: float) -> None:
        """Hang up a phone that a dead process kept on the line, and whose agent is not here."""
        if not desk.wanted and desk.call is None:
            self._drop(desk)

    def _drop(self, desk: Desk) -> None:
        """Hang up an agent's phone; its channel is known until it is gone."""
        leg, desk.leg = desk.leg, None
        if leg is not None:
            self._board.hang_up_channel(leg.channel)
