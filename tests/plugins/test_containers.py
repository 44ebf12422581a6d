"""Docker is used where its engine answers, and only there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.containers import containers


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    containers.cache_clear()
    yield
    containers.cache_clear()


@pytest.mark.parametrize(("status", "usable"), [(0, True), (1, False)])
def test_a_docker_engine_must_answer(
    status: int, usable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert containers() is usable


def test_without_docker_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert containers() is False
