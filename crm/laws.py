"""Legal profiles as data: what the law of a place asks of a campaign, and whether its settings are as strict."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

from dialer.core.types import CampaignKind, CampaignSettings, LegalProfile, Purpose, Slot
from dialer.errors import BadInput

LAWS: Final = ("VN", "US", "UK", "custom")
CUSTOM: Final = "custom"
_DAY_S: Final = 86_400.0
_HOUR_S: Final = 3600.0
_OVERDIALS: Final = frozenset({CampaignKind.PREDICTIVE, CampaignKind.RATIO})

_STRICTER: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {
        "abandon_limit": lambda mine, law: mine <= law,
        "window_s": lambda mine, law: mine == law,
        "connect_within_s": lambda mine, law: mine <= law,
        "min_ring_s": lambda mine, law: mine >= law,
        "lockout_s": lambda mine, law: mine >= law,
    }
)


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of `crm/laws`; `advertising_hours` like 08:00-17:00, empty = no limit."""

    source: str
    abandon_limit: float
    window_days: float
    connect_within_s: float
    min_ring_s: float
    lockout_h: float
    advertising_hours: str
    advertising_per_24h: int
    consent_needed: bool
    message_needed: bool
    machine_correction: bool
    dnc_max_age_days: float
    not_checked: tuple[str, ...]


class Law(msgspec.Struct, frozen=True):
    """A profile, where it comes from, and the rules that the program cannot check."""

    profile: LegalProfile
    source: str
    not_checked: tuple[str, ...]


@cache
def law_named(name: str) -> Law:
    """Return a law by its name, in any case; raise BadInput naming those there are."""
    found = next((law for law in LAWS if law.lower() == name.lower()), None)
    if found is None:
        raise BadInput(f"law: there is no {name!r}; choose one of: {', '.join(LAWS)}.")
    text = files("crm").joinpath("laws", f"{found.lower()}.toml").read_text(encoding="utf-8")
    written = msgspec.convert(tomllib.loads(text), _Written)
    profile = LegalProfile(
        law=found,
        abandon_limit=written.abandon_limit,
        window_s=written.window_days * _DAY_S,
        connect_within_s=written.connect_within_s,
        min_ring_s=written.min_ring_s,
        lockout_s=written.lockout_h * _HOUR_S,
        advertising_hours=_slots(written.advertising_hours),
        advertising_per_24h=written.advertising_per_24h,
        consent_needed=written.consent_needed,
        message_needed=written.message_needed,
        machine_correction=written.machine_correction,
        dnc_max_age_days=written.dnc_max_age_days,
    )
    return Law(profile, written.source, written.not_checked)


def check_law(settings: CampaignSettings) -> None:
    """Raise BadInput that names the first setting laxer than the campaign's law."""
    mine = settings.legal
    law = law_named(mine.law)
    if mine.law == CUSTOM:
        return
    for field, strict in _STRICTER.items():
        asked, own = getattr(law.profile, field), getattr(mine, field)
        if not strict(own, asked):
            raise BadInput(
                f"{field}: {own:g} is laxer than the law {mine.law} allows, {asked:g} ({law.source}); law=custom takes "
                "figures of your own, on your own account."
            )


def check_may_dial(settings: CampaignSettings) -> None:
    """Raise BadInput for what the law wants before the first call: a declared consent, a message."""
    legal = settings.legal
    if legal.consent_needed and settings.purpose is Purpose.ADVERTISING and not settings.consent:
        raise BadInput(
            f"consent: the law {legal.law} lets advertising call only people who consented "
            f"({law_named(legal.law).source}); if they did: dialer campaign set {settings.name!r} consent=yes"
        )
    if legal.message_needed and settings.kind in _OVERDIALS and not settings.overflow_prompt:
        raise BadInput(
            f"overflow_prompt: the law {legal.law} wants a message for whoever finds no agent; give it one, or dial "
            "with kind=progressive."
        )


def _slots(text: str) -> tuple[Slot, ...]:
    slots = []
    for part in filter(None, text.split(",")):
        opens, closes = (int(hour) * 60 + int(minute) for hour, minute in (end.split(":") for end in part.split("-")))
        slots.append(Slot(opens, closes))
    return tuple(slots)
