"""What a trunks file says: each table as a frozen struct, each key with what it takes and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from statuses.outcomes import Announcement
from telephony_adapters.sip.identity import checked_host
from telephony_adapters.trunks.addresses import LISTEN, SERVER, Server
from telephony_adapters.trunks.guard import Numbers
from telephony_adapters.trunks.prefixes import longest
from telephony_adapters.trunks.reading import (
    FLAG,
    PATH,
    SECRET,
    Key,
    Secret,
    choice,
    mapping,
    number,
    several,
    text,
    whole,
)
from telephony_adapters.trunks.spend import MICRO, Rate

DAY_MINUTES: Final = 10_000_000
MONEY_MAX: Final = 10**12
ANNOUNCEMENTS: Final[Mapping[str, Announcement]] = {said.value: said for said in Announcement}
"""How a carrier's header names announcements, unless a trunk says otherwise."""


def _money(value: object) -> int:
    if type(value) not in {int, Decimal}:
        raise ValueError
    units = Decimal(value)  # type: ignore[arg-type]  # one of the two
    if not (units.is_finite() and 0 <= units <= MONEY_MAX):
        raise ValueError
    micro = units * MICRO
    if micro != int(micro):
        raise ValueError("at most six digits after the point")
    return int(micro)


def _rate(value: object) -> Rate:
    if not isinstance(value, dict) or not value.keys() <= {"per_minute", "increments"} or "per_minute" not in value:
        raise ValueError
    first_s, next_s = str(_INCREMENTS.read(value.get("increments", "60/1"))).split("/")
    return Rate(_money(value["per_minute"]), int(first_s), int(next_s))


def _zone(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 -- what `Key.read` raises
    try:
        return ZoneInfo(value).key
    except (OSError, ValueError, KeyError):
        raise ValueError from None


def _host(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 -- what `Key.read` raises
    return checked_host(value)


_INCREMENTS: Final = text("seconds, such as 60/1 or 6/6", r"[1-9][0-9]{0,2}/[1-9][0-9]{0,2}")
_MONEY: Final = Key("an amount of money from 0 up", _money)
_RATE: Final = Key('a rate such as { per_minute = 750, increments = "60/1" }', _rate)
_ZONE: Final = Key('a time zone such as "Asia/Ho_Chi_Minh"', _zone)
_PREFIX: Final = text('digits of E.164 without the plus, or "" for every number', r"(?:[1-9][0-9]{0,14})?")
_WORD: Final = choice(*ANNOUNCEMENTS)
_SAID: Final = Key(_WORD.expects, lambda value: ANNOUNCEMENTS[str(_WORD.read(value))])
_USER: Final = text("a name without blanks", r"[!-~]+")
_HOST: Final = Key("a name of a host, or an address", _host)
_URI: Final = text('a SIP URI, such as "sip:101@10.0.0.5"', r"sips?:[!-~]+@[!-~]+")
_ALGORITHMS: Final = several(choice("SHA-512-256", "SHA-256", "MD5"), "a list of SHA-512-256, SHA-256, MD5")


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """A SIP server that we speak to, and how."""

    server: Annotated[Server, SERVER]
    """A name without a port: its SRV records say where."""
    transport: Annotated[str, choice("udp", "tcp", "tls")] = "udp"
    domain: Annotated[str, _HOST] = ""
    """The host of the URIs in From, To and the request line; "" = the server's."""
    username: Annotated[str, _USER] = ""
    password: Annotated[Secret | None, SECRET] = None
    password_file: Annotated[Path | None, PATH] = None
    password_env: Annotated[str, text("the name of a variable", r"[A-Za-z_][A-Za-z0-9_]*")] = ""
    auth: Annotated[tuple[str, ...], _ALGORITHMS] = ("SHA-256", "MD5")
    """Digest algorithms that a challenge may ask for, the best first (RFC 8760)."""
    options_every_s: Annotated[float, number(0, 3600)] = 30.0
    """How often OPTIONS asks whether it lives; 0 = never."""
    early_100rel: Annotated[bool, FLAG] = False
    """Whether provisional responses may be reliable (RFC 3262)."""
    session_expires_s: Annotated[int, whole(0, 86_400)] = 1800
    """How often a call is refreshed (RFC 4028); 0 = never."""
    tls_ca: Annotated[Path | None, PATH] = None
    """Authorities of its certificate; None = those of the system."""
    tls_cert: Annotated[Path | None, PATH] = None
    """Our certificate, where it wants one."""
    tls_key: Annotated[Path | None, PATH] = None
    tls_name: Annotated[str, _HOST] = ""
    """The name that its certificate must bear; "" = the server's."""
    tls_verify: Annotated[bool, FLAG] = True

    @property
    def tls_host(self) -> str:
        """Return the name that the server's certificate must bear."""
        return self.tls_name or self.server.host

    @property
    def tls_files(self) -> tuple[Path | None, Path | None, Path | None, bool]:
        """Return what a TLS context is made of."""
        return self.tls_ca, self.tls_cert, self.tls_key, self.tls_verify

    @property
    def uri_host(self) -> str:
        """Return the host of the URIs in From, To and the request line."""
        return self.domain or self.server.uri_host

    @property
    def uri_port(self) -> int | None:
        """Return the port of request URIs; a domain of its own has none: who serves it is not in its name."""
        return None if self.domain else self.server.port


class Trunk(Peer, frozen=True, kw_only=True):
    """One carrier's trunk."""

    name: str
    channels: Annotated[int, whole(1, 100_000)]
    cps: Annotated[float, number(0.01, 10_000)]
    burst: Annotated[int, whole(0, 10_000)] = 0
    """Calls that may leave at once; 0 = a second's worth."""
    calls_per_minute: Annotated[int, whole(0, 600_000)] = 0
    """No more in any minute; 0 = what `cps` comes to."""
    register: Annotated[bool, FLAG] = False
    expires_s: Annotated[int, whole(30, 86_400)] = 600
    """How long a registration is asked for."""
    caller_id: Annotated[str, choice("asserted", "preferred", "from-only", "anonymous")] = "asserted"
    """Which headers carry the hotline (RFC 3325, RFC 3323)."""
    number_format: Annotated[str, choice("e164", "e164_plus", "national")] = "e164_plus"
    """How numbers leave: 84900000001, +84900000001 or 0900000001."""
    country_code: Annotated[str, text("a country code such as 84", r"[1-9][0-9]{0,2}")] = "84"
    """Whose numbers `national` writes with a 0; others leave with 00."""
    priority: Annotated[int, whole(0, 1000)] = 0
    """Lower goes first."""
    weight: Annotated[int, whole(1, 10_000)] = 1
    prefixes: Annotated[
        tuple[str, ...], several(_PREFIX, 'a list of prefixes such as ["8486", "8496"]; [""] = every number')
    ] = ("",)
    """Which numbers it serves; of the trunks with room, the one with the longest goes first."""
    ring_limit_s: Annotated[float, number(1, 600)] = 120.0
    """A call that nobody answers ends after this, whatever the campaign says; it counts as one that rang out."""
    call_limit_s: Annotated[float, number(1, 86_400)] = 7200.0
    """A call that was answered ends after this."""
    failures_to_rest: Annotated[int, whole(1, 1000)] = 5
    """So many failures in a row that speak of the trunk take it down."""
    rest_s: Annotated[float, number(1, 86_400)] = 60.0
    """A trunk that failed is tried again after this, with one call."""
    offer: Annotated[str, choice("sendrecv", "inactive", "none")] = "sendrecv"
    """What the first INVITE offers before an agent is known: the agent's media, a silent stream, or nothing."""
    ringing_183: Annotated[bool, FLAG] = False
    """Whether a 183 with media means that it rings, for a carrier that sends no 180."""
    announcement_header: Annotated[str, text("the name of a header", r"[A-Za-z0-9-]+")] = ""
    """The header of a 183 that names the announcement; "" = the carrier has none."""
    announcements: Annotated[
        Mapping[str, Announcement],
        mapping(text("words of that header"), _SAID, 'a table such as "so bi khoa" = "locked"'),
    ] = {}
    """What words in that header mean; {} = our own names of them."""
    max_minutes_day: Annotated[int, whole(0, DAY_MINUTES)] = 0
    """Billed minutes that a day may have; 0 = any."""
    max_cost_day: Annotated[int, _MONEY] = 0
    """What a day may cost, in micro-units; 0 = any."""
    rates: Annotated[
        Mapping[str, Rate], mapping(_PREFIX, _RATE, 'a table such as "" = { per_minute = 750, increments = "60/1" }')
    ] = {}
    """What a call costs by prefix, the longest wins."""

    @property
    def at_once(self) -> int:
        """Return how many calls may leave at the same moment."""
        return self.burst or max(1, int(self.cps))

    def rate_of(self, digits: str) -> Rate:
        """Return the rate of a number, one that costs nothing if the file has none."""
        prefix = longest(self.rates, digits)
        return Rate() if prefix is None else self.rates[prefix]


class Agents(Peer, frozen=True, kw_only=True):
    """Where the agents' phones are."""

    uri: Annotated[str, _URI] = ""
    """The URI of every agent's phone, with {agent} in it."""
    uris: Annotated[Mapping[str, str], mapping(text("an agent's name"), _URI, 'a table such as a1 = "sip:1@host"')] = {}
    """The URI of each agent's phone."""
    nailed_up: Annotated[bool, FLAG] = False
    """Whether an agent's leg stays up between calls."""
    answer_limit_s: Annotated[float, number(1, 300)] = 20.0
    """A phone that an agent does not pick up by then counts as unreachable."""
    join_limit_s: Annotated[float, number(0.5, 5)] = 4.0
    """Media must flow by then between agent and customer, or the join has failed; the engine waits for 5 s."""

    def uri_of(self, agent_id: str) -> str | None:
        """Return the URI of an agent's phone, None if the file has none; an id cannot add anything to the URI."""
        if self.uri:
            return self.uri.replace("{agent}", quote(agent_id, safe="-_.!~*'()")) if agent_id else None
        return self.uris.get(agent_id)


class Sip(msgspec.Struct, frozen=True, kw_only=True):
    """This side of SIP."""

    listen: Annotated[tuple[str, ...], several(LISTEN, 'a list of places such as ["udp:0.0.0.0:5060"]')] = (
        "udp:0.0.0.0:5060",
    )
    public: Annotated[Server | None, SERVER] = None
    """How others reach us, where that is not the address we send from; a port is the first listening place's."""
    user_agent: Annotated[str, text("a text without control characters")] = "predictive-dialer"
    tls_cert: Annotated[Path | None, PATH] = None
    tls_key: Annotated[Path | None, PATH] = None
    tls_ca: Annotated[Path | None, PATH] = None
    """Authorities of those who connect to us; None = they need no certificate."""
    journal: Annotated[Path | None, PATH] = None
    """What a restart needs to end the calls of the run before; None = in the home folder."""


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """What a day may cost on all trunks together."""

    timezone: Annotated[str, _ZONE] = "Asia/Ho_Chi_Minh"
    """Where the day begins."""
    currency: Annotated[str, text("the code of a currency", r"[A-Z]{3}")] = "VND"
    max_minutes_day: Annotated[int, whole(0, DAY_MINUTES)] = 0
    max_cost_day: Annotated[int, _MONEY] = 0


class TrunksFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file; `trunks` by name, in its order."""

    trunks: Mapping[str, Trunk]
    numbers: Numbers
    spend: Spend
    sip: Sip
    agents: Agents | None

    def peers(self) -> list[tuple[str, Peer]]:
        """Return everybody that is spoken to, with how people call him."""
        trunks: list[tuple[str, Peer]] = [(f"trunk {name!r}", trunk) for name, trunk in self.trunks.items()]
        return trunks if self.agents is None else [*trunks, ("agents", self.agents)]
