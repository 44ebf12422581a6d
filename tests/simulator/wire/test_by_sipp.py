"""The carrier as SIPp sees it: a stack that is not ours agrees with what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugins.sipp import Sipp
from tests.plugins.sipp_scenarios import call, change_call, refused, wait
from tests.simulator.wire.test_server import TCP, UDP, running

pytestmark = pytest.mark.component("sipp")


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("listen", [UDP, TCP], ids=str)
async def test_calls_of_sipp_are_answered_and_end(sipp: Sipp, tmp_path: Path, listen: object) -> None:
    path = tmp_path / "ledger.jsonl"
    async with running(listens=[listen], ledger=path) as (made, _phone):
        place = made.server.listening[0]
        caller = sipp.uac(f"127.0.0.1:{place.port}", "uac", calls=20, rate=50, transport=place.transport)
        counts = await caller.finished()
    assert (counts.done, counts.failed) == (20, 0), caller.errors()
    assert [(row["status"], row["acked"], row["ended_by"]) for row in rows(path)] == [(200, 1, "caller")] * 20


@pytest.mark.parametrize(
    ("number", "scenario", "status"),
    [
        ("0959330000", call(user="dialer", password="dialer"), 200),  # SIPp knows MD5 only
        ("0959071000", wait(), 200),
        ("0959450000", change_call(491, 200), 200),
        ("0955486500", refused(486), 486),
    ],
)
async def test_scenes_are_what_sipp_expects(
    sipp: Sipp, tmp_path: Path, number: str, scenario: str, status: int
) -> None:
    path = tmp_path / "ledger.jsonl"
    async with running(ledger=path) as (made, _phone):
        caller = sipp.uac(f"127.0.0.1:{made.udp.port}", scenario, user=number)
        counts = await caller.finished()
    assert (counts.done, counts.failed) == (1, 0), caller.errors()
    assert [row["status"] for row in rows(path)] == [status]
