"""Greetings through two real Asterisks: one plays them, the other is asked by the adapter who answered."""

from __future__ import annotations

import pytest

from dialer.bench.amd.bench import bench_amd
from dialer.bench.amd.greetings import Kind
from tests.plugins.asterisk import cache


@pytest.mark.component("asterisk")
@pytest.mark.component("espeak-ng")
@pytest.mark.timeout(120)
def test_a_real_asterisk_is_asked_about_each_greeting() -> None:
    said: list[str] = []
    result = bench_amd(per_kind=1, seed=7, asterisk=cache(), step=said.append)
    rows = {figure.name: figure.value for figure in result.figures}
    assert 0.0 <= rows["machines: precision"] <= 1.0
    assert rows[f"machine, {Kind.MAILBOX}: taken for machine"] == 1
    verdicts = [name for name in rows if "taken for" in name]
    assert len(verdicts) == len(Kind)
    assert not any(name.endswith("nothing") for name in verdicts), "each call has a verdict"
    assert [words.partition(" ")[0] for words in said] == ["espeak-ng", "Asterisk"]
