"""Recordings: a channel that listens to the customer's leg, both ways, from then on wherever that leg goes; pure.

It ends with the call by itself, whatever becomes of the dialer: Asterisk then keeps the whole recording.
"""

from __future__ import annotations

import math

from dialer.core.events import RecordingEnded
from dialer.core.types import CallId
from telephony_adapters.asterisk.board import Board, Call, Tap
from telephony_adapters.asterisk.messages import Ask, Recording
from telephony_adapters.asterisk.names import path_of


class Recorder:
    """The recordings of one server's calls."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._limits: dict[str, float | None] = {}

    def begin(self, call: Call, limit_s: float | None) -> None:
        """Record from now on; a recording that the call has goes on, an earlier one is added to."""
        if call.tap is not None or not call.is_answered:
            return
        board = self._board
        channel = call.tap = board.names.tap(call.call_id, board.number())
        board.channels[channel] = Tap(channel, call)
        self._limits[channel] = limit_s
        path = f"/channels/{path_of(call.channel)}/snoop/{path_of(channel)}"
        board.ask(Ask.SNOOP, channel, call.call_id, "POST", path, {"spy": "both", "app": board.common.app})

    def ready(self, tap: Tap) -> None:
        """Go on: the channel listens."""
        if tap.channel not in self._limits:
            return
        board, limit_s = self._board, self._limits.pop(tap.channel)
        said = {"name": board.names.recording(tap.call.call_id), "format": "wav", "ifExists": "append"}
        if limit_s is not None:
            said["maxDurationSeconds"] = str(max(1, math.ceil(limit_s)))
        board.ask(Ask.RECORD, tap.channel, tap.channel, "POST", f"/channels/{path_of(tap.channel)}/record", said)

    def stop(self, call: Call) -> None:
        """End the recording of a call that goes on."""
        if call.tap in self._limits:
            self.failed(call.tap)  # it does not even listen yet
        elif call.tap is not None:
            name = self._board.names.recording(call.call_id)
            self._board.ask(Ask.OTHER, call.tap, call.tap, "POST", f"/recordings/live/{path_of(name)}/stop")

    def ended(self, recording: Recording, *, done: bool) -> None:
        """Tell that a recording is whole, or that there is none; its channel has nothing to do any more."""
        call_id = self._board.names.recorded(recording.name)
        if call_id is None:
            return
        self._board.tell(RecordingEnded(call_id, (recording.duration or 0.0) if done else None))
        call = self._board.calls.get(call_id)
        if call is not None and call.tap is not None:
            channel, call.tap = call.tap, None
            self._board.channels.pop(channel, None)
            self._board.hang_up_channel(channel)

    def failed(self, channel: str) -> None:
        """Tell that there is no recording: Asterisk would not listen, or not record."""
        tap = self._board.channels.pop(channel, None)
        self._limits.pop(channel, None)
        if isinstance(tap, Tap) and tap.call.tap == channel:
            tap.call.tap = None
            self._board.tell(RecordingEnded(tap.call.call_id, None))
            self._board.hang_up_channel(channel)

    def gone(self, tap: Tap) -> None:
        """Forget a channel that is gone."""
        self._board.channels.pop(tap.channel, None)
        if tap.call.tap == tap.channel:
            tap.call.tap = None

    def is_recording(self, call_id: CallId) -> bool:
        """Tell whether a call is being recorded now."""
        call = self._board.calls.get(call_id)
        return call is not None and call.tap is not None

    def over(self, call: Call) -> None:
        """Forget the channel of a call that is over: it ends by itself."""
        if call.tap is not None:
            self._limits.pop(call.tap, None)
            self._board.channels.pop(call.tap, None)
            call.tap = None
