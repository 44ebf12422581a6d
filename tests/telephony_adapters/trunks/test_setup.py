"""From the trunks file to a machine: what is kept on disk, and what is refused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from dialer.clock import SystemClock
from dialer.core.events import TrunkClosed, TrunkOpened
from dialer.errors import BadInput
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.srv import Server, Target
from telephony_adapters.trunks import setup
from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.drained import write
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.trunks.spend import Rate
from telephony_adapters.wire.listen import Listen
from tests.telephony_adapters.trunks.world import START

TRUNK = '[trunk.a]\nserver = "127.0.0.1:5060"\nchannels = 1\ncps = 1\n'


def plant(text: str = TRUNK, *, spend_file: Path | None = None) -> Plant:
    return Plant(parse(text), key=b"key", spend_file=spend_file)


def test_the_ledger_is_not_written_again_for_the_time_alone(tmp_path: Path) -> None:
    file = tmp_path / "spend.json"
    kept = plant(spend_file=file)
    kept.save(START)
    file.unlink()
    kept.save(START + 2)
    assert not file.exists()
    kept.ledger.reserve("c", "a", Rate(), START + 3)
    kept.save(START + 4)
    file.unlink()
    kept.save(START + 6)  # a call in flight is booked from the last time on
    assert file.exists()


def test_a_disk_that_takes_nothing_is_said_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "gone" / "spend.json"
    kept = plant(spend_file=file)
    kept.save(START)
    kept.save(START + 2)
    assert kept.failures == 2
    assert [record.action for record in caplog.records] == ["spend.failed"]  # type: ignore[attr-defined]
    file.parent.mkdir()
    kept.save(START + 4)
    assert file.exists()


def test_a_trunk_that_an_operator_drains_is_closed_until_it_resumes(tmp_path: Path) -> None:
    file = tmp_path / "drained"
    kept = Plant(parse(TRUNK), key=b"key", drained_file=file)
    (line,) = kept.lines
    assert not kept.heed(START)
    write(file, {"a", "another"})
    assert kept.heed(START + 2)
    assert not kept.heed(START + 4)
    (closed,) = line.take_changes()
    assert isinstance(closed, TrunkClosed)
    write(file, ())
    assert kept.heed(START + 6)
    assert line.take_changes() == [TrunkOpened("a")]


class DeafNames:
    """Name servers that answer to nobody."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def servers(self, _target: Target) -> list[Server]:
        self.asked.set()
        await asyncio.Event().wait()
        return []


def ignore() -> None:
    """Stand in for the loop's kick."""


async def test_the_ledger_is_saved_while_nobody_answers_for_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "SAVE_EVERY_S", 0.01)
    monkeypatch.setattr(setup, "LOOK_UP_EVERY_S", 0.001)
    file = tmp_path / "spend.json"
    kept = plant(spend_file=file)
    names = DeafNames()
    monkeypatch.setattr(kept, "_resolver", names, raising=False)
    saved = asyncio.Event()
    real: Callable[[float], None] = kept.save

    def save(now: float) -> None:
        real(now)
        if names.asked.is_set():
            saved.set()

    monkeypatch.setattr(kept, "save", save)
    task = asyncio.create_task(kept.keep(SystemClock(), ignore))
    await asyncio.wait_for(saved.wait(), 5)
    task.cancel()
    await asyncio.wait({task})
    assert file.exists()


def test_a_server_name_that_no_uri_can_hold_is_told() -> None:
    with pytest.raises(BadInput, match="trunk a: domain '_sip"):
        plant('[trunk.a]\nserver = "_sip._udp.a.vn"\nchannels = 1\ncps = 1\n')


def test_a_flow_of_nobody_gets_no_trunks_tls() -> None:
    two = plant(TRUNK + 'transport = "tls"\ntls_name = "a.vn"\n')
    flow = Flow("tls", "127.0.0.1", 5061, "a.vn")
    assert two.client_tls(flow).verify_mode is ssl.CERT_REQUIRED
    with pytest.raises(BadInput, match="has that server name"):
        two.client_tls(flow._replace(server_name=""))


def test_a_stranger_who_asks_what_we_can_do_leaves_nothing_behind() -> None:
    built = plant()
    machine = built.build(4000)
    built.listening([Listen("udp", "127.0.0.1", 5060)])
    stranger = Flow("udp", "192.0.2.66", 5060)
    ask = (
        b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bK1\r\nFrom: <sip:x@y>;tag=1\r\n"
        b"To: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    machine.receive(ask, stranger, START)
    (answer,) = machine.take_sends()
    assert answer.data.startswith(b"SIP/2.0 200 OK\r\n")
    assert machine.ua.transactions == 0


def test_a_public_port_is_that_of_the_first_place() -> None:
    built = plant(TRUNK + '[sip]\nlisten = ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5062"]\npublic = "sip.a.vn:7000"\n')
    machine = built.build(4000)
    built.listening([Listen("udp", "0.0.0.0", 5060), Listen("tcp", "0.0.0.0", 5062)])  # noqa: S104 -- nobody listens
    assert machine.ua.contact(Flow("udp", "192.0.2.2", 5060)) == "<sip:dialer@sip.a.vn:7000>"
    assert machine.ua.contact(Flow("tcp", "192.0.2.2", 5060)) == "<sip:dialer@sip.a.vn:5062;transport=tcp>"


def test_a_trunk_whose_transport_nobody_listens_to_is_told(caplog: pytest.LogCaptureFixture) -> None:
    built = plant(TRUNK + 'transport = "tcp"\n')
    built.listening([Listen("udp", "127.0.0.1", 5060)])
    assert [record.action for record in caplog.records] == ["sip.no_listener"]  # type: ignore[attr-defined]
    assert "trunk 'a' is spoken to over tcp" in caplog.text
    caplog.clear()
    plant(TRUNK + 'transport = "tcp"\n').listening([Listen("tcp", "127.0.0.1", 5060)])
    assert not caplog.records
