"""The part that posts finished calls to the receivers of campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cdr.webhook import Webhooks
from dialer.metrics import Sample
from dialer.service.lifecycle import Service


class WebhooksPart:
    """The webhooks of one process; its store keeps a second one from posting the same calls."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def services(self) -> Sequence[Service]:
        """Return the posting."""
        return [Service("webhooks", self._webhooks.run, essential=False)]

    def health(self) -> Mapping[str, str]:
        """Return nothing: a receiver that fails is told with its campaign, and no dependency of ours."""
        return {}

    def samples(self) -> Iterable[Sample]:
        """Return nothing."""
        return ()

    async def drain(self) -> int:
        """Do nothing: the queue is durable, and goes on at the next start."""
        return 0
