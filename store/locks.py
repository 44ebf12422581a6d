"""The numbers of PostgreSQL's advisory locks, all in one place: two things of one number would exclude each other."""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class Lock(IntEnum):
    """What is done by one at a time, of all that share a database; phone numbers lock by their own 64-bit hash."""

    UPGRADE = 7305840
    """Change the tables, in a transaction."""
    OUTBOX = 7305841
    """Append to the outbox, to the end of the transaction: offsets become visible in their order."""
    IMPORT = 7305842
    """Write a batch of an import, in a transaction: two imports must not both make the same customer."""
    PROJECTOR = 7305843
    """Project the outbox, for a process's life."""
    WEBHOOKS = 7305844
    """Post finished calls, for a process's life."""
    LANES = 7305845
    """Prune the outbox, or make the lanes of a topic, in a transaction."""
