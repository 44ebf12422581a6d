"""Call each greeting with detection on, and hear what the switch takes it for."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from typing import Final

from dialer.bench.amd.score import Verdict
from dialer.core.events import CallAnswered, CallEnded, CallEvent, MachineDetected
from dialer.core.types import CallId
from dialer.ports import Telephony
from statuses.outcomes import CancelReason

_RING_S: Final = 30.0
_WITHIN_S: Final = 30.0
"""After the last call began; a detector decides within seconds."""


class Detection:
    """The verdicts on some numbers, in their order; None where none came."""

    def __init__(self, telephony: Telephony, *, trunk: str, hotline: str) -> None:
        self._telephony = telephony
        self._trunk = trunk
        self._hotline = hotline
        self._verdicts: dict[CallId, Verdict] = {}
        self._up: set[CallId] = set()
        self._idle = asyncio.Event()

    async def of(self, numbers: Sequence[str], *, rate: float) -> list[Verdict]:
        """Call each number once, `rate` of them a second, and hang up when it has a verdict."""
        run = secrets.token_hex(4)
        calls = [f"amd-{run}-{number:06d}" for number in range(len(numbers))]
        self._up.update(calls)
        hearing = asyncio.create_task(self._hear())
        try:
            for call_id, phone in zip(calls, numbers, strict=True):
                await self._telephony.originate(
                    call_id, phone=phone, hotline=self._hotline, trunk=self._trunk, ring_timeout_s=_RING_S, amd=True
                )
                await asyncio.sleep(1.0 / rate)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _WITHIN_S)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
        return [self._verdicts.get(call_id) for call_id in calls]

    async def _hear(self) -> None:
        async for event in self._telephony.events():
            if isinstance(event, CallEvent) and event.call_id in self._up:
                await self._one(event)

    async def _one(self, event: CallEvent) -> None:
        match event:
            case CallAnswered(amd=None):
                pass  # the verdict follows
            case CallAnswered(amd=verdict) | MachineDetected(amd=verdict):
                self._verdicts[event.call_id] = verdict
                await self._telephony.hangup(event.call_id, reason=CancelReason.ADMIN)
            case CallEnded():
                self._up.discard(event.call_id)
                if not self._up:
                    self._idle.set()
