"""What a process is made of: parts that run, tell how they are, and drain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from dialer.errors import DialerError
from dialer.metrics import Sample
from dialer.redact import hide_secrets
from dialer.service.lifecycle import Service

log = logging.getLogger(__name__)

OK = "ok"
LOOK_S = 2.0
ANSWER_S = 5.0
"""A dependency that takes longer than this to answer is not well."""


class Part(Protocol):
    """One part of the dialer in a process."""

    def services(self) -> Sequence[Service]:
        """Return what runs for as long as the process does."""
        ...

    def health(self) -> Mapping[str, str]:
        """Return each dependency and what is wrong with it, "ok" when nothing is."""
        ...

    def samples(self) -> Iterable[Sample]:
        """Return the figures of this moment."""
        ...

    async def drain(self) -> int:
        """Take no more work, finish what is begun; return how many calls had to be cut."""
        ...


class Watch:
    """A dependency that is asked every two seconds whether it answers."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[object]]) -> None:
        self.name = name
        self._ask = ask
        self._found = "not asked yet"

    def services(self) -> Sequence[Service]:
        """Return the asking."""
        return [Service(f"watch {self.name}", self._run, essential=False)]

    def health(self) -> Mapping[str, str]:
        """Return what the last answer was."""
        return {self.name: self._found}

    def samples(self) -> Iterable[Sample]:
        """Return nothing: /readyz and the gauge of dependencies say it."""
        return ()

    async def drain(self) -> int:
        """Do nothing: there is nothing to finish."""
        return 0

    async def look(self) -> None:
        """Ask once."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._ask()
        except Exception as error:
            # Whatever it was, the process goes on and says so; a stranger's words may hold an address: only the kind.
            if self._found == OK:
                extra = {"action": "dependency.down", "dependency": self.name}
                log.warning("a dependency does not answer", extra=extra, exc_info=error)
            known = hide_secrets(str(error)) if isinstance(error, DialerError) else type(error).__name__
            self._found = f"does not answer: {known}"
        else:
            self._found = OK

    async def _run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)
