"""One Asterisk's calls as a machine: orders, ARI's events and answers in; requests and facts out; pure.

Every call that is placed, or arrives, ends once with CallEnded; no channel of ours is left behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from dialer.core.events import (
    CallAnswered,
    CallArrived,
    CallEvent,
    CallProgressed,
    CallRinging,
    DigitPressed,
    EarlyMediaHeard,
    MachineDetected,
)
from dialer.core.types import AgentId, CallId, Supervision
from statuses.outcomes import AmdResult, CancelReason, EndedBy
from telephony_adapters.asterisk import detecting, holding
from telephony_adapters.asterisk.board import LOOK_AGAIN_S, Board, Boss, Call, Ear, Leg, Phase, Tap, Third
from telephony_adapters.asterisk.config import Agents, Common, Server
from telephony_adapters.asterisk.desks import Desks
from telephony_adapters.asterisk.endings import Endings
from telephony_adapters.asterisk.messages import AriEvent, Ask, Channel, Playback, Request, is_done
from telephony_adapters.asterisk.moments import Moments
from telephony_adapters.asterisk.names import arrived_id, path_of
from telephony_adapters.asterisk.numbers import dialled, e164
from telephony_adapters.asterisk.recording import Recorder
from telephony_adapters.asterisk.supervising import Supervisors
from telephony_adapters.asterisk.transferring import Transfers

_DIGITS: Final = frozenset("0123456789*#")
_EXISTS: Final = 409
_NOT_FOUND: Final = 404
SPARE_S: Final = 20.0
"""Asterisk lets a call ring for so much longer than the engine does: its limit is for a dialer that died."""


class Machine:
    """The calls of one server. Times never run backwards."""

    def __init__(self, server: Server, agents: Agents, common: Common, *, now: float = 0.0) -> None:
        self._moments = Moments()
        self._at: float | None = None
        """When that happened which is taken in now, as far as Asterisk tells."""
        self.board = Board(server, agents, common, first=math.floor(now * 1000))
        self.supervisors = Supervisors(self.board)
        self.desks = Desks(self.board, self.supervisors)
        self.recorder = Recorder(self.board)
        self.transfers = Transfers(self.board, self.desks)
        self.endings = Endings(self.board, self.desks, self.recorder, self.transfers)
        self._heard: Mapping[str, Callable[[AriEvent, float], None]] = MappingProxyType(
            {
                "Dial": self._dialling,
                "StasisStart": self._came,
                "ChannelDestroyed": self._gone,
                "ChannelDtmfReceived": self._pressed,
                "PlaybackFinished": self._played,
                "RecordingFinished": self._recorded,
                "RecordingFailed": self._recorded,
            }
        )

    # --- orders ----------------------------------------------------------------------------------------------------

    def originate(
        self, call_id: CallId, *, phone: str, hotline: str, ring_timeout_s: float, now: float, amd: bool = False
    ) -> None:
        """Place a call under our id."""
        board, server = self.board, self.board.server
        call = board.calls.get(call_id)
        if call is None:
            call = board.add(Call(call_id, call_id, phone, Phase.PLACED, now))
        elif call.is_placed:
            return
        call.phase, call.placed_at, call.amd, call.signs = Phase.PLACED, now, amd, board.signs
        call.placing = True
        call.timeout_s = float(math.ceil(ring_timeout_s + SPARE_S))
        endpoint = server.endpoint.replace("{phone}", dialled(server, phone))
        said = {"callerId": dialled(server, hotline), "timeout": f"{call.timeout_s:.0f}"}
        board.dial(Ask.PLACE, call_id, endpoint, said, lane=call_id)

    def answer(self, call_id: CallId) -> None:
        """Take a call that arrived."""
        call = self.board.calls.get(call_id)
        if call is not None and call.phase is Phase.ARRIVED:
            self.board.act(Ask.ANSWER, call, "POST", "/answer")

    def hangup(self, call_id: CallId, now: float, *, reason: CancelReason) -> None:
        """End a call; one that we do not know is ended all the same, if Asterisk does."""
        board, call = self.board, self.board.calls.get(call_id)
        if call is None:
            board.ask(Ask.OTHER, call_id, call_id, "DELETE", f"/channels/{path_of(call_id)}")
            return
        call.ours = EndedBy.AGENT if reason is CancelReason.AGENT_HANGUP else EndedBy.DIALER
        if not call.is_placed:
            self.endings.unheard(call, now)
            return
        if reason is CancelReason.RING_TIMEOUT and not (call.progressed or call.rang) and board.signs > call.signs:
            # Asterisk tells of no 100: a trunk that spoke of other calls meanwhile has taken this one, too.
            call.progressed = True
            board.tell(CallProgressed(call_id))
        self.board.hang_up(call, now)

    def connect(self, call_id: CallId, agent_id: AgentId, now: float) -> None:
        """Join an answered call to an agent."""
        call = self.board.calls.get(call_id)
        if call is not None:
            self.transfers.give_up(call)
            self.desks.connect(call, agent_id, now)

    def summon(self, call_id: CallId, agent_id: AgentId, now: float) -> None:
        """Call an agent for a call that is not placed yet."""
        if call_id not in self.board.calls:
            call = self.board.add(Call(call_id, call_id, "", Phase.AWAITED, now))
            self.desks.summon(call, agent_id, now)

    def station(self, agent_id: AgentId, now: float, *, up: bool) -> None:
        """Learn that an agent takes calls, or has left."""
        self.desks.station(agent_id, now, up=up)

    def play(self, call_id: CallId, media: str) -> None:
        """Play to an answered call; as soon as it is known who answered."""
        call = self.board.calls.get(call_id)
        if call is not None and call.is_answered:
            holding.play(self.board, call, media)

    def hush(self, call_id: CallId) -> None:
        """Stop the prompt that plays."""
        call = self.board.calls.get(call_id)
        if call is not None:
            holding.stop_prompt(self.board, call)

    def hold(self, call_id: CallId, *, on: bool) -> None:
        """Give a customer music, or end that."""
        call = self.board.calls.get(call_id)
        if call is not None:
            holding.hold(self.board, call, on=on)

    def record(self, call_id: CallId, limit_s: float | None) -> None:
        """Record a call."""
        call = self.board.calls.get(call_id)
        if call is not None:
            self.recorder.begin(call, limit_s)

    def stop_recording(self, call_id: CallId) -> None:
        """End the recording of a call."""
        call = self.board.calls.get(call_id)
        if call is not None:
            self.recorder.stop(call)

    def supervise(self, call_id: CallId, supervisor: AgentId, mode: Supervision | None) -> None:
        """Bring a supervisor into a talk, or take one out."""
        self.supervisors.supervise(self.board.calls.get(call_id), supervisor, mode)

    def transfer(self, call_id: CallId, *, phone: str, hotline: str) -> None:
        """Send an answered call on to another number."""
        call = self.board.calls.get(call_id)
        if call is not None:
            self.transfers.begin(call, phone, hotline)

    # --- events ----------------------------------------------------------------------------------------------------

    def heard(self, event: AriEvent, now: float) -> None:
        """Take in an event of the WebSocket."""
        take = self._heard.get(event.type)
        if take is not None:
            self._at = self._moments.of(event.timestamp, now)
            take(event, now)

    def _dialling(self, event: AriEvent, _now: float) -> None:
        call = self.board.channels.get(event.peer.id) if event.peer is not None else None
        if not isinstance(call, Call) or call.is_answered:
            return
        if event.dialstatus == "RINGING" and not call.rang:
            call.rang = True
            self.board.signs += 1
            self.board.tell(CallRinging(call.call_id, self._at))
            self._ring_agent(call)
        elif event.dialstatus == "PROGRESS" and not call.progressed:
            call.progressed = True
            self.board.signs += 1
            self.board.tell(EarlyMediaHeard(call.call_id))

    def _ring_agent(self, call: Call) -> None:
        leg = call.desk.leg if call.desk is not None and call.summoned else None
        if leg is not None and leg.up and not leg.in_bridge:
            self.board.ask(Ask.OTHER, leg.channel, leg.channel, "POST", f"/channels/{path_of(leg.channel)}/ring")

    def _came(self, event: AriEvent, now: float) -> None:
        channel = event.channel
        if channel is None:
            return
        owner = self.board.channels.get(channel.id)
        match owner:
            case Call():
                self._call_came(owner, event.args)
            case Leg() if not owner.up:
                self.desks.leg_up(owner, now)
            case Third():
                self.transfers.answered(owner)
            case Tap():
                self.recorder.ready(owner)
            case Boss() | Ear():
                self.supervisors.came(owner)
            case None:
                self._stranger(channel, event, now)

    def _call_came(self, call: Call, args: Sequence[str]) -> None:
        if call.phase is Phase.DETECTING:
            self._detected(call, detecting.result(args))
        elif call.phase is Phase.PLACED:
            self.board.signs += 1
            self._answered(call, self._at)

    def _detected(self, call: Call, amd: AmdResult) -> None:
        """Go on with what the engine wanted meanwhile: Asterisk has come to a result, or has none."""
        call.phase = Phase.UP
        self.board.tell(MachineDetected(call.call_id, amd))
        if amd is AmdResult.MACHINE:
            holding.unheard(self.board, call)
        holding.go_on(self.board, call)
        self.desks.go_on(call)

    def _answered(self, call: Call, at: float | None = None) -> None:
        call.phase = Phase.UP
        self.board.tell(CallAnswered(call.call_id, at=at))
        if call.amd and call.ours is None:
            call.phase = Phase.DETECTING
            self.board.act(Ask.AMD, call, "POST", "/continue", detecting.where(self.board.common.app))

    def _stranger(self, channel: Channel, event: AriEvent, now: float) -> None:
        """Take a call to a hotline; a channel that we do not know otherwise is one of ours that is not wanted."""
        args = event.args
        if len(args) >= 2 and args[0] == "inbound" and not self.board.names.is_ours(channel.id):  # noqa: PLR2004 -- and the hotline
            self.arrived(channel, args[1], now)
        else:
            self.board.hang_up_channel(channel.id)

    def arrived(self, channel: Channel, hotline: str, now: float, *, tell: bool = True) -> Call:
        """Take in a call to a hotline."""
        server = self.board.server
        phone = e164(server, channel.caller.number)
        call = self.board.add(Call(arrived_id(server.name, channel), channel.id, phone, Phase.ARRIVED, now))
        source = {"eventSource": f"channel:{channel.id}"}
        path = f"/applications/{self.board.common.app}/subscription"
        self.board.ask(Ask.WATCH, call.call_id, call.call_id, "POST", path, source)
        if tell:
            self.board.tell(CallArrived(call.call_id, phone=phone, hotline=e164(server, hotline), trunk=server.name))
        return call

    def _gone(self, event: AriEvent, now: float) -> None:
        if event.channel is None:
            return
        owner = self.board.channels.get(event.channel.id)
        match owner:
            case Call():
                if event.tech_cause:
                    self.board.signs += event.tech_cause != 408  # noqa: PLR2004 -- which Asterisk makes itself
                if owner.phase is Phase.DETECTING:
                    self.board.tell(MachineDetected(owner.call_id, AmdResult.HANGUP))
                self.endings.gone(owner, event, now, self._at)
            case Leg():
                self.supervisors.leg_gone(owner)
                self.desks.leg_down(owner, now)
            case Third():
                self.transfers.gone(owner, now)
            case Tap():
                self.recorder.gone(owner)
            case Boss() | Ear():
                self.supervisors.gone(owner)

    def _pressed(self, event: AriEvent, _now: float) -> None:
        call = self.board.channels.get(event.channel.id) if event.channel is not None else None
        if isinstance(call, Call) and event.digit in _DIGITS:
            self.board.tell(DigitPressed(call.call_id, event.digit))

    def _played(self, event: AriEvent, _now: float) -> None:
        if event.playback is not None:
            holding.prompt_over(self.board, event.playback)

    def _recorded(self, event: AriEvent, _now: float) -> None:
        if event.recording is not None:
            self.recorder.ended(event.recording, done=event.type == "RecordingFinished")

    # --- answers to requests ---------------------------------------------------------------------------------------

    def answered(self, request: Request, status: int, now: float) -> None:
        """Take in what a request came to; NO_REPLY: nobody knows."""
        done = is_done(status)
        match request.ask:
            case Ask.DROP if not done and status != _NOT_FOUND:
                self.board.timers.set(now + LOOK_AGAIN_S, self._drop_again, request.whom)
            case Ask.BRIDGE:
                self.desks.room_made(request.whom, done=done)
            case Ask.LEG if not done:
                self.desks.leg_refused(request.whom, now)
            case Ask.SNOOP if not done:
                self.recorder.failed(request.whom)
            case Ask.RECORD if not done:
                self.recorder.failed(request.whom)
            case Ask.SUPERVISE:
                self.supervisors.replied(request.whom, done=done)
            case Ask.TRANSFER if not done:
                self.transfers.refused(request.whom, now)
            case Ask.PLAY if not done:
                holding.prompt_over(self.board, Playback(request.whom, "failed"))
            case _:
                self._of_call(request, status, now, done=done)

    def _of_call(self, request: Request, status: int, now: float, *, done: bool) -> None:
        call = self.board.calls.get(request.whom)
        if call is None:
            return
        if request.ask is Ask.PLACE:
            call.placing = False
        match request.ask:
            case Ask.PLACE if not done and status != _EXISTS:
                self.endings.not_placed(call, status, now)
            case Ask.HANG_UP if status == _NOT_FOUND:
                self.board.timers.cancel(call.ending)
                call.ending = self.board.timers.set(now + LOOK_AGAIN_S, self.endings.unheard, call)
            case Ask.WATCH | Ask.ANSWER if not done:
                self.board.hang_up(call, now)
            case Ask.ANSWER if call.phase is Phase.ARRIVED:
                self._answered(call)
            case Ask.AMD if not done and call.phase is Phase.DETECTING:
                self._detected(call, AmdResult.NOTSURE)
            case Ask.JOIN:
                self.desks.joined(call, status, now)
            case Ask.JOIN_THIRD:
                self.transfers.joined(call, now, done=done)

    def _drop_again(self, channel: str, _now: float) -> None:
        self.board.hang_up_channel(channel)

    def answered_meanwhile(self, call: Call) -> None:
        """Take in that a call was answered while nobody listened."""
        self._answered(call)

    def leave(self, now: float) -> None:
        """Let go of what nobody will look after: phones that wait, and calls that talk to nobody; talks go on."""
        for boss in tuple(self.board.bosses):
            self.supervisors.supervise(None, boss, None)
        for call in tuple(self.board.calls.values()):
            if call.is_placed and not call.joined and (call.third is None or not call.third.joined):
                call.ours = EndedBy.DIALER
                self.board.act(Ask.OTHER, call, "DELETE", "")
        for desk in tuple(self.board.desks.values()):
            self.desks.station(desk.agent_id, now, up=False)

    # --- time ------------------------------------------------------------------------------------------------------

    def next_timer(self) -> float | None:
        """Return when `handle_timers` is to be called."""
        return self.board.timers.next()

    def handle_timers(self, now: float) -> None:
        """Do what is due."""
        for what, whom in self.board.timers.due(now):
            what(whom, now)

    def take(self) -> tuple[Sequence[Request], Sequence[CallEvent]]:
        """Return what is to be asked of Asterisk and told to the engine, and forget it."""
        return self.board.take()
