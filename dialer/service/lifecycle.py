"""Run services together: the end of an essential one stops the process, others are started again."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

log = logging.getLogger(__name__)

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
STEADY_S = 60.0
"""A service that has run for so long is no longer one that keeps failing."""


class Service(NamedTuple):
    """A long-lived part; `run` never returns by itself."""

    name: str
    run: Callable[[], Awaitable[None]]
    essential: bool = True


class ServiceEnded(RuntimeError):
    """An essential part of the process ended by itself."""


async def run_services(services: Sequence[Service], stop: asyncio.Event) -> None:
    """Run all until `stop` is set, then cancel them; raise what ended an essential one."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_watch(service), name=service.name) for service in services]
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _watch(service: Service) -> None:
    failures = 0
    while True:
        began = time.monotonic()
        try:
            await service.run()
        except Exception as error:
            if service.essential:
                raise
            if time.monotonic() - began > STEADY_S:
                failures = 0
            delay_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            failures += 1
            extra = {"action": "service.restart", "service": service.name, "delay_s": delay_s}
            log.warning("a service failed and is started again", extra=extra, exc_info=error)
            await asyncio.sleep(delay_s)
        else:
            # Whatever ends without an error is an incident too: nothing here is meant to end.
            raise ServiceEnded(service.name)


def stop_on_signals(stop: asyncio.Event, kill: Callable[[], None]) -> None:
    """Let the first SIGTERM or SIGINT set `stop` and the second call `kill`."""

    def signalled() -> None:
        if stop.is_set():
            kill()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled)
