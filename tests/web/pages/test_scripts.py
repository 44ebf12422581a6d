"""The examples that a new script begins with, and that the page about scripts shows, are scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.core.script_text import parse_script
from web.i18n import Lang
from web.pages import script

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_example_of_each_language_is_right_and_stands_in_the_documentation(lang: Lang) -> None:
    text = (Path(script.__file__).parents[1] / "static" / f"script.{lang}.toml").read_text(encoding="utf-8")
    found = parse_script(text)
    assert found.asks
    assert found.transfers
    assert found.fields == ("name",)
    assert text in (ROOT / "docs" / "scripts.md").read_text(encoding="utf-8")
