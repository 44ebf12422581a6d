"""Profiles of the carrier on the wire: TOML files; a bad one is refused with file, key and reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from simulator.carrier import Carrier
from simulator.profile import CarrierProfile, Outage, TrunkProfile
from simulator.toml_files import parse_toml, shipped_texts, text_of
from simulator.wire.impair import Weather

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Expiry = Annotated[int, msgspec.Meta(ge=1, le=86_400)]


class Draws(StrEnum):
    """What decides about a number that asks for nothing."""

    SHARES = "shares"
    """The shares of `[carrier]`; without that section everybody answers at once."""
    ROWS = "rows"
    """Each call meets one row of the number table, all equally likely."""


class Challenges(StrEnum):
    """Which requests must bear credentials."""

    NEVER = "never"
    INVITE = "invite"
    """INVITE and REGISTER."""
    ALL = "all"
    """Every request outside a call, OPTIONS too."""


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One who may log in."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    password: str


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Digest authentication (RFC 7616)."""

    challenge: Challenges = Challenges.NEVER
    realm: str = "carrier.invalid"
    algorithms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("SHA-256", "MD5")
    nonce_s: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    users: tuple[User, ...] = (User("dialer", "dialer"),)


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to UDP datagrams on their way."""

    inbound: Weather = Weather()
    """To the carrier."""
    outbound: Weather = Weather()
    """From the carrier."""


class MediaMode(StrEnum):
    """What the callee's phone sends."""

    NONE = "none"
    """SDP is answered, but nothing listens at the address in it."""
    ECHO = "echo"
    """What it receives."""
    TONE = "tone"
    """A ringback while ringing, 440 Hz when answered."""
    ANNOUNCE = "announce"
    """As `tone`, and recordings are marked by special information tones (ITU-T E.180)."""


class MediaPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """RTP of the callees: a port each while a call is up; without a free port a call is refused with 503."""

    mode: MediaMode = MediaMode.NONE
    first_port: Port = 40_000
    ports: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500
    """Even ones only: 500 ports reach from 40000 to 40998."""


class Registrar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a registration lasts: what is asked for, within these bounds; below the lower one: 423."""

    min_s: Expiry = 60
    max_s: Expiry = 3600


class WireProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A carrier on the wire."""

    title: str
    draws: Draws = Draws.SHARES
    carrier: CarrierProfile | None = None
    """As in a scenario; absent = everybody answers at once and waits for the caller's BYE."""
    ranges: bool = True
    """The numbers 0955 to 0959 ask for what they want."""
    country: Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]{0,2}$")] = "84"
    """The country code that may stand before a national number."""
    announcement_header: str = "X-Announcement"
    """Names the recording in 183 and the mailbox in 200, since no dialer hears them here; empty = tell nobody."""
    longest_s: Annotated[float, msgspec.Meta(ge=1)] = 7200.0
    """An answered call that nobody ends is given up after so long, and counts as a ghost."""
    trunk: TrunkProfile = TrunkProfile()
    auth: Auth = Auth()
    network: Network = Network()
    media: MediaPlan = MediaPlan()
    registrar: Registrar = Registrar()
    outages: tuple[Outage, ...] = ()
    """Spans in which the carrier is deaf and dumb, from its start."""


def shipped() -> dict[str, str]:
    """Return the TOML text of each profile that comes with the program, by name."""
    return shipped_texts("simulator", "wire/profiles")


def load(name: str) -> WireProfile:
    """Read a profile by shipped name or by path.

    Raises NotFound that lists the shipped ones, BadInput that names file, key and what is allowed.
    """
    text, source = text_of(name, shipped(), "profile")
    return parse(text, source=source)


def parse(text: str, *, source: str) -> WireProfile:
    """Read a profile from TOML; `source` names it in errors. Raises BadInput."""
    return parse_toml(text, WireProfile, source=source, check=_check)


def _check(profile: WireProfile) -> None:
    if profile.carrier is not None:
        Carrier(profile.carrier, seed=0, started_at=0.0)
    if unknown := set(profile.auth.algorithms) - {"SHA-256", "MD5", "SHA-512-256"}:
        raise ValueError(f"auth.algorithms may be SHA-256, MD5 and SHA-512-256, not {', '.join(sorted(unknown))}")
    registrar, media = profile.registrar, profile.media
    if registrar.min_s > registrar.max_s:
        raise ValueError(f"registrar.min_s ({registrar.min_s}) is above registrar.max_s ({registrar.max_s})")
    if media.first_port + 2 * media.ports > 65_536:  # noqa: PLR2004 - the number of ports there are
        raise ValueError("media.first_port + 2 x media.ports is above 65536; there are no such ports")
