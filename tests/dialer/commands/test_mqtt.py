"""`dialer mqtt acl`; that Mosquitto obeys what it writes is shown by tests/dialer/agents/test_mqtt_link.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.agents.password import matches
from dialer.cli import app
from dialer.commands import context
from dialer.errors import BadInput


def test_the_files_are_written_for_their_owner_only_and_the_lines_name_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "_chosen", {"home": tmp_path / "home"})
    runner, folder = CliRunner(), tmp_path / "mosquitto"
    runner.invoke(app, ["agent", "add", "an"])
    said = runner.invoke(app, ["mqtt", "acl", str(folder), "--at", "/etc/m"])
    assert "password_file /etc/m/passwords" in said.stdout
    password = said.stderr.partition("mqtt://dialer:")[2].partition("@")[0]
    stored = dict(line.split(":", 1) for line in (folder / "passwords").read_text().splitlines())
    assert set(stored) == {"dialer", "an"}
    assert matches(password, stored["dialer"])
    assert (folder / "passwords").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("DIALER_MQTT_URL", "mqtt://engine:ours@broker")
    said = runner.invoke(app, ["mqtt", "acl", str(folder)])
    assert "ours" not in said.output
    assert matches("ours", (folder / "passwords").read_text().splitlines()[0].partition(":")[2])
    assert isinstance(runner.invoke(app, ["mqtt", "acl", str(folder / "acl")]).exception, BadInput)
