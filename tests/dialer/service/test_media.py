from __future__ import annotations

import pytest

from dialer.core import effects as fx
from dialer.core.events import CallEnded, CallTransferred, ConnectFailed, Event, RecordingEnded
from dialer.core.types import Supervision
from dialer.service.media import MediaOrders
from dialer.switch import Plain


class Obeys(Plain):
    """Notes each order."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __getattribute__(self, name: str) -> object:
        if name.startswith("_") or name in {"seen", "name"}:
            return super().__getattribute__(name)

        async def note(*_args: object, **_more: object) -> None:
            self.seen.append(name)

        return note


ORDERS: list[tuple[fx.MediaEffect, str, type[Event] | None]] = [
    (fx.Hush("c1"), "hush", None),
    (fx.Answer("c1"), "answer", CallEnded),
    (fx.Hold("c1", on=True), "hold", None),
    (fx.Summon("c1", "ana"), "summon", ConnectFailed),
    (fx.Transfer("c1", "+84900000001", "+84240000001", "main"), "transfer", CallTransferred),
    (fx.Record("c1"), "record", RecordingEnded),
    (fx.StopRecording("c1"), "stop_recording", None),
    (fx.Supervise("c1", "sam", Supervision.BARGE), "supervise", None),
]


@pytest.mark.parametrize(("effect", "order", "failure"), ORDERS)
async def test_an_order_reaches_the_switch_or_its_refusal_the_engine(
    effect: fx.MediaEffect, order: str, failure: type[Event] | None
) -> None:
    told: list[tuple[int, Event]] = []
    obeys = Obeys()
    await MediaOrders(obeys, lambda *what: told.append(what)).order(7, effect)  # type: ignore[arg-type]
    assert (obeys.seen, told) == ([order], [])
    await MediaOrders(Plain(), lambda *what: told.append(what)).order(7, effect)  # type: ignore[arg-type]
    assert [(campaign, type(event)) for campaign, event in told] == ([] if failure is None else [(7, failure)])


def test_every_order_about_media_is_known() -> None:
    assert {type(effect) for effect, *_ in ORDERS} == set(fx.MediaEffect.__subclasses__())


async def test_an_order_that_nobody_knows_is_a_fault_of_ours() -> None:
    class Dance(fx.MediaEffect, frozen=True):
        call_id: str

    with pytest.raises(TypeError, match="Dance"):
        await MediaOrders(Plain(), lambda *_what: None).order(7, Dance("c1"))  # type: ignore[arg-type]
