from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
PACKAGES = [pattern.rstrip("*") for pattern in SETUPTOOLS["packages"]["find"]["include"]]


def test_every_file_beside_the_code_is_installed_with_it() -> None:
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    code = {path for path in files if path.suffix in {".py", ".pyc"} or path.name == ".DS_Store"}
    data = SETUPTOOLS["package-data"]
    shipped = {path for package in PACKAGES for glob in data.get(package, []) for path in (ROOT / package).glob(glob)}
    assert sorted(str(path.relative_to(ROOT)) for path in files - code - shipped) == []


def test_every_folder_of_code_is_a_package_that_is_installed() -> None:
    """Alembic's revisions are data: they are loaded by path."""
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    loaded_by_path = ROOT / "store" / "migrations"
    bare = [
        folder
        for folder in folders
        if not (folder / "__init__.py").exists() and not folder.is_relative_to(loaded_by_path)
    ]
    assert sorted(str(folder.relative_to(ROOT)) for folder in bare) == []
