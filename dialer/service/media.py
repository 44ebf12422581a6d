"""Hand the engines' orders about media to the switch; one that it cannot obey becomes the event that says so."""

from __future__ import annotations

import logging
from collections.abc import Callable

from dialer.core.effects import (
    Answer,
    Hold,
    Hush,
    MediaEffect,
    Record,
    StopRecording,
    Summon,
    Supervise,
    Transfer,
)
from dialer.core.events import CallEnded, CallTransferred, ConnectFailed, Event, RecordingEnded
from dialer.errors import AdapterError
from dialer.ports import Telephony
from statuses.outcomes import EndedBy, LocalError

log = logging.getLogger(__name__)


class MediaOrders:
    """Performs media effects; `deliver(campaign_id, event)` takes what could not be done."""

    def __init__(self, telephony: Telephony, deliver: Callable[[int, Event], None]) -> None:
        self._telephony = telephony
        self._deliver = deliver

    async def order(self, campaign_id: int, effect: MediaEffect) -> None:
        """Perform one effect."""
        try:
            await self._perform(effect)
        except AdapterError as error:
            log.warning(
                "the switch did not obey",
                extra={"action": "media.refused", "order": type(effect).__name__, "why": repr(error)},
            )
            failed = _failure(effect)
            if failed is not None:
                self._deliver(campaign_id, failed)

    async def _perform(self, effect: MediaEffect) -> None:
        switch = self._telephony
        match effect:
            case Hush():
                await switch.hush(effect.call_id)
            case Answer():
                await switch.answer(effect.call_id)
            case Hold():
                await switch.hold(effect.call_id, on=effect.on)
            case Summon():
                await switch.summon(effect.call_id, agent_id=effect.agent_id, trunk=effect.trunk)
            case Transfer():
                await switch.transfer(effect.call_id, phone=effect.phone, hotline=effect.hotline, trunk=effect.trunk)
            case Record():
                await switch.record(effect.call_id, limit_s=effect.limit_s)
            case StopRecording():
                await switch.stop_recording(effect.call_id)
            case Supervise():
                await switch.supervise(effect.call_id, supervisor=effect.supervisor, mode=effect.mode)
            case _:
                raise TypeError(f"no way to perform {type(effect).__name__}")


def _failure(effect: MediaEffect) -> Event | None:
    """Return what the engine must hear of an order that came to nothing; None: the call goes on as before."""
    match effect:
        case Answer():
            return CallEnded(effect.call_id, local_error=LocalError.PROTOCOL, ended_by=EndedBy.DIALER)
        case Summon():
            return ConnectFailed(effect.call_id, effect.agent_id)
        case Transfer():
            return CallTransferred(effect.call_id, done=False)
        case Record():
            return RecordingEnded(effect.call_id, None)
        case _:
            return None
