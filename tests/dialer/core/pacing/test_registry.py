from __future__ import annotations

import pytest

from dialer.core.pacing.registry import PACERS, pacer_named
from tests.dialer.core.pacing.snapshots import moment


@pytest.mark.parametrize("name", ["progressive", "ratio", "predictive"])
def test_a_pacer_goes_by_its_name(name: str) -> None:
    pacer = pacer_named(name)
    assert pacer.name == name
    assert pacer.allowance(moment(idle=2), now=0.0).dials >= 2


def test_an_unknown_name_is_answered_with_the_names() -> None:
    with pytest.raises(ValueError, match=r"no 'turbo'; choose one of agentless, predictive, progressive, ratio"):
        pacer_named("turbo")


def test_nobody_can_change_the_list() -> None:
    with pytest.raises(TypeError):
        PACERS["turbo"] = PACERS["ratio"]  # type: ignore[index]
