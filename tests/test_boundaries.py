"""Import boundaries: `make lint` keeps them; here it is shown that each contract notices the import that it forbids."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract["name"] for contract in CONFIG["contracts"]}
WRONG = {
    "layers": ("store", "web"),
    "pure": ("dialer/core", "time"),
    "vocabulary": ("statuses", "dialer.errors"),
    "edges": ("simulator", "cdr"),
    "carrier": ("simulator", "telephony_adapters.trunks"),
    "crm": ("crm", "cdr"),
    "through-ports": ("web", "telephony_adapters"),
    "service": ("dialer/service", "store"),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Add every wrong import to a copy of the packages and let the linter judge it."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in CONFIG["root_packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder, module in WRONG.values():
        with (copy / folder / "__init__.py").open("a", encoding="utf-8") as file:
            file.write(f"\nimport {module}\n")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=copy, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_every_contract_is_tried() -> None:
    assert WRONG.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("contract", WRONG)
def test_a_wrong_import_breaks_its_contract(verdicts: str, contract: str) -> None:
    assert [line for line in verdicts.splitlines() if line.startswith(CONTRACTS[contract]) and "BROKEN" in line] != []
