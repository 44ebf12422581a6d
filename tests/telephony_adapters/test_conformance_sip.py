"""The adapter cards on SIP trunks: every message crosses real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony_adapters.conformance import CARDS, Card, Mark, mark, run
from telephony_adapters.trunks.telephony import CAPABILITIES
from tests.telephony_adapters.wire_stage import wire_stage

ASKED = [card for card in CARDS if mark(card, CAPABILITIES) is not Mark.SKIPPED]


@pytest.mark.parametrize("card", ASKED, ids=lambda card: str(card.number))
async def test_sip_trunks_pass_the_card(card: Card, tmp_path: Path) -> None:
    async with wire_stage(tmp_path, nailed_up=card.number % 2 == 1) as stage:
        outcome = await run(card, stage)
    assert outcome.mark is Mark.PASSED, outcome
