"""The adapter cards on a real Asterisk."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony_adapters.asterisk.adapter import CAPABILITIES
from telephony_adapters.conformance import CARDS, Card, Mark, mark, run
from tests.plugins.asterisk import Asterisk
from tests.telephony_adapters.asterisk_stage import asterisk_stage, prepare

ASKED = [card for card in CARDS if mark(card, CAPABILITIES) is not Mark.SKIPPED]


@pytest.fixture(scope="module")
def prepared(asterisk_server: Asterisk) -> Asterisk:
    prepare(asterisk_server)
    return asterisk_server


@pytest.mark.parametrize("card", ASKED, ids=lambda card: str(card.number))
async def test_asterisk_passes_the_card(card: Card, prepared: Asterisk, tmp_path: Path) -> None:
    async with asterisk_stage(prepared, tmp_path) as stage:
        outcome = await run(card, stage)
    if outcome.mark is not Mark.PASSED or card is CARDS[-1]:
        prepared.hang_up_all()  # talks outlive the adapter here
    assert outcome.mark is Mark.PASSED, outcome
