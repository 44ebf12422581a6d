"""A campaign over a real Asterisk: SIPp as the carrier and as all agents' phones, agents on real MQTT."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from dialer.agents.mqtt_at import MqttAt
from dialer.agents.simulated import Habits, SimulatedAgents
from dialer.core.types import LegalProfile
from statuses.causes import sip_row
from statuses.outcomes import CallStatus
from tests.dialer.process import WAIT_S, Running, run, started
from tests.dialer.sip_centre import NAME, attempts_in, campaign_in
from tests.plugins.processes import HOST
from tests.plugins.sipp import Sipp, SippRun
from tests.plugins.sipp_by_number import Steps, carrier, refusing, ringing, talking
from tests.plugins.sipp_scenarios import answer
from tests.plugins.switch import Switch

SERVER: Final = "pbx"
OK: Final = 200
RING_S: Final = 5.0
"""Of campaigns whose law lets them give up so soon."""
_LEG: Final = "dialer.leg."
"""How Asterisk's channels of agents' phones are named by the adapter."""


class Fate(NamedTuple):
    """What the carrier does with a number, and its final response; None: it rings until CANCEL."""

    steps: Steps
    code: int | None
    rang: bool = False

    @property
    def status(self) -> CallStatus:
        """Return what the table of statuses.md 2.5 gives for it; 200 is an agent's talk, and CANCEL is rule 5."""
        if self.code is None:
            return CallStatus.CANCEL
        if self.code == OK:
            return CallStatus.ANSWERED
        row = sip_row(self.code)
        assert row is not None
        return row.outcome(rang=self.rang).status


FATES: Final = {
    "[0-2]": Fate(talking(0.8, 1.5), OK, rang=True),
    "3": Fate(refusing("600 Busy Everywhere"), 600),
    "4": Fate(refusing("603 Decline", ring_s=0.1), 603, rang=True),
    "5": Fate(refusing("486 Busy Here"), 486),
    "6": Fate(refusing("404 Not Found"), 404),
    "[02468]7": Fate(refusing("480 Temporarily Unavailable"), 480),
    "7": Fate(refusing("480 Temporarily Unavailable", ring_s=0.1), 480, rang=True),
    "[02]8": Fate(refusing("503 Service Unavailable"), 503),
    "8": Fate(refusing("604 Does Not Exist Anywhere"), 604),
    "[02]9": Fate(ringing(), None, rang=True),
    "9": Fate(refusing("410 Gone"), 410),
}
"""By the end of the number; few are refused by 503, for the trunk rests for a second after each."""


def fate_of(phone: str) -> Fate:
    """Return what becomes of a call to a number."""
    return next(fate for end, fate in FATES.items() if re.search(f"{end}$", phone))


class SwitchCentre:
    """One dialer's home folder, and the world that it dials into."""

    def __init__(
        self, folder: Path, switch: Switch, sipp: Sipp, *, broker: str, fates: Mapping[str, Steps] | None = None,
        http_port: int | None = None,
    ) -> None:  # fmt: skip
        self.home = folder / "home"
        self.home.mkdir()
        self.switch = switch
        self.broker = broker
        steps = fates or {end: fate.steps for end, fate in FATES.items()}
        self.customers = sipp.uas(carrier(steps), trace=False)
        self.phones = sipp.uas(answer(ring_s=0.01), trace=False)
        (self.home / "asterisk.toml").write_text(
            f"""
[server.{SERVER}]
url = "http://{HOST}:{http_port or switch.http_port}/ari"
user = "{switch.user}"
password = "{switch.password}"
endpoint = "PJSIP/carrier/{_place(self.customers, "{phone}")}"
channels = 400
cps = 100
[agents]
endpoint = "PJSIP/desk/{_place(self.phones, "{agent}")}"
"""
        )

    async def campaign(self, leads: int, **changes: Any) -> int:
        """Make and start a campaign of leads who are called once, one for each agent who is free."""
        base: dict[str, Any] = {
            "ring_timeout_s": RING_S, "legal": LegalProfile(law="custom", min_ring_s=RING_S), "wrap_up_s": 5.0,
            "pacer": "progressive",
        }  # fmt: skip
        return await campaign_in(self.home, leads, **(base | changes))

    @asynccontextmanager
    async def dialer(self) -> AsyncIterator[Running]:
        """Run `dialer up` with the switch as its trunk."""
        async with started(self.home, "up", "--port", "0", **self._env()) as running:
            await running.line_with("stop: Ctrl-C")
            yield running

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Running]:
        """Run `dialer engine` alone, which starts in half the time of all parts."""
        async with started(self.home, "engine", "--health-port", "0", **self._env()) as running:
            await running.line_with("dialer engine runs")
            yield running

    def _env(self) -> dict[str, str]:
        return {"DIALER_TRUNK": "asterisk", "DIALER_MQTT_URL": self.broker, "DIALER_AGENT_GRACE_S": "2"}

    def agents(self, count: int, habits: Habits) -> SimulatedAgents:
        """Return so many agents; entering them connects them. The loop of the test's own is asked to note less.

        Its debug mode keeps a trace of every callback: for hundreds of calls that costs more than all else here.
        """
        asyncio.get_running_loop().set_debug(False)
        ids = [f"agent{number:02d}" for number in range(1, count + 1)]
        return SimulatedAgents(dict.fromkeys(ids, MqttAt.parse(self.broker)), campaign=NAME, habits=habits)

    def attempts(self, *columns: str) -> list[dict[str, Any]]:
        """Return these columns of every attempt."""
        return attempts_in(self.home, *columns)

    def settled(self) -> int:
        """Count the attempts that are over."""
        (row,) = self.attempts("coalesce(sum(settled), 0) AS count")
        return int(next(iter(row.values())))

    async def until(self, holds: Callable[[], bool], within_s: float = WAIT_S) -> float:
        """Wait for what other processes do; return how long it took, in seconds."""
        began = time.monotonic()
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 -- nothing here is told of it
                await asyncio.sleep(0.2)
        return time.monotonic() - began

    def finals(self) -> list[str]:
        """Return the calls of the final records that wait to be projected, in order of their ids."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home / 'dialer.db'}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT value FROM outbox WHERE type = 'cdr.finalized'").fetchall()
        return sorted(json.loads(value)["call_id"] for (value,) in rows)

    async def verified(self) -> dict[str, int]:
        """Return what `dialer cdr verify` counts; it fails the test unless all is well."""
        code, out, err = await run(self.home, "cdr", "verify", "--json")
        assert code == 0, err + out
        report = json.loads(out)
        assert report["ok"], report
        return {
            kind: sum(part[kind] for part in report["partitions"])
            for kind in ("begun", "finals", "calls", "dead_letters")
        }

    def double_booked(self) -> list[tuple[str, str]]:
        """Return pairs of calls that one agent had at once, by our records; and by the phone's legs at Asterisk."""
        talks = defaultdict(list)
        for row in self.attempts("agent_id", "bridged_at", "ended_at", "call_id"):
            if row["bridged_at"] is not None:
                talks[row["agent_id"]].append((row["bridged_at"], row["ended_at"], row["call_id"]))
        for record in self.switch.records():
            if record.channel.startswith(_LEG):
                agent = "leg " + record.channel.removeprefix(_LEG).split(".")[0]
                talks[agent].append((record.began_at, record.ended_at, record.channel))
        return [
            (one[2], other[2]) for calls in talks.values() for one, other in pairwise(sorted(calls))
            if other[0] < one[1]
        ]  # fmt: skip

    def differences(self) -> tuple[list[float], list[float]]:
        """Return by how many seconds our times of answers, and of ends, differ from those of Asterisk's records.

        No call of ours ends before its agent was heard to be joined, however late that was on a busy machine.
        """
        theirs = {record.channel: record for record in self.switch.records()}
        answers, ends = [], []
        for row in self.attempts("call_id", "answered_at", "bridged_at", "ended_at"):
            record = theirs[row["call_id"]]
            assert (row["answered_at"] is None) == (record.answered_at is None), (row, record)
            ends.append(abs(row["ended_at"] - max(record.ended_at, row["bridged_at"] or 0.0)))
            if record.answered_at is not None:
                answers.append(abs(row["answered_at"] - record.answered_at))
        return answers, ends


def _place(run: SippRun, user: str) -> str:
    return f"sip:{user}@{run.address}"
