"""Requirement keys: which tests prove which key of docs/requirements.md, and with what result.

A test says `@pytest.mark.req("S0-3", "S0-18")`; a key that the document does not hold is an error of that test.
`--requirements-file PATH` writes what came out, as JSON, for `make requirements` (tools/requirements.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "requirements.md"
KEY_PROPERTY = "req"
_ROW = re.compile(r"^\| *(?P<key>S\d+-\d+(?:\.\d+)?) *\|(?P<title>[^|]*)\|(?: *= *(?P<twin>S\d+-\d+(?:\.\d+)?) *\|)?")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of the document."""

    key: str
    title: str
    twin: str | None  # the key whose tests prove this one too


def parse(text: str) -> dict[str, Requirement]:
    """Read the rows `| key | title |` and `| key | title | = twin |`; ValueError on a doubled key or unknown twin."""
    rows: dict[str, Requirement] = {}
    for match in filter(None, map(_ROW.match, text.splitlines())):
        row = Requirement(match["key"], match["title"].strip(), match["twin"])
        if row.key in rows:
            msg = f"{row.key} has two rows"
            raise ValueError(msg)
        rows[row.key] = row
    if lost := sorted(row.key for row in rows.values() if row.twin is not None and row.twin not in rows):
        msg = f"these name a twin that has no row: {', '.join(lost)}"
        raise ValueError(msg)
    return rows


@cache
def requirements() -> dict[str, Requirement]:
    """Read docs/requirements.md, once."""
    return parse(DOCUMENT.read_text(encoding="utf-8"))


def proofs(results: dict[str, dict[str, object]], rows: dict[str, Requirement]) -> dict[str, dict[str, str]]:
    """Turn {test: {keys, outcome}} into {key: {test: outcome}}, twins included, in the document's order."""
    direct: dict[str, dict[str, str]] = {key: {} for key in rows}
    for test, result in results.items():
        keys = result["keys"]
        assert isinstance(keys, list)
        for key in keys:
            if key in direct:
                direct[key][test] = str(result["outcome"])
    return {key: direct[key] | (direct[row.twin] if row.twin else {}) for key, row in rows.items()}


def verdict(outcomes: Iterable[str]) -> str:
    """Say `failing` if a test failed, `proved` if at least one passed, else `open`."""
    seen = set(outcomes)
    if "failed" in seen:
        return "failing"
    return "proved" if "passed" in seen else "open"


class _Recorder:
    """Gather outcomes in the process that ends the run; tests of all worker processes report to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        keys = [str(value) for name, value in report.user_properties if name == KEY_PROPERTY]
        if not keys:
            return
        before = self.results.get(report.nodeid, {}).get("outcome")
        # A test that passed and then failed to clean up has failed; a skip says nothing after a failure.
        if before != "failed" and (report.when == "call" or not report.passed):
            self.results[report.nodeid] = {"keys": keys, "outcome": report.outcome}

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return  # cut short: it would pass for a complete run
        text = json.dumps(self.results, indent=1, sort_keys=True, ensure_ascii=False)
        self.path.write_text(text + "\n", encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--requirements-file", metavar="PATH", help="write which tests proved which requirement keys")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--requirements-file")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(Path(path)), "dialer-requirements-recorder")


def _keys(item: pytest.Item) -> list[str]:
    return sorted({str(key) for mark in item.iter_markers("req") for key in mark.args})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties.extend((KEY_PROPERTY, key) for key in _keys(item))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if unknown := [key for key in _keys(item) if key not in requirements()]:
        pytest.fail(f"no such requirement in {DOCUMENT.relative_to(ROOT)}: {', '.join(unknown)}", pytrace=False)
