"""`dialer trunk`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.cli import app
from dialer.commands import context
from dialer.errors import BadInput
from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.example import EXAMPLE
from tests.dialer.process import run

TRUNKS = """
[trunk.main]
server = "sip.a.vn"
channels = 60
cps = 10
username = "84240000000"
password = "geheim"
register = true
number_format = "national"
max_minutes_day = 100
max_cost_day = 0.5
rates = { "" = { per_minute = 850.25, increments = "6/6" } }
[trunk.backup]
server = "10.0.0.1:5070"
channels = 5
cps = 0.5
username = "u"
password_env = "NOT_SET"
weight = 3
[trunk.viettel]
server = "10.0.0.2"
channels = 5
cps = 2
prefixes = ["8486"]
priority = 7
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no other test find what these chose."""
    monkeypatch.setattr(context, "_chosen", {})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "trunks.toml").write_text(TRUNKS, encoding="utf-8")
    return tmp_path


def said(home: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--home", str(home), "trunk", *words], env={"COLUMNS": "300", "NO_COLOR": "1"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_list_shows_what_trunks_serve_and_no_password(home: Path) -> None:
    code, out = said(home, "list")
    assert code == 0
    main, backup, viettel = out.splitlines()[1:]
    assert main.split() == [
        "main", "udp:sip.a.vn", "any", "60,", "10/s", "100", "min,", "0.5", "VND", "84240000000", "/", "***,",
        "registers",
    ]  # fmt: skip
    assert backup.split()[-5:] == ["no", "cap", "u", "/", "$NOT_SET"]
    assert (viettel.split()[2], viettel.split()[-1]) == ("8486", "none")
    _, as_json = said(home, "list", "--json")
    rows = json.loads(as_json)
    assert rows[0]["rates"] == {"": "850.25 VND a minute, 6/6"}
    assert "geheim" not in out + as_json


def test_a_drained_trunk_is_listed_as_such_until_it_resumes(home: Path) -> None:
    assert said(home, "drain", "main")[0] == 0
    assert said(home, "list")[1].splitlines()[1].startswith("main (drained)")
    assert [row["drained"] for row in json.loads(said(home, "list", "--json")[1])] == [True, False, False]
    assert said(home, "resume", "main")[0] == 0
    assert not any(row["drained"] for row in json.loads(said(home, "list", "--json")[1]))
    with pytest.raises(BadInput, match="did you mean 'main'"):
        CliRunner().invoke(app, ["--home", str(home), "trunk", "drain", "mian"], catch_exceptions=False)


def test_the_example_can_be_used_as_it_is(tmp_path: Path) -> None:
    code, out = said(tmp_path, "example")
    assert (code, out) == (0, EXAMPLE)
    assert parse(out).trunks


MAIN = (
    "3. main: any number, priority 0, 25% of the calls of its rank; sip:0860000001@sip.a.vn, 850.25 VND a minute, 6/6"
)


def test_route_says_which_trunk_a_number_takes_and_as_what(home: Path) -> None:
    code, out = said(home, "route", "0860 000 001")
    assert (code, out.splitlines()) == (
        0,
        [
            "+84860000001 takes the first of these that is up and has room:",
            "1. viettel: prefix 8486, priority 7; sip:+84860000001@10.0.0.2",
            "2. backup: any number, priority 0, 75% of the calls of its rank; sip:+84860000001@10.0.0.1:5070",
            MAIN,
        ],
    )


@pytest.mark.parametrize(
    ("number", "reason", "words"),
    [
        ("+841900123456", "premium", "premium rate (841900)"),
        ("+6591234567", "not_listed", "no prefix that may be called fits it"),
        ("+881612345678", "satellite", "a satellite or global network (881)"),
        ("nobody", "characters", None),
    ],
)
def test_route_says_why_a_number_is_not_called(home: Path, number: str, reason: str, words: str | None) -> None:
    code, out = said(home, "route", number, "--json")
    found = json.loads(out)
    assert (code, found["reason"], found["trunks"]) == (1, reason, [])
    assert words is None or (found["refused"] == words and words in said(home, "route", number)[1])


def test_a_number_that_may_be_called_and_no_trunk_serves_is_told(tmp_path: Path) -> None:
    toml = '[trunk.a]\nserver = "a.vn"\nchannels = 1\ncps = 1\nprefixes = ["8486"]\n'
    (tmp_path / "trunks.toml").write_text(toml, encoding="utf-8")
    assert said(tmp_path, "route", "0900000001") == (1, "+84900000001 is not called: no trunk serves it\n")


def test_without_a_trunks_file_people_are_told_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no trunks file: begin with `dialer trunk example > .*trunks\.toml`"):
        said(tmp_path, "list")


async def test_a_file_elsewhere_is_named_by_a_setting_and_a_mistake_in_it_by_its_place(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(TRUNKS.replace("cps = 10", "cps = 0"), encoding="utf-8")
    code, out, err = await run(tmp_path, "trunk", "list", DIALER_TRUNKS=str(other))
    assert (code, out) == (2, "")
    assert err == f"dialer: {other}: trunk 'main': cps: expected a number from 0.01 to 10000, not 0\n"


def test_check_says_step_by_step_what_works(tmp_path: Path) -> None:
    nobody = '[sip]\nlisten = ["udp:127.0.0.1:5060"]\n[trunk.main]\nserver = "127.0.0.1:9"\nchannels = 1\ncps = 1\n'
    (tmp_path / "trunks.toml").write_text(nobody, encoding="utf-8")
    code, out = said(tmp_path, "check", "main")
    first, second = out.splitlines()
    assert (code, first) == (1, "ok      name 127.0.0.1:9: is udp:127.0.0.1:9")
    assert second.startswith("failed  OPTIONS udp:127.0.0.1:9: nothing listens")
    code, out = said(tmp_path, "check", "main", "--json")
    steps = json.loads(out)
    assert (code, [(step["what"], step["level"]) for step in steps]) == (1, [("name", "ok"), ("OPTIONS", "failed")])


def test_check_wants_the_name_of_a_trunk_and_the_passwords(home: Path) -> None:
    with pytest.raises(BadInput, match=r"PASSWORD|NOT_SET is not set"):
        said(home, "check", "main")
    (home / "trunks.toml").write_text(TRUNKS.replace('password_env = "NOT_SET"', 'password = "x"'), encoding="utf-8")
    with pytest.raises(BadInput, match="there is no trunk 'mian'; did you mean 'main'"):
        said(home, "check", "mian")
