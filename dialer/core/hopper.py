"""Leased leads that wait to be dialed, in the order in which the store gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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

    def in_turn(self, *, best_first: bool = False) -> Iterator[Lead]:
        """Yield the waiting leads in the order in which they leave; `withdraw` those that do when all are chosen.

        The store's order, or the highest weight first; who asked to be called goes before.
        """
        leads = self._leads.values()
        return iter(sorted(leads, key=self._worth, reverse=True) if best_first else leads)

    def withdraw(self, lead_ids: Iterable[int]) -> list[int]:
        """Remove leads; return the ids that were here."""
        here = [lead_id for lead_id in lead_ids if lead_id in self._leads]
        for lead_id in here:
            self._lifts.pop(lead_id, None)
            del self._leads[lead_id]
        return here

    def put_back(self, lead: Lead) -> None:
        """Let a lead that was taken out, and not called, be the next."""
        self._leads = {lead.lead_id: lead, **self._leads}

    def empty(self) -> tuple[int, ...]:
        """Remove and return all ids."""
        ids = tuple(self._leads)
        self._leads.clear()
        self._lifts.clear()
        return ids

    def ids(self) -> tuple[int, ...]:
        """Return the ids of the waiting leads."""
        return tuple(self._leads)

    def _worth(self, lead: Lead) -> tuple[bool, float]:
        return lead.from_state is LeadState.CALLBACK, self._lifts.get(lead.lead_id, 1.0)
