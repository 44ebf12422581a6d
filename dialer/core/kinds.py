"""What a campaign's kind asks of its other settings."""

from __future__ import annotations

from dialer.core.pacing.agentless import Agentless
from dialer.core.pacing.base import Pacer
from dialer.core.pacing.registry import pacer_named
from dialer.core.types import CampaignKind, CampaignSettings


def pacer_for(settings: CampaignSettings) -> Pacer:
    """Return the campaign's pacing policy; raise ValueError for an unknown one or one of other kinds."""
    pacer = pacer_named(settings.pacer)
    without_agents = settings.kind is CampaignKind.AUTODIALER
    if without_agents and pacer.name != Agentless.name:
        raise ValueError(f"pacer: a campaign of kind autodialer dials by {Agentless.name!r}, not by {pacer.name!r}")
    if not without_agents and pacer.name == Agentless.name:
        raise ValueError(f"pacer: {pacer.name!r} is for the kind autodialer; a {settings.kind} campaign needs agents")
    return pacer


def message_of(settings: CampaignSettings) -> str | None:
    """Return the message that takes the agents' place, None when agents talk; raise ValueError when it is missing."""
    if settings.kind is not CampaignKind.AUTODIALER:
        return None
    if not settings.prompt:
        raise ValueError("prompt: a campaign of kind autodialer needs the message to play; set prompt=NAME")
    return settings.prompt
