"""Leased leads that wait to be dialed, in the order in which the store gave them."""

from __future__ import annotations

from collections.abc import Iterable

from dialer.core.types import Lead


class Hopper:
    """A queue of leads by id; `asked` is true while a lease request is out."""

    def __init__(self) -> None:
        self._leads: dict[int, Lead] = {}
        self.asked = False
        self.next_due_at: float | None = None
        self.dry = False
        """The last lease brought nothing."""

    def __len__(self) -> int:
        """Count the waiting leads."""
        return len(self._leads)

    def fill(self, leads: Iterable[Lead], next_due_at: float | None) -> None:
        """Take the answer to a lease request."""
        before = len(self._leads)
        self._leads.update((lead.lead_id, lead) for lead in leads)
        self.asked, self.next_due_at, self.dry = False, next_due_at, len(self._leads) == before

    def take(self) -> Lead:
        """Return and remove the first lead."""
        return self._leads.pop(next(iter(self._leads)))

    def withdraw(self, lead_ids: Iterable[int]) -> list[int]:
        """Remove leads; return the ids that were here."""
        return [lead_id for lead_id in lead_ids if self._leads.pop(lead_id, None) is not None]

    def empty(self) -> tuple[int, ...]:
        """Remove and return all ids."""
        ids = tuple(self._leads)
        self._leads.clear()
        return ids

    def ids(self) -> tuple[int, ...]:
        """Return the ids of the waiting leads."""
        return tuple(self._leads)
