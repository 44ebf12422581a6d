"""`dialer bench sip`: that it works; what it measures is read by people."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.bench.sip.bench import ABSENT
from dialer.commands.bench import app
from dialer.errors import BadInput, DialerError
from tests.dialer.commands.test_bench import measured, values

GOALS = {
    "CPU a call / SIPp's caller, closed loop", "set-ups a second, 50 at a time", "set-up at 500/s: 99th percentile",
    "CPU a call, each challenged / unchallenged", "simulator as callee: CPU a call / SIPp's callee",
    "calls that failed, in all rounds",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.component("sipp")
@pytest.mark.component("openssl")
def test_every_measurement_is_taken_and_no_call_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # without Asterisk, which would take half of the time
    result = measured("sip", "--quick")["sip"]
    assert result["settings"]["repeats"] == 1
    found = values(result)
    assert {figure["name"] for figure in result["figures"] if figure["goal"] is not None} == GOALS
    assert found["calls that failed, in all rounds"] == 0
    assert found["live calls at 500/s"] > 200
    assert 0.01 < found["CPU a call, 50 at a time"] < 20
    for kind in ("UDP", "TCP", "TLS"):
        assert found[f"CPU a call over {kind} to our carrier"] > 0
    assert ABSENT in found


@pytest.mark.slow
@pytest.mark.component("sipp")
@pytest.mark.component("asterisk")
def test_asterisk_makes_the_same_calls(tmp_path: Path) -> None:
    from dialer.bench.sip.asterisk import usual_folder  # noqa: PLC0415 -- aiohttp is slow to load
    from dialer.bench.sip.measure import QUICK, Round, _asterisk, make  # noqa: PLC0415

    round_: Round = {}
    bench = make(tmp_path, QUICK, usual_folder())
    _asterisk(bench, usual_folder(), round_)
    for name in ("ari closed", "ari filtered", "ari paced"):
        assert 0.1 < round_[f"{name} ms"] < 100
        assert round_[f"{name} ms"] == pytest.approx(round_[f"{name} server ms"] + round_[f"{name} client ms"])


def test_without_sipp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.bench.sip.programs._PATH", "")
    done = CliRunner().invoke(app, ["sip", "--quick"])
    assert isinstance(done.exception, DialerError)
    assert "sipp is not installed" in str(done.exception)
    assert "install sip-tester" in str(done.exception)


@pytest.mark.component("sipp")
def test_a_folder_without_asterisk_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["sip", "--quick", "--asterisk", str(tmp_path)])
    assert isinstance(done.exception, BadInput)
    assert "there is no usr/sbin/asterisk in it" in str(done.exception)
