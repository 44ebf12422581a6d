"""What all roles share when they begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.commands.live import nearby
from tests.dialer.process import run, started


@pytest.mark.parametrize(
    ("listens", "asked"),
    [
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://:::8080", "http://[::1]:8080"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
    ],
)
def test_who_listens_everywhere_is_asked_at_home(listens: str, asked: str) -> None:
    assert nearby(listens) == asked


@pytest.mark.component("chdb")
async def test_commands_reach_a_service_that_listens_everywhere(tmp_path: Path) -> None:
    async with started(tmp_path, "up", "--host", "0.0.0.0", "--port", "0") as up:  # noqa: S104 -- as a container does
        await up.line_with("http://0.0.0.0:")
        code, out, err = await run(tmp_path, "cdr", "search", "--json")
        assert (code, out.strip(), err) == (0, "[]", "")
