"""Calls that are about to leave: what they may have to play is made ready before anyone is called."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from dialer.core.types import CallId
from dialer.speech import PromptFault, Prompts
from statuses.outcomes import LocalError

log = logging.getLogger(__name__)


class Placing:
    """The calls whose prompts are being made ready; one that is given up meanwhile must not leave."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._waiting: set[CallId] = set()

    async def ready(self, call_id: CallId, prompts: Sequence[str]) -> LocalError | None:
        """Return when every prompt is ready, or what is wrong with one."""
        self._waiting.add(call_id)
        try:
            for prompt in prompts:
                await self._prompts.ready(prompt)
        except PromptFault as fault:
            extra = {"action": "prompt.missing", "call_id": call_id, "error": fault.error.value, "why": str(fault)}
            log.warning("a prompt is missing, call not placed", extra=extra)
            return fault.error
        return None

    def take_out(self, call_id: CallId) -> bool:
        """Take a call out; tell whether it was there: it has not left, and nobody has given it up."""
        if call_id not in self._waiting:
            return False
        self._waiting.discard(call_id)
        return True

    async def path(self, prompt: str) -> str:
        """Return what the switch is to play; raise PromptFault."""
        return await self._prompts.ready(prompt)
