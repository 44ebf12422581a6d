"""The part that verifies the call records all the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cdr.watch import Verifier
from dialer import metrics
from dialer.metrics import Sample
from dialer.service.lifecycle import Service
from dialer.service.part import OK


class VerifierPart:
    """The verifier of one process: it looks at the partitions that are projected here."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def services(self) -> Sequence[Service]:
        """Return the looking."""
        return [Service("verifier", self._verifier.run, essential=False)]

    def health(self) -> Mapping[str, str]:
        """Say whether every record of the log is there exactly once, as of the last look."""
        return {"call records": self._verifier.failure or OK}

    def samples(self) -> Iterable[Sample]:
        """Return how much is wrong."""
        return (Sample(metrics.PROBLEMS, len(self._verifier.problems)),)

    async def drain(self) -> int:
        """Do nothing: looking leaves nothing behind."""
        return 0
