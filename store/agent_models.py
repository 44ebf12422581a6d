"""The table of the people who take calls (docs/agents.md)."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class Agent(Base):
    """A person who takes calls; signs in to the MQTT broker with id and password."""

    __tablename__ = "agents"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), default="")
    supervisor: Mapped[bool] = mapped_column(default=False)
    secret: Mapped[str] = mapped_column(String(255))
    """Hash of the password: $7$, as Mosquitto keeps it."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[float]
