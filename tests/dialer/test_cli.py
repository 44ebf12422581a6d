"""The command line: help everywhere, one clear line and exit status 2 for what a person can mend."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.dialer.process import run

pytestmark = pytest.mark.component("sqlite")


async def test_help_names_every_command(tmp_path: Path) -> None:
    code, out, _ = await run(tmp_path, "--help")
    assert code == 0
    for command in ("up", "demo", "simulate", "campaign", "leads", "cdr", "calls", "status", "bench"):
        assert command in out
    assert not os.listdir(tmp_path)  # noqa: PTH208 -- asyncio rules out pathlib here


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nonsense",), "nonsense"),
        (("campaign", "start", "nowhere"), "there is no campaign 'nowhere'"),
        (("campaign", "why", "nowhere"), "there is no campaign 'nowhere'"),
        (("simulate", "nowhere"), "vn-mobile"),
        (("cdr", "search", "--status", "wat"), "no-answered"),
        (("leads", "import", "missing.xlsx", "--campaign", "x", "--map", "name=1,phone=2"), "missing.xlsx"),
        (("campaign", "create", "night", "--hours", "17:00-08:00"), "17:00"),
        (("up", "--simulate-agents", "x"), "CAMPAIGN=N"),
        (("calls", "trace", "nowhere"), "set DIALER_SIP_TRACE_SHARE=1"),
        (("status", "classify", "--sip", "abc"), "dialer: --sip: 'abc' is not a code"),
    ],
)
async def test_a_mistake_costs_one_clear_line(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    code, out, err = await run(tmp_path, *words)
    assert code == 2, (out, err)
    assert says in err
    assert "Traceback" not in err + out


async def test_an_unknown_trunk_makes_nothing(tmp_path: Path) -> None:
    code, _, err = await run(tmp_path / "home", "up", "--port", "0", DIALER_TRUNK="pigeon")
    assert code == 2
    known = "asterisk, simulator, sip"
    assert err == f"dialer: there is no telephony adapter 'pigeon'; set DIALER_TRUNK to one of: {known}\n"
    assert not os.listdir(tmp_path)  # noqa: PTH208 -- asyncio rules out pathlib here


async def test_sip_without_a_trunks_file_makes_nothing(tmp_path: Path) -> None:
    code, _, err = await run(tmp_path / "home", "up", "--port", "0", DIALER_TRUNK="sip")
    assert code == 2
    assert "there is no trunks file" in err
    assert not os.listdir(tmp_path)  # noqa: PTH208 -- as above


async def test_a_newer_database_is_refused_with_both_versions(tmp_path: Path) -> None:
    assert (await run(tmp_path, "campaign", "list"))[0] == 0
    with sqlite3.connect(tmp_path / "dialer.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    code, _, err = await run(tmp_path, "campaign", "list")
    assert code == 2
    assert "9999_from_the_future" in err
    assert "newer" in err


async def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    code, _, err = await run(tmp_path / "file", "campaign", "list")
    assert code == 2
    assert "--home" in err


async def test_a_whole_campaign_by_hand(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("Tên,SĐT\nAn,0950000101\nBình,84950000102\nSai,12\n", encoding="utf-8")
    home = tmp_path / "home"
    for words in (
        ("campaign", "create", "spring", "--hotline", "+842471000001"),
        (
            "leads",
            "import",
            str(tmp_path / "leads.csv"),
            "--campaign",
            "spring",
            "--map",
            "name=1,phone=2",
            "--start-row",
            "2",
        ),
        ("campaign", "approve", "spring"),
        ("campaign", "start", "spring"),
        ("campaign", "pause", "spring"),
        ("campaign", "stop", "spring"),
    ):
        code, out, err = await run(home, *words)
        assert code == 0, (words, out, err)
    code, out, _ = await run(home, "leads", "list", "--json")
    assert code == 0
    assert out.count("spring") >= 2
    code, out, _ = await run(home, "campaign", "why", "spring")
    assert code == 0
    assert "no dialing service is running" in out
    assert (await run(home, "campaign", "end", "spring"))[0] == 0
    code, _, err = await run(home, "campaign", "start", "spring")
    assert code == 2
    assert "ended" in err
