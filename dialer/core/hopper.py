"""Leased leads that wait to be dialed, in the order in which the store gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from dialer.core.types import Lead
from statuses.lead import LeadState

Lift = Callable[[Lead], float]
"""The chance that a lead answers now, as a multiple of the campaign's."""


class Hopper:
    """A queue of leads by id; `asked` is true while a lease request is out."""

    def __init__(self) -> None:
        self._leads: dict[int, Lead] = {}
        self._lifts: dict[int, float] = {}
        self._hour = -1
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

    def weigh(self, hour: int, lift: Lift) -> None:
        """Weigh the leads that are new, or all of them when the local hour is another."""
        if hour != self._hour:
            self._lifts.clear()
            self._hour = hour
        if len(self._lifts) < len(self._leads):
            for lead_id, lead in self._leads.items():
                if lead_id not in self._lifts:
                    self._lifts[lead_id] = lift(lead)

    def lifts(self, count: int) -> list[float]:
        """Return the weights of the first leads, as far as they are weighed."""
        return [self._lifts.get(lead_id, 1.0) for lead_id in islice(self._leads, count)]

    def take(self) -> Lead:
        """Return and remove the first lead."""
        return self._take(next(iter(self._leads)))

    def take_best(self) -> Lead:
        """Return and remove the lead with the highest weight, the first of them; who asked to be called goes before."""
        return self._take(max(self._leads, key=self._worth))

    def withdraw(self, lead_ids: Iterable[int]) -> list[int]:
        """Remove leads; return the ids that were here."""
        here = [lead_id for lead_id in lead_ids if lead_id in self._leads]
        for lead_id in here:
            self._take(lead_id)
        return here

    def empty(self) -> tuple[int, ...]:
        """Remove and return all ids."""
        ids = tuple(self._leads)
        self._leads.clear()
        self._lifts.clear()
        return ids

    def ids(self) -> tuple[int, ...]:
        """Return the ids of the waiting leads."""
        return tuple(self._leads)

    def _worth(self, lead_id: int) -> tuple[bool, float]:
        return self._leads[lead_id].from_state is LeadState.CALLBACK, self._lifts.get(lead_id, 1.0)

    def _take(self, lead_id: int) -> Lead:
        self._lifts.pop(lead_id, None)
        return self._leads.pop(lead_id)
