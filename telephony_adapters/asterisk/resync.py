"""What Asterisk holds compared with what we know, after a start or a cut: nothing is lost or left behind; pure.

A call of ours that Asterisk does not know has vanished; a channel of ours that we do not know is hung up. At the start
of a process, when we know nothing, calls are adopted instead: `snapshot` then tells of them, and the engine decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from telephony_adapters.asterisk import detecting
from telephony_adapters.asterisk.board import Boss, Call, Desk, Ear, Leg, Phase, Room, Tap, Third
from telephony_adapters.asterisk.machine import Machine
from telephony_adapters.asterisk.messages import AriEvent, Ask, Bridge, Channel
from telephony_adapters.asterisk.names import path_of

_STASIS = "Stasis"
_UP = "Up"
CLAIM_S = 60.0
"""A phone that a dead process kept on the line is hung up unless its agent signs in by then."""


class Held(NamedTuple):
    """What Asterisk holds: every channel and bridge, and the channels that our application is told of."""

    channels: Sequence[Channel]
    bridges: Sequence[Bridge]
    told_of: Collection[str]


def compare(machine: Machine, held: Held, known: Collection[str], now: float, *, adopt: bool) -> None:
    """Bring the machine to what is; `known`: the names of the channels that we knew before Asterisk was asked."""
    board, names = machine.board, machine.board.names
    present = {channel.id: channel for channel in held.channels}
    bridges = {bridge.id: bridge for bridge in held.bridges}
    _rooms(machine, bridges)
    for name in known:
        owner = board.channels.get(name)
        if owner is None or name in present:
            _catch_up(machine, owner, present.get(name), now)
        elif not isinstance(owner, Call):
            machine.heard(AriEvent("ChannelDestroyed", channel=Channel(name)), now)
        elif owner.is_placed and not owner.placing:
            machine.endings.vanished(owner)
    strangers = [
        channel for name, channel in present.items()
        if name not in board.channels and (name in held.told_of or names.is_ours(name))
    ]  # fmt: skip
    if adopt:
        _adopt(machine, strangers, bridges, now)
    else:
        _welcome(machine, strangers, now)
    for channel in strangers:
        if channel.id not in board.channels:
            board.hang_up_channel(channel.id)
    for desk in board.desks.values():
        if desk.wanted:
            machine.station(desk.agent_id, now, up=True)


def _welcome(machine: Machine, strangers: Sequence[Channel], now: float) -> None:
    """Take calls in that came to a hotline while nobody listened."""
    for channel in strangers:
        hotline = _hotline(channel)
        if hotline and channel.state != _UP:
            machine.arrived(channel, hotline, now)


def _hotline(channel: Channel) -> str:
    """Return what number a caller dialled; empty: it is no caller, or has gone on from there."""
    words = channel.dialplan.app_data.split(",")
    return words[2] if len(words) > 2 and words[1] == "inbound" else ""  # noqa: PLR2004 -- application, word, hotline


def _catch_up(machine: Machine, owner: object, channel: Channel | None, now: float) -> None:
    """Take in that a channel came to us, which nobody heard; if it had come before, this is no news."""
    if channel is None:
        return
    args = tuple(channel.dialplan.app_data.split(",")[1:])
    match owner:
        case Call() if owner.phase is Phase.PLACED and _is_in(channel):
            machine.answered_meanwhile(owner)
        case Call() if owner.phase is Phase.DETECTING and _is_in(channel) and args[:1] == (detecting.WORD,):
            machine.heard(AriEvent("StasisStart", channel=channel, args=args), now)
        case Leg() | Third() | Boss() | Tap() | Ear() if _is_in(channel):
            machine.heard(AriEvent("StasisStart", channel=channel), now)


def _is_in(channel: Channel) -> bool:
    return channel.state == _UP and channel.dialplan.app_name == _STASIS


def _rooms(machine: Machine, bridges: Mapping[str, Bridge]) -> None:
    for desk in machine.board.desks.values():
        bridge = bridges.get(machine.board.names.desk(desk.agent_id))
        if desk.room is Room.READY and bridge is None:
            desk.room = Room.NONE
        if desk.leg is not None:
            desk.leg.in_bridge = bridge is not None and desk.leg.channel in bridge.channels


# --- adoption ---------------------------------------------------------------------------------------------------------


def _adopt(machine: Machine, strangers: Sequence[Channel], bridges: Mapping[str, Bridge], now: float) -> None:
    names = machine.board.names
    for channel in strangers:
        if not names.is_ours(channel.id):
            _adopt_call(machine, channel, now)
    for bridge in bridges.values():
        agent_id = names.agent_of(bridge.id)
        if agent_id is not None:
            _adopt_desk(machine, machine.board.desk(agent_id), bridge, now)
        elif names.is_ours(bridge.id):
            _adopt_other(machine, bridge)
    for channel in strangers:
        call = machine.board.calls.get(names.tapped(channel.id) or "")
        if call is not None:
            call.tap = channel.id
            machine.board.channels[channel.id] = Tap(channel.id, call)


def _adopt_call(machine: Machine, channel: Channel, now: float) -> None:
    hotline = _hotline(channel)
    if hotline:
        call = machine.arrived(channel, hotline, now, tell=False)
        if channel.state == _UP:
            call.phase = Phase.UP
        return
    call = machine.board.add(Call(channel.id, channel.id, "", Phase.PLACED, now))
    if channel.state == _UP:
        call.phase = Phase.UP if channel.dialplan.app_name == _STASIS else Phase.DETECTING


def _adopt_desk(machine: Machine, desk: Desk, bridge: Bridge, now: float) -> None:
    board = machine.board
    desk.room = Room.READY
    calls = [call for name in bridge.channels if isinstance(call := board.channels.get(name), Call)]
    legs = [name for name in bridge.channels if board.names.leg_agent(name) == desk.agent_id]
    if not legs or not (calls or board.agents.nailed_up):
        return
    leg = desk.leg = Leg(legs[0], desk, now)
    leg.up = leg.in_bridge = True
    board.channels[leg.channel] = leg
    for call in calls[:1]:
        call.desk, desk.call = desk, call
        call.joined = call.in_room = True
    board.timers.set(now + CLAIM_S, machine.desks.unclaimed, desk)


def _adopt_other(machine: Machine, bridge: Bridge) -> None:
    """Adopt the bridge of a call that was transferred, and let any other be gone."""
    board = machine.board
    call = next((one for name in bridge.channels if isinstance(one := board.channels.get(name), Call)), None)
    third = next((name for name in bridge.channels if call is not None and board.names.is_ours(name)), None)
    if call is None or third is None or bridge.id != board.names.talk(call.call_id):
        board.ask(Ask.OTHER, bridge.id, bridge.id, "DELETE", f"/bridges/{path_of(bridge.id)}")
        return
    call.third = Third(third, call)
    call.third.up = call.third.joined = True
    board.channels[third] = call.third
