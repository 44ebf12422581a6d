"""A small DNS server on 127.0.0.1: it says what the test's zone says, or falls silent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


class NameServer(asyncio.DatagramProtocol):
    """`zone` maps (name, kind) to a TTL and texts; `mood` is "" or "silent", "ill" (SERVFAIL)."""

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self.mood = ""
        self.asked: Counter[tuple[str, str]] = Counter()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name.to_text(omit_final_dot=True), query.question[0].rdtype.name
        self.asked[name, kind] += 1
        if self.mood != "silent" and self._transport is not None:
            self._transport.sendto(self._answer(query, name, kind).to_wire(), addr)

    def _answer(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        if self.mood == "ill":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.zone:
            ttl, texts = self.zone[name, kind]
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", ttl, "IN", kind, texts))
        elif name not in {known for known, _kind in self.zone}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@asynccontextmanager
async def name_server() -> AsyncIterator[tuple[NameServer, dns.resolver.Resolver]]:
    """Give the server, and what asks it."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    asker = dns.resolver.Resolver(configure=False)
    asker.nameservers = ["127.0.0.1"]
    asker.port = transport.get_extra_info("sockname")[1]
    try:
        yield server, asker
    finally:
        transport.close()
        await asyncio.sleep(0)
