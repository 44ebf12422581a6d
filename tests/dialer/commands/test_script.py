"""`dialer script` as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crm.scripts import RefusedScript
from dialer.commands.script import app
from dialer.errors import BadInput, NotFound
from dialer.service.audio import seconds_of
from tests.dialer.core.scripts import MENU

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    found = tmp_path / "menu.toml"
    found.write_text(MENU, encoding="utf-8")
    return found


def _run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def _said(*args: str) -> str:
    result = _run(*args)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def test_a_file_is_checked_and_what_it_needs_is_named(file: Path, tmp_path: Path) -> None:
    told = _said("check", str(file))
    assert "5 nodes, a call begins at 'hello'" in told
    assert "name: name" in told
    assert f"missing recording: {tmp_path / 'home' / 'prompts' / 'chime'}.wav" in told
    assert json.loads(_said("check", str(file), "--json"))["start"] == "hello"
    file.write_text(MENU.replace("1 = ", "12 = "), encoding="utf-8")
    refused = _run("check", str(file)).exception
    assert isinstance(refused, RefusedScript)
    assert str(refused).startswith("node 'menu', key 'keys.12': keys are 0 to 9")
    file.write_bytes(b"\xff")
    assert isinstance(_run("check", str(file)).exception, BadInput)
    assert isinstance(_run("check", str(file.with_name("no.toml"))).exception, BadInput)


def test_scripts_are_saved_listed_shown_and_deleted(file: Path) -> None:
    assert "there is no script yet" in _said("list")
    assert "is version 1 now" in _said("add", "menu", str(file))
    assert json.loads(_said("add", "menu", str(file), "--json")) == {"name": "menu", "version": 2}
    assert _said("show", "menu", "--version", "1") == MENU
    assert _said("list") == "menu  version 2  no campaign\n"
    assert json.loads(_said("list", "--json")) == [{"name": "menu", "version": 2, "campaigns": []}]
    assert "it was version 2" in _said("delete", "menu")
    assert isinstance(_run("delete", "menu").exception, NotFound)


def test_a_text_is_heard_before_anyone_is_called(file: Path) -> None:
    out = file.with_name("hello.wav")
    assert _said("say", "Xin chào", "--out", str(out)).startswith(str(out))
    assert seconds_of(out.read_bytes()) > 0.3
    refused = _run("say", "Bonjour", "--lang", "fr", "--out", str(out)).exception
    assert "does not speak 'fr'" in str(refused)
