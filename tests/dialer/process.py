"""Start the program as a person does, read what it says, end it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

WAIT_S = 90.0


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what only tests want."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONASYNCIODEBUG"}
    return kept | {"NO_COLOR": "1", "COLUMNS": "200"} | more


async def run(home: Path, *words: str, wait_s: float = WAIT_S, **env: str) -> tuple[int, str, str]:
    """Run `dialer WORDS` to its end; return exit status, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer", "--home", str(home), *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment(**env),
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), wait_s)
    return process.returncode or 0, out.decode(), err.decode()


async def run_in(env: dict[str, str], home: Path, *words: str) -> tuple[int, str, str]:
    """Do the same with these variables."""
    return await run(home, *words, wait_s=WAIT_S, **env)


class Running:
    """A program that runs: its lines so far, and how it ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def line_with(self, text: str) -> str:
        """Return the next line that holds `text`."""
        assert self.process.stdout is not None
        while line := (await asyncio.wait_for(self.process.stdout.readline(), WAIT_S)).decode():
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"it ended without {text!r}: {''.join(self.lines)}")

    async def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return exit status and the rest of the output."""
        self.process.send_signal(number)
        out, _ = await asyncio.wait_for(self.process.communicate(), WAIT_S)
        return self.process.returncode or 0, out.decode()


@asynccontextmanager
async def started(home: Path, *words: str, **env: str) -> AsyncIterator[Running]:
    """Start `dialer WORDS`; what is still running at the end is killed. Errors come with the output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer", "--home", str(home), *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=environment(PYTHONUNBUFFERED="1", **env),
    )  # fmt: skip
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
