"""The verifier as a part of a process: what it finds is in /readyz and in the figures."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cdr.choose import open_analytics
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.projector import Projector
from cdr.watch import Verifier
from dialer import metrics
from dialer.service.lifecycle import run_services
from dialer.service.verifying import VerifierPart
from tests.cdr.relay_world import until
from tests.cdr.samples import life

pytestmark = pytest.mark.component("chdb")


async def test_a_record_that_is_gone_makes_the_process_unready(tmp_path: Path) -> None:
    log, ledger = MemoryEventLog(), MemoryOffsetLedger()
    log.extend((event.key, event.value) for event in life(1))
    analytics = await open_analytics(tmp_path / "analytics")
    await Projector(log, ledger, analytics).run_once()
    part = VerifierPart(Verifier(log, ledger, analytics, every_s=0.05))
    stop = asyncio.Event()
    task = asyncio.create_task(run_services(part.services(), stop))
    await asyncio.sleep(0.2)
    assert part.health() == {"call records": "ok"}
    assert list(part.samples()) == [metrics.Sample(metrics.PROBLEMS, 0)]
    await analytics.command("ALTER TABLE call_events DELETE WHERE log_offset = 2 SETTINGS mutations_sync = 1")
    await until(lambda: "dialer cdr verify" in part.health()["call records"])
    (sample,) = part.samples()
    assert sample.value >= 1
    stop.set()
    await task
    await analytics.close()
