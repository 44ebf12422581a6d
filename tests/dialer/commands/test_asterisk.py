"""`dialer asterisk`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.cli import app
from dialer.commands import context
from dialer.errors import BadInput
from telephony_adapters.asterisk.example import EXAMPLE
from tests.plugins.processes import HOST, free_port

SERVER = """
[server.{name}]
url = "http://{at}/ari"
user = "dialer"
password = "geheim"
endpoint = "PJSIP/{{phone}}@trunk"
channels = 20
cps = 5
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no other test find what these chose."""
    monkeypatch.setattr(context, "_chosen", {})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "asterisk.toml").write_text(SERVER.format(name="main", at=f"{HOST}:{free_port()}"), encoding="utf-8")
    return tmp_path


def said(home: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--home", str(home), "asterisk", *words], env={"COLUMNS": "300", "NO_COLOR": "1"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_example(tmp_path: Path) -> None:
    assert said(tmp_path, "example") == (0, EXAMPLE)


def test_config_prints_each_file_or_writes_them_for_the_owner_alone(home: Path) -> None:
    code, text = said(home, "config", "--carrier", "sip.a.vn", "--agent", "a1", "--agent", "a2")
    assert code == 0
    assert "; --- pjsip.conf ---" in text
    passwords = [line for line in text.splitlines() if line.startswith("password = ")]
    assert len(set(passwords)) == 3
    out = home / "asterisk"
    code, text = said(home, "config", "--out", str(out))
    assert '#include "pjsip_dialer.conf"` into pjsip.conf' in text
    assert {path.name for path in out.iterdir()} == {
        f"{name}_dialer.conf" for name in ("ari", "extensions", "http", "modules", "pjsip")
    }
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    with pytest.raises(BadInput, match="cannot write"):
        said(home, "config", "--out", str(home / "asterisk.toml"))


def test_config_wants_to_know_which_server(home: Path) -> None:
    path = home / "asterisk.toml"
    path.write_text(path.read_text() + SERVER.format(name="two", at="10.0.0.2:8088"))
    with pytest.raises(BadInput, match="name one with --server; the Asterisk file has: main, two"):
        said(home, "config")
    with pytest.raises(BadInput, match="did you mean 'two'"):
        said(home, "config", "--server", "tw")
    assert "bindaddr = 10.0.0.2" in said(home, "config", "--server", "two")[1]


def test_check_says_what_is_wrong(home: Path) -> None:
    code, text = said(home, "check")
    assert code == 1
    assert text.startswith("failed  main ARI: Asterisk 'main' does not answer")
    code, text = said(home, "check", "--json")
    assert (code, json.loads(text)[0]["level"]) == (1, "failed")


def test_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"dialer asterisk example > .*asterisk\.toml"):
        said(tmp_path, "check")
