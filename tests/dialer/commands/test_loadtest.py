"""`dialer loadtest`, against SIPp, which is not ours."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from dialer.cli import app
from dialer.commands import context
from dialer.errors import DialerError
from tests.dialer.process import run, started
from tests.plugins.processes import free_port
from tests.plugins.sipp import Sipp
from tests.plugins.sipp_scenarios import answer

TRUNKS = """
[sip]
listen = ["udp:127.0.0.1:{port}"]
[trunk.main]
server = "{server}"
channels = 3
cps = 50
burst = 2
options_every_s = 0
[trunk.other]
server = "192.0.2.1"
channels = 1
cps = 1
"""
KEYS = {
    "trunk", "server", "transport", "rate", "arrivals", "duration_s", "hold_s", "elapsed_s", "interrupted", "calls",
    "placed", "answered", "refused_here", "codes", "no_response", "to_ringing", "to_answer", "late", "backlog_peak",
    "live_peak", "cut_off", "cpu_ms_per_call",
}  # fmt: skip


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no other test find what these chose, nor pay for what a whole process is told about garbage."""
    monkeypatch.setattr(context, "_chosen", {})
    monkeypatch.setattr("telephony_adapters.wire.collecting.collect_seldom", lambda: None)


def home(folder: Path, server: str) -> Path:
    (folder / "trunks.toml").write_text(TRUNKS.format(server=server, port=free_port()), encoding="utf-8")
    return folder


def refused(folder: Path, *words: str) -> str:
    """Return the words of the error that these options get."""
    done = CliRunner().invoke(app, ["--home", str(folder), "loadtest", *words])
    assert isinstance(done.exception, DialerError), done.output
    return str(done.exception)


@pytest.mark.component("sipp")
async def test_a_trunk_is_loaded_within_its_own_caps_and_a_program_can_read_what_came_of_it(
    tmp_path: Path, sipp: Sipp
) -> None:
    callee = sipp.uas(answer(ring_s=0.02), trace=False)
    words = ("--trunk", "main", "--number", "0900000001", "--hotline", "02400000000", "--rate", "30", "--hold", "0.3")
    status, out, err = await run(
        home(tmp_path, callee.address), "loadtest", *words, "--duration", "0.5", "--json", "--yes"
    )
    assert status == 0, err
    report: dict[str, Any] = json.loads(out)
    assert set(report) == KEYS
    assert set(report["to_answer"]) == {"p50", "p90", "p99", "max"}
    assert report["calls"] == 15
    assert report["live_peak"] <= 3
    assert 3 <= report["placed"] == report["answered"] == report["codes"]["200"]
    assert report["refused_here"]["trunk: channels"] == 15 - report["placed"]
    assert report["to_answer"]["p50"] >= 20.0
    assert report["cpu_ms_per_call"] > 0
    assert "real calls" in err
    assert "main" in err
    assert callee.stop().failed == 0


@pytest.mark.component("sipp")
async def test_ctrl_c_hangs_up_and_shows_what_was_measured(tmp_path: Path, sipp: Sipp) -> None:
    callee = sipp.uas(answer(ring_s=0.01), trace=False)
    words = ("--to", f"udp:{callee.address}", "--rate", "20", "--duration", "600", "--hold", "600")
    async with started(tmp_path, "loadtest", *words) as program:
        await program.line_with("real calls")
        await callee_has(callee, 3)
        status, out = await program.stop(signal.SIGINT)
    assert status == 130
    assert "interrupted" in out
    assert "hung up at the end" in out
    counts = await callee.finished()
    assert counts.calls == counts.done >= 3


async def callee_has(callee: Any, calls: int) -> None:
    import asyncio  # noqa: PLC0415 -- only here

    async with asyncio.timeout(30):
        while callee.program.has_ended() or int(callee.stats().get("TotalCallCreated", 0)) < calls:  # noqa: ASYNC110 -- SIPp tells nobody
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "either --trunk NAME, or --to"),
        (["--trunk", "main", "--to", "udp:127.0.0.1:5070"], "either --trunk NAME, or --to"),
        (["--trunk", "mian", "--number", "0900000001"], "did you mean 'main'?"),
        (["--trunk", "main"], "nobody to call: give --number NUMBER, or --numbers FILE"),
        (["--trunk", "main", "--number", "0900000001"], "--hotline"),
        (["--trunk", "main", "--number", "0900000001", "--hotline", "me"], "--hotline 'me' is no number"),
        (["--trunk", "main", "--number", "12"], "--number: '12' is no phone number"),
        (["--trunk", "main", "--numbers", "absent.txt"], "absent.txt: cannot be read"),
        (["--trunk", "main", "--ca", "ca.pem", "--number", "0900000001"], "--ca goes with --to tls:"),
        (["--to", "127.0.0.1"], "is no place to listen"),
        (["--to", "udp:127.0.0.1", "--rate", "0"], "--rate must be a number above 0"),
        (["--to", "udp:127.0.0.1", "--rate", "nan"], "--rate must be a number above 0"),
        (["--to", "udp:127.0.0.1", "--duration", "-1"], "--duration must be a number above 0"),
        (["--to", "udp:8.8.8.8"], "8.8.8.8:5060 is a public server: these are real calls"),
    ],
)
def test_what_cannot_be_is_said_in_words(tmp_path: Path, words: list[str], said: str) -> None:
    assert said in refused(home(tmp_path, "10.0.0.1"), *words)


def test_without_a_trunks_file_it_says_how_to_get_one(tmp_path: Path) -> None:
    assert "dialer trunk example" in refused(tmp_path, "--trunk", "main", "--number", "0900000001")


def test_a_line_of_a_file_that_is_no_number_is_named(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("0900000001\n\n0955486000\nabc\n", encoding="utf-8")
    assert "line 4: 'abc' is no phone number" in refused(tmp_path, "--to", "udp:127.0.0.1", "--numbers", str(numbers))


def test_a_trunk_wants_a_yes_before_anybody_is_called_even_on_a_private_line(tmp_path: Path) -> None:
    words = ("--trunk", "main", "--number", "0900000001", "--hotline", "02400000000")
    assert "trunk main (127.0.0.1:" in (said := refused(home(tmp_path, f"127.0.0.1:{free_port()}"), *words))
    assert "add --yes" in said


@pytest.mark.parametrize("part", ["engine", "service"])
async def test_a_trunk_is_not_loaded_while_the_dialer_runs(tmp_path: Path, part: str) -> None:
    folder = home(tmp_path, f"127.0.0.1:{free_port()}")
    words = ("--trunk", "main", "--number", "0900000001", "--hotline", "02400000000", "--yes")
    async with started(tmp_path, "carrier", "--listen", f"udp:127.0.0.1:{free_port()}") as other:  # any living process
        note = {"pid": other.process.pid, "created": psutil.Process(other.process.pid).create_time(), "url": "u"}
        (folder / f"{part}.json").write_text(json.dumps(note), encoding="utf-8")
        assert "a trunk is not loaded while the dialer calls over it" in refused(folder, *words)
    assert not (folder / "sip-spend.json").exists()


async def test_the_simulators_calls_want_no_yes(tmp_path: Path) -> None:
    place = f"127.0.0.1:{free_port()}"
    words = ("--trunk", "main", "--number", "0955486000", "--hotline", "02400000000", "--rate", "10", "--hold", "0")
    (tmp_path / "carrier").mkdir()
    async with started(tmp_path / "carrier", "carrier", "--listen", f"udp:{place}") as carrier:
        await carrier.line_with(place)
        allowed = home(tmp_path, place) / "trunks.toml"
        allowed.write_text(allowed.read_text() + '[numbers]\nallow = ["8495"]\n')
        status, out, err = await run(tmp_path, "loadtest", *words, "--duration", "0.3", "--json")
    assert status == 0, err
    assert json.loads(out)["placed"] == 3
