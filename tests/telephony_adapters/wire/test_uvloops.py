"""uvloop where it is, asyncio's loop elsewhere."""

from __future__ import annotations

import asyncio
import sys

import pytest
import uvloop

from telephony_adapters.wire.uvloops import loop_factory, run


async def loop_name() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


def test_uvloop_runs_where_it_is_installed() -> None:
    assert run(loop_name()) == "uvloop"
    assert loop_factory() is uvloop.new_event_loop


def test_asyncio_runs_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
    assert run(loop_name()) == "asyncio"


def test_what_the_program_raises_comes_out() -> None:
    async def broken() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        run(broken())
