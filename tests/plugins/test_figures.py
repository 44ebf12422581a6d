from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
    def test_one(figure):
        figure("b: 2 s")

    def test_two(figure):
        figure("a: 1 s")
        assert False

    def test_silent(): pass
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_figures_are_printed_in_the_end_those_of_failed_tests_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(TESTS)
    plain = ("-p", "tests.plugins.figures", "-p", "no:cacheprovider", "-p", "no:asyncio")
    result = pytester.runpytest_subprocess(*plain, *workers)
    result.stdout.fnmatch_lines(["*= figures =*", "a: 1 s", "b: 2 s"])


def test_without_figures_there_is_no_section(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile("def test_silent(): pass")
    result = pytester.runpytest_subprocess("-p", "tests.plugins.figures", "-p", "no:cacheprovider", "-p", "no:asyncio")
    result.stdout.no_fnmatch_line("*= figures =*")
