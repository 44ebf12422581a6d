"""The simulated trunk with one fault, for the card that must see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from dialer.core.events import CallEvent
from dialer.ports import Capabilities
from simulator.stage import SimulatorStage
from telephony_adapters.conformance import CARDS, Mark, run

BY_NUMBER = {card.number: card for card in CARDS}


class Faulty(SimulatorStage):
    """A simulated trunk with one fault: `spoil` changes what it tells, `over` what it does."""

    def __init__(
        self,
        spoil: Callable[[CallEvent], list[CallEvent]] = lambda event: [event],
        over: Mapping[str, Any] | None = None,
        can: Capabilities | None = None,
    ) -> None:
        super().__init__()
        told = self.telephony.events

        async def events() -> AsyncIterator[Any]:
            async for event in told():
                for spoilt in spoil(event):  # type: ignore[arg-type]  # the simulated trunk tells of calls only
                    yield spoilt

        self.telephony.events = events  # type: ignore[method-assign]
        for name, what in (over or {}).items():
            setattr(self.telephony, name, what)
        if can is not None:
            self.telephony.capabilities = can


def twice(kind: type[CallEvent]) -> Callable[[CallEvent], list[CallEvent]]:
    return lambda event: [event, event] if isinstance(event, kind) else [event]


def never(kind: type[CallEvent]) -> Callable[[CallEvent], list[CallEvent]]:
    return lambda event: [] if isinstance(event, kind) else [event]


def changed(kind: type[CallEvent], **fields: object) -> Callable[[CallEvent], list[CallEvent]]:
    return lambda event: [msgspec.structs.replace(event, **fields) if isinstance(event, kind) else event]


async def nothing(*_: object, **__: object) -> None:
    """Do as if it were done."""


async def sees(number: int, stage: SimulatorStage, words: str) -> None:
    """Run a card, which must fail with these words."""
    outcome = await run(BY_NUMBER[number], stage)
    assert outcome.mark is Mark.FAILED
    assert words in outcome.why, outcome
