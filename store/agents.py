"""The people who take calls, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import Row, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.campaign import CampaignState
from dialer.core.types import AgentId
from dialer.errors import IllegalAction, NotFound
from dialer.ports import AgentAccount
from store.load import CAMPAIGNS
from store.models import Agent
from store.open import readers

AGENTS: Final = cast("Table", Agent.__table__)


class SqlAgents:
    """AgentAccounts in the table agents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._readers = readers(engine)

    async def find(self, agent_id: AgentId) -> AgentAccount | None:
        """Return an agent's account."""
        async with self._readers.connect() as connection:
            row = (await connection.execute(select(AGENTS).where(AGENTS.c.id == agent_id))).one_or_none()
        return None if row is None else _account(row)

    async def all(self) -> Sequence[AgentAccount]:
        """List the accounts, by id."""
        async with self._readers.connect() as connection:
            return [_account(row) for row in await connection.execute(select(AGENTS).order_by(AGENTS.c.id))]

    async def add(self, accounts: Sequence[AgentAccount], *, now: float) -> None:
        """Add people; raise IllegalAction, and add nobody, when one of the ids is taken."""
        ids = [account.agent_id for account in accounts]
        async with self._engine.begin() as connection:
            taken = (await connection.execute(select(AGENTS.c.id).where(AGENTS.c.id.in_(ids)))).scalars().first()
            if taken is not None:
                raise IllegalAction(
                    f"there is an agent {taken!r} already: `dialer agent password {taken}` makes a new one"
                )
            rows = [_values(account) | {"id": account.agent_id, "created_at": now} for account in accounts]
            await connection.execute(insert(AGENTS), rows)

    async def change(self, agent_id: AgentId, **values: object) -> None:
        """Write some columns of an agent; raise NotFound."""
        async with self._engine.begin() as connection:
            done = await connection.execute(update(AGENTS).where(AGENTS.c.id == agent_id).values(**values))
        if done.rowcount == 0:
            raise NotFound(f"there is no agent {agent_id!r}: `dialer agent list` shows them")

    async def remove(self, ids: Sequence[AgentId]) -> None:
        """Remove people; who is not there is none."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(AGENTS).where(AGENTS.c.id.in_(ids)))

    async def campaign(self, text: str) -> int | None:
        """Return the id of the campaign with this name, else this id, that is not ended."""
        alive = CAMPAIGNS.c.state != CampaignState.ENDED.value
        named = select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.name == text, alive)
        numbered = select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.id == int(text), alive) if _is_id(text) else None
        async with self._readers.connect() as connection:
            found = (await connection.execute(named)).scalar_one_or_none()
            if found is None and numbered is not None:
                found = (await connection.execute(numbered)).scalar_one_or_none()
        return found


_ID_DIGITS: Final = 18


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _ID_DIGITS


def _account(row: Row[Any]) -> AgentAccount:
    return AgentAccount(row.id, row.name, row.supervisor, row.secret, row.active)


def _values(account: AgentAccount) -> dict[str, object]:
    return {
        "name": account.name,
        "supervisor": account.supervisor,
        "secret": account.secret,
        "active": account.active,
    }
