"""What one command chose is not the next one's, though all run in one process here."""

from __future__ import annotations

import pytest

from dialer.commands import context


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_chosen", {})
