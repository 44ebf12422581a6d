"""The topics of agents' desks, and who may use which: one rule for every broker."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

ROOT: Final = "dialer/agents"
DIALER: Final = "dialer"
"""The user as whom the engines themselves sign in."""
AGENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""An agent's id is a user name and a level of topics: no slash, no wildcard, no space."""


class Leaf(StrEnum):
    """The last level of an agent's topics."""

    PRESENCE = "presence"
    """Agent to dialer, retained; the last will says offline."""
    COMMAND = "command"
    """Agent to dialer."""
    SUPERVISE = "supervise"
    """Supervisor to dialer."""
    OFFER = "offer"
    """Dialer to agent."""
    STATE = "state"
    """Dialer to agent, retained."""


AGENT_WRITES: Final = frozenset({Leaf.PRESENCE, Leaf.COMMAND})
AGENT_READS: Final = frozenset({Leaf.OFFER, Leaf.STATE})


class At(NamedTuple):
    """Whose topic, and which."""

    agent_id: str
    leaf: Leaf


def topic(agent_id: str, leaf: Leaf) -> str:
    """Return a topic of an agent."""
    return f"{ROOT}/{agent_id}/{leaf.value}"


def everyone(leaf: Leaf) -> str:
    """Return the filter that matches this topic of every agent."""
    return topic("+", leaf)


def parse(text: str) -> At | None:
    """Read a topic; None when it is no agent's."""
    parts = text.split("/")
    if len(parts) != 4 or "/".join(parts[:2]) != ROOT or not is_agent_id(parts[2]):  # noqa: PLR2004 -- levels
        return None
    return At(parts[2], Leaf(parts[3])) if parts[3] in set(Leaf) else None


def is_agent_id(text: str) -> bool:
    """Tell whether this can be an agent's id."""
    return AGENT_ID.fullmatch(text) is not None and text != DIALER


def may_write(user: str, text: str, *, supervisor: bool) -> bool:
    """Tell whether a user may publish to a topic."""
    if user == DIALER:
        return text.startswith("dialer/")
    at = parse(text)
    return at is not None and at.agent_id == user and (at.leaf in AGENT_WRITES or (supervisor and _supervises(at)))


def may_read(user: str, text: str) -> bool:
    """Tell whether a user may subscribe to a filter, and be sent what matches it."""
    if user == DIALER:
        return text.startswith("dialer/")
    at = parse(text)
    return at is not None and at.agent_id == user and at.leaf in AGENT_READS


def _supervises(at: At) -> bool:
    return at.leaf is Leaf.SUPERVISE
