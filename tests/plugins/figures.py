"""What tests measured: `figure("broker away 10 s: ...")` is printed in a section of its own at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

FIGURE_PROPERTY = "figure"
Figure = Callable[[str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Give the function that takes one line; it says nothing of whether the figure is good: the test asserts that."""
    return lambda line: record_property(FIGURE_PROPERTY, line)


class _Figures:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.lines += [str(value) for key, value in report.user_properties if key == FIGURE_PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.lines:
            terminalreporter.section("figures")
            for line in sorted(self.lines):
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Figures(), "dialer-figures")
