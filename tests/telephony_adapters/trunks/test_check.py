"""`dialer trunk check` against real peers: what is wrong is told in words that say what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialer.clock import SystemClock
from telephony_adapters.trunks.check import Level, Step, check
from telephony_adapters.trunks.config import load
from telephony_adapters.wire.loop import RECEIVED
from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.asterisk import Asterisk, local_asterisk
from tests.plugins.certificates import Certificates, make_certificates
from tests.plugins.kamailio import Kamailios
from tests.plugins.processes import HOST, free_port
from tests.plugins.sipp import Sipp
from tests.telephony_adapters.real.dialing import Table, dialing, written

Told = list[tuple[str, Level]]
Keys = dict[str, Any]


async def tried(folder: Path, timeout_s: float = 5.0, **keys: Any) -> list[Step]:
    main: Table = {"channels": 1, "cps": 1} | keys
    file = load(written(folder, {"sip": {"listen": [f"udp:{HOST}:5060"]}, "trunk.main": main}))
    return [step async for step in check(file, "main", clock=SystemClock(), timeout_s=timeout_s)]


def levels(steps: list[Step]) -> Told:
    return [(step.what, step.level) for step in steps]


def fault(steps: list[Step]) -> str:
    """Return the words of the only fault, which ends the trial."""
    *good, bad = steps
    assert bad.level is Level.FAILED, steps
    assert all(step.level is Level.OK for step in good), steps
    return f"{bad.what}: {bad.words}"


# --- what works -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_trunk_without_a_password(tmp_path: Path, asterisk: Asterisk, transport: str) -> None:
    steps = await tried(tmp_path, server=asterisk.address, transport=transport)
    assert levels(steps) == [("name", Level.OK), ("OPTIONS", Level.OK)]
    assert steps[0] == ("name", asterisk.address, Level.OK, f"is {transport}:{asterisk.address}")
    assert steps[1].where == f"{transport}:{asterisk.address}"


async def test_a_password_is_tried_by_options_or_by_register(
    tmp_path: Path, asterisk: Asterisk, kamailio: Kamailios
) -> None:
    guarded: Keys = {"username": asterisk.user, "password": asterisk.password}
    steps = await tried(tmp_path, server=asterisk.guarded, **guarded)
    assert levels(steps) == [("name", Level.OK), ("OPTIONS", Level.OK), ("password", Level.OK)]
    for algorithm in ("MD5", "SHA-256"):
        proxy = kamailio.start(algorithm=algorithm)
        account: Keys = {"server": proxy.address, "username": "dialer", "password": proxy.password}
        steps = await tried(tmp_path, **account, register=algorithm == "MD5")
        last = "REGISTER" if algorithm == "MD5" else "password"
        assert levels(steps) == [("name", Level.OK), ("OPTIONS", Level.OK), (last, Level.OK)]


async def test_nothing_is_registered_and_what_is_stays(tmp_path: Path, asterisk: Asterisk) -> None:
    account: Keys = {"server": asterisk.address, "username": "agent1", "password": asterisk.password, "register": True}
    steps = await tried(tmp_path, **account)
    assert steps[-1][2:] == (Level.OK, "it takes the account agent1, with its password")
    assert "agent1/" not in asterisk.command("pjsip show aor agent1")
    async with dialing(tmp_path, main=account) as dialer:
        await dialer.until_message("SIP/2.0 200", sent=RECEIVED, having="REGISTER")
        assert (await tried(tmp_path, **account))[-1].level is Level.OK
        assert f"agent1@{HOST}:{dialer.place()[1]}" in asterisk.command("pjsip show aor agent1")


async def test_over_tls(tmp_path: Path, kamailio: Kamailios, certificates: Certificates) -> None:
    proxy = kamailio.start(mutual=True)
    certificate, key = certificates.pair("client")
    steps = await tried(
        tmp_path, server=f"{HOST}:{proxy.tls_port}", transport="tls", tls_ca=certificates.ca, tls_cert=certificate,
        tls_key=key,
    )  # fmt: skip
    assert levels(steps) == [("name", Level.OK), ("OPTIONS", Level.OK)]


# --- what does not ----------------------------------------------------------------------------------------------------


async def test_nobody_there(tmp_path: Path) -> None:
    nowhere = f"{HOST}:{free_port()}"
    for transport in ("udp", "tcp", "tls"):
        words = fault(await tried(tmp_path, server=nowhere, transport=transport))
        assert "check the host and the port" in words or "nothing listens on the port" in words
    assert (
        fault(await tried(tmp_path, server="sip.nowhere.invalid:5060"))
        == "name: there is no address for the host name sip.nowhere.invalid: check its spelling"
    )


async def test_a_wrong_transport(tmp_path: Path, kamailio: Kamailios, sipp: Sipp, certificates: Certificates) -> None:
    proxy, mute = kamailio.start(), sipp.uas(scenarios.say_nothing())
    tls: Keys = {"transport": "tls", "tls_ca": certificates.ca}
    words = fault(await tried(tmp_path, 0.3, server=proxy.address, **tls))
    assert "the port may not speak TLS" in words or "does not speak TLS" in words
    words = fault(await tried(tmp_path, 0.3, server=mute.address))
    assert "nothing answers over udp in 0.3 s" in words
    assert "whether it wants the transport tcp or tls" in words


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("authority", "comes from an authority unknown here: name the authority's certificate"),
        ("name", "bears another name: set the server name"),
        ("ours", "wants a certificate of ours: set the certificate and its key"),
    ],
)
async def test_certificates(
    tmp_path: Path, kamailio: Kamailios, certificates: Certificates, what: str, words: str
) -> None:
    proxy = kamailio.start(mutual=what == "ours")
    keys: Keys = {"tls_ca": certificates.ca}
    if what == "authority":
        (tmp_path / "other").mkdir()
        keys["tls_ca"] = make_certificates(tmp_path / "other").ca
    elif what == "name":
        keys["tls_name"] = "sip.somebody.test"
    assert words in fault(await tried(tmp_path, server=f"{HOST}:{proxy.tls_port}", transport="tls", **keys))


@pytest.mark.component("asterisk")
async def test_passwords(tmp_path: Path, asterisk: Asterisk, kamailio: Kamailios) -> None:
    guarded = asterisk.guarded
    assert (
        fault(await tried(tmp_path, server=guarded))
        == "OPTIONS: it asks for a password ('asterisk'): set username and password"
    )
    wrong: Keys = {"username": "dialer", "password": "wrong"}
    words = fault(await tried(tmp_path, server=guarded, **wrong))
    assert words.startswith("OPTIONS: it does not accept the password of dialer for 'asterisk'")
    proxy = kamailio.start(algorithm="SHA-256")
    for must in (False, True):
        words = fault(await tried(tmp_path, server=proxy.address, **wrong, register=must))
        assert words.startswith("REGISTER: it does not accept the password of dialer for 'carrier.test'")
    words = fault(await tried(tmp_path, server=proxy.address, **wrong, auth=["MD5"]))
    assert "it asks for the password by SHA-256, and auth allows MD5 only: add it to auth" in words
    with local_asterisk(algorithms=("SHA-256",)) as other:
        words = fault(await tried(tmp_path, server=other.guarded, **wrong, auth=["MD5"]))
        assert "it asks for the password by SHA-256" in words


def answers(status: str, *headers: str) -> str:
    """Answer whatever comes so."""
    return scenarios.caller(scenarios.receive("OPTIONS"), scenarios.respond(status).replace(
        "Content-Length", "\n".join((*headers, "Content-Length"))
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("status", "headers", "level", "words"),
    [
        ("404 Not Found", (), Level.OK, "it answers 404 Not Found: it is there, which is all that was asked"),
        ("405 Method Not Allowed", (), Level.OK, "it is there"),
        ("501 Not Implemented", (), Level.OK, "it is there"),
        ("403 Forbidden", (), Level.FAILED, "ask the carrier to allow this machine's address, or for an account"),
        (
            "503 Service Unavailable",
            ("Retry-After: 9",),
            Level.FAILED,
            "takes no calls now, and asks to be tried again in 9 s",
        ),
        ("401 Unauthorized", ("WWW-Authenticate: Basic realm=x",), Level.FAILED, "set username and password"),
    ],
)
async def test_what_it_answers(  # noqa: PLR0917 -- a table
    tmp_path: Path, sipp: Sipp, status: str, headers: tuple[str, ...], level: Level, words: str
) -> None:
    uas = sipp.uas(answers(status, *headers))
    step = (await tried(tmp_path, server=uas.address))[-1]
    assert (step.what, step.level) == ("OPTIONS", level)
    assert words in step.words


async def test_a_password_that_nothing_asks_for_is_left_open(tmp_path: Path, kamailio: Kamailios) -> None:
    proxy = kamailio.start()
    account: Keys = {"server": proxy.address, "username": "dialer", "password": "any"}
    steps = await tried(tmp_path, **account)
    assert (steps[-1].what, steps[-1].level) == ("password", Level.UNSURE)
    assert levels(await tried(tmp_path, **account, register=True))[-1] == ("REGISTER", Level.OK)
