from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tools import requirements as tool


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out a project whose only source was written at time 100, and whose results were written at 200."""
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(tool, "FILES", ("pyproject.toml",))
    source = tmp_path / "dialer" / "cli.py"
    source.parent.mkdir()
    for path, text, when in (
        (source, "", 100),
        (tmp_path / "pyproject.toml", "", 100),
        (tmp_path / "results.json", "{}", 200),
    ):
        path.write_text(text)
        os.utime(path, (when, when))
    return tmp_path


def write(tree: Path, **outcomes: str) -> None:
    results = {f"test_{name}": {"keys": ["S0-3"], "outcome": outcome} for name, outcome in outcomes.items()}
    (tree / "results.json").write_text(json.dumps(results))


def test_results_are_fresh_until_a_source_is_newer(tree: Path) -> None:
    assert tool.is_fresh(tree / "results.json")
    os.utime(tree / "dialer" / "cli.py", (300, 300))
    assert not tool.is_fresh(tree / "results.json")


def test_what_the_interpreter_leaves_behind_is_no_source(tree: Path) -> None:
    (tree / "dialer" / "__pycache__").mkdir()
    (tree / "dialer" / "__pycache__" / "cli.pyc").write_text("newer than the results")
    assert tool.is_fresh(tree / "results.json")


def test_each_key_is_printed_with_its_tests_and_counted(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tree, a="passed")
    assert tool.main() == 0
    lines = capsys.readouterr().out.splitlines()
    row = lines.index("S0-3     proved   Filter leads by phone number")
    assert lines[row + 1].split() == ["passed:", "test_a"]
    assert lines[-1] == "2 proved, 0 failing, 184 open, of 186 keys"


def test_a_failing_key_makes_the_exit_status_one(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tree, a="passed", b="failed")
    assert tool.main() == 1
    assert capsys.readouterr().out.endswith("0 proved, 2 failing, 184 open, of 186 keys\n")


def test_stale_results_are_not_reused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(tree / "dialer" / "cli.py", (300, 300))
    monkeypatch.setattr(tool, "run_tests", lambda: 4)
    assert tool.main() == 4
