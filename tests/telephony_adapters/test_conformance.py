"""The cards themselves, on the simulated trunk: it passes all, and each kind of fault is seen by the card for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
import pytest

from dialer.core.events import CallArrived, CallConnected, CallEnded, CallEvent, DigitPressed, PromptEnded
from dialer.core.types import AgentId, CallId
from dialer.ports import Capabilities
from dialer.switch import CallStatusAtSwitch
from simulator.live import SimulatorTelephony
from simulator.stage import SimulatorStage
from statuses.outcomes import EndedBy
from telephony_adapters.conformance import CARDS, Card, Mark, Outcome, Stage, mark, matrix, needing, run, tally

BY_NUMBER = {card.number: card for card in CARDS}
NOTHING = Capabilities()


def test_cards_are_numbered_in_order_and_each_needs_something_that_can_be_declared() -> None:
    numbers = [card.number for card in CARDS]
    assert numbers == sorted(set(numbers))
    assert {card.needs for card in CARDS} - {None} <= set(Capabilities.__struct_fields__)
    assert all(card.title and callable(card.body) for card in CARDS)


def test_every_capability_but_that_of_a_restart_has_its_cards() -> None:
    assert [name for name, numbers in needing().items() if not numbers] == ["media_survives_restart"]
    assert needing()["inbound"] == "60-63"


def test_only_what_is_declared_false_is_skipped() -> None:
    everything = Capabilities(**dict.fromkeys(Capabilities.__struct_fields__, True))
    assert tally(everything) == (len(CARDS), 0)
    assert [mark(card, NOTHING) for card in CARDS] == [Mark.SKIPPED if card.needs else Mark.PASSED for card in CARDS]
    text = matrix({"one": everything, "none": NOTHING})
    assert "| `play` | yes | - | 40-46 |" in text
    assert "| 40 | A prompt is played, and ends once | `play` | passes | skipped |" in text


@pytest.mark.parametrize("card", CARDS, ids=lambda card: str(card.number))
async def test_the_simulated_trunk_passes_the_card(card: Card) -> None:
    stage: Stage = SimulatorStage()
    assert isinstance(stage, Stage)
    outcome = await run(card, stage)
    assert outcome == Outcome(card.number, card.title, card.needs, Mark.PASSED)


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


async def _nothing(*_: object, **__: object) -> None:
    """Do as if it were done."""


async def _no_calls() -> tuple[CallStatusAtSwitch, ...]:
    return ()


@pytest.mark.parametrize(
    ("number", "make", "words"),
    [
        (1, lambda: Faulty(over={"snapshot": _no_calls}), "not known by the id"),
        (3, lambda: Faulty(twice(CallEnded)), "ended 2 times"),
        (3, lambda: Faulty(changed(CallEnded, sip_status=480)), "the end says 480"),
        (7, lambda: Faulty(changed(CallEnded, ended_by=EndedBy.REMOTE)), "the dialer ended it"),
        (11, lambda: Faulty(over={"hangup": _nothing}), "no CallEnded within 30 s"),
        (20, lambda: Faulty(never(CallConnected)), "no CallConnected within 5 s"),
        (20, lambda: Faulty(changed(CallConnected, agent_id="x")), "joined to x"),
        (23, lambda: Faulty(changed(CallEnded, ended_by=EndedBy.REMOTE)), "the agent hung up, not remote"),
        (40, lambda: Faulty(twice(PromptEnded)), "one prompt ended more than once"),
        (42, lambda: Faulty(over={"hush": _nothing}), "no PromptEnded within 1.5 s"),
        (43, lambda: Faulty(changed(PromptEnded, played=True)), "is told as played"),
        (47, lambda: Faulty(changed(DigitPressed, digit="9")), "1, 2, # were pressed"),
        (48, lambda: Faulty(over={"drop_recording": _nothing}), "that was dropped is listed"),
        (60, lambda: Faulty(changed(CallArrived, hotline="+84")), "the call came to +84"),
        (64, lambda: Faulty(over={"transfer": _nothing}), "no CallTransferred"),
        (68, lambda: Faulty(over={"summon": _nothing}), "no AgentOnLine"),
        (80, lambda: Faulty(can=msgspec.structs.replace(SimulatorStage().telephony.capabilities, play=False)), "play"),
        (83, lambda: Faulty(over={"originate": _nothing}), "no CallAnswered"),
    ],
)
async def test_a_fault_is_seen_by_the_card_for_it(number: int, make: Callable[[], Stage], words: str) -> None:
    outcome = await run(BY_NUMBER[number], make())
    assert outcome.mark is Mark.FAILED
    assert words in outcome.why


async def test_an_adapter_that_goes_on_after_it_was_closed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(SimulatorStage):
        def __init__(self) -> None:
            super().__init__()
            told = self.telephony.events

            async def events() -> AsyncIterator[Any]:
                async for event in told():
                    yield event
                await asyncio.Event().wait()

            self.telephony.events = events  # type: ignore[method-assign]

    monkeypatch.setattr("telephony_adapters.cards.bench.LIMIT_S", 0.2)
    outcome = await run(BY_NUMBER[83], Endless())
    assert (outcome.mark, outcome.why) == (Mark.FAILED, "the adapter is closed, and events() goes on")


async def test_a_card_that_is_skipped_opens_nothing() -> None:
    stage = SimulatorStage()
    stage.telephony.capabilities = NOTHING
    outcome = await run(BY_NUMBER[60], stage)
    assert (outcome.mark, outcome.why) == (Mark.SKIPPED, "inbound is declared false")
    trunk = stage.telephony
    assert isinstance(trunk, SimulatorTelephony)
    assert trunk._task is None


async def test_a_person_who_is_asked_for_is_found_again_and_again() -> None:
    agent: AgentId = "agent-01"
    call: CallId = "c"
    stage = SimulatorStage()
    await stage.agent_hangs_up(call, agent)  # nobody is there: nothing happens
    assert stage.transfer_phone(answers=True) != stage.transfer_phone(answers=False)
