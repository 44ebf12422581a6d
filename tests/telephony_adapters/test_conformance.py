"""The cards as a whole; the simulated trunk passes all of them. That each sees its fault is shown in `cards`."""

from __future__ import annotations

import pytest

from dialer.ports import Capabilities
from simulator.live import SimulatorTelephony
from simulator.stage import SimulatorStage
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


async def test_a_card_that_is_skipped_opens_nothing() -> None:
    stage = SimulatorStage()
    stage.telephony.capabilities = NOTHING
    outcome = await run(BY_NUMBER[60], stage)
    assert (outcome.mark, outcome.why) == (Mark.SKIPPED, "inbound is declared false")
    trunk = stage.telephony
    assert isinstance(trunk, SimulatorTelephony)
    assert trunk._task is None
