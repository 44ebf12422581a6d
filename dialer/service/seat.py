"""One campaign on this process: its engine, its fence, and what the store last said of it."""

from __future__ import annotations

from dialer.core.callers import number_of
from dialer.core.campaign import CampaignState
from dialer.core.engine import CampaignEngine
from dialer.core.events import CampaignPaused, CampaignStarted, CampaignStopped, Event
from dialer.core.types import CampaignKind, Fence
from dialer.ports import CampaignRow


class Seat:
    """The engine of a campaign and the right to turn it."""

    __slots__ = ("declines", "engine", "fence", "guard_s", "lacks", "row", "save_at", "saved")

    def __init__(self, row: CampaignRow, fence: Fence, engine: CampaignEngine, *, guard_s: float = 0.0) -> None:
        self.row = row
        self.guard_s = guard_s
        """How long before its end the lease counts as over: engines' clocks may differ by this much."""
        self.fence = fence
        self.engine = engine
        self.declines = False
        """Takes no new calls of customers: the campaign leaves this process."""
        self.lacks = ""
        """What the adapter cannot do and the campaign's calls cannot do without, in words; empty: nothing."""
        self.saved = b""
        """What the store knows of what the engine has learned, or nothing worth saving."""
        self.save_at = 0.0
        """When the next save is due."""

    def owns(self, now: float) -> bool:
        """Tell whether the lease still holds: without it no call may leave."""
        return now < self.fence.expires_at - self.guard_s


def state_event(row: CampaignRow, answers: int, abandons: int) -> Event:
    """Return what a campaign's stored state means to its engine."""
    if row.state is CampaignState.RUNNING:
        return CampaignStarted(answers, abandons)
    if row.state is CampaignState.PAUSED and row.resumes_by_schedule:
        return CampaignPaused()
    return CampaignStopped()


def takes(row: CampaignRow, hotline: str) -> bool:
    """Tell whether calls to this hotline are a campaign's: those of a stopped or ended one are nobody's."""
    settings, called = row.settings, number_of(hotline)
    is_open = row.state is CampaignState.RUNNING or (row.state is CampaignState.PAUSED and row.resumes_by_schedule)
    inbound = settings.inbound or settings.kind is CampaignKind.INBOUND
    return is_open and inbound and any(number_of(own) == called for own in settings.hotlines)
