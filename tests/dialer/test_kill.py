"""The demo killed at named points and started again: nobody is called twice, no record is lost or doubled."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

POINTS = (
    "invite.before:3",
    "commit.before:12",
    "begin.before_commit:4",
    "range.begun:2",
    "begin.after_commit:5",
    "invite.sent:7",
    "settle.before_commit:3",
    "insert.done:call_events:2",
    "settle.after_commit:6",
    "insert.done:calls:2",
    "commit.after:25",
    "insert.done:lead_status:3",
    "range.confirmed:2",
    "invite.sent:1",
    "begin.after_commit:1",
    "settle.after_commit:1",
    "insert.done:calls:1",
    "range.begun:1",
    "settle.before_commit:9",
    "invite.before:1",
    "begin.before_commit:1",
    "commit.after:60",
)
"""22 crashes of one installation, one after the other."""


def run_demo(home: Path, *more: str, crash_at: str = "") -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "dialer",
        "--home",
        str(home),
        "demo",
        "--headless",
        "--speed",
        "150",
        "--leads",
        "300",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONASYNCIODEBUG"}
    environment |= {"DIALER_CRASH_AT": crash_at, "DIALER_LOG_LEVEL": "INFO"}
    return subprocess.run(
        [*command, "--agents", "6", "--carrier-log", str(home / "carrier.csv"), *more],
        env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


@pytest.mark.component("chdb")
@pytest.mark.component("sqlite")
@pytest.mark.timeout(900)
def test_killed_again_and_again_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for point in POINTS:
        killed = run_demo(home, "--until-done", crash_at=point)
        assert killed.returncode == -signal.SIGKILL, f"{point}: {killed.returncode}\n{killed.stdout}\n{killed.stderr}"
    done = run_demo(home, "--until-done", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    assert report["verified"], report["findings"]
    check_attempts(home, report["attempts"])


def check_attempts(home: Path, reported: int) -> None:
    """Compare what the carrier saw with what is written down."""
    invited = [line.split(",") for line in (home / "carrier.csv").read_text().splitlines()]
    invites = Counter(call_id for _, call_id, _ in invited)
    assert max(invites.values()) == 1, "one INVITE an attempt"
    with sqlite3.connect(home / "dialer.db") as db:
        rows = db.execute(
            "SELECT call_id, lead_id, attempt_no, settled, phone_e164, begun_at, sub_reason FROM attempts"
        ).fetchall()
        finals = Counter(
            key
            for (key,) in db.execute(
                "SELECT json_extract(CAST(value AS TEXT), '$.call_id') FROM outbox WHERE type = 'cdr.finalized'"
            )
        )
        waiting = dict(db.execute("SELECT state, count(*) FROM leads GROUP BY state").fetchall())
    assert len(rows) == reported
    written = {row[0] for row in rows}
    assert set(invites) <= written, "no INVITE without its intent on disk"
    assert all(row[3] for row in rows), "every attempt is settled"
    assert finals == Counter(written), "one final record an attempt"
    assert len({(lead, number) for _, lead, number, *_ in rows}) == len(rows)
    check_gaps(rows)
    assert waiting.get("in_progress", 0) == 0


def check_gaps(rows: list[tuple[str, int, int, int, str, float, str | None]]) -> None:
    """Nobody is called again sooner than the retry gaps allow, and a lost attempt is the lead's last by itself."""
    by_lead: dict[int, list[tuple[float, str | None]]] = {}
    for _, lead, _, _, _, begun_at, sub_reason in sorted(rows, key=lambda row: row[5]):
        by_lead.setdefault(lead, []).append((begun_at, sub_reason))
    for calls in by_lead.values():
        assert all(sub_reason != "lost" for _, sub_reason in calls[:-1])
        assert all(later[0] - sooner[0] >= 300.0 for sooner, later in itertools.pairwise(calls))
