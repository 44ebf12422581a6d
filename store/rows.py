"""Working rows: what the rules read and change, wherever the rows live (SQL or memory)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from dialer.core.campaign import CampaignState
from dialer.core.script import ScriptText
from dialer.core.types import CampaignSettings, Fence
from dialer.ports import CampaignRow

_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class LeadRow:
    """A lead; the fields mean what the columns of `store.models.Lead` mean."""

    id: int
    customer_id: int
    campaign_id: int
    list_id: int
    phone: str
    name: str = ""
    state: str = "not_called"
    remembered: str | None = None
    error_kind: str | None = None
    pending: str | None = None
    reconcile: bool = False
    attempts: int = 0
    dialed: int = 0
    error_attempts: int = 0
    status_attempts: dict[str, int] = field(default_factory=dict)
    last_status: str | None = None
    last_call_at: float | None = None
    last_hotline: str | None = None
    next_at: float | None = None
    call_at: float | None = None
    callback_at: float | None = None
    callback_agent: str | None = None
    agent_name: str | None = None
    disposition: str | None = None
    priority: int = 0
    called_in: int = 0
    held_until: float | None = None
    held_reason: str | None = None
    lease_owner: str | None = None
    lease_epoch: int | None = None
    version: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    """What the campaign's texts may name of the customer; only where they name some."""

    @property
    def key(self) -> int:
        """Return the primary key, as bulk statements name it."""
        return self.id

    @property
    def status_json(self) -> str:
        """Return `status_attempts` as it is stored."""
        return _ENCODER.encode(self.status_attempts).decode()


@dataclass(slots=True)
class AttemptRow:
    """An attempt; the fields mean what the columns of `store.models.Attempt` mean."""

    call_id: str
    campaign_id: int
    lead_id: int
    list_id: int
    customer_id: int
    phone: str
    hotline: str
    trunk: str
    attempt_no: int
    owner_epoch: int
    begun_at: float
    direction: str = "outbound"
    originated_at: float | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    bridged_at: float | None = None
    ended_at: float | None = None
    agent_id: str | None = None
    settled: bool = False
    lead_done: bool = False
    rang: bool = False
    lost: bool = False
    status: str | None = None
    rule: str | None = None
    attribution: str | None = None
    sub_reason: str | None = None
    cancel_reason: str | None = None
    sip_status: int | None = None
    q850: int | None = None
    ended_by: str | None = None
    counts: bool = False
    note: str | None = None
    record: bytes | None = None
    result: bytes | None = None
    recording: bytes | None = None

    @property
    def key(self) -> str:
        """Return the primary key, as bulk statements name it."""
        return self.call_id

    @property
    def phone_e164(self) -> str:
        """Return the number, by the column's name."""
        return self.phone


@dataclass(slots=True)
class Dial:
    """One attempt as the guards of its number see it."""

    begun_at: float
    open: bool
    """Not settled: the call may be going on."""
    reached: bool
    """It rang, or nobody knows: it counts in the 24 h rule even when that is not strict."""
    ours: bool = True
    """We called; calls of theirs are held against nobody."""


@dataclass(frozen=True, slots=True)
class Ban:
    """A suppression of a number; the fields mean what the columns of `store.models.Suppression` mean."""

    phone: str
    kind: str
    scope: str = "all"
    campaign_id: int | None = None
    except_campaign_id: int | None = None
    until: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """A callback for people to make; the fields mean what the columns of `store.models.Callback` mean."""

    campaign_id: int
    lead_id: int
    customer_id: int
    phone: str
    due_at: float
    reason: str
    agent: str | None = None


@dataclass(slots=True)
class CampaignInfo:
    """A campaign as a batch needs it, with its present owner."""

    settings: CampaignSettings
    owner: str | None = None
    epoch: int = 0
    lease_expires_at: float | None = None
    state: CampaignState = CampaignState.DRAFT
    resumes_by_schedule: bool = False
    state_since: float = 0.0
    revision: int = 0

    def is_valid(self, fence: Fence) -> bool:
        """Tell whether the fence still holds: a takeover raises the epoch, resigning clears the owner."""
        return self.owner == fence.owner and self.epoch == fence.epoch


def campaign_row(info: CampaignInfo, scripts: Mapping[str, ScriptText]) -> CampaignRow:
    """Return a campaign as its engine gets it; a script that is not there has no text."""
    name = info.settings.script
    script = None if name is None else scripts.get(name) or ScriptText(name, 0, None)
    return CampaignRow(info.settings, info.state, info.resumes_by_schedule, info.revision, info.state_since, script)
