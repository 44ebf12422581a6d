"""Add up what a run shows: outcomes, waits, abandoned calls."""

from __future__ import annotations

from collections import Counter

from dialer.core.types import AttemptRecord
from statuses.outcomes import AmdResult, CallStatus


class Meter:
    """Collect settled attempts; abandoned = answered by a person, no agent joined within `connect_within_s`."""

    def __init__(self, connect_within_s: float) -> None:
        self._connect_within_s = connect_within_s
        self.statuses: Counter[CallStatus] = Counter()
        self.rules: Counter[str] = Counter()
        self.waits: list[float] = []
        """Seconds from the answer of a person to the agent's voice, or to the end when nobody came."""
        self.answered = self.abandoned = self.bridged = 0
        self.talk_s = 0.0

    def settled(self, record: AttemptRecord) -> None:
        """Count one attempt."""
        self.statuses[record.verdict.status] += 1
        self.rules[record.verdict.rule] += 1
        answered_at = record.answered_at
        if answered_at is None or record.facts.amd is AmdResult.MACHINE:
            return
        self.answered += 1
        if record.facts.agentless:
            return  # a message plays at once: nobody waits for an agent
        until = record.ended_at if record.bridged_at is None else record.bridged_at
        self.waits.append(until - answered_at)
        if record.bridged_at is None:
            self.abandoned += 1
            return
        self.bridged += 1
        self.talk_s += record.ended_at - record.bridged_at
        # A hair's breadth for sums of floating-point times.
        self.abandoned += record.bridged_at - answered_at > self._connect_within_s + 1e-6
