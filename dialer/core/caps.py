"""How often a number may be called, by the campaign's settings and the law."""

from __future__ import annotations

import msgspec

from dialer.core.types import CampaignSettings, NumberCaps, Purpose


def caps_in_force(settings: CampaignSettings) -> NumberCaps:
    """Return the campaign's caps, lowered to the law's for advertising that nobody agreed to."""
    caps, lawful = settings.caps, settings.legal.advertising_per_24h
    advertises = settings.purpose is Purpose.ADVERTISING and not settings.agreed_otherwise
    if not advertises or not lawful or caps.per_24h <= lawful:
        return caps
    return msgspec.structs.replace(caps, per_24h=lawful)
