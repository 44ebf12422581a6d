"""Find a trunk's servers by name (RFC 3263): the system's own look-up for addresses, the DNS for the rest; a cache.

What to ask, and what the answers come to, is `telephony_adapters.sip.srv`.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import dns.exception
import dns.resolver

from dialer.errors import BadInput, Unreachable
from telephony_adapters.sip.srv import Answers, Naptr, Plan, Query, Record, Server, Srv, Target

log = logging.getLogger(__name__)

Addresses: TypeAlias = Callable[[str, socket.AddressFamily], Awaitable[Sequence[str]]]
"""From a name to addresses, as the system knows them; raises socket.gaierror."""

LOOK_UP_S: Final = 5.0
"""After so long a name server does not answer."""
SYSTEM_TTL_S: Final = 60.0
"""The system does not say how long its addresses hold."""
NONE_TTL_S: Final = 60.0
"""How long there being no record is believed."""
TTL_MIN_S: Final = 10.0
TTL_MAX_S: Final = 3_600.0
STALE_S: Final = 86_400.0
"""How long a record is used after its time while the DNS does not answer (RFC 8767)."""
STALE_RETRY_S: Final = 30.0
"""How long the DNS is left alone then."""
CACHE_MAX: Final = 1_000
_FAMILIES: Final = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
_DOTS: Final = {"A": 0, "AAAA": 0, "NAPTR": 1, "SRV": 3}
"""At least so many are in a name that the DNS is asked about."""
_NONE_TTL: Final[tuple[tuple[Record, ...], float]] = ((), NONE_TTL_S)


class _Entry(NamedTuple):
    records: tuple[Record, ...]
    until: float
    stale_until: float
    is_known: bool = True
    """False: nobody answered."""


class _Silence(Exception):
    """The DNS did not answer."""


class Resolver:
    """Asks and remembers; `close` it in its loop. `now` is in seconds and never runs backwards.

    `families`: the kinds of addresses that are of use here. `dns_at` replaces the system's name servers.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        families: Sequence[str] = ("A", "AAAA"),
        dns_at: dns.resolver.Resolver | None = None,
        addresses: Addresses | None = None,
    ) -> None:
        self._now = now
        self._families = families
        self._dns = dns_at or _system_dns()
        self._addresses = addresses or system_addresses
        self._cache: dict[Query, _Entry] = {}
        self._asking: dict[Query, asyncio.Task[tuple[Record, ...]]] = {}

    async def servers(self, target: Target) -> list[Server]:
        """Return the servers by rank, each with its flows; never an empty list.

        Raises BadInput: there is no such name, or it offers no such service; Unreachable: the DNS does not answer.
        """
        plan = Plan(target, families=self._families)
        answers: dict[Query, Sequence[Record]] = {}
        silent = False
        while queries := plan.queries(answers):
            for query, found in zip(queries, await asyncio.gather(*map(self._answer, queries)), strict=True):
                silent = silent or found is None
                answers[query] = found or ()
        if servers := plan.servers(answers):
            return servers
        raise _nothing(target, answers, silent=silent)

    async def close(self) -> None:
        """Wait for no answer any more; a thread that asks the DNS ends by itself within LOOK_UP_S."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _answer(self, query: Query) -> tuple[Record, ...] | None:
        """Return the records; an empty tuple: there are none; None: nobody answers.

        A name without a dot is the system's own (localhost, a container): it has no services in the DNS.
        """
        if query.name.count(".") < _DOTS[query.kind]:
            return ()
        entry = self._cache.get(query)
        if entry is not None and entry.until > self._now():
            return entry.records if entry.is_known else None
        try:
            return await asyncio.shield(self._ask_once(query))
        except _Silence:
            return self._stale(query, entry)

    def _ask_once(self, query: Query) -> asyncio.Task[tuple[Record, ...]]:
        """Ask, unless that is being asked already."""
        task = self._asking.get(query)
        if task is None:
            task = self._asking[query] = asyncio.get_running_loop().create_task(self._ask(query))
            task.add_done_callback(lambda _task: self._asking.pop(query))
        return task

    async def _ask(self, query: Query) -> tuple[Record, ...]:
        if query.kind in _FAMILIES:
            records, ttl_s = await self._ask_system(query)
        else:
            records, ttl_s = await self._ask_dns(query)
        now = self._now()
        until = now + min(max(ttl_s, TTL_MIN_S), TTL_MAX_S)
        self._remember(query, _Entry(records, until, until + STALE_S))
        return records

    async def _ask_system(self, query: Query) -> tuple[tuple[Record, ...], float]:
        """Ask as every program here does (/etc/hosts counts), then the DNS: it may be another than the system's."""
        try:
            async with asyncio.timeout(LOOK_UP_S):
                found = await self._addresses(query.name, _FAMILIES[query.kind])
        except (socket.gaierror, TimeoutError, UnicodeError):
            return _NONE_TTL if "." not in query.name else await self._ask_dns(query)
        return tuple(found), SYSTEM_TTL_S

    async def _ask_dns(self, query: Query) -> tuple[tuple[Record, ...], float]:
        """Ask on a thread.

        An asyncio look-up of dnspython's that is cancelled can leave a socket in uvloop, which then never closes.
        """
        ask = functools.partial(self._dns.resolve, f"{query.name}.", query.kind, lifetime=LOOK_UP_S)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(None, ask)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return _NONE_TTL
        except (dns.resolver.NoNameservers, dns.exception.Timeout) as error:
            raise _Silence from error
        except (dns.exception.DNSException, UnicodeError):
            return _NONE_TTL
        return tuple(map(_record, answer)), answer.chaining_result.minimum_ttl

    def _stale(self, query: Query, entry: _Entry | None) -> tuple[Record, ...] | None:
        now = self._now()
        log.warning(
            "the name servers do not answer for %s of %s", query.kind, query.name,
            extra={"action": "dns.silent", "kind": query.kind, "host": query.name},
        )  # fmt: skip
        is_of_use = entry is not None and entry.is_known and now < entry.stale_until
        if entry is None or not is_of_use:
            self._remember(query, _Entry((), now + STALE_RETRY_S, now, is_known=False))
            return None
        self._remember(query, entry._replace(until=now + STALE_RETRY_S))
        return entry.records

    def _remember(self, query: Query, entry: _Entry) -> None:
        self._cache.pop(query, None)
        if len(self._cache) >= CACHE_MAX:
            del self._cache[next(iter(self._cache))]
        self._cache[query] = entry


async def system_addresses(host: str, family: socket.AddressFamily) -> Sequence[str]:
    """Return the addresses of a name as the system knows them; raises socket.gaierror."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, family=family, type=socket.SOCK_DGRAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _system_dns() -> dns.resolver.Resolver:
    try:
        return dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return dns.resolver.Resolver(configure=False)


def _record(data: Any) -> Record:
    match data.rdtype.name:
        case "SRV":
            return Srv(data.priority, data.weight, data.port, data.target.to_text(omit_final_dot=True))
        case "NAPTR":
            replacement = data.replacement.to_text(omit_final_dot=True)
            return Naptr(data.order, data.preference, data.flags.decode(), data.service.decode(), replacement)
        case _:
            return str(data.address)


def _nothing(target: Target, answers: Answers, *, silent: bool) -> BadInput | Unreachable:
    if any(isinstance(record, Srv) and record.host == "." for found in answers.values() for record in found):
        return BadInput(f"{target.host} says in the DNS that it offers no SIP over {target.transport or 'anything'}")
    if silent:
        return Unreachable(f"the name servers do not answer for {target.host}: check this machine's DNS")
    return BadInput(f"there is no address for the host name {target.host}: check its spelling")
