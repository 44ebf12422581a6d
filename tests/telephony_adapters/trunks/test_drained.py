"""The list of drained trunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import BadInput
from telephony_adapters.trunks.drained import drained, write


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "drained-trunks"
    assert drained(path) == frozenset()
    write(path, {"main", "second"})
    assert drained(path) == {"main", "second"}
    write(path, ())
    assert drained(path) == frozenset()


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        drained(tmp_path)
    with pytest.raises(BadInput, match="cannot be written"):
        write(tmp_path / "nowhere" / "list", {"main"})
