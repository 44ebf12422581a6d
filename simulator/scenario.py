"""Scenarios: TOML files of a carrier, its trunks and the campaigns to dial; a bad one is refused with a reason."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import msgspec

from dialer.core.types import (
    CallWindow,
    CampaignKind,
    CampaignSettings,
    LegalProfile,
    NumberCaps,
    Offering,
    Slot,
    Strategy,
)
from dialer.errors import BadInput
from simulator.carrier import Carrier
from simulator.profile import AgentProfile, CarrierProfile, TrunkProfile
from simulator.toml_files import parse_toml, readable, shipped_texts, text_of
from statuses.retry import RetryOrder, RetryPolicy

_SLOT = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class OwnTrunk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The dialer's own limits for a trunk; `cps` is calls per second."""

    name: str = "trunk-1"
    channels: Annotated[int, msgspec.Meta(ge=1)] = 1000
    cps: Positive = 100.0


class CampaignPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One campaign of a scenario: its settings, how many leads, and its agents."""

    name: str = "campaign"
    leads: Count = 1000
    lists: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    """Leads 1, 2, 3 ... go to the lists in turn."""
    best_time: bool = False
    kind: CampaignKind = CampaignKind.PREDICTIVE
    pacer: str = "predictive"
    ratio: Positive = 1.5
    max_ratio: Positive = 6.0
    max_calls: Annotated[int, msgspec.Meta(ge=1)] = 500
    ring_timeout_s: Positive = 30.0
    wrap_up_limit_s: Positive = 60.0
    hotlines: tuple[str, ...] = ("hotline-1",)
    hotline_strategy: str = "rotate"
    overflow_prompt: str | None = None
    prompt: str | None = None
    amd: bool = False
    record: bool = False
    inbound: bool = False
    """Calls to the hotlines come to these agents too (always so for the kind inbound)."""
    offering: Offering = Offering.AUTO
    offer_s: Positive = 20.0
    strategy: Strategy = Strategy.LONGEST_IDLE
    queue_s: Positive = 120.0
    max_attempts: Annotated[int, msgspec.Meta(ge=1)] = 3
    retry_gap_s: Annotated[float, msgspec.Meta(ge=0)] = 3600.0
    error_gap_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    retry_order: RetryOrder = RetryOrder.NEW_FIRST
    per_24h: Annotated[int, msgspec.Meta(ge=1)] = 3
    abandon_limit: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.03
    connect_within_s: Positive = 2.0
    timezone: str = "Asia/Ho_Chi_Minh"
    slots: tuple[str, ...] = ("08:00-17:00",)
    agents: AgentProfile = AgentProfile()


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole world: its start (with a UTC offset), its working hours, the carrier, the trunks, the campaigns."""

    title: str
    starts_at: datetime
    hours: Annotated[float, msgspec.Meta(gt=0, le=168)]
    carrier: CarrierProfile
    campaigns: Annotated[tuple[CampaignPlan, ...], msgspec.Meta(min_length=1, max_length=50)]
    trunks: tuple[TrunkProfile, ...] = (TrunkProfile(),)
    own_trunks: tuple[OwnTrunk, ...] = (OwnTrunk(),)


def shipped() -> dict[str, str]:
    """Return the TOML text of each scenario that comes with the program, by name."""
    return shipped_texts("simulator", "scenarios")


def load(name: str) -> Scenario:
    """Read a scenario by shipped name or by path.

    Raises NotFound that lists the shipped ones, BadInput that names file, key and what is allowed.
    """
    text, source = text_of(name, shipped(), "scenario")
    return parse(text, source=source)


def parse(text: str, *, source: str) -> Scenario:
    """Read a scenario from TOML; `source` names it in errors. Raises BadInput."""
    return parse_toml(text, Scenario, source=source, check=_check)


def changed(
    scenario: Scenario,
    *,
    agents: int | None = None,
    hours: float | None = None,
    pacer: str | None = None,
    best_time: bool | None = None,
) -> Scenario:
    """Return the scenario with what the command line overrides; raise BadInput when that is out of range.

    Agents and pacer are overridden where there are agents: a campaign of kind autodialer keeps its own.
    """
    plans = tuple(_staffed(plan, agents, pacer) for plan in scenario.campaigns)
    if best_time is not None:
        plans = tuple(msgspec.structs.replace(plan, best_time=best_time) for plan in plans)
    new = msgspec.structs.replace(scenario, campaigns=plans, hours=scenario.hours if hours is None else hours)
    try:
        return msgspec.convert(msgspec.to_builtins(new), Scenario)
    except msgspec.ValidationError as error:
        raise BadInput(f"the scenario cannot be changed so: {readable(error, Scenario)}") from error


def _staffed(plan: CampaignPlan, agents: int | None, pacer: str | None) -> CampaignPlan:
    if plan.kind is CampaignKind.AUTODIALER:
        return plan
    staff = plan.agents if agents is None else msgspec.structs.replace(plan.agents, count=agents)
    return msgspec.structs.replace(plan, agents=staff, pacer=plan.pacer if pacer is None else pacer)


def settings(plan: CampaignPlan, campaign_id: int) -> CampaignSettings:
    """Return the engine's settings for a plan."""
    slots = tuple(_slot(text) for text in plan.slots)
    return CampaignSettings(
        campaign_id=campaign_id, name=plan.name, kind=plan.kind, pacer=plan.pacer, ratio=plan.ratio,
        max_ratio=plan.max_ratio, max_calls=plan.max_calls, ring_timeout_s=plan.ring_timeout_s,
        wrap_up_s=plan.wrap_up_limit_s, hotlines=plan.hotlines, hotline_strategy=plan.hotline_strategy,
        window=CallWindow(timezone=plan.timezone, weekdays=(slots,) * 7),
        retry=RetryPolicy(
            max_attempts=plan.max_attempts, gap_s=plan.retry_gap_s, error_gap_s=plan.error_gap_s, order=plan.retry_order
        ),
        caps=NumberCaps(per_24h=plan.per_24h),
        legal=LegalProfile(abandon_limit=plan.abandon_limit, connect_within_s=plan.connect_within_s),
        overflow_prompt=plan.overflow_prompt, prompt=plan.prompt, best_time=plan.best_time,
        amd=plan.amd, record=plan.record, inbound=plan.inbound, offering=plan.offering, offer_s=plan.offer_s,
        strategy=plan.strategy, queue_s=plan.queue_s,
    )  # fmt: skip


def _slot(text: str) -> Slot:
    match = _SLOT.fullmatch(text)
    if match is None:
        raise ValueError(f'slot {text!r} is not of the form "08:00-17:00"')
    hour, minute, last_hour, last_minute = map(int, match.groups())
    return Slot(hour * 60 + minute, last_hour * 60 + last_minute)


def _check(scenario: Scenario) -> None:
    if scenario.starts_at.tzinfo is None:
        raise ValueError("starts_at needs a UTC offset, for example 2026-03-02T08:00:00+07:00")
    Carrier(scenario.carrier, seed=0, started_at=0.0)
    for plan in scenario.campaigns:
        for text in plan.slots:
            _slot(text)
    own, far = {t.name for t in scenario.own_trunks}, {t.name for t in scenario.trunks}
    if own != far:
        raise ValueError(f"trunks and own_trunks must name the same trunks, not {sorted(far)} and {sorted(own)}")
