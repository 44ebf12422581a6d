from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = """
    import pytest
    from tests.plugins.components import Absent, Found, register
    register("bellows", lambda: Found("2.1"), fixtures=["bellows_url"])
    register("unobtainium", lambda: Absent("there is none"))

    @pytest.fixture
    def bellows_url():
        return "loopback"
"""
TESTS = """
    import pytest

    @pytest.mark.component("bellows")
    def test_marked(): pass

    def test_by_fixture(bellows_url): pass

    @pytest.mark.component("bellows")
    def test_that_fails(): assert False

    @pytest.mark.component("bellows")
    def test_that_never_ran(): pytest.skip("not today")

    @pytest.mark.component("unobtainium")
    def test_of_the_absent(): pass
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("DIALER_REQUIRE", raising=False)
    pytester.makeconftest(CONFTEST)
    return pytester


def outcome(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    plain = ("-p", "tests.plugins.components", "-p", "no:cacheprovider", "-p", "no:asyncio")
    return pytester.runpytest_subprocess(*plain, "-W", "ignore::pytest.PytestUnknownMarkWarning", *args)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_the_summary_counts_only_tests_that_really_ran(run: pytest.Pytester, workers: tuple[str, ...]) -> None:
    run.makepyfile(TESTS)
    result = outcome(run, *workers)
    result.assert_outcomes(passed=2, failed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*real components: used / absent*",
            "bellows *3 tests *2.1",
            "chdb *not used *",
            "unobtainium *absent *there is none (1 test without it)",
        ]
    )


def test_an_absent_component_is_skipped_with_its_reason(run: pytest.Pytester) -> None:
    run.makepyfile(TESTS)
    outcome(run, "-rs").stdout.fnmatch_lines(["SKIPPED*unobtainium is absent: there is none"])


def test_a_required_component_that_is_absent_is_an_error(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_REQUIRE", "bellows,unobtainium")
    run.makepyfile(TESTS)
    result = outcome(run, "-k", "of_the_absent")
    result.assert_outcomes(errors=1, deselected=4)
    result.stdout.fnmatch_lines(["*unobtainium is absent, and DIALER_REQUIRE wants it: there is none*"])


def test_requiring_an_unknown_component_is_a_usage_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DIALER_REQUIRE", "phlogiston")
    pytester.makepyfile("def test_it(): pass")
    result = outcome(pytester)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*DIALER_REQUIRE names unknown components: phlogiston; known: chdb, sqlite*"])


def test_a_mark_with_an_unknown_component_is_an_error(run: pytest.Pytester) -> None:
    run.makepyfile("import pytest\n@pytest.mark.component('phlogiston')\ndef test_it(): pass")
    result = outcome(run)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*unknown component 'phlogiston'*"])
