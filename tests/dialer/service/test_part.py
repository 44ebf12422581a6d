"""A dependency that is watched: whether it answers, and what may be said of why not."""

from __future__ import annotations

import asyncio
import logging

import pytest

from dialer.errors import Unreachable
from dialer.service import part
from dialer.service.part import Watch


async def test_it_is_ok_while_it_answers_and_told_once_when_it_does_not(caplog: pytest.LogCaptureFixture) -> None:
    error: Exception | None = None

    async def ask() -> None:
        if error is not None:
            raise error

    watch = Watch("broker", ask)
    assert watch.health() == {"broker": "not asked yet"}
    await watch.look()
    assert watch.health() == {"broker": "ok"}
    error = Unreachable("mqtt://dialer:secret@host:1883 does not answer; check that it runs")
    with caplog.at_level(logging.WARNING, logger="dialer.service.part"):
        await watch.look()
        await watch.look()
    assert watch.health() == {
        "broker": "does not answer: mqtt://dialer:***@host:1883 does not answer; check that it runs"
    }
    assert [record.__dict__["action"] for record in caplog.records] == ["dependency.down"]
    error = OSError("postgresql://dialer:secret@host/db")
    await watch.look()
    assert watch.health() == {"broker": "does not answer: OSError"}
    error = None
    await watch.look()
    assert watch.health() == {"broker": "ok"}


async def test_one_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "ANSWER_S", 0.01)
    watch = Watch("broker", asyncio.Event().wait)
    await asyncio.wait_for(watch.look(), 5)
    assert watch.health() == {"broker": "does not answer: TimeoutError"}
