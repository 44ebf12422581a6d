"""`dialer campaign dial`: what is said when it works, when it is refused, and when nobody answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dialer.cli import app
from dialer.commands import campaign_dial
from dialer.errors import DialerError, IllegalAction


class Told:
    """A service that answers with these, one after the other."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)

    async def answer(self, request_id: int) -> dict[str, Any]:
        assert request_id == 7
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_the_call_is_told_once_the_engine_has_begun_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_dial, "_LOOK_S", 0.01)
    done = {"state": "done", "call_id": "c1"}
    assert await campaign_dial._answer(Told({"state": "asked"}, {"state": "taken"}, done), 7) == done


async def test_a_refusal_is_told_in_words_and_silence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IllegalAction, match="not called: The agent is busy"):
        await campaign_dial._answer(Told({"state": "refused", "message": "The agent is busy"}), 7)
    monkeypatch.setattr(campaign_dial, "_LOOK_S", 0.01)
    monkeypatch.setattr(campaign_dial, "_WAIT_S", 0.05)
    with pytest.raises(DialerError, match="no engine took the request in time"):
        await campaign_dial._answer(Told({"state": "asked"}), 7)


def test_without_a_service_nobody_is_called(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["--home", str(tmp_path), "campaign", "dial", "Tay", "0900000044", "--agent", "ana"])
    assert done.exit_code != 0
    assert "no service runs" in str(done.exception)
