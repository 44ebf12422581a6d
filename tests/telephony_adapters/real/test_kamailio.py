"""Kamailio between us and the carrier: passwords, TLS, a route through it, servers that are gone."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from pathlib import Path
from typing import Final

import pytest
import trustme

from dialer.core.events import CallAnswered, CallEnded, CallProgressed, CallRinging
from statuses.outcomes import EndedBy
from telephony_adapters.wire.loop import RECEIVED
from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.asterisk import Asterisk
from tests.plugins.certificates import Certificates, make_certificates
from tests.plugins.kamailio import Kamailio, Kamailios
from tests.plugins.processes import HOST, free_port
from tests.plugins.sipp import Sipp
from tests.telephony_adapters.real.dialing import Table, dialing, reaching
from tests.telephony_adapters.wire.name_server import name_server

NAME: Final = "sip.carrier.test"


def account(proxy: Kamailio, **keys: object) -> Table:
    return {"server": proxy.address, "username": "dialer", "password": proxy.password} | keys


# --- passwords and routes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_a_call_signs_in_and_goes_through_it(
    tmp_path: Path, sipp: Sipp, kamailio: Kamailios, algorithm: str, transport: str
) -> None:
    """Also what comes later in the call goes through it, by its Record-Route (RFC 3261 section 16.12.1)."""
    uas = sipp.uas(scenarios.answer())
    proxy = kamailio.start(upstream=uas.address, algorithm=algorithm)
    main = account(proxy, transport=transport, channels=2, cps=50)
    async with dialing(tmp_path, main=main, wrong=dict(main) | {"password": "wrong"}) as dialer:
        for _ in range(2):
            call = await dialer.answered()
            await dialer.hang_up(call)
            assert (await dialer.over(call)).sip_status == 200
        assert dialer.kinds(call) == [CallProgressed, CallRinging, CallAnswered, CallEnded]
        challenged = [line for line in dialer.first_lines(sent=RECEIVED) if line.startswith("SIP/2.0 407")]
        assert len(challenged) == 1, "the second call knows the nonce"
        refused = await dialer.call(trunk="wrong")
        assert (await dialer.over(refused)).sip_status == 407
        assert all(f"\r\nRoute: <sip:{HOST}".encode() in text for text in dialer.sent("BYE"))
    assert (await uas.finished())[:3] == (2, 2, 0), uas.errors()
    for method in ("ACK", "BYE"):
        ones = [text for text in uas.messages() if text.startswith(f"{method} ")]
        assert len(ones) == 2
        assert all(f" {proxy.address};" in one for one in ones), "in its Via"


async def test_a_nonce_that_is_too_old_is_asked_for_again(tmp_path: Path, sipp: Sipp, kamailio: Kamailios) -> None:
    uas = sipp.uas(scenarios.answer(ring_s=0.01))
    proxy = kamailio.start(upstream=uas.address, algorithm="SHA-256", nonce_expire_s=1)
    async with dialing(tmp_path, main=account(proxy)) as dialer:
        stale = False
        while not stale:  # until a second is over
            call = await dialer.answered()
            await dialer.hang_up(call)
            await dialer.over(call)
            stale = any(b"stale=true" in data for sent, _, data in dialer.messages if sent is RECEIVED)
    answered = [event.call_id for event in dialer.of(CallAnswered)]
    assert answered[-1] == call  # by what it was asked for, in the same call
    assert len(set(answered)) == len(answered)


async def test_the_callee_hangs_up_through_it(tmp_path: Path, sipp: Sipp, kamailio: Kamailios) -> None:
    for transport in ("udp", "tcp"):
        uas = sipp.uas(scenarios.hang_up(talk_s=0.02), transport=transport)
        proxy = kamailio.start(upstream=f"{uas.address};transport={transport}")
        async with dialing(tmp_path, main={"server": proxy.address, "transport": transport}) as dialer:
            call = await dialer.answered()
            assert (await dialer.over(call)).ended_by is EndedBy.REMOTE
        assert (await uas.finished())[:3] == (1, 1, 0), uas.errors()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_it_takes_our_registration(tmp_path: Path, kamailio: Kamailios, transport: str) -> None:
    proxy = kamailio.start(algorithm="SHA-256")
    main = account(proxy, transport=transport, register=True, options_every_s=0.05)
    async with dialing(tmp_path, main=main) as dialer:
        ok = await dialer.until_message("SIP/2.0 200", sent=RECEIVED, having="REGISTER")
        host, port = dialer.place(transport)
        assert f"<sip:dialer@{host}:{port}".encode() in ok
        await dialer.until_message("SIP/2.0 200", sent=RECEIVED, having="OPTIONS", nth=2)


# --- TLS --------------------------------------------------------------------------------------------------------------


def with_tls(proxy: Kamailio, certificates: Certificates, **keys: object) -> Table:
    return {"server": f"{HOST}:{proxy.tls_port}", "transport": "tls", "tls_ca": certificates.ca} | keys


def listening(certificates: Certificates) -> Table:
    """Listen for TLS, too: requests of the other side come over a connection of its own."""
    certificate, key = certificates.pair("server")
    places = [f"{transport}:{HOST}:{free_port()}" for transport in ("udp", "tls")]
    return {"listen": places, "tls_cert": certificate, "tls_key": key}


@pytest.mark.parametrize("mutual", [False, True], ids=["server's", "both"])
async def test_a_call_over_tls(
    tmp_path: Path, sipp: Sipp, kamailio: Kamailios, certificates: Certificates, mutual: bool
) -> None:
    uas = sipp.uas(scenarios.hang_up())
    proxy = kamailio.start(upstream=uas.address, mutual=mutual)
    certificate, key = certificates.pair("client")
    ours = {"tls_cert": certificate, "tls_key": key} if mutual else {}
    main = with_tls(proxy, certificates, **ours)
    async with dialing(tmp_path, main=main, sip=listening(certificates)) as dialer:
        call = await dialer.answered()
        assert (await dialer.over(call)).ended_by is EndedBy.REMOTE
    assert (await uas.finished())[:3] == (1, 1, 0), uas.errors()


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Give an authority whose server's certificate is too old."""
    folder = tmp_path_factory.mktemp("expired")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    old = authority.issue_cert(HOST, not_before=past, not_after=past + dt.timedelta(days=1))
    old.cert_chain_pems[0].write_to_path(folder / "server.pem")
    old.private_key_pem.write_to_path(folder / "server.key")
    return Certificates(folder)


async def test_a_peer_that_is_not_who_it_should_be_gets_no_call(
    tmp_path: Path, kamailio: Kamailios, certificates: Certificates, expired: Certificates
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "old").mkdir()
    others = Kamailios(tmp_path / "old", expired)
    try:
        proxy, mutual, old = kamailio.start(), kamailio.start(mutual=True), others.start()
        trunks = {
            "authority": with_tls(proxy, make_certificates(tmp_path / "other")),
            "name": with_tls(proxy, certificates, tls_name="sip.somebody.test"),
            "old": with_tls(old, expired),
            "bare": with_tls(mutual, certificates),
        }
        words = {
            "authority": "comes from an authority unknown here",
            "name": "bears another name",
            "old": "has expired",
            "bare": "wants a certificate of ours",
        }
        for name, keys in trunks.items():
            async with dialing(tmp_path, main=keys) as dialer:
                call = await dialer.call()
                end = await dialer.over(call)
                assert (end.sip_status, end.ended_by) == (503, EndedBy.DIALER), name
                assert any(words[name] in why for why in dialer.machine.ua.counters), (name, dialer.machine.ua.counters)
    finally:
        others.stop()


# --- what breaks ------------------------------------------------------------------------------------------------------


async def test_a_call_ends_though_its_proxy_is_gone(tmp_path: Path, sipp: Sipp, kamailio: Kamailios) -> None:
    uas = sipp.uas(scenarios.answer())
    proxy = kamailio.start(upstream=uas.address)
    async with dialing(tmp_path, main={"server": proxy.address, "transport": "tcp"}) as dialer:
        call = await dialer.answered()
        await asyncio.to_thread(proxy.stop)
        assert [one.call_id for one in await dialer.telephony.snapshot()] == [call], "media may still flow"
        await dialer.hang_up(call)
        assert (await dialer.over(call)).ended_by is EndedBy.DIALER
        again = await dialer.call()
        assert (await dialer.over(again)).sip_status == 503
        await dialer.settled()


class Relay:
    """Passes TCP connections on to another port, until they are cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ways: list[tuple[asyncio.StreamWriter, asyncio.Task[None]]] = []
        self.accepted = 0

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection(HOST, self._port)
        self.accepted += 1
        for source, sink in ((reader, there), (there_reader, writer)):
            self._ways.append((sink, asyncio.create_task(_pump(source, sink))))

    async def cut(self) -> None:
        """Break every connection off."""
        for writer, _ in self._ways:
            writer.transport.abort()
        await asyncio.gather(*(task for _, task in self._ways))
        self._ways.clear()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


async def test_a_connection_that_breaks_in_a_call_is_made_anew(tmp_path: Path, asterisk: Asterisk) -> None:
    (echo,) = reaching(asterisk, "echo")
    relay = Relay(asterisk.port)
    async with await asyncio.start_server(relay.join, HOST, 0) as server:
        main = {"server": f"{HOST}:{server.sockets[0].getsockname()[1]}", "transport": "tcp"}
        async with dialing(tmp_path, main=main) as dialer:
            call = await dialer.answered(echo)
            await dialer.quiet()  # the ACK has arrived
            await relay.cut()
            assert [one.call_id for one in await dialer.telephony.snapshot()] == [call], "media may still flow"
            await dialer.hang_up(call)
            end = await dialer.over(call)
            assert (end.sip_status, end.ended_by) == (200, EndedBy.DIALER)
            assert (relay.accepted, asterisk.channels()) == (2, [])
        await relay.cut()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_dead_server_is_passed_over(tmp_path: Path, sipp: Sipp, transport: str) -> None:
    uas = sipp.uas(scenarios.answer(), transport=transport)
    async with name_server() as (names, asker):
        places = [f"1 1 {free_port()} localhost.", f"2 1 {uas.port} localhost."]
        names.zone[f"_sip._{transport}.{NAME}", "SRV"] = (60, places)
        async with dialing(tmp_path, main={"server": NAME, "transport": transport}, dns_at=asker) as dialer:
            for _ in range(2):
                call = await dialer.answered()
                await dialer.hang_up(call)
                await dialer.over(call)
            assert len(dialer.sent("INVITE")) == 3, "the second call knows"
            assert all(f"@{NAME} SIP/2.0" in line for line in dialer.first_lines() if line.startswith("INVITE"))
    assert (await uas.finished())[:3] == (2, 2, 0), uas.errors()
