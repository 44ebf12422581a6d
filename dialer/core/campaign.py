"""The campaign's own state machine: draft, approved, running, paused, ended (cdr-campaigns-vietnam.md section 5)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CampaignState(StrEnum):
    """Khởi tạo, Đã phê duyệt, Đang chạy, Tạm dừng, Kết thúc."""

    DRAFT = "draft"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class CampaignAction(StrEnum):
    """What people and the schedule do to a campaign."""

    APPROVE = "approve"
    START = "start"
    PAUSE = "pause"
    STOP = "stop"
    RESUME = "resume"
    END = "end"


class CampaignStep(msgspec.Struct, frozen=True):
    """Where an action leads; a stopped campaign is PAUSED and waits for a person."""

    state: CampaignState
    resumes_by_schedule: bool


class IllegalCampaignAction(ValueError):
    """The campaign's state does not allow the action."""


_S, _A = CampaignState, CampaignAction
TRANSITIONS: dict[tuple[CampaignState, CampaignAction], CampaignStep] = {
    (_S.DRAFT, _A.APPROVE): CampaignStep(_S.APPROVED, resumes_by_schedule=False),
    (_S.DRAFT, _A.END): CampaignStep(_S.ENDED, resumes_by_schedule=False),
    (_S.APPROVED, _A.START): CampaignStep(_S.RUNNING, resumes_by_schedule=True),
    (_S.APPROVED, _A.END): CampaignStep(_S.ENDED, resumes_by_schedule=False),
    (_S.RUNNING, _A.PAUSE): CampaignStep(_S.PAUSED, resumes_by_schedule=True),
    (_S.RUNNING, _A.STOP): CampaignStep(_S.PAUSED, resumes_by_schedule=False),
    (_S.RUNNING, _A.END): CampaignStep(_S.ENDED, resumes_by_schedule=False),
    (_S.PAUSED, _A.START): CampaignStep(_S.RUNNING, resumes_by_schedule=True),
    (_S.PAUSED, _A.RESUME): CampaignStep(_S.RUNNING, resumes_by_schedule=True),
    (_S.PAUSED, _A.STOP): CampaignStep(_S.PAUSED, resumes_by_schedule=False),
    (_S.PAUSED, _A.END): CampaignStep(_S.ENDED, resumes_by_schedule=False),
}


def step(state: CampaignState, action: CampaignAction, *, resumes_by_schedule: bool = True) -> CampaignStep:
    """Return the step; raise IllegalCampaignAction naming the state and what it allows."""
    found = TRANSITIONS.get((state, action))
    if found is None or (action is _A.RESUME and not resumes_by_schedule):
        allowed = ", ".join(sorted(a for s, a in TRANSITIONS if s is state and a is not _A.RESUME)) or "nothing"
        raise IllegalCampaignAction(f"cannot {action} a campaign that is {state}; allowed now: {allowed}")
    return found
