"""Which calls the abandonment rule counts (16 CFR 310.4(b)(1)(iv)), in SQL; `store.rules.spoke_to_person` in Python."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from dialer.core.types import CampaignKind, CampaignSettings, Direction
from statuses.outcomes import CallStatus
from store.load import ATTEMPTS


def persons_answered(settings: CampaignSettings, *, since: float) -> ColumnElement[bool]:
    """Return the condition: ended since then, answered by a person for whom an agent was to come.

    Calls of theirs are not among them, nor is who heard a message of a campaign without agents (Answered or IVR, nobody
    joined). Of a campaign that follows a script only those are who heard nothing, for a fault of ours: no agent was to
    come until one was asked for.
    """
    ours = and_(ATTEMPTS.c.campaign_id == settings.campaign_id, ATTEMPTS.c.direction == Direction.OUTBOUND.value)
    answered = and_(ours, ATTEMPTS.c.answered_at.is_not(None))
    talked_or_lost = or_(ATTEMPTS.c.status != CallStatus.ANSWERED.value, ATTEMPTS.c.bridged_at.is_not(None))
    nobody = (CallStatus.VOICEMAIL.value, CallStatus.IVR.value)
    person = and_(answered, ATTEMPTS.c.ended_at >= since, ATTEMPTS.c.status.not_in(nobody), talked_or_lost)
    scripted = settings.kind is CampaignKind.AUTODIALER
    return and_(person, ATTEMPTS.c.status == CallStatus.FAILED.value) if scripted else person


def joined_within(limit_s: float) -> ColumnElement[bool]:
    """Return the condition that an agent came in time; NULL when none came."""
    return ATTEMPTS.c.bridged_at - ATTEMPTS.c.answered_at <= limit_s
