"""A campaign over real UDP: what the dialer wrote down is what the carrier saw, call by call."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.dialer.sip_centre import SipCentre
from tests.plugins.figures import Figure

LEADS = 2000


@pytest.mark.component("sqlite")
@pytest.mark.component("chdb")
@pytest.mark.timeout(400)
@pytest.mark.req("S0-6.1", "S0-6.2", "S0-6.3", "S0-6.6", "S0-6.7", "S0-6.9", "S0-6.10")
async def test_two_thousand_leads_over_sip_come_to_what_the_carrier_saw(tmp_path: Path, figure: Figure) -> None:
    centre = SipCentre(tmp_path)
    await centre.campaign(LEADS)
    async with centre.carriers() as carrier:
        async with centre.dialer(agents=150) as dialer:
            began = time.monotonic()
            await centre.until_settled(LEADS, within_s=200)
            took = time.monotonic() - began
            status, said = await dialer.stop()
            assert status == 0, said
        assert (await carrier.stop())[0] == 0
    rows = {row["call_id"].partition("@")[0]: row for row in centre.rows()}
    attempts = centre.attempts()
    assert rows.keys() == attempts.keys(), "one INVITE an attempt"
    assert [row for row in rows.values() if row["ghost"]] == []
    wrong = Counter(
        (rows[call_id]["fate"], rows[call_id]["expected"], status)
        for call_id, (status, _) in attempts.items()
        if status != rows[call_id]["expected"]
    )
    assert wrong == {}
    came_to = Counter(status for status, _ in attempts.values())
    assert len(came_to) >= 10, came_to
    figure(f"a campaign over SIP: {LEADS} calls in {took:.0f} s, statuses as in the carrier's ledger: {dict(came_to)}")
