"""What tests of agents' desks share: a book with the campaigns 1 and 2, and commands as desks send them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from dialer.agents import messages as m
from dialer.agents.desk_book import DeskBook
from dialer.agents.desk_model import Taken
from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import AgentEvent

GRACE_S = 10.0


class Room:
    """A book of desks, its clock, and all that came out of it."""

    def __init__(self, *, campaigns: Iterable[int] = (1, 2)) -> None:
        self.now = 1_000.0
        self.book = DeskBook(me="me", grace_s=GRACE_S)
        self.events: list[tuple[int, AgentEvent]] = []
        self.states: dict[str, m.State] = {}
        self.offers: list[tuple[str, m.Offer]] = []
        self.last = Taken([], [], [], [])
        self._ids = count(1)
        for campaign in campaigns:
            self.book.announce(campaign, self.now)

    def taken(self) -> list[AgentEvent]:
        """Drain the book; return what the engines are told now."""
        self.last = taken = self.book.take()
        self.events += taken.events
        self.offers += taken.offers
        self.states |= dict(taken.states)
        return [event for _, event in taken.events]

    def presence(self, agent: str, session: str, *, online: bool = True) -> list[AgentEvent]:
        self.book.presence(agent, m.Presence(session=session, online=online), self.now)
        return self.taken()

    def say(
        self, agent: str, session: str, kind: type[Any], *, campaign_id: int | None = None, **fields: Any
    ) -> list[AgentEvent]:
        command_id = fields.pop("id", None) or f"c{next(self._ids)}"
        if kind is m.SignIn:
            fields.setdefault("campaign", str(campaign_id))
        command = kind(id=command_id, session=session, **fields)
        self.book.said(agent, command, self.now, campaign_id=campaign_id)
        return self.taken()

    def at_work(self, agent: str, session: str = "s1", campaign_id: int = 1) -> None:
        """Have an agent signed in and ready."""
        self.presence(agent, session)
        self.say(agent, session, m.SignIn, campaign_id=campaign_id)
        self.say(agent, session, m.Ready)

    def order(self, agent: str, order: AgentOrder, call_id: str | None = None, **more: Any) -> list[AgentEvent]:
        self.book.order(more.pop("campaign_id", 1), CommandAgent(agent, order, call_id, **more), self.now)
        return self.taken()

    def later(self, seconds: float) -> list[AgentEvent]:
        self.now += seconds
        self.book.expire(self.now)
        return self.taken()

    def answer(self, agent: str) -> m.Refused | None:
        """Return what became of the agent's latest command."""
        answer = self.states[agent].answer
        assert answer is not None
        return answer.error
