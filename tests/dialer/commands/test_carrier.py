from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dialer.commands.carrier import carrier
from dialer.errors import BadInput, NotFound

app = typer.Typer()
app.command()(carrier)

OPTIONS = (
    "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n"
    "To: <sip:b@y>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContact: <sip:a@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n"
)


def run(*args: str) -> str:
    result = CliRunner().invoke(app, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_profiles_are_listed_for_people_and_for_programs() -> None:
    assert "Vietnamese mobiles on a working day" in run("--profiles")
    assert set(json.loads(run("--profiles", "--json"))) == {
        "all-codes", "busy-hour", "clean", "flaky", "fraud", "vn-mobile",
    }  # fmt: skip


def test_the_numbers_are_listed_with_what_they_do_and_come_to() -> None:
    text = run("--numbers")
    assert "0959 SS P nnn" in text
    assert "0955 486 [5-9]nn" in text
    rows = {row["pattern"]: row for row in json.loads(run("--numbers", "--json"))}
    assert rows["0955 486 [5-9]nn"] == {
        "pattern": "0955 486 [5-9]nn", "example": "0955486500", "does": "486 Busy Here, after ringing",
        "status": "busy",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("args", "error", "said"),
    [
        (("--profile", "nothing"), NotFound, "no profile 'nothing'"),
        (("--listen", "5070"), BadInput, "'5070' is no place to listen"),
        (("--tcp", "127.0.0.1:99999"), BadInput, "there is no port 99999"),
        (("--media", "loud"), BadInput, "--media may be none, echo, tone, announce, not 'loud'"),
        (("--tls", "127.0.0.1:5071"), BadInput, "--tls needs --certificate"),
        (("--tls", "127.0.0.1", "--certificate", "absent.pem"), BadInput, "absent.pem cannot be read"),
        (("--ledger", "absent/ledger.csv", "--listen", "udp:127.0.0.1:0"), BadInput, "cannot be written there"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    args: tuple[str, ...], error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony_adapters.wire.collecting.collect_seldom", lambda: None)
    with pytest.raises(error, match=said):
        run(*args)


@pytest.fixture
def carrier_process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "mine.toml").write_text('title = "Mine"')
    command = [
        sys.executable, "-m", "dialer", "carrier", "--profile", "mine.toml", "--listen", "udp:127.0.0.1:0",
        "--ledger", "ledger.csv", "--stats-every", "60",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def test_it_serves_obeys_signals_and_ends_in_good_order(carrier_process: subprocess.Popen[str], tmp_path: Path) -> None:
    assert carrier_process.stdout is not None
    assert carrier_process.stderr is not None
    said = carrier_process.stderr.readline()
    assert said.startswith("Mine. Listening on udp:127.0.0.1:")
    port = int(said.partition(";")[0].rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.bind(("127.0.0.1", 0))
        caller.settimeout(10.0)
        caller.sendto(OPTIONS.format(port=caller.getsockname()[1]).encode(), ("127.0.0.1", port))
        assert caller.recv(2000).startswith(b"SIP/2.0 200 OK\r\n")
    carrier_process.send_signal(signal.SIGUSR1)
    assert json.loads(carrier_process.stdout.readline())["received"] == 1
    (tmp_path / "mine.toml").write_text("title = 3")
    carrier_process.send_signal(signal.SIGHUP)
    assert "the profile in force stays" in carrier_process.stderr.readline()
    carrier_process.terminate()
    assert carrier_process.wait(20.0) == 0
    assert json.loads(carrier_process.stdout.readline())["calls"] == 0
    assert (tmp_path / "ledger.csv").read_text().startswith("call_id,caller,called,fate,")
