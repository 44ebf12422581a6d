"""Supervisors in agents' talks: an ear at the agent's leg, which may whisper, or a seat in the talk itself; pure."""

from __future__ import annotations

import logging
from typing import Final

from dialer.core.types import AgentId, Supervision
from telephony_adapters.asterisk.board import Board, Boss, Call, Desk, Ear, Leg
from telephony_adapters.asterisk.messages import Ask
from telephony_adapters.asterisk.names import path_of

log = logging.getLogger(__name__)

_WHISPERS: Final = {Supervision.LISTEN: "none", Supervision.WHISPER: "out"}
"""Whom an ear speaks to: out = to the agent, who alone hears it."""


class Supervisors:
    """The supervisors of one server's talks, one talk each."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def supervise(self, call: Call | None, supervisor: AgentId, mode: Supervision | None) -> None:
        """Bring a supervisor into a talk, change what they may do, or (None) take them out."""
        boss = self._board.bosses.get(supervisor)
        desk = call.desk if call is not None and call.joined else None
        if boss is not None and (mode is None or boss.desk is not desk):
            self._leave(boss)
            boss = None
        if mode is None:
            return
        if desk is None or desk.leg is None:
            log.warning("no talk to supervise", extra={"action": "asterisk.not_supervised", "agent": supervisor})
        elif boss is None:
            self._enter(supervisor, desk, mode)
        elif boss.mode is not mode:
            self._stop_listening(boss)
            boss.mode = mode
            if boss.up:
                self._seat(boss)

    def _enter(self, supervisor: AgentId, desk: Desk, mode: Supervision) -> None:
        board = self._board
        channel = board.names.supervisor(supervisor, board.number())
        boss = board.bosses[supervisor] = Boss(supervisor, desk, channel, mode)
        board.channels[channel] = boss
        said = {"timeout": f"{board.agents.ring_s:.0f}"}
        board.dial(Ask.SUPERVISE, channel, board.agents.dialled(supervisor), said, lane=channel)

    def came(self, owner: Boss | Ear) -> None:
        """Go on: the supervisor's phone, or the ear, is there."""
        if owner.up:
            return
        owner.up = True
        if isinstance(owner, Boss):
            if self._board.bosses.get(owner.supervisor) is owner:
                self._seat(owner)
            else:
                self._board.hang_up_channel(owner.channel)
            return
        boss = owner.boss
        if boss.ear == owner.channel:
            path = f"/bridges/{path_of(boss.bridge)}/addChannel"
            self._board.ask(
                Ask.OTHER, boss.channel, boss.channel, "POST", path, {"channel": f"{owner.channel},{boss.channel}"}
            )
        else:
            self._board.hang_up_channel(owner.channel)

    def _seat(self, boss: Boss) -> None:
        board, leg = self._board, boss.desk.leg
        if leg is None:
            self._leave(boss)
            return
        if boss.mode is Supervision.BARGE:
            path = f"/bridges/{path_of(board.names.desk(boss.desk.agent_id))}/addChannel"
            board.ask(Ask.OTHER, boss.channel, boss.channel, "POST", path, {"channel": boss.channel})
            return
        if not boss.bridge:
            boss.bridge = boss.channel
            path = f"/bridges/{path_of(boss.bridge)}"
            board.ask(Ask.OTHER, boss.channel, boss.channel, "POST", path, {"type": "mixing"})
        boss.ear = board.names.supervisor(boss.supervisor, board.number())
        board.channels[boss.ear] = Ear(boss.ear, boss)
        said = {"spy": "both", "whisper": _WHISPERS[boss.mode], "app": board.common.app}
        path = f"/channels/{path_of(leg.channel)}/snoop/{path_of(boss.ear)}"
        board.ask(Ask.SUPERVISE, boss.ear, boss.channel, "POST", path, said)

    def replied(self, channel: str, *, done: bool) -> None:
        """Take in that a phone, or an ear, is not to be had."""
        owner = self._board.channels.get(channel)
        if not done and isinstance(owner, Boss | Ear):
            self._leave(owner if isinstance(owner, Boss) else owner.boss)

    def gone(self, owner: Boss | Ear) -> None:
        """Take in that a channel is gone: with the supervisor's own phone, all of it goes."""
        self._board.channels.pop(owner.channel, None)
        if isinstance(owner, Boss):
            self._leave(owner)
        elif owner.boss.ear == owner.channel:
            owner.boss.ear = None

    def leg_gone(self, leg: Leg) -> None:
        """Take supervisors out whose agent's leg is gone."""
        self._all_of(leg.desk)

    def over(self, call: Call) -> None:
        """Take supervisors out of a talk that is over."""
        if call.desk is not None:
            self._all_of(call.desk)

    def _all_of(self, desk: Desk) -> None:
        for boss in [one for one in self._board.bosses.values() if one.desk is desk]:
            self._leave(boss)

    def _stop_listening(self, boss: Boss) -> None:
        if boss.ear is not None:
            self._board.hang_up_channel(boss.ear)
            self._board.channels.pop(boss.ear, None)
            boss.ear = None

    def _leave(self, boss: Boss) -> None:
        board = self._board
        if board.bosses.get(boss.supervisor) is not boss:
            return
        del board.bosses[boss.supervisor]
        self._stop_listening(boss)
        board.hang_up_channel(boss.channel)
        if boss.bridge:
            board.ask(Ask.OTHER, boss.channel, boss.channel, "DELETE", f"/bridges/{path_of(boss.bridge)}")
