"""Strangers at our door: a SIPVicious scan, and forged requests by the thousand, while people talk (P17)."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from dialer.core.events import CallConnected, CallEnded
from tests.plugins.asterisk import Asterisk
from tests.plugins.baresip import Phones
from tests.plugins.figures import Figure
from tests.plugins.processes import HOST
from tests.telephony_adapters.real.dialing import Dialing, dialing, reaching

FORGED: Final = 10_000
SCAN_S: Final = 60.0
_PATIENCE: Final = ("--maximumtime", "3")
_UNKNOWN: Final = "We got an unknown response"
_BURST: Final = 250
_CALL_ID: Final = re.compile(rb"\r\nCall-ID: (\S+)")
_METHODS: Final = ("INVITE", "REGISTER", "BYE", "CANCEL", "ACK", "UPDATE", "PRACK", "OPTIONS", "SUBSCRIBE", "REFER")


class Forger:
    """Makes messages of a stranger who knows Call-IDs, but neither tags nor branches."""

    def __init__(self, seed: int, call_ids: list[str], place: tuple[str, int], elsewhere: str) -> None:
        self._chance = random.Random(seed)
        self._call_ids = call_ids
        self._own = f"{place[0]}:{place[1]}"
        self._elsewhere = elsewhere

    def messages(self, count: int) -> Iterator[bytes]:
        """Yield so many: half of them name a call that is up; some are answers to what nobody asked."""
        for number in range(1, count + 1):
            method = self._chance.choice(_METHODS)
            first = f"{method} sip:00972599000000@{self._own} SIP/2.0" if number % 50 else "SIP/2.0 200 OK"
            yield "\r\n".join((first, *self._headers(method, number), "Content-Length: 0", "", "")).encode()

    def _headers(self, method: str, cseq: int) -> Iterator[str]:
        chance = self._chance
        is_near = chance.random() < 0.5
        yield f"Via: SIP/2.0/UDP {self._elsewhere};branch=z9hG4bK{self._hex()}"
        yield "Max-Forwards: 70"
        yield f"From: <sip:100@{self._own}>;tag={self._hex()}"
        yield f"To: <sip:dialer@{self._own}>" + (f";tag={self._hex()}" if chance.random() < 0.3 + 0.5 * is_near else "")
        yield f"Call-ID: {chance.choice(self._call_ids) if is_near else self._hex()}"
        yield f"CSeq: {cseq} {method}"
        yield f"Contact: <sip:100@{HOST}:9>"
        if method == "REFER":
            yield f"Refer-To: <sip:+882000000001@{self._own}>"

    def _hex(self) -> str:
        return f"{self._chance.getrandbits(64):016x}"


async def _flood(dialer: Dialing, forger: Forger) -> None:
    """Send from ten ports of three addresses, never more than are read."""
    host, port = dialer.place()
    sockets = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(10)]
    heard = dialer.heard
    try:
        for index, sock in enumerate(sockets):
            sock.bind((f"127.0.0.{1 + index % 3}", 0))
        for number, data in enumerate(forger.messages(FORGED), 1):
            sockets[number % len(sockets)].sendto(data, (host, port))
            if number % _BURST == 0:
                async with asyncio.timeout(SCAN_S):
                    while dialer.heard < heard + number:  # noqa: ASYNC110 -- the sockets are read in between
                        await asyncio.sleep(0)
    finally:
        for sock in sockets:
            sock.close()


async def _scan(home: Path, tool: str, *options: str, until: str = "") -> str:
    """Run one tool of SIPVicious and return what it says: to its end, or up to some words, after which it but waits."""
    command = [str(Path(sys.executable).parent / f"sipvicious_{tool}"), *options]
    scanning = await asyncio.create_subprocess_exec(
        *command, cwd=home, env={"HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = ""
    assert scanning.stdout is not None
    async with asyncio.timeout(SCAN_S):
        async for line in scanning.stdout:
            said += line.decode()
            if until and until in said:
                scanning.kill()
                break
        await scanning.communicate()
    return said


async def test_nobody_calls_through_us_and_nobody_who_talks_is_harmed(
    tmp_path: Path, asterisk: Asterisk, phones: Phones, figure: Figure
) -> None:
    agent = await phones.start("a1")
    (echo,) = reaching(asterisk, "echo")
    agents = {"server": agent.address, "uris": {"a1": agent.uri}}
    async with dialing(tmp_path, main=asterisk.address, agents=agents) as dialer:
        call = await dialer.answered(echo)
        await dialer.telephony.connect(call, agent_id="a1")
        await dialer.until(CallConnected, call)
        await agent.two_way(5)
        call_ids = sorted({one.decode() for *_, data in dialer.messages for one in _CALL_ID.findall(data)})
        assert len(call_ids) == 2
        dialer.keeps = False
        ua, sent = dialer.machine.ua, Counter(dialer.words)
        legs, before = ua.legs, Counter(ua.counters)
        port = str(dialer.place()[1])

        said = await asyncio.gather(
            _scan(tmp_path, "svmap", "-p", port, HOST),
            _scan(tmp_path, "svwar", "-e", "100-140", "-m", "INVITE", "-p", port, "--force", *_PATIENCE, HOST),
            _scan(tmp_path, "svwar", "-e", "100-140", "-m", "REGISTER", "-p", port, "--force", *_PATIENCE, HOST),
            _scan(tmp_path, "svcrack", "-u", "100", "-r", "1-40", "-p", port, HOST, until=_UNKNOWN),
            agent.two_way(25),
        )
        assert f"{HOST}:{port}" in str(said[0]), "it sees that somebody is here"
        assert all("found nothing" in str(one) for one in said[1:3]), said
        assert _UNKNOWN in str(said[3]), "it is asked for no password"
        assert Counter(ua.counters) != before

        rss, began = psutil.Process().memory_info().rss, time.perf_counter()
        await _flood(dialer, Forger(7, call_ids, dialer.place(), asterisk.address))
        took = time.perf_counter() - began
        grown = (psutil.Process().memory_info().rss - rss) / 2**20
        await agent.two_way(25)

        answered = Counter(ua.counters) - before
        figure(f"{FORGED} forged messages while people talk: {took:.1f} s, {grown:.1f} MiB, {dict(answered)}")
        assert (ua.legs, len(asterisk.channels())) == (legs, 1)
        assert not dialer.of(CallEnded)
        new = Counter(dialer.words) - sent
        assert set(new) <= {"SIP/2.0"}, "nothing but answers left"
        assert ua.transactions < 3000
        assert grown < 32
        assert answered.total() > 0.9 * FORGED
        await dialer.hang_up(call)
        assert (await dialer.over(call)).sip_status == 200
