from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugins.requirements import Requirement, parse, proofs, requirements, verdict

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
    import pytest

    @pytest.mark.req("S0-3", "S0-18")
    def test_passes(): pass

    @pytest.mark.req("S0-3")
    def test_fails(): assert False

    @pytest.mark.req("S0-4")
    def test_skips(): pytest.skip("no")

    @pytest.fixture
    def untidy():
        yield
        raise OSError("left over")

    @pytest.mark.req("S0-5")
    def test_does_not_clean_up(untidy): pass
"""


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *args: str) -> pytest.RunResult:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    plain = ("-p", "tests.plugins.requirements", "-p", "no:cacheprovider", "-p", "no:asyncio")
    return pytester.runpytest_subprocess(*plain, "-W", "ignore::pytest.PytestUnknownMarkWarning", *args)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_outcomes_are_written_from_every_process(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_it=TESTS)
    run(pytester, monkeypatch, "--requirements-file=out.json", *workers)
    assert json.loads((pytester.path / "out.json").read_text()) == {
        "test_it.py::test_passes": {"keys": ["S0-18", "S0-3"], "outcome": "passed"},
        "test_it.py::test_fails": {"keys": ["S0-3"], "outcome": "failed"},
        "test_it.py::test_skips": {"keys": ["S0-4"], "outcome": "skipped"},
        "test_it.py::test_does_not_clean_up": {"keys": ["S0-5"], "outcome": "failed"},
    }


def test_a_run_that_was_cut_short_leaves_no_results(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile(test_it="raise SystemError('does not even import')")
    result = run(pytester, monkeypatch, "--requirements-file=out.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert not (pytester.path / "out.json").exists()


def test_an_unknown_key_is_an_error_of_its_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.req('S9-1')\ndef test_it(): pass")
    result = run(pytester, monkeypatch)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no such requirement in docs/requirements.md: S9-1*"])


def test_a_key_is_proved_by_its_own_tests_and_those_of_its_twin() -> None:
    rows = {"S0-3": Requirement("S0-3", "Filter", None), "S1-3": Requirement("S1-3", "Filter", "S0-3")}
    results: dict[str, dict[str, object]] = {
        "a": {"keys": ["S0-3"], "outcome": "passed"},
        "b": {"keys": ["S1-3"], "outcome": "failed"},
    }
    assert proofs(results, rows) == {"S0-3": {"a": "passed"}, "S1-3": {"a": "passed", "b": "failed"}}


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["passed"], "proved"),
        (["passed", "skipped"], "proved"),
        (["passed", "failed"], "failing"),
        (["skipped"], "open"),
        ([], "open"),
    ],
)
def test_verdict(outcomes: list[str], expected: str) -> None:
    assert verdict(outcomes) == expected


def test_a_doubled_key_and_a_lost_twin_are_refused() -> None:
    with pytest.raises(ValueError, match="S0-1 has two rows"):
        parse("| S0-1 | a | |\n| S0-1 | b | |")
    with pytest.raises(ValueError, match="no row: S1-1"):
        parse("| S1-1 | a | = S0-1 |")


def test_every_key_of_the_first_source_that_the_second_repeats_is_its_twin() -> None:
    rows = requirements()
    assert {key: row.twin for key, row in rows.items() if row.twin} == {
        key: key.replace("S1-", "S0-") for key in rows if key.startswith("S1-")
    }
