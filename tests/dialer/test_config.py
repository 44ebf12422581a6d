"""Settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.config import load
from dialer.errors import BadInput


def test_given_wins_over_environment_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().port == 8080
    monkeypatch.setenv("DIALER_PORT", "9090")
    monkeypatch.setenv("DIALER_HOME", "/srv/dialer")
    assert (load().port, load(port=7070).port, load(port=None).port) == (9090, 7070, 9090)
    assert load().database == "sqlite:////srv/dialer/dialer.db"
    assert load().analytics_path == Path("/srv/dialer/analytics")


@pytest.mark.parametrize(("name", "value"), [("port", 99_999), ("port", "x"), ("trunk_cps", 0), ("trunk_channels", -1)])
def test_a_wrong_value_names_the_setting_and_its_variable(name: str, value: object) -> None:
    with pytest.raises(BadInput, match=rf"{name} \(DIALER_{name.upper()}\)"):
        load(**{name: value})
