"""A console in a process of its own, and how a test speaks with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.async_api import Page

from tests.web.world import SECRET
from web.auth import make_login_token

ROOT = Path(__file__).parents[2]
START_S = 90.0


class Console:
    """A running console and the way to its world."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        # As it is served to people: NiceGUI looks for pytest, and asyncio's debug mode would halve its speed.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment.pop("PYTHONASYNCIODEBUG", None)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.web.world", str(folder), *flags],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(START_S, self._process.kill)
        watchdog.start()
        try:
            self.url = f"http://127.0.0.1:{self._answer()['port']}"
        finally:
            watchdog.cancel()

    def order(self, **order: Any) -> dict[str, Any]:
        """Let the world do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        assert "error" not in answer, answer
        return answer

    def link(self, path: str = "/") -> str:
        """Return an address that signs in once and goes on to a path."""
        return f"{self.url}/login?{urlencode({'token': make_login_token(SECRET, now=time.time()), 'next': path})}"

    def close(self) -> int:
        """End it and return its exit status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            return self._process.wait(timeout=20)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the console ended with status {self._process.poll()}"
        answer: dict[str, Any] = json.loads(line)
        return answer


Visit = Callable[[str], Awaitable[Page]]
"""Open a path of the console and wait until its websocket lives."""


async def ready(page: Page) -> None:
    """Wait until what is pressed reaches the program."""
    await page.wait_for_function("window.did_handshake === true")
