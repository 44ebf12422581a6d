"""The eleven kinds of interaction in a customer's history (requirements.md S3-38)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class InteractionKind(StrEnum):
    """What happened between us and a customer, in the order of the seed."""

    POTENTIAL = "potential"
    CONTRACT_CLOSED = "contract_closed"
    REFUSED = "refused"
    CALL_IN = "call_in"
    CALL_OUT = "call_out"
    CALL_MISSED = "call_missed"
    EDITED = "edited"
    ASSIGNED = "assigned"
    APPOINTMENT = "appointment"
    ADDED = "added"
    CLASSIFIED = "classified"


CALL_KINDS: Final = frozenset({InteractionKind.CALL_IN, InteractionKind.CALL_OUT, InteractionKind.CALL_MISSED})
"""The kinds that are calls and so have a recording, a result and a rating (S2-3, S3-39)."""


def call_kind(*, inbound: bool, answered: bool) -> InteractionKind:
    """Return the kind of a call: a missed call is an incoming one that nobody took; outgoing ones are never missed."""
    if not inbound:
        return InteractionKind.CALL_OUT
    return InteractionKind.CALL_IN if answered else InteractionKind.CALL_MISSED
