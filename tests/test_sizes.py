"""Hold modules and functions to the sizes of CONTRIBUTING.md: small enough to be read at one sitting."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("cdr", "crm", "dialer", "simulator", "statuses", "store", "telephony_adapters", "web")
MODULE_MAX = 400
MEDIAN_MAX = 10
P95_MAX = 40
FUNCTION_MAX = 60


@dataclass(frozen=True, slots=True, order=True)
class Function:
    """One function and the lines of its body, blank ones included, its docstring not."""

    lines: int
    place: str

    def __str__(self) -> str:
        return f"{self.place} has {self.lines} lines"


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(found) >= len(PACKAGES), "the packages have moved: mend PACKAGES"
    return found


def functions(source: str, name: str) -> Iterator[Function]:
    """Yield each function that does something; a protocol's method or an overload only declares."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        if body and not _is_ellipsis(body):
            first, last = body[0].lineno, body[-1].end_lineno
            assert last is not None
            yield Function(last - first + 1, f"{name}:{node.lineno} {node.name}")


def _is_ellipsis(body: list[ast.stmt]) -> bool:
    match body:
        case [ast.Expr(value=ast.Constant(value=value))]:
            return value is ...
        case _:
            return False


@pytest.fixture(scope="module")
def measured() -> list[Function]:
    found = [
        function
        for path in modules()
        for function in functions(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]
    return sorted(found, reverse=True)


def test_no_module_is_longer_than_its_bound() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > MODULE_MAX} == {}


def test_no_function_is_longer_than_its_bound(measured: list[Function]) -> None:
    assert [str(function) for function in measured if function.lines > FUNCTION_MAX] == []


def test_nearly_all_functions_are_short(measured: list[Function]) -> None:
    allowed = len(measured) // 20
    over = [str(function) for function in measured if function.lines > P95_MAX]
    assert len(over) <= allowed, f"more than 5 % of {len(measured)} functions exceed {P95_MAX} lines: {over}"


def test_half_of_all_functions_are_very_short(measured: list[Function]) -> None:
    assert statistics.median(function.lines for function in measured) <= MEDIAN_MAX


def test_measuring_counts_body_lines_without_the_docstring() -> None:
    source = '''
def one(x: int) -> int:
    """Say
    much."""
    y = x

    return y


class Port:
    async def declared(self) -> None: ...

    def documented(self) -> None:
        """Only say it."""

    async def two(self) -> None:
        pass
'''
    assert list(functions(source, "m.py")) == [Function(3, "m.py:2 one"), Function(1, "m.py:16 two")]
