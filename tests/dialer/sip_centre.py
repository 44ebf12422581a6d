"""A campaign over real SIP: two carriers on the wire (customers, agents' phones) and the dialer, each a process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from crm.campaigns import act, create
from crm.importing import import_leads
from dialer.commands.demo_setup import demo_settings
from dialer.core.campaign import CampaignAction
from dialer.core.types import NumberCaps
from statuses.retry import RetryPolicy
from store.open import open_database
from store.upgrade import upgrade
from tests.dialer.process import WAIT_S, Running, started
from tests.plugins.processes import free_port

NAME = "wire"
CARRIER = """
title = "Every fate, in a hurry"
[carrier]
trying_s = 0.02
late_answer = 0.05
agent_hangs_up = 0.0
[carrier.shares]
answer = 0.30
ring_out = 0.14
reject = 0.08
engaged = 0.06
switched_off = 0.06
unreachable = 0.06
locked = 0.03
locked_message = 0.03
wrong_number = 0.04
wrong_number_message = 0.03
machine = 0.04
mailbox = 0.04
congestion = 0.03
busy_network = 0.03
hotline_blocked = 0.02
media_fault = 0.01
[carrier.post_dial_delay]
mean_s = 0.2
cv = 0.3
[carrier.answer_after]
mean_s = 0.5
cv = 0.3
[carrier.ring_out_after]
mean_s = 5.0
cv = 1.0
shape = "normal"
min_s = 0.5
max_s = 18.0
[carrier.reject_after]
mean_s = 0.4
cv = 0.3
min_s = 0.1
[carrier.mailbox_after]
mean_s = 0.8
cv = 0.2
min_s = 0.2
[carrier.announcement]
mean_s = 0.6
cv = 0.2
min_s = 0.2
[carrier.talk]
mean_s = 1.5
cv = 0.5
min_s = 0.2
[carrier.machine_talk]
mean_s = 1.0
cv = 0.3
[carrier.patience]
mean_s = 1.5
cv = 0.4
min_s = 0.5
"""
AGENTS = """
title = "desks"
starts_at = 2026-03-02T08:00:00+07:00
hours = 1.0
[carrier.shares]
answer = 1.0
[[campaigns]]
name = "any"
leads = 1
[campaigns.agents]
count = 1
arrive_within_s = 0.5
callback = 0.0
do_not_recall = 0.0
[campaigns.agents.wrap_up]
mean_s = 0.3
cv = 0.2
"""


async def campaign_in(home: Path, leads: int, **changes: Any) -> int:
    """Make and start a campaign of leads who are called once, in a home folder of its own; return its id."""
    base: dict[str, Any] = {
        "name": NAME, "ring_timeout_s": 15.0, "wrap_up_s": 1.0, "retry": RetryPolicy(max_attempts=1),
        "caps": NumberCaps(per_24h=6), "hotlines": ("+842471000001",), "overflow_prompt": None,
    }  # fmt: skip
    settings = msgspec.structs.replace(demo_settings(until_done=False), **(base | changes))
    engine = open_database(f"sqlite:///{home / 'dialer.db'}")
    try:
        await upgrade(engine)
        campaign_id = await create(engine, settings, now=time.time())
        sheet = home.parent / "leads.csv"
        sheet.write_text("".join(f"Person {n},07{60_000_000 + n}\n" for n in range(leads)))
        result = await import_leads(engine, sheet, NAME, {"name": 1, "phone": 2}, 1, now=time.time())
        assert result.added == leads, result
        for action in (CampaignAction.APPROVE, CampaignAction.START):
            await act(engine, NAME, action, now=time.time())
    finally:
        await engine.dispose()
    return campaign_id


def attempts_in(home: Path, *columns: str) -> list[dict[str, Any]]:
    """Return these columns of every attempt."""
    with contextlib.closing(sqlite3.connect(f"file:{home / 'dialer.db'}?mode=ro", uri=True)) as db:
        rows = db.execute(f"SELECT {', '.join(columns)} FROM attempts").fetchall()  # noqa: S608 -- names of ours
    return [dict(zip(columns, row, strict=True)) for row in rows]


class SipCentre:
    """The folders, ports and files of one campaign over SIP."""

    def __init__(self, folder: Path, *, trunk: str = "", sip: str = "") -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.customers, self.phones = free_port(), free_port()
        self.ledger = folder / "ledger.jsonl"
        (folder / "carrier.toml").write_text(CARRIER)
        (folder / "desks.toml").write_text(AGENTS)
        (self.home / "trunks.toml").write_text(
            f"""
[sip]
listen = ["udp:127.0.0.1:{free_port()}"]
{sip}
[trunk.carrier]
server = "127.0.0.1:{self.customers}"
channels = 400
cps = 100
offer = "inactive"
announcement_header = "X-Announcement"
session_expires_s = 0
{trunk}
[agents]
server = "127.0.0.1:{self.phones}"
uri = "sip:{{agent}}@127.0.0.1:{self.phones}"
nailed_up = true
"""
        )

    async def campaign(self, leads: int, **changes: Any) -> int:
        """Make and start a campaign of leads who are called once."""
        return await campaign_in(self.home, leads, **({"pacer": "ratio", "ratio": 3.0} | changes))

    @asynccontextmanager
    async def carriers(self) -> AsyncIterator[Running]:
        """Run the customers' carrier and the agents' phones."""
        listen = f"udp:127.0.0.1:{self.customers}"
        profile = str(self.folder / "carrier.toml")
        phones = (
            "carrier", "--profile", "clean", "--media", "echo", "--listen", f"udp:127.0.0.1:{self.phones}", "--json",
        )  # fmt: skip
        one = started(self.folder, "carrier", "--profile", profile, "--listen", listen, "--ledger", str(self.ledger),
                      "--json", "--no-bye")  # fmt: skip
        async with one as customers, started(self.folder, *phones) as desks:
            await customers.line_with("udp:")
            await desks.line_with("udp:")
            yield customers

    @asynccontextmanager
    async def dialer(self, agents: int, **env: str) -> AsyncIterator[Running]:
        """Run `dialer up` over the trunks file."""
        words = (
            "up",
            "--port",
            "0",
            "--simulate-agents",
            f"{NAME}={agents}",
            "--carrier",
            str(self.folder / "desks.toml"),
        )
        async with started(self.home, *words, **({"DIALER_TRUNK": "sip"} | env)) as running:
            await running.line_with("stop: Ctrl-C")
            yield running

    def attempts(self) -> dict[str, tuple[str | None, bool]]:
        """Return status and whether it is settled, by call id."""
        rows = attempts_in(self.home, "call_id", "status", "settled")
        return {row["call_id"]: (row["status"], bool(row["settled"])) for row in rows}

    def rows(self) -> list[dict[str, Any]]:
        """Return the carrier's call records."""
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]

    async def until_settled(self, attempts: int, *, within_s: float = WAIT_S) -> None:
        """Wait until so many attempts are settled."""
        async with asyncio.timeout(within_s):
            while sum(settled for _, settled in self.attempts().values()) < attempts:  # noqa: ASYNC110 -- another process writes
                await asyncio.sleep(0.5)
