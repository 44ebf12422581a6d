from __future__ import annotations

import msgspec
import pytest

from simulator.profile import AgentProfile, CarrierProfile, Fate, Shares


def test_every_fate_has_its_share() -> None:
    assert {field.name for field in msgspec.structs.fields(Shares)} == {fate.value for fate in Fate}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Shares, {"answer": 1.1}),
        (Shares, {"answer": -0.1}),
        (CarrierProfile, {"shares": {}, "trying_s": -1}),
        (CarrierProfile, {"shares": {}, "talk": {"mean_s": 0}}),
        (AgentProfile, {"count": -1}),
        (AgentProfile, {"wrap_up": {"mean_s": 5, "shape": "lumpy"}}),
        (AgentProfile, {"breaks": 3}),
    ],
)
def test_numbers_that_mean_nothing_are_refused(kind: type[msgspec.Struct], data: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(data, kind)
