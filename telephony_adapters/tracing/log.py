"""The adapter's own message log: off by default, sampled by call, masked before it is written, bounded on disk."""

from __future__ import annotations

from pathlib import Path

from telephony_adapters.sip.flow import Flow
from telephony_adapters.tracing.mask import mask_message
from telephony_adapters.tracing.record import (
    Record,
    SplitCallId,
    find_call_id,
    frame,
    is_sampled,
    key_of,
    split_call_id,
)
from telephony_adapters.tracing.segments import Segments


class MessageLog:
    """Keep the messages of a share (0 to 1) of all calls in a folder, at most `max_bytes` with those of others in it.

    The folder may be shared by several processes; what a process has noted outlives its death. Nothing here raises: a
    message that cannot be written is counted in `dropped`, and the call goes on.
    """

    def __init__(self, folder: Path, *, share: float, max_bytes: int, split: SplitCallId = split_call_id) -> None:
        self.share = share
        self.kept = 0
        """Messages written."""
        self.kept_bytes = 0
        """What they took on disk."""
        self.dropped = 0
        """Messages of sampled calls that could not be written."""
        self._split = split
        self._segments = Segments(folder, max_bytes)

    def tap(
        self,
        sent: bool,  # noqa: FBT001 - the order of the loop's hook
        flow: Flow,
        local: tuple[str, int],
        data: bytes,
        now: float,
    ) -> None:
        """Note a message as the SIP loop sees it; one without a Call-ID, such as a keep-alive, is passed over."""
        call_id = find_call_id(data)
        if call_id:
            self.note(flow, local, data, sent=sent, call_id=call_id, now=now)

    def note(self, flow: Flow, local: tuple[str, int], data: bytes, *, sent: bool, call_id: str, now: float) -> None:
        """Note a message under its SIP Call-ID, if the call is sampled; `local` is our side of the flow."""
        call, leg = self._split(call_id)
        key = key_of(call)
        if not is_sampled(key, self.share):
            return
        record = Record(now, sent, flow.transport, flow.host, flow.port, *local, leg, mask_message(data))
        framed = frame(record, key)
        if self._segments.append(framed, now):
            self.kept += 1
            self.kept_bytes += len(framed)
        else:
            self.dropped += 1

    def close(self) -> None:
        """Let go of the files; noting may go on, in new ones."""
        self._segments.close()
