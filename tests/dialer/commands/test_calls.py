"""`dialer calls trace` as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dialer.commands.calls import app
from dialer.errors import BadInput, DialerError, NotFound
from tests.telephony_adapters.tracing.sample import CALL_ID, CUSTOMER, calls, note_call


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path))
    note_call(tmp_path / "sip-trace")
    return tmp_path


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, ["trace", *map(str, args)])


def _shown(*args: str | Path) -> str:
    result = _run(*args)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def _refused(kind: type[DialerError], *args: str | Path) -> str:
    result = _run(*args)
    assert isinstance(result.exception, kind), (result.output, result.exception)
    return str(result.exception)


def test_people_see_the_ladder_in_the_width_they_have() -> None:
    for width in (80, 60):
        lines = _shown(CALL_ID, "--width", str(width)).splitlines()
        assert lines[0].split() == ["ms", "agent", "dialer", "trunk"]
        assert sum("|" in line for line in lines) == len(calls())
        assert max(map(len, lines)) <= width
    assert _shown(f"{CALL_ID}-a@10.0.0.2", "--width", "80") == _shown(CALL_ID, "--width", "80")


def test_the_whole_messages_follow_if_they_are_asked_for() -> None:
    shown = _shown(CALL_ID, "--messages")
    assert shown.count("\n--- ") == len(calls())
    assert "INVITE sip:*******123@10.0.0.1 SIP/2.0" in shown
    assert 'username="**********"' in shown  # brackets and quotes are no markup
    assert CUSTOMER not in shown


def test_programs_get_the_steps_and_the_messages_if_asked() -> None:
    found = json.loads(_shown(CALL_ID, "--json"))
    assert [column["role"] for column in found["columns"]] == ["agent", "dialer", "trunk"]
    assert found["steps"][1] == {
        "ms": 21.0, "source": 0, "target": 1, "label": "180 Ringing", "kind": "provisional", "again": False,
    }  # fmt: skip
    assert "messages" not in found
    messages = json.loads(_shown(CALL_ID, "--json", "--messages"))["messages"]
    assert [text.split()[0] for text in messages[:2]] == ["INVITE", "SIP/2.0"]


def test_a_pcap_file_is_written_or_goes_into_a_pipe(tmp_path: Path) -> None:
    file = tmp_path / "call.pcap"
    assert _shown(CALL_ID, "--pcap", file) == f"{len(calls())} messages written to {file}\n"
    assert _run(CALL_ID, "--pcap", "-").stdout_bytes == file.read_bytes()
    assert "No such file or directory" in _refused(BadInput, CALL_ID, "--pcap", tmp_path / "none" / "x.pcap")


@pytest.mark.parametrize(
    ("share", "says"),
    [
        ("0", "tracing is off (sip_trace_share is 0); set DIALER_SIP_TRACE_SHARE=1"),
        ("0.0001", "sip_trace_share is 0.0001, and this call is not in that share; set DIALER_SIP_TRACE_SHARE=1"),
        ("1", "it may be older than what 64 MB (sip_trace_mb) hold"),
    ],
)
def test_a_call_without_a_trace_says_what_to_do(monkeypatch: pytest.MonkeyPatch, share: str, says: str) -> None:
    monkeypatch.setenv("DIALER_SIP_TRACE_SHARE", share)
    assert says in _refused(NotFound, "another")
