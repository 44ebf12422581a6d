"""A campaign of 500 leads over a real Asterisk, a SIPp carrier of every fate, and 20 agents on a real MQTT broker."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dialer.agents.simulated import Habits
from statuses.outcomes import CallStatus, EndedBy
from tests.dialer.switch_centre import SwitchCentre, fate_of
from tests.plugins.figures import Figure
from tests.plugins.mosquitto import Mosquitto
from tests.plugins.sipp import Sipp
from tests.plugins.switch import Switch

LEADS, AGENTS = 500, 20
WITHIN_S = 0.05
"""How far our times may be from those of Asterisk's own records, but for one in twenty: on a busy machine Asterisk
itself writes a record's end down late."""
QUICK = Habits(accept_after_s=(0.0, 0.05), wrap_s=(0.0, 0.1), callbacks=0.0, do_not_recall=0.0)


def expected(row: dict[str, Any]) -> CallStatus:
    """Return what the table gives; who answers and hangs up before an agent is there was abandoned (2.4 rule 3)."""
    status = fate_of(row["phone_e164"]).status
    gave_up = status is CallStatus.ANSWERED and row["bridged_at"] is None and row["ended_by"] == EndedBy.REMOTE
    return CallStatus.BUSY_LINE if gave_up else status


@pytest.mark.component("sqlite")
@pytest.mark.component("chdb")
@pytest.mark.component("asterisk")
@pytest.mark.timeout(300)
async def test_every_lead_ends_as_the_table_says_and_no_agent_has_two_calls(
    tmp_path: Path, switch: Switch, sipp: Sipp, mosquitto: Mosquitto, figure: Figure
) -> None:
    centre = SwitchCentre(tmp_path, switch, sipp, broker=mosquitto.url)
    await centre.campaign(LEADS)
    async with centre.agents(AGENTS, QUICK) as people, centre.dialer() as dialer:
        await people.ready()
        began = time.monotonic()
        await centre.until(lambda: centre.settled() == LEADS)
        took = time.monotonic() - began
        await people.until(lambda counts: counts.wrapped == counts.talks, within_s=30)
        assert (await dialer.stop())[0] == 0
        assert people.doubles == []
    rows = centre.attempts("phone_e164", "status", "answered_at", "bridged_at", "ended_by")
    wrong = Counter((row["phone_e164"][-2:], *row.values()) for row in rows if row["status"] != expected(row))
    assert (len(rows), wrong) == (LEADS, {})
    assert centre.double_booked() == []
    assert await centre.verified() == {"begun": LEADS, "finals": LEADS, "calls": LEADS, "dead_letters": 0}
    await centre.until(lambda: switch.live_channels() == 0)
    answers, ends = centre.differences()
    for apart in (answers, ends):
        assert sorted(apart)[int(0.95 * len(apart))] < WITHIN_S
    waits = sorted(row["bridged_at"] - row["answered_at"] for row in rows if row["status"] == CallStatus.ANSWERED)
    figure(
        f"a campaign over Asterisk: {LEADS} calls in {took:.0f} s, {dict(Counter(row['status'] for row in rows))}; "
        f"our times beside its records: answers at most {1000 * max(answers):.0f} ms apart, ends "
        f"{1000 * max(ends):.0f} ms; "
        f"answer to agent: median {1000 * waits[len(waits) // 2]:.0f} ms, longest {1000 * waits[-1]:.0f} ms"
    )
