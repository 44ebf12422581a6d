from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.asterisk import Asterisk, local_asterisk
from tests.plugins.baresip import Phones
from tests.plugins.processes import is_open
from tests.plugins.sipp import Sipp

ROOT = Path(__file__).resolve().parents[2]


async def test_a_phone_hears_itself_and_both_sides_count(asterisk: Asterisk, phones: Phones) -> None:
    phone = await phones.start("caller")
    await phone.dial(asterisk.uri("echo"))
    await phone.until("CALL_ESTABLISHED")
    assert min(await phone.two_way(25)) >= 25
    (channel,) = asterisk.channels()
    assert channel.channel.startswith("trunk-")
    assert min(channel.sent, channel.received) >= 25
    await phone.hang_up()


async def test_a_phone_hears_a_tone_and_is_hung_up_on(asterisk: Asterisk, phones: Phones) -> None:
    phone = await phones.start("caller")
    await phone.dial(asterisk.uri("tone"))
    await phone.until("CALL_ESTABLISHED")
    await phone.two_way()
    await phone.hang_up()
    await phone.dial(asterisk.uri("bye0"))
    await phone.until("CALL_ESTABLISHED")
    await phone.until("CALL_CLOSED")


async def test_a_phone_signs_in_and_is_called_through_it(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("agent1", registrar=asterisk.address, password=asterisk.password)
    caller = await phones.start("caller")
    await caller.dial(asterisk.uri("agent1"))
    await caller.until("CALL_ESTABLISHED")
    await agent.two_way()
    assert {channel.channel.partition("-")[0] for channel in asterisk.channels()} == {"trunk", "agent1"}
    await agent.hang_up()
    await caller.until("CALL_CLOSED")


@pytest.mark.parametrize(
    ("user", "code", "cause"),
    [
        ("busy", 486, "0|17"),
        ("congestion", 503, "0|34"),
        ("cause34", 503, "34"),
        ("cause1", 404, "1"),
        ("cause21", 403, "21"),
        ("nobody", 404, ""),
    ],
)
def test_what_is_dialled_says_how_it_refuses(asterisk: Asterisk, sipp: Sipp, user: str, code: int, cause: str) -> None:
    uac = sipp.uac(asterisk.address, scenarios.refused(code), user=user)
    assert uac.wait().done == 1, uac.errors()
    refusal = next(text for text in uac.messages() if text.startswith(f"SIP/2.0 {code} "))
    assert ("Reason:" in refusal) == bool(cause)
    assert re.search(rf"\nReason: Q.850;cause=({cause})\n" if cause else "", refusal)


def test_ringing_and_early_media_take_the_seconds_that_are_dialled(asterisk: Asterisk, sipp: Sipp) -> None:
    for user, first in (("ring0", "SIP/2.0 180 Ringing"), ("early0", "SIP/2.0 183 Session Progress")):
        uac = sipp.uac(asterisk.address, scenarios.call(), user=user)
        assert uac.wait().done == 1, uac.errors()
        assert first in uac.first_lines()


def test_the_guarded_port_wants_the_password(asterisk: Asterisk, sipp: Sipp) -> None:
    right = scenarios.call(user=asterisk.user, password=asterisk.password)
    wrong = scenarios.call(user=asterisk.user, password="wrong")
    assert sipp.uac(asterisk.guarded, right, user="echo").wait().done == 1
    refused = sipp.uac(asterisk.guarded, wrong, user="echo")
    assert refused.wait().failed == 1
    assert refused.first_lines().count("SIP/2.0 401 Unauthorized") >= 2


@pytest.mark.parametrize(
    ("callee", "caller", "sent"),
    [
        (scenarios.prack(), scenarios.call(), "PRACK"),
        (scenarios.change(), scenarios.call(talk_s=0.3), "SIP/2.0 200 OK"),
        (scenarios.repeat(), scenarios.call(talk_s=0.4), "ACK"),
        (scenarios.answer_late(), scenarios.cancel(), "BYE"),
    ],
    ids=["prack", "change", "repeat", "answer late"],
)
def test_it_calls_others_and_keeps_to_the_rules(
    asterisk: Asterisk, sipp: Sipp, callee: str, caller: str, sent: str
) -> None:
    uas = sipp.uas(callee)
    asterisk.dials("somebody", uas.uri("0900000001"))
    uac = sipp.uac(asterisk.address, caller, user="somebody")
    assert uac.wait().done == 1, uac.errors()
    assert uas.wait()[:3] == (1, 1, 0), uas.errors()
    assert any(line.startswith(sent) for line in uas.first_lines())


def test_it_calls_by_command_and_counts_channels(asterisk: Asterisk, sipp: Sipp) -> None:
    uas = sipp.uas(scenarios.hang_up())
    asterisk.originate(uas.uri("0900000001"))
    uas.program.ready(lambda: bool(uas.messages()))
    assert uas.wait()[:3] == (1, 1, 0), uas.errors()
    with pytest.raises(pytest.fail.Exception, match="Asterisk refused 'no such command'"):
        asterisk.command("no such command")


def test_ari_answers_who_knows_the_password(asterisk: Asterisk) -> None:
    auth = (asterisk.user, asterisk.password)
    assert httpx.get(f"{asterisk.ari}/asterisk/info", auth=auth).json()["system"]["version"].startswith("22.")
    assert httpx.get(f"{asterisk.ari}/channels").status_code == httpx.codes.UNAUTHORIZED


def test_it_can_be_stopped_and_is_back_at_the_same_address(asterisk: Asterisk, sipp: Sipp) -> None:
    asterisk.stop()
    assert not is_open(asterisk.port, "udp")
    asterisk.start()
    assert sipp.uac(asterisk.address, scenarios.refused(486), user="busy").wait().done == 1


@pytest.mark.component("asterisk")
def test_another_one_has_ports_and_algorithms_of_its_own(asterisk: Asterisk, sipp: Sipp) -> None:
    with local_asterisk(algorithms=("SHA-256", "MD5")) as other:
        assert {asterisk.port, asterisk.guarded_port, asterisk.http_port}.isdisjoint(
            {other.port, other.guarded_port, other.http_port}
        )
        uac = sipp.uac(other.guarded, scenarios.refused(401), user="echo")
        assert uac.wait().done == 1
        challenge = next(text for text in uac.messages() if text.startswith("SIP/2.0 401"))
        assert challenge.index("algorithm=SHA-256") < challenge.index("algorithm=MD5")
    assert not is_open(other.port, "udp")
    assert is_open(asterisk.port, "udp", "tcp")


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def fetch(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Fetch into an empty cache by a debootstrap that does this."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    program(programs / "debootstrap", script)
    program(programs / "sudo", 'exec "$@"')
    program(
        programs / "apt-get", ". /etc/os-release; echo $VERSION_CODENAME-updates x; echo $VERSION_CODENAME mirror:here"
    )
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "tests.plugins.asterisk"]
    return subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=60)


def test_a_debootstrap_that_fails_is_told_and_leaves_no_half_of_a_cache(tmp_path: Path) -> None:
    done = fetch(tmp_path, "echo 'E: Failed getting release file'; mkdir $3/half; exit 1")
    assert done.returncode != 0
    assert "debootstrap could not fetch Asterisk: E: Failed getting release file" in done.stderr
    assert [path.name for path in (tmp_path / "cache" / "predictive-dialer").iterdir()] == ["asterisk-sid.lock"]


def test_it_is_fetched_once_from_the_mirror_that_apt_knows(tmp_path: Path) -> None:
    log = tmp_path / "asked"
    for _ in range(2):
        done = fetch(tmp_path, f'echo "$1 $3 $5" >> {log}; touch $4/here')
        assert (done.returncode, done.stderr) == (0, "")
    assert log.read_text() == "--variant=minbase sid mirror:here\n"
    assert (tmp_path / "cache" / "predictive-dialer" / "asterisk-sid" / "here").exists()
