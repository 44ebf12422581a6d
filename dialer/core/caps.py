"""How often a number may be called, by the campaign's settings and the law."""

from __future__ import annotations

import msgspec

from dialer.core.types import CampaignSettings, NumberCaps, Purpose

ADVERTISING_PER_24H = 1
"""Decree 91/2020/ND-CP: one advertising call to a number in 24 hours, unless agreed otherwise with the person."""


def caps_in_force(settings: CampaignSettings) -> NumberCaps:
    """Return the campaign's caps, lowered to the law's for advertising that nobody agreed to."""
    caps = settings.caps
    if settings.purpose is not Purpose.ADVERTISING or settings.agreed_otherwise or caps.per_24h <= ADVERTISING_PER_24H:
        return caps
    return msgspec.structs.replace(caps, per_24h=ADVERTISING_PER_24H)
