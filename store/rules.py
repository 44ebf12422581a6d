"""Why a lead or a number may not be called now: pure guards that SQL, memory and `why` share (statuses.md 3.2)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from dialer.core.types import CampaignKind, Direction, HoldReason, NumberCaps
from statuses.lead import ErrorKind, LeadState
from statuses.outcomes import CallStatus
from statuses.retry import RetryOrder
from store.rows import AttemptRow, Ban, Dial, LeadRow

DAY_S: Final = 86_400.0
IN_FLIGHT_RECHECK_S: Final = 30.0
"""How long a lead steps back when its number is in use for another lead."""
RECHECK_S: Final = 600.0
"""How long a lead steps back for a reason that ends at no known time."""

_S = LeadState


class Hold(NamedTuple):
    """A reason not to call, and when it ends by itself (None: nobody knows, or never)."""

    reason: HoldReason
    until: float | None = None


_BY_STATE: Final[Mapping[str, HoldReason]] = {
    _S.DNC: HoldReason.DNC,
    _S.BLACKLISTED: HoldReason.BLACKLIST,
    _S.PAUSED: HoldReason.PAUSED_LEAD,
    _S.IN_PROGRESS: HoldReason.IN_PROGRESS,
    _S.SUCCESS: HoldReason.FINISHED,
    _S.DO_NOT_RECALL: HoldReason.FINISHED,
    _S.RETRY_EXHAUSTED: HoldReason.MAX_ATTEMPTS,
}


def due_at(lead: LeadRow) -> float | None:
    """Return when the lead may be dialed by its own columns; None = leased, held or finished.

    The same as the computed column `leads.due_at`.
    """
    if lead.lease_owner is not None or lead.reconcile:
        return None
    if lead.state == _S.CALL_ERROR and (lead.error_kind or ErrorKind.NUMBER) == ErrorKind.NUMBER:
        return None
    due = _appointed(lead)
    return due if due is None else max(due, lead.held_until or 0.0)


def _appointed(lead: LeadRow) -> float | None:
    if lead.state == _S.NOT_CALLED:
        return lead.call_at or 0.0
    if lead.state == _S.CALLBACK:
        return lead.callback_at
    return lead.next_at if lead.state in (_S.CALLED_NO_SUCCESS, _S.CALL_ERROR) else None


def dial_rank(lead: LeadRow) -> int | None:
    """Return the class of a lead among those that are due; the same as the computed column `leads.dial_rank`."""
    if lead.state == _S.CALLBACK:
        return 0
    if lead.state == _S.NOT_CALLED:
        return 4 if lead.call_at is None else 1
    if lead.state == _S.CALLED_NO_SUCCESS and lead.last_status == CallStatus.BUSY_LINE:
        return 2
    return 3 if lead.state in (_S.CALLED_NO_SUCCESS, _S.CALL_ERROR) else None


def ranks(order: RetryOrder) -> tuple[int, ...]:
    """Return the ranks in dialing order: appointments first, abandoned people before other retries (N2)."""
    return (0, 1, 4, 2, 3) if order is RetryOrder.NEW_FIRST else (0, 1, 2, 3, 4)


def lead_hold(lead: LeadRow, *, list_active: bool, max_attempts: int, now: float, by_hand: bool = False) -> Hold | None:
    """Return why the lead itself may not be dialed, None when nothing stands against it; the lease is not looked at.

    A call `by_hand` is not bound by the time that the lead is due at (statuses.md 3.1).
    """
    finished = lead.state == _S.CALL_ERROR and (lead.error_kind or ErrorKind.NUMBER) == ErrorKind.NUMBER
    reason = HoldReason.FINISHED if finished else _BY_STATE.get(lead.state)
    if reason is not None:
        return Hold(reason)
    if lead.reconcile:
        return Hold(HoldReason.RECONCILE)
    if not list_active:
        return Hold(HoldReason.LIST_OFF)
    if lead.state in (_S.NOT_CALLED, _S.CALLED_NO_SUCCESS) and lead.attempts >= max_attempts:
        return Hold(HoldReason.MAX_ATTEMPTS)
    return None if by_hand else _time_hold(lead, now)


def _time_hold(lead: LeadRow, now: float) -> Hold | None:
    due = _appointed(lead)
    if due is None and lead.state != _S.CALLBACK:
        return Hold(HoldReason.FINISHED)
    if due is None or due > now:
        early = {_S.NOT_CALLED: HoldReason.SCHEDULED, _S.CALLBACK: HoldReason.CALLBACK_NOT_DUE}
        return Hold(early.get(LeadState(lead.state), HoldReason.RETRY_NOT_DUE), due)
    if lead.held_until is not None and lead.held_until > now:
        return Hold(HoldReason(lead.held_reason or HoldReason.SUPPRESSED), lead.held_until)
    return None


def ban_hold(bans: Iterable[Ban], campaign_id: int, now: float) -> Hold | None:
    """Return the strongest suppression of a number for this campaign: DNC, then blacklist, then asked not to call."""
    found = [ban for ban in bans if _applies(ban, campaign_id, now)]
    for kind, reason in (("dnc", HoldReason.DNC), ("blacklist", HoldReason.BLACKLIST)):
        if any(ban.kind == kind for ban in found):
            return Hold(reason)
    if not found:
        return None
    ends = [ban.until for ban in found]
    return Hold(HoldReason.SUPPRESSED, None if None in ends else max(end for end in ends if end is not None))


def _applies(ban: Ban, campaign_id: int, now: float) -> bool:
    # The register has three scopes; "messages" leaves calls alone (cdr-campaigns-vietnam.md 6).
    return (
        ban.scope != "messages"
        and (ban.campaign_id is None or ban.campaign_id == campaign_id)
        and ban.except_campaign_id != campaign_id
        and (ban.until is None or ban.until > now)
    )


def spoke_to_person(row: AttemptRow, kind: CampaignKind) -> bool:
    """Tell whether a person answered a call of ours for whom an agent was to come; as `persons_answered`."""
    message = row.status == CallStatus.IVR or (row.status == CallStatus.ANSWERED and row.bridged_at is None)
    ours = row.direction == Direction.OUTBOUND and row.answered_at is not None
    if kind is CampaignKind.AUTODIALER:  # no agent was to come until one was asked for
        return ours and row.status == CallStatus.FAILED
    return ours and row.status != CallStatus.VOICEMAIL and not message


def waited_s(row: AttemptRow) -> float:
    """Return the seconds from the answer to the agent; infinite when none came."""
    if row.bridged_at is None or row.answered_at is None:
        return math.inf
    return row.bridged_at - row.answered_at


def number_hold(dials: Iterable[Dial], caps: NumberCaps, now: float) -> Hold | None:
    """Return why a number may not be called: a call to it is open, or the 24 h cap over all campaigns is reached."""
    counted: list[float] = []
    for dial in dials:
        if dial.open:
            return Hold(HoldReason.NUMBER_IN_FLIGHT, now + IN_FLIGHT_RECHECK_S)
        if dial.ours and dial.begun_at > now - DAY_S and (caps.strict or dial.reached):
            counted.append(dial.begun_at)
    if len(counted) < caps.per_24h:
        return None
    # The cap allows again when the newest `per_24h` calls no longer all lie within a day; a cap of 0 never does.
    oldest = sorted(counted)[-caps.per_24h] if caps.per_24h > 0 else now
    return Hold(HoldReason.NUMBER_CAP, oldest + DAY_S)
