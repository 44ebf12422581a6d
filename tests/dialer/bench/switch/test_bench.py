"""The whole measurement, small: a bare ARI loop, the adapter, and offers to agents' phones over a real Asterisk."""

from __future__ import annotations

import pytest

from dialer.bench.switch.bench import QUICK, bench_asterisk
from dialer.errors import BadInput
from tests.plugins.asterisk import cache


@pytest.mark.component("asterisk")
@pytest.mark.component("sipp")
@pytest.mark.soak
@pytest.mark.timeout(300)
def test_every_call_is_answered_and_joined() -> None:
    said: list[str] = []
    result = bench_asterisk(sizes=QUICK, asterisk=cache(), step=said.append)
    rows = {figure.name: figure for figure in result.figures}
    for name in (
        "calls that were not joined, phones called, in all rounds",
        "calls that were not joined, phones nailed up, in all rounds",
        "calls of the adapter that failed, in all rounds",
    ):
        assert rows[name].met, rows[name]
    assert rows["ours: calls a second"].value > 0
    assert "round 1: our adapter" in said


@pytest.mark.component("sipp")
def test_without_asterisk_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    with pytest.raises(BadInput, match=r"python -m tests\.plugins\.asterisk"):
        bench_asterisk(sizes=QUICK, asterisk=None, step=print)
