"""Customers and agents joined by third-party call control (RFC 3725), by real phones, switches and proxies."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from statistics import quantiles
from typing import Final

import pytest

from dialer.core.events import CallAnswered, CallConnected, CallEnded, ConnectFailed
from statuses.outcomes import EndedBy
from telephony_adapters.wire.loop import RECEIVED, SENT
from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.asterisk import Asterisk
from tests.plugins.baresip import Phone, Phones
from tests.plugins.figures import Figure
from tests.plugins.kamailio import Kamailio, Kamailios
from tests.plugins.sipp import Sipp
from tests.telephony_adapters.real.dialing import Dialing, Table, dialing, number, reaching

STAY: Final = pytest.mark.parametrize("stays", [False, True], ids=["called for each talk", "stays on the line"])
_PORT: Final = re.compile(rb"\r\nm=audio (\d+) ")


def at(phone: Phone, *, stays: bool = False) -> Table:
    """Say that this is the phone of agent a1."""
    return {"server": phone.address, "uris": {"a1": phone.uri}, "nailed_up": stays}


def behind(proxy: Kamailio, *, stays: bool = False) -> Table:
    """Say that each agent's phone signs in with this proxy."""
    return {"server": proxy.address, "uri": f"sip:{{agent}}@{proxy.address}", "nailed_up": stays}


async def ready(dialer: Dialing, phone: Phone, *, stays: bool, agent: str = "a1") -> None:
    """Take the agent's phone on the line, if it is to stay there."""
    await dialer.telephony.station(agent, up=True)
    if stays:
        await phone.until("CALL_ESTABLISHED")


async def joined(dialer: Dialing, phone: str = "", agent: str = "a1") -> str:
    """Call a customer, join the agent, and return the call's id."""
    call = await dialer.answered(phone)
    await dialer.telephony.connect(call, agent_id=agent)
    await dialer.until(CallConnected, call)
    return call


def media_port(sdp: bytes) -> int:
    found = _PORT.search(sdp)
    assert found is not None
    return int(found[1])


# --- media ------------------------------------------------------------------------------------------------------------


@STAY
async def test_customer_and_agent_hear_each_other_and_nothing_passes_here(
    tmp_path: Path, asterisk: Asterisk, phones: Phones, stays: bool
) -> None:
    agent = await phones.start("a1")
    (echo,) = reaching(asterisk, "echo")
    async with dialing(tmp_path, main=asterisk.address, agents=at(agent, stays=stays)) as dialer:
        await ready(dialer, agent, stays=stays)
        call = await joined(dialer, echo)
        await agent.two_way(5)
        dialer.media_here()  # what came before they were joined
        before = asterisk.channels()[0]
        heard = await agent.two_way(25)
        after = asterisk.channels()[0]
        assert min(heard) >= 25
        assert min(after.sent - before.sent, after.received - before.received) >= 20
        assert dialer.media_here() == 0
        last, said = (
            {flow.port: media_port(data) for sent, flow, data in dialer.messages if sent is way and _PORT.search(data)}
            for way in (SENT, RECEIVED)
        )
        assert last == {asterisk.port: said[agent.port], agent.port: said[asterisk.port]}
        await dialer.hang_up(call)
        assert (await dialer.over(call)).ended_by is EndedBy.DIALER
        assert await agent.is_in_call() is stays
        if stays:
            await dialer.telephony.station("a1", up=False)
            await agent.until("CALL_CLOSED")


async def test_two_phones_through_a_proxy(tmp_path: Path, kamailio: Kamailios, phones: Phones) -> None:
    proxy = kamailio.start(algorithm="MD5")  # more baresip 1.0 does not know
    agent = await phones.start("a1", registrar=proxy.address, password=proxy.password)
    customer = await phones.start(number(), registrar=proxy.address, password=proxy.password, tone_hz=880)
    account = {"server": proxy.address, "username": "dialer", "password": proxy.password}
    async with dialing(tmp_path, main=account, agents=account | dict(behind(proxy))) as dialer:
        call = await joined(dialer)
        await asyncio.gather(agent.two_way(5), customer.two_way(5))
        dialer.media_here()  # what came before they were joined
        await asyncio.gather(agent.two_way(25), customer.two_way(25))
        assert dialer.media_here() == 0
        await customer.hang_up()
        assert (await dialer.over(call)).ended_by is EndedBy.REMOTE
        await agent.until("CALL_CLOSED")


async def test_codecs_that_only_one_of_them_knows_are_not_used(
    tmp_path: Path, asterisk: Asterisk, phones: Phones
) -> None:
    agent = await phones.start("a1", codecs=("PCMU",))
    (tone,) = reaching(asterisk, "tone")
    async with dialing(tmp_path, main=asterisk.address, agents=at(agent)) as dialer:
        await joined(dialer, tone)
        await agent.two_way(25)
        assert "PCMU" in await agent.command("audio_debug")


# --- hold -------------------------------------------------------------------------------------------------------------


@STAY
async def test_the_agent_holds_and_resumes(tmp_path: Path, asterisk: Asterisk, phones: Phones, stays: bool) -> None:
    agent = await phones.start("a1")
    (echo,) = reaching(asterisk, "echo")
    async with dialing(tmp_path, main=asterisk.address, agents=at(agent, stays=stays)) as dialer:
        await ready(dialer, agent, stays=stays)
        call = await joined(dialer, echo)
        await agent.two_way(10)
        await agent.hold()
        await agent.until("CALL_REMOTE_SDP")
        assert any(flow.port == asterisk.port and b"a=sendonly" in data for sent, flow, data in dialer.messages if sent)
        held = await agent.rtp()
        with pytest.raises(pytest.fail.Exception, match=r"and 0\.3 s later"):
            await agent.two_way(5, timeout_s=0.3)
        assert (await agent.rtp()).received <= held.received + 2
        await agent.resume()
        await agent.two_way(25)
        assert not dialer.of(CallEnded, call)


async def test_both_hold_at_the_same_moment(tmp_path: Path, kamailio: Kamailios, phones: Phones) -> None:
    """One of the two changes is refused by 491, or waits; nobody is hung up (RFC 3261 section 14.2)."""
    proxy = kamailio.start()
    agent = await phones.start("a1", registrar=proxy.address)
    customer = await phones.start(number(), registrar=proxy.address)
    async with dialing(tmp_path, main=proxy.address, agents=behind(proxy)) as dialer:
        call = await joined(dialer)
        await asyncio.gather(agent.two_way(5), customer.two_way(5))
        for _ in range(3):
            await asyncio.gather(agent.hold(), customer.hold())
            await asyncio.gather(agent.resume(), customer.resume())
        await dialer.quiet()
        await asyncio.gather(agent.hold(), customer.hold())
        await dialer.quiet()
        await agent.resume()
        await dialer.quiet()
        await customer.resume()
        await asyncio.gather(agent.two_way(25), customer.two_way(25))
        assert not dialer.of(CallEnded, call)


# --- who hangs up -----------------------------------------------------------------------------------------------------


@STAY
async def test_the_agent_hangs_up_first(tmp_path: Path, asterisk: Asterisk, phones: Phones, stays: bool) -> None:
    agent = await phones.start("a1")
    (echo,) = reaching(asterisk, "echo")
    async with dialing(tmp_path, main=asterisk.address, agents=at(agent, stays=stays)) as dialer:
        await ready(dialer, agent, stays=stays)
        call = await joined(dialer, echo)
        await agent.two_way()
        await agent.hang_up()
        end = await dialer.over(call)
        assert (end.sip_status, end.ended_by) == (200, EndedBy.AGENT)
        assert asterisk.channels() == []


@STAY
async def test_the_customer_hangs_up_first_and_the_agent_takes_another(
    tmp_path: Path, asterisk: Asterisk, phones: Phones, stays: bool
) -> None:
    agent = await phones.start("a1")
    bye, echo = reaching(asterisk, "bye1", "echo")
    async with dialing(tmp_path, main=asterisk.address, agents=at(agent, stays=stays)) as dialer:
        await ready(dialer, agent, stays=stays)
        first = await joined(dialer, bye)
        assert (await dialer.over(first)).ended_by is EndedBy.REMOTE
        if stays:
            await dialer.quiet()
            assert await agent.is_in_call()
        else:
            await agent.until("CALL_CLOSED")
        second = await joined(dialer, echo)
        await agent.two_way(25)
        await dialer.hang_up(second)
        await dialer.over(second)


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_a_customer_who_changes_the_session_meanwhile(tmp_path: Path, sipp: Sipp, phones: Phones) -> None:
    """Our offer meets theirs: it is refused by 491 and made once more, by us who own the Call-ID, 2 s later."""
    agent = await phones.start("a1")
    uas = sipp.uas(scenarios.glare())
    async with dialing(tmp_path, main=uas.address, agents={**at(agent), "join_limit_s": 5}) as dialer:
        call = await joined(dialer)
        assert "SIP/2.0 491 Request Pending" in dialer.first_lines(sent=RECEIVED)
        await dialer.hang_up(call)
        await dialer.over(call)
        await dialer.settled()
    assert (await uas.finished())[:3] == (1, 1, 0), uas.errors()


async def test_a_phone_that_refuses_or_is_not_there_leaves_the_customer_to_another(
    tmp_path: Path, asterisk: Asterisk, kamailio: Kamailios, phones: Phones
) -> None:
    proxy = kamailio.start()
    busy = await phones.start("busy", registrar=proxy.address, answers=False)
    agent = await phones.start("a1", registrar=proxy.address)
    (echo,) = reaching(asterisk, "echo")
    async with dialing(tmp_path, main=asterisk.address, agents=behind(proxy)) as dialer:
        call = await dialer.answered(echo)
        await dialer.telephony.connect(call, agent_id="gone")
        assert (await dialer.until(ConnectFailed, call)).agent_id == "gone"
        await dialer.telephony.connect(call, agent_id="busy")
        await busy.until("CALL_INCOMING")
        await busy.hang_up()
        assert (await dialer.until(ConnectFailed, call, nth=2)).agent_id == "busy"
        assert [one.answered for one in await dialer.telephony.snapshot()] == [True]
        assert len(asterisk.channels()) == 1
        await dialer.telephony.connect(call, agent_id="a1")
        assert (await dialer.until(CallConnected, call)).agent_id == "a1"
        await agent.two_way(25)
        await dialer.hang_up(call)
        assert dialer.kinds(call).count(CallAnswered) == 1


# --- how long the customer waits --------------------------------------------------------------------------------------

AGENTS: Final = 4
TALKS: Final = 26
"""For each agent."""


async def played(agent: Phone) -> str:
    """Return how much sound of its present customer it has decoded; its packet counters stop at the eighth customer."""
    sent_and_played = re.findall(r"time = (.*)|$", await agent.command("audio_debug"))
    return str(sent_and_played[1])


@STAY
async def test_how_long_a_customer_waits_for_the_agent(  # noqa: PLR0917 -- fixtures
    tmp_path: Path, asterisk: Asterisk, kamailio: Kamailios, phones: Phones, figure: Figure, stays: bool
) -> None:
    """From the customer's 200 to both answers, and to the first sound at the agent's phone; four calls at a time."""
    proxy = kamailio.start()
    names = [f"a{index}" for index in range(AGENTS)]
    agents = {name: await phones.start(name, registrar=proxy.address) for name in names}
    (tone,) = reaching(asterisk, "tone")
    joins: list[float] = []
    sounds: list[float] = []
    async with dialing(tmp_path, main=asterisk.address, agents=behind(proxy, stays=stays)) as dialer:

        async def talk(name: str) -> None:
            agent = agents[name]
            call = await dialer.call(tone)
            answered = dialer.when(await dialer.until(CallAnswered, call))
            await dialer.telephony.connect(call, agent_id=name)
            joins.append(dialer.when(await dialer.until(CallConnected, call)) - answered)
            before = await played(agent)
            while await played(agent) == before:  # noqa: ASYNC110 -- a phone tells nobody when it begins to play
                await asyncio.sleep(0.002)
            sounds.append(dialer.now() - answered)
            await dialer.hang_up(call)
            await dialer.over(call)
            if not stays:
                await agent.until("CALL_CLOSED")

        async def shift(name: str) -> None:
            await ready(dialer, agents[name], stays=stays, agent=name)
            for _ in range(TALKS):
                await talk(name)

        async with asyncio.timeout(60):
            await asyncio.gather(*map(shift, names))
    for what, times in (("the join", joins), ("the agent's first sound", sounds)):
        p50, p99 = (1000 * quantiles(times, n=100)[rank] for rank in (49, 98))
        how = "stays" if stays else "is called"
        figure(f"3PCC, phone {how}: {len(times)} answers to {what}: p50 {p50:.0f} ms, p99 {p99:.0f} ms (goal 300)")
        assert len(times) == AGENTS * TALKS
        assert p99 < 2000, "the law's limit for an agent; the goal is 300 ms, which a busy machine may not hold"
