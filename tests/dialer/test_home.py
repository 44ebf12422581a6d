"""The home folder."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import psutil
import pytest

from dialer.errors import BadInput, ResourceBusy
from dialer.home import Home, RunningService


def test_secrets_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = home.secrets()
    assert home.secrets() == first
    assert first.session != first.service
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_whoever_asks_first_all_get_the_same_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        given = set(threads.map(lambda _: Home(tmp_path).secrets(), range(64)))
    assert len(given) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("content", ["", "{", '{"session":"","service":"","installation":""}', '{"session":"x"}'])
def test_damaged_secrets_are_named_with_what_to_do_and_stay_as_they_are(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(content)
    with pytest.raises(BadInput, match=f"{file} is damaged.*delete it"):
        Home(tmp_path).secrets()
    assert file.read_text() == content


def test_secrets_that_cannot_be_kept_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot use .*secrets\.json: No such file.*--home"):
        Home(tmp_path / "nowhere").secrets()


def test_a_folder_serves_one_process_and_forgets_it_at_the_end(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.claimed("http://127.0.0.1:1"):
        running = home.running()
        assert running is not None
        assert (running.pid, running.url) == (os.getpid(), "http://127.0.0.1:1")
    assert home.running() is None


def test_another_live_process_is_named(tmp_path: Path) -> None:
    parent = psutil.Process(os.getppid())
    note = RunningService(parent.pid, parent.create_time(), "http://127.0.0.1:8080")
    (tmp_path / "service.json").write_bytes(msgspec.json.encode(note))
    with pytest.raises(ResourceBusy, match=f"process {parent.pid} at http://127.0.0.1:8080.*--home"):
        Home(tmp_path).refuse_if_running()


def test_a_note_of_a_dead_process_or_a_broken_note_is_no_service(tmp_path: Path) -> None:
    note = tmp_path / "service.json"
    note.write_bytes(msgspec.json.encode(RunningService(os.getppid(), 1.0, "x")))
    assert Home(tmp_path).running() is None
    note.write_text("{")
    assert Home(tmp_path).running() is None


def test_a_file_cannot_be_a_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="--home"):
        Home(tmp_path / "file").prepare()


def test_parts_of_a_folder_are_held_by_themselves(tmp_path: Path) -> None:
    home, other = Home(tmp_path), psutil.Process(os.getppid())
    note = RunningService(other.pid, other.create_time(), "http://127.0.0.1:8081")
    (tmp_path / "engine.json").write_bytes(msgspec.json.encode(note))
    with home.claimed("http://127.0.0.1:8080"):
        assert home.running() is not None
    with pytest.raises(ResourceBusy), home.claimed("http://127.0.0.1:1", ("projector", "engine")):
        pass
    assert home.running("projector") is None, "nothing is left of what was refused"
