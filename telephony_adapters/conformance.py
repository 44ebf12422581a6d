"""The numbered cards by which a telephony adapter is accepted, and the matrix of what each adapter can do.

A card is skipped only by what the adapter declares false (dialer.switch.Capabilities). Whoever writes an adapter
provides a `Stage` and has `dialer adapters check PACKAGE.MODULE:STAGE` run them (docs/adapters.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from dialer.errors import DialerError
from dialer.ports import Capabilities
from telephony_adapters.cards.bench import Bench, Card, CardFailed, FarEnd, Stage
from telephony_adapters.cards.calls import CALLS
from telephony_adapters.cards.contract import CONTRACT
from telephony_adapters.cards.media import MEDIA
from telephony_adapters.cards.switching import SWITCHING
from telephony_adapters.cards.talks import TALKS

__all__ = [
    "CARDS",
    "Bench",
    "Card",
    "CardFailed",
    "FarEnd",
    "Mark",
    "Outcome",
    "Stage",
    "mark",
    "matrix",
    "needing",
    "run",
    "tally",
]

CARDS: Final = (*CALLS, *TALKS, *MEDIA, *SWITCHING, *CONTRACT)
CARD_LIMIT_S: Final = 120.0
"""A card that takes longer, on the wall's clock, has failed."""


class Mark(StrEnum):
    """What became of a card."""

    PASSED = "passed"
    SKIPPED = "skipped"
    """The adapter declares that it lacks what the card needs."""
    FAILED = "failed"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one card; `why` says what is missing, or what was awaited."""

    number: int
    title: str
    needs: str | None
    mark: Mark
    why: str = ""


def mark(card: Card, capabilities: Capabilities) -> Mark:
    """Return whether an adapter that can do so much must pass a card, or skips it."""
    is_asked = card.needs is None or getattr(capabilities, card.needs)
    return Mark.PASSED if is_asked else Mark.SKIPPED


def tally(capabilities: Capabilities) -> tuple[int, int]:
    """Return how many cards an adapter must pass, and how many it skips."""
    skipped = sum(mark(card, capabilities) is Mark.SKIPPED for card in CARDS)
    return len(CARDS) - skipped, skipped


async def run(card: Card, stage: Stage) -> Outcome:
    """Run one card on an adapter that is not opened yet; it is opened and closed by this."""
    if mark(card, stage.telephony.capabilities) is Mark.SKIPPED:
        return Outcome(card.number, card.title, card.needs, Mark.SKIPPED, f"{card.needs} is declared false")
    try:
        async with asyncio.timeout(CARD_LIMIT_S), Bench(stage) as bench:
            await card.body(bench)
    except (CardFailed, DialerError, TimeoutError) as error:
        why = str(error) or f"took longer than {CARD_LIMIT_S:g} s"
        return Outcome(card.number, card.title, card.needs, Mark.FAILED, why)
    return Outcome(card.number, card.title, card.needs, Mark.PASSED)


def needing() -> dict[str, str]:
    """Return the numbers of the cards that need each capability, such as "40-46"."""
    numbers: dict[str, list[int]] = {name: [] for name in Capabilities.__struct_fields__}
    for card in CARDS:
        if card.needs is not None:
            numbers[card.needs].append(card.number)
    return {name: _spans(each) for name, each in numbers.items()}


def _spans(numbers: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)


def matrix(adapters: Mapping[str, Capabilities]) -> str:
    """Return docs/adapters.md's tables: what each adapter can do, and the cards that it passes or skips."""
    heads = " | ".join(adapters)
    lines = [f"| capability | {heads} | cards |", f"|---|{'---|' * len(adapters)}---|"]
    for name, numbers in needing().items():
        cells = " | ".join("yes" if getattr(can, name) else "-" for can in adapters.values())
        lines.append(f"| `{name}` | {cells} | {numbers} |")
    lines += ["", f"| card | what it asks | needs | {heads} |", f"|---|---|---|{'---|' * len(adapters)}"]
    for card in CARDS:
        cells = " | ".join("skipped" if mark(card, can) is Mark.SKIPPED else "passes" for can in adapters.values())
        needs = f"`{card.needs}`" if card.needs else ""
        lines.append(f"| {card.number} | {card.title} | {needs} | {cells} |")
    return "\n".join(lines) + "\n"
