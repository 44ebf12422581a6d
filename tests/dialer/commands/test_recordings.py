"""`dialer recordings` as a person and as a program use it, over a real store and a real folder."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dialer.commands.recordings import app
from dialer.errors import BadInput, Damaged, Deleted, DialerError, NotFound
from dialer.recordings import RecordingFormat
from dialer.service.encoding import encode
from tests.dialer.service.recording_centre import centre_at, tone

pytestmark = pytest.mark.component("sqlite")
WANTED = encode(tone(1.5), RecordingFormat.MP3).data


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make a home folder with two recorded calls."""
    monkeypatch.setenv("DIALER_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    async def make() -> list[str]:
        async with centre_at(tmp_path) as centre:
            made = [await centre.talk() for _ in range(2)]
            await centre.collector.collect()
            return made

    return asyncio.run(make())


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def said(*words: str) -> str:
    result = _run(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def told(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


def refused(kind: type[DialerError], *words: str) -> str:
    result = _run(*words)
    assert isinstance(result.exception, kind), (result.output, result.exception)
    return str(result.exception)


def file_of(home: Path, call_id: str) -> Path:
    (found,) = home.glob(f"recordings/*/*/*/{call_id}.mp3")
    return found


@pytest.mark.req("S0-25")
def test_recordings_are_listed_fetched_and_heard_of(calls: list[str], tmp_path: Path) -> None:
    listed = told("list")
    assert {row["call_id"] for row in listed["recordings"]} == set(calls)
    assert (listed["kept"], listed["bytes"]) == (2, 2 * len(WANTED))
    assert "2 shown; 2 recordings are kept, 0.0 MB" in said("list")
    assert (
        told("list", "--campaign", "Campaign 1", "--limit", "1")["recordings"][0]["sha256"]
        == sha256(WANTED).hexdigest()
    )
    assert told("get", calls[0]) == {"file": f"{calls[0]}.mp3", "bytes": len(WANTED)}
    assert (tmp_path / f"{calls[0]}.mp3").read_bytes() == WANTED
    assert f"{len(WANTED)} bytes written to talk.mp3" in said("get", calls[1], "--out", "talk.mp3")
    acts = told("audit")["acts"]
    assert [(act["action"], act["object"], act["remote"]) for act in acts] == [
        ("recording.download", calls[1], "local"),
        ("recording.download", calls[0], "local"),
    ]
    assert acts[0]["actor"].startswith("cli:")
    assert calls[0] in said("audit", calls[0])
    assert calls[1] not in said("audit", calls[0])


def test_what_cannot_be_had_says_why(calls: list[str], tmp_path: Path) -> None:
    assert "has no recording" in refused(NotFound, "get", "../../etc/passwd")
    assert "there is no campaign" in refused(NotFound, "list", "--campaign", "None").lower()
    assert "--out" in refused(BadInput, "get", calls[0], "--out", str(tmp_path / "no" / "folder.mp3"))
    file_of(tmp_path, calls[0]).write_bytes(b"another")
    assert "is damaged" in refused(Damaged, "get", calls[0])
    file_of(tmp_path, calls[1]).unlink()
    assert "moved or deleted" in refused(NotFound, "get", calls[1])


def test_verify_reads_all_and_names_what_is_wrong(calls: list[str], tmp_path: Path) -> None:
    assert told("verify") == {"checked": 2, "problems": []}
    file_of(tmp_path, calls[1]).write_bytes(WANTED + b"!")
    result = _run("verify", "--campaign", "Campaign 1")
    assert result.exit_code == 1
    assert f"{calls[1]}: the recording of call {calls[1]} is damaged" in result.stdout
    assert "2 recordings read, 1 of them cannot be heard" in result.stdout


def test_nothing_is_deleted_without_an_age_and_a_word(calls: list[str], tmp_path: Path) -> None:
    assert "name the age with --days" in refused(BadInput, "prune")
    # The calls of the tests are in the future of this machine's clock; the store's time is theirs.
    assert "2 recordings are older than 0 days; --yes" in refused(BadInput, "prune", "--days", "0")
    assert told("list")["kept"] == 2
    assert told("prune", "--days", "0", "--yes") == {"deleted": 2}
    assert told("list") == {"recordings": [], "kept": 0, "bytes": 0}
    assert [row["call_id"] for row in told("list", "--deleted")["recordings"]] != []
    assert "was deleted on" in refused(Deleted, "get", calls[0])
    assert list(tmp_path.glob("recordings/*/*/*/*")) == []
    assert told("audit")["acts"][0]["object"] == "2 older than 0 days"
    assert said("prune", "--days", "0", "--yes") == "0 recordings of calls older than 0 days are deleted\n"
