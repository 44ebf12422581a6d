from __future__ import annotations

import inspect
from typing import Any

import pytest

from dialer.core.types import Supervision
from dialer.errors import NotSupported
from dialer.switch import Capabilities, Plain, Telephony


class Mute(Plain):
    name = "mute"


ORDERS: dict[str, dict[str, Any]] = {
    "answer": {},
    "summon": {"agent_id": "ana"},
    "transfer": {"phone": "+84900000001", "hotline": "+84240000001", "trunk": "main"},
    "hold": {"on": True},
    "supervise": {"supervisor": "sam", "mode": Supervision.WHISPER},
    "play": {"prompt": "hello"},
    "hush": {},
    "record": {},
    "stop_recording": {},
}


@pytest.mark.parametrize("order", ORDERS)
async def test_what_an_adapter_cannot_do_it_refuses_by_name(order: str) -> None:
    with pytest.raises(NotSupported, match=r"'mute' cannot .*; `dialer adapters list`"):
        await getattr(Mute(), order)("c1", **ORDERS[order])


async def test_an_adapter_that_does_not_record_keeps_none() -> None:
    assert await Mute().recordings() == ()
    await Mute().drop_recording("c1")
    with pytest.raises(LookupError, match="c1"):
        await Mute().recording("c1")


def test_what_is_answered_by_default_has_the_shape_of_the_port() -> None:
    """An order of another shape would be refused by Python, not by the adapter."""
    for name, ours in inspect.getmembers(Plain, inspect.isfunction):
        if not name.startswith("_"):
            theirs = inspect.signature(getattr(Telephony, name))
            assert inspect.signature(ours).parameters.keys() == theirs.parameters.keys(), name


def test_an_adapter_declares_nothing_by_itself() -> None:
    assert not any(getattr(Capabilities(), name) for name in Capabilities.__struct_fields__)
