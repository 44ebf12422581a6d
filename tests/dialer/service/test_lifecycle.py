"""Services and signals."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from dialer.service import lifecycle
from dialer.service.lifecycle import Service, ServiceEnded, run_services, stop_on_signals


async def forever() -> None:
    await asyncio.Event().wait()


async def test_stop_cancels_all() -> None:
    stop = asyncio.Event()
    ended: list[str] = []

    async def one() -> None:
        try:
            await forever()
        finally:
            ended.append("one")

    running = asyncio.create_task(run_services([Service("one", one), Service("two", forever)], stop))
    await asyncio.sleep(0)
    stop.set()
    await running
    assert ended == ["one"]


async def test_an_essential_service_that_fails_stops_the_process() -> None:
    async def broken() -> None:
        raise OSError("disk")

    with pytest.raises(ExceptionGroup) as caught:
        await run_services([Service("broken", broken), Service("other", forever)], asyncio.Event())
    assert caught.group_contains(OSError, match="disk")


async def test_a_service_that_ends_by_itself_is_an_incident() -> None:
    async def brief() -> None:
        await asyncio.sleep(0)

    with pytest.raises(ExceptionGroup) as caught:
        await run_services([Service("brief", brief, essential=False)], asyncio.Event())
    assert caught.group_contains(ServiceEnded, match="brief")


async def test_a_service_that_is_not_essential_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "BACKOFF_S", (0.0,))
    stop = asyncio.Event()
    tries = 0

    async def shaky() -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            stop.set()
            await forever()
        raise RuntimeError(f"try {tries}")

    await run_services([Service("shaky", shaky, essential=False)], stop)
    assert tries == 3


async def test_first_signal_stops_and_the_second_kills() -> None:
    stop = asyncio.Event()
    killed: list[bool] = []
    stop_on_signals(stop, lambda: killed.append(True))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 5)
        assert killed == []
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
        assert killed == [True]
    finally:
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)


async def test_a_service_that_has_run_long_begins_its_pauses_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "BACKOFF_S", (0.0, 3600.0))
    monkeypatch.setattr(lifecycle, "STEADY_S", 0.0)
    stop = asyncio.Event()
    tries = 0

    async def shaky() -> None:
        nonlocal tries
        tries += 1
        if tries == 4:
            stop.set()
            await forever()
        await asyncio.sleep(0.001)
        raise OSError("again")

    await asyncio.wait_for(run_services([Service("shaky", shaky, essential=False)], stop), 5)
