from __future__ import annotations

import hashlib
import re
import socket
import ssl

import pytest

from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.baresip import Phones
from tests.plugins.certificates import Certificates
from tests.plugins.kamailio import Kamailio, Kamailios
from tests.plugins.processes import HOST, is_open
from tests.plugins.sipp import Sipp


@pytest.mark.parametrize("algorithm", ["", "MD5"])
def test_calls_go_through_it_and_it_stays_in_their_way(sipp: Sipp, kamailio: Kamailios, algorithm: str) -> None:
    uas = sipp.uas(scenarios.answer())
    proxy = kamailio.start(upstream=uas.address, algorithm=algorithm)
    uac = sipp.uac(proxy.address, scenarios.call(user="dialer", password=proxy.password), calls=3)
    assert uac.wait() == (3, 3, 0, 0), uac.errors()
    assert uas.wait() == (3, 3, 0, 0), uas.errors()
    assert uac.first_lines().count("SIP/2.0 407 Proxy Authentication Required") == (3 if algorithm else 0)
    byes = [text for text in uas.messages() if text.startswith("BYE")]
    assert len(byes) == 3
    assert all(f"Via: SIP/2.0/UDP {proxy.address}" in bye for bye in byes)


def test_who_does_not_know_the_password_is_asked_again(sipp: Sipp, kamailio: Kamailios) -> None:
    proxy = kamailio.start(algorithm="MD5")
    uac = sipp.uac(proxy.address, scenarios.call(user="dialer", password="wrong"))
    assert uac.wait().failed == 1
    assert uac.first_lines().count("SIP/2.0 407 Proxy Authentication Required") > 1


def test_the_other_side_may_speak_tcp_and_refuse_or_hang_up(sipp: Sipp, kamailio: Kamailios) -> None:
    uas = sipp.uas(scenarios.hang_up(), transport="tcp")
    proxy = kamailio.start(upstream=f"{uas.address};transport=tcp")
    assert sipp.uac(proxy.address, scenarios.wait()).wait()[:3] == (1, 1, 0)
    assert uas.wait()[:3] == (1, 1, 0), uas.errors()
    assert sipp.uac(kamailio.start().address, scenarios.refused(404)).wait()[:3] == (1, 1, 0)


async def test_phones_sign_in_and_call_each_other(phones: Phones, kamailio: Kamailios) -> None:
    proxy = kamailio.start(algorithm="MD5")
    one = await phones.start("agent1", registrar=proxy.address, password=proxy.password)
    two = await phones.start("agent2", registrar=proxy.address, password=proxy.password)
    await two.dial(proxy.uri("agent1"))
    await one.until("CALL_ESTABLISHED")
    assert min(await one.two_way()) >= 10
    await one.hang_up()
    await two.until("CALL_CLOSED")


def over_tls(proxy: Kamailio, context: ssl.SSLContext, *lines: str) -> str:
    """Send one request, and return the answer."""
    with (
        socket.create_connection((HOST, proxy.tls_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as connection,
    ):
        via = f"Via: SIP/2.0/TLS {HOST}:5061;branch=z9hG4bK{hashlib.sha256(repr(lines).encode()).hexdigest()}"
        connection.sendall("\r\n".join((lines[0], via, *lines[1:], "Content-Length: 0", "", "")).encode())
        return connection.recv(65536).decode()


def register(proxy: Kamailio, context: ssl.SSLContext, cseq: int, proof: str = "") -> str:
    who = f"<sip:agent1@{proxy.realm}>"
    lines = (f"From: {who};tag=1", f"To: {who}", f"Call-ID: {proxy.port}", f"CSeq: {cseq} REGISTER")
    return over_tls(
        proxy, context, f"REGISTER {proxy.uri('', 'tls').replace('@', '')} SIP/2.0", *lines,
        f"Contact: <sip:agent1@{HOST}:5060>", "Max-Forwards: 70", *([f"Authorization: {proof}"] if proof else []),
    )  # fmt: skip


def proof_of(challenge: str, proxy: Kamailio) -> str:
    """Answer a challenge for SHA-256 with qop (RFC 7616 section 3.4.1)."""

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    found = dict(re.findall(r'(\w+)="([^"]+)"', challenge))
    secret, what = digest(f"agent1:{proxy.realm}:{proxy.password}"), digest("REGISTER:sip:x")
    response = digest(f"{secret}:{found['nonce']}:00000001:c:auth:{what}")
    return (
        f'Digest username="agent1", realm="{proxy.realm}", nonce="{found["nonce"]}", uri="sip:x", qop=auth, '
        f'nc=00000001, cnonce="c", response="{response}", algorithm=SHA-256'
    )


def test_tls_and_sha_256(kamailio: Kamailios, certificates: Certificates) -> None:
    proxy = kamailio.start(algorithm="SHA-256", mutual=True)
    trusting = ssl.create_default_context(cafile=certificates.ca)
    with pytest.raises(OSError, match="certificate required"):
        register(proxy, trusting, 1)
    trusting.load_cert_chain(*certificates.pair("client"))
    challenge = register(proxy, trusting, 1)
    assert challenge.startswith("SIP/2.0 401 ")
    assert "algorithm=SHA-256" in challenge
    assert register(proxy, trusting, 2, proof_of(challenge, proxy)).startswith("SIP/2.0 200 ")


def test_a_nonce_that_is_too_old_is_called_stale(kamailio: Kamailios, certificates: Certificates) -> None:
    proxy = kamailio.start(algorithm="SHA-256", nonce_expire_s=0)
    trusting = ssl.create_default_context(cafile=certificates.ca)
    proof = proof_of(register(proxy, trusting, 1), proxy)
    answers = (register(proxy, trusting, cseq, proof) for cseq in range(2, 1000))
    assert "stale=true" in next(answer for answer in answers if answer.startswith("SIP/2.0 401 "))


@pytest.mark.component("kamailio")
def test_none_outlives_its_test(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> None:
    every = Kamailios(tmp_path_factory.mktemp("kamailio"), certificates)
    ports = [every.start().port for _ in range(2)]
    assert len(set(ports)) == 2
    every.stop()
    assert not any(is_open(port, "udp") for port in ports)
