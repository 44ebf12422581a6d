from __future__ import annotations

from pathlib import Path

import pytest

from cdr.filters import CdrFilter
from dialer.commands.cdr_export import Written, export_calls
from dialer.commands.cdr_filter import zone_of
from dialer.errors import BadInput
from tests.dialer.commands.cdr_world import CALLS, make_world


def test_what_was_written_is_said_in_calls_or_else_in_bytes() -> None:
    assert (str(Written(7, 900)), str(Written(None, 900))) == ("7 calls", "900 bytes")


@pytest.mark.component("chdb", "sqlite")
async def test_the_bar_is_not_in_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path))
    await make_world(tmp_path)
    options = {"limit": None, "mask": False}
    for name, calls in (("a.csv", CALLS), ("a.xlsx", CALLS), ("a.parquet", None)):
        written = await export_calls(tmp_path / name, CdrFilter(), zone_of("UTC"), kind=None, **options)  # type: ignore[arg-type]
        assert (written.calls, written.bytes) == (calls, _size(tmp_path / name))
    assert capsys.readouterr().out == ""
    with pytest.raises(BadInput, match="pdf"):
        await export_calls(tmp_path / "a.pdf", CdrFilter(), zone_of("UTC"), kind=None, limit=None, mask=False)


def _size(path: Path) -> int:
    return path.stat().st_size
