"""Which servers to try, and in what order (RFC 3263, RFC 2782): DNS answers in, flows out; others ask the DNS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from telephony_adapters.sip.flow import Flow

TRANSPORTS: Final = ("udp", "tcp", "tls")
"""What we speak, in the order of preference where the DNS has none."""
PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}
"""Ports where none is said (RFC 3261 section 19.1.2)."""

_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_PREFIXES = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
_NOWHERE = "."


class Target(NamedTuple):
    """Where a request goes, as a URI or a trunk's configuration says it (RFC 3263 section 4)."""

    host: str
    """A name, without a dot at its end, or an IPv4 or IPv6 address without brackets."""
    port: int | None = None
    transport: str | None = None
    """udp, tcp or tls, where it is fixed."""
    is_secure: bool = False
    """A sips: URI: nothing but TLS will do."""

    @property
    def is_numeric(self) -> bool:
        """Tell whether the host is an address; no top-level domain consists of digits (RFC 3696 section 2)."""
        return ":" in self.host or self.host.rpartition(".")[2].isdigit()


class Query(NamedTuple):
    """One question for the DNS."""

    kind: str
    """NAPTR, SRV, A or AAAA."""
    name: str


class Naptr(NamedTuple):
    """An answer to NAPTR (RFC 2915 section 2)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(NamedTuple):
    """An answer to SRV (RFC 2782); names have no dot at their end, except "." itself: there is no such service."""

    priority: int
    weight: int
    port: int
    host: str


Record: TypeAlias = Naptr | Srv | str
"""An answer; that to A and AAAA is an address."""
Answers: TypeAlias = Mapping[Query, Sequence[Record]]
"""What the DNS has said so far; an empty sequence: it has no such record, or did not answer."""


class Server(NamedTuple):
    """One server with its addresses."""

    rank: tuple[int, ...]
    """The lower the earlier; those of one rank share the load by weight."""
    weight: int
    flows: tuple[Flow, ...]


class _Place(NamedTuple):
    """A server by name."""

    rank: tuple[int, ...]
    weight: int
    transport: str
    host: str
    port: int


class Plan:
    """What to ask the DNS for one target, and what its answers come to (RFC 3263 sections 4.1 and 4.2).

    Ask for `queries`, add what is answered, until there are none; then `servers` are known.
    """

    __slots__ = ("_families", "_target", "_transports", "_uses_naptr")

    def __init__(
        self, target: Target, *,
        transports: Sequence[str] = TRANSPORTS, families: Sequence[str] = ("A", "AAAA"), naptr: bool = True,
    ) -> None:  # fmt: skip
        secure_only = target.is_secure or target.transport == "tls"
        self._target = target
        self._transports = tuple(each for each in transports if each == "tls" or not secure_only)
        self._families = tuple(families)
        self._uses_naptr = naptr

    def queries(self, answers: Answers) -> list[Query]:
        """Return the questions that these answers leave open; none: everything is known."""
        if self._target.is_numeric:
            return []
        wanted = [*self._naptr_queries(), *(query for _, _, query in self._srv_queries(answers))]
        if not (missing := [query for query in wanted if query not in answers]):
            hosts = dict.fromkeys(place.host for place in self._places(answers))
            missing = [
                query for host in hosts for kind in self._families
                if (query := Query(kind, host)) not in answers and not Target(host).is_numeric
            ]  # fmt: skip
        return missing

    def servers(self, answers: Answers) -> list[Server]:
        """Return the servers by rank; those without an address are left out."""
        found = [Server(place.rank, place.weight, self._flows(place, answers)) for place in self._places(answers)]
        return list(_by_rank(server for server in found if server.flows))

    def _default(self) -> str:
        """Return the transport of a target that says nothing about it (RFC 3263 section 4.1)."""
        if self._target.transport and not self._target.is_secure:
            return self._target.transport
        return "udp" if "udp" in self._transports else next(iter(self._transports), "tls")

    def _naptr_queries(self) -> list[Query]:
        target = self._target
        is_open = self._uses_naptr and target.transport is None and target.port is None
        return [Query("NAPTR", target.host)] if is_open else []

    def _srv_queries(self, answers: Answers) -> list[tuple[tuple[int, ...], str, Query]]:
        """Return (rank, transport, question) of each way to find servers; none while NAPTR is open, or with a port."""
        target = self._target
        if target.port is not None:
            return []
        if target.transport:
            chosen = self._default()
            return [((0,), chosen, Query("SRV", _PREFIXES[chosen] + target.host))]
        asked = self._naptr_queries()
        if any(query not in answers for query in asked):
            return []
        if found := self._services(record for query in asked for record in answers[query]):
            return found
        ways = enumerate(self._transports)
        return [((place,), transport, Query("SRV", _PREFIXES[transport] + target.host)) for place, transport in ways]

    def _services(self, records: Iterable[Record]) -> list[tuple[tuple[int, ...], str, Query]]:
        return [
            ((record.order, record.preference), transport, Query("SRV", record.replacement))
            for record in records
            if isinstance(record, Naptr)
            and record.flags.lower() == "s"
            and (transport := _SERVICES.get(record.service.upper())) in self._transports
        ]

    def _places(self, answers: Answers) -> list[_Place]:
        target, fallback = self._target, self._default()
        records = [
            (rank, transport, record)
            for rank, transport, query in self._srv_queries(answers)
            for record in answers.get(query, ())
            if isinstance(record, Srv)
        ]
        if not records:
            return [_Place((0,), 0, fallback, target.host, target.port or PORTS[fallback])]
        return [
            _Place((*rank, record.priority), record.weight, transport, record.host, record.port)
            for rank, transport, record in records
            if record.host != _NOWHERE
        ]

    def _flows(self, place: _Place, answers: Answers) -> tuple[Flow, ...]:
        """Return the flows to a server; a certificate must bear the name that was asked for (RFC 5922 section 7.1)."""
        if Target(place.host).is_numeric:
            addresses: list[Record] = [place.host]
        else:
            addresses = [each for kind in self._families for each in answers.get(Query(kind, place.host), ())]
        name = self._target.host if place.transport == "tls" else ""
        return tuple(Flow(place.transport, each, place.port, name) for each in addresses if isinstance(each, str))


def _by_rank(servers: Iterable[Server]) -> tuple[Server, ...]:
    return tuple(sorted(servers, key=lambda server: server.rank))


def ordered(servers: Sequence[Server], uniform: Callable[[], float]) -> list[Server]:
    """Return the servers in the order to try: by rank, within a rank drawn by weight (RFC 2782, "weight").

    `uniform` gives numbers in [0, 1).
    """
    result: list[Server] = []
    for rank in sorted({server.rank for server in servers}):
        left = sorted((server for server in servers if server.rank == rank), key=lambda server: server.weight > 0)
        while left:
            result.append(left.pop(_drawn(left, uniform) if len(left) > 1 else 0))
    return result


def _drawn(servers: Sequence[Server], uniform: Callable[[], float]) -> int:
    """Return the place of the first whose running sum of weights reaches a number from 0 to the whole sum."""
    number = int(uniform() * (sum(server.weight for server in servers) + 1))
    for place, server in enumerate(servers):
        number -= server.weight
        if number <= 0:
            return place
    return len(servers) - 1


class Candidates:
    """The servers of one trunk: which of them failed, until when they are left alone, and which is next."""

    __slots__ = ("_servers", "_until")

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = _by_rank(servers)
        self._until: dict[Flow, float] = {}

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Return all flows, by rank."""
        return tuple(flow for server in self._servers for flow in server.flows)

    def replace(self, servers: Sequence[Server]) -> None:
        """Take what the DNS says now; what is known of flows that stay is kept."""
        self._servers = _by_rank(servers)
        stays = set(self.flows)
        self._until = {flow: until for flow, until in self._until.items() if flow in stays}

    def choose(self, now: float, uniform: Callable[[], float], tried: Collection[Flow] = ()) -> Flow | None:
        """Return the flow for the next request, by rank and weight; None: all have failed lately or were tried.

        `tried`: those that this request has failed on already (RFC 3263 section 4.3).
        """
        live: list[tuple[Server, Flow]] = []
        for server in self._servers:
            if live and server.rank != live[0][0].rank:
                break
            flow = next((each for each in server.flows if self._is_live(each, now) and each not in tried), None)
            if flow:
                live.append((server, flow))
        if len(live) > 1:
            live.sort(key=lambda each: each[0].weight > 0)
            return live[_drawn([server for server, _ in live], uniform)][1]
        return live[0][1] if live else None

    def failed(self, flow: Flow, until: float) -> None:
        """Leave a flow alone until then: it was silent, broke, or said 503 (RFC 3263 section 4.3)."""
        if flow in self.flows:
            self._until[flow] = max(until, self._until.get(flow, until))

    def worked(self, flow: Flow) -> None:
        """Forget that a flow failed."""
        self._until.pop(flow, None)

    def next_at(self, now: float) -> float | None:
        """Return when the first of the flows that are left alone comes back; None: there is none."""
        return min((until for until in self._until.values() if until > now), default=None)

    def _is_live(self, flow: Flow, now: float) -> bool:
        return self._until.get(flow, now) <= now
