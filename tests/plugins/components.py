"""Real components: a test that needs one says so, and the end of the run says which were really used.

`@pytest.mark.component("chromium")` skips the test where Chromium is absent, with the reason; `DIALER_REQUIRE=chromium`
(a list, with commas) makes that absence an error. A test that asks for a component's fixture (see `register`) is marked
by itself.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

REQUIRE_ENV = "DIALER_REQUIRE"
USED_PROPERTY = "component"


@dataclass(frozen=True, slots=True)
class Found:
    """The component is here."""

    what: str  # its version or address


@dataclass(frozen=True, slots=True)
class Absent:
    """The component is not here."""

    why: str


Probe = Callable[[], Found | Absent]

_PROBES: dict[str, Probe] = {}
_FIXTURES: dict[str, str] = {}  # fixture name -> component that it stands for


def register(name: str, probe: Probe, *, fixtures: Iterable[str] = ()) -> None:
    """Make a component known; each test that asks for one of `fixtures` counts as marked with it."""
    _PROBES[name] = functools.cache(probe)
    _FIXTURES.update(dict.fromkeys(fixtures, name))


def probe(name: str) -> Found | Absent:
    """Look for a component, once per process; KeyError if nobody registered it."""
    return _PROBES[name]()


def required() -> frozenset[str]:
    """Read the components that the environment wants present; UsageError (exit 4) names an unknown one."""
    names = frozenset(filter(None, (part.strip() for part in os.environ.get(REQUIRE_ENV, "").split(","))))
    if unknown := sorted(names - _PROBES.keys()):
        msg = f"{REQUIRE_ENV} names unknown components: {', '.join(unknown)}; known: {', '.join(sorted(_PROBES))}"
        raise pytest.UsageError(msg)
    return names


def _probe_chdb() -> Found | Absent:
    try:
        return Found(importlib.metadata.version("chdb"))
    except importlib.metadata.PackageNotFoundError:
        return Absent("the package chdb is not installed: run `make venv`")


register("sqlite", lambda: Found(sqlite3.sqlite_version))
register("chdb", _probe_chdb)


class _Tally:
    """Count, in the process that prints the summary, what tests in all processes used."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        names = [str(value) for key, value in report.user_properties if key == USED_PROPERTY]
        if report.when == "call" and not report.skipped:
            self.ran.update(names)
        elif report.when == "setup" and not report.passed:
            self.missed.update(names)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("real components: used / absent")
        rows = [("component", "used by", "what"), *(self._row(name) for name in sorted(_PROBES))]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for name, used, what in rows:
            terminalreporter.write_line(f"{name:<{widths[0]}}  {used:<{widths[1]}}  {what}".rstrip())

    def _row(self, name: str) -> tuple[str, str, str]:
        match probe(name):
            case Absent(why):
                return name, "absent", f"{why} ({_tests(self.missed[name])} without it)"
            case Found(what):
                return name, _tests(self.ran[name]) if self.ran[name] else "not used", what


def _tests(count: int) -> str:
    return f"{count} test" if count == 1 else f"{count} tests"


def pytest_configure(config: pytest.Config) -> None:
    required()
    config.pluginmanager.register(_Tally(), "dialer-components-tally")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties.extend((USED_PROPERTY, name) for name in sorted(_wanted(item)))


def _wanted(item: pytest.Item) -> set[str]:
    marked = {str(name) for mark in item.iter_markers("component") for name in mark.args}
    fixtures = getattr(item, "fixturenames", ())
    return marked | {_FIXTURES[fixture] for fixture in fixtures if fixture in _FIXTURES}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in sorted(_wanted(item)):
        _demand(name)


def _demand(name: str) -> None:
    if name not in _PROBES:
        pytest.fail(f"unknown component {name!r}; known: {', '.join(sorted(_PROBES))}", pytrace=False)
    match probe(name):
        case Absent(why) if name in required():
            pytest.fail(f"{name} is absent, and {REQUIRE_ENV} wants it: {why}", pytrace=False)
        case Absent(why):
            pytest.skip(f"{name} is absent: {why}")
