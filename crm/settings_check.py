"""Refuse campaign settings that cannot be meant, naming the field (cdr-campaigns-vietnam.md section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crm.laws import check_law
from dialer.core.hotlines import STRATEGIES
from dialer.core.kinds import check_prompts, is_scripted, pacer_for
from dialer.core.pacing.registry import PACERS
from dialer.core.types import CampaignKind, CampaignSettings
from dialer.core.window import WindowClock, effective
from dialer.errors import BadInput

DIALED_KINDS: Final = (
    CampaignKind.PREDICTIVE,
    CampaignKind.PROGRESSIVE,
    CampaignKind.RATIO,
    CampaignKind.PREVIEW,
    CampaignKind.MANUAL,
    CampaignKind.AUTODIALER,
    CampaignKind.INBOUND,
)
"""The kinds that the engine dials today."""
_NAME_LENGTH: Final = 255
_RANGES: Final[Sequence[tuple[str, float, float]]] = (
    ("ratio", 1.0, 20.0),
    ("max_ratio", 1.0, 20.0),
    ("max_calls", 1, 100_000),
    ("ring_timeout_s", 5.0, 180.0),
    ("wrap_up_s", 0.0, 3600.0),
    ("hopper_size", 0, 100_000),
    ("no_recall_days", 0, 3650),
    ("overflow_s", 0.0, 120.0),
    ("offer_s", 3.0, 120.0),
    ("queue_s", 5.0, 3600.0),
)


def check_settings(settings: CampaignSettings, *, now: float) -> None:
    """Raise BadInput that names the first wrong field and what it takes."""
    if not settings.name.strip() or len(settings.name) > _NAME_LENGTH:
        raise BadInput(f"name: give the campaign a name of 1 to {_NAME_LENGTH} characters.")
    for field, low, high in _RANGES:
        _in_range(field, getattr(settings, field), low, high)
    if settings.ring_timeout_s < settings.legal.min_ring_s:
        least = f"{settings.legal.min_ring_s:g} s that a call must ring before it may end (law {settings.legal.law})"
        raise BadInput(f"ring_timeout_s: {settings.ring_timeout_s:g} is less than the {least}.")
    _in_range("abandon_limit", settings.legal.abandon_limit, 0.0, 1.0)
    _in_range("connect_within_s", settings.legal.connect_within_s, 0.0, 60.0)
    _in_range("min_ring_s", settings.legal.min_ring_s, 0.0, 60.0)
    _in_range("lockout_s", settings.legal.lockout_s, 0.0, 30 * 86_400.0)
    check_law(settings)
    _in_range("per_24h", settings.caps.per_24h, 1, 100)
    _in_range("max_attempts", settings.retry.max_attempts, 1, 100)
    _in_range("short_talk_s", settings.retry.short_talk_s or 0.0, 0.0, 3600.0)
    if settings.ratio > settings.max_ratio:
        raise BadInput(f"ratio: {settings.ratio:g} is above max_ratio, {settings.max_ratio:g}.")
    _one_of("kind", settings.kind, DIALED_KINDS)
    _one_of("pacer", settings.pacer, sorted(PACERS))
    _check_kind(settings)
    _one_of("hotline_strategy", settings.hotline_strategy, STRATEGIES)
    _check_window(settings, now)


def _in_range(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise BadInput(f"{field}: {value:g} is outside {low:g} to {high:g}.")


def _one_of(field: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise BadInput(f"{field}: {value} is not dialed; choose one of: {', '.join(choices)}.")


def _check_kind(settings: CampaignSettings) -> None:
    try:
        pacer_for(settings)
        is_scripted(settings)
        check_prompts(settings)
    except ValueError as error:
        raise BadInput(f"{error}.") from error
    if settings.kind is CampaignKind.INBOUND and settings.end_when_done:
        raise BadInput("end_when_done: a campaign of kind inbound dials no leads, so it is never done; set it to no.")


def _check_window(settings: CampaignSettings, now: float) -> None:
    try:
        clock = WindowClock(effective(settings))
    except ValueError as error:
        raise BadInput(f"{error}.") from error
    if settings.ends_at is not None and settings.starts_at is not None and settings.ends_at <= settings.starts_at:
        raise BadInput("ends_at: the campaign would end before it starts.")
    opens = clock.next_open(max(now, settings.starts_at or now))
    if opens is None:
        raise BadInput("hours: the call window never opens in the next year; look at the days and the holidays.")
    if settings.ends_at is not None and opens >= settings.ends_at:
        raise BadInput("ends_at: the campaign would end before its call window opens for the first time.")
