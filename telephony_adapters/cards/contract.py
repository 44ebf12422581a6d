"""Cards 80 to 89: what the port promises as a whole: refusals, late orders, closing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from dialer.core.types import CallId, Supervision
from dialer.errors import AdapterError, NotSupported
from telephony_adapters.cards.bench import Bench, Card, CardFailed, FarEnd, require

Order = Callable[[Bench, CallId], Awaitable[object]]


async def _transfer(bench: Bench, call_id: CallId) -> None:
    stage = bench.stage
    phone = stage.transfer_phone(answers=True) if bench.capabilities.transfer else stage.phone(FarEnd.ANSWERS)
    await bench.telephony.transfer(call_id, phone=phone, hotline=stage.hotline, trunk=stage.trunk)


async def _supervise(bench: Bench, call_id: CallId) -> None:
    await bench.telephony.supervise(call_id, supervisor=bench.other_agent, mode=Supervision.LISTEN)


ORDERS: Final[Mapping[str, tuple[str, Order]]] = {
    "answer": ("inbound", lambda bench, call_id: bench.telephony.answer(call_id)),
    "play": ("play", lambda bench, call_id: bench.telephony.play(call_id, prompt=bench.stage.prompt)),
    "hush": ("play", lambda bench, call_id: bench.telephony.hush(call_id)),
    "hold": ("play", lambda bench, call_id: bench.telephony.hold(call_id, on=True)),
    "record": ("record", lambda bench, call_id: bench.telephony.record(call_id)),
    "stop_recording": ("record", lambda bench, call_id: bench.telephony.stop_recording(call_id)),
    "transfer": ("transfer", _transfer),
    "supervise": ("supervise", _supervise),
}
"""Orders about one call, and the capability that each needs; `summon` begins a call and has cards of its own."""


async def _refuses(what: str, order: Awaitable[object]) -> None:
    try:
        await order
    except NotSupported:
        return
    raise CardFailed(f"{what} is not declared, and was taken all the same; the port asks for NotSupported")


async def _refusals(bench: Bench) -> None:
    call_id = await bench.answered()
    can = bench.capabilities
    for name, (needs, order) in ORDERS.items():
        if not getattr(can, needs):
            await _refuses(name, order(bench, call_id))
    if not can.agent_first:
        await _refuses("summon", bench.telephony.summon(bench.new_id(), agent_id=bench.agent))
    if not can.amd:
        await _refuses("machine detection", bench.place(FarEnd.ANSWERS, amd=True))
    require(not bench.is_over(call_id), "a call ended by an order that was refused")


async def _too_late(bench: Bench) -> None:
    call_id = await bench.talk()
    await bench.hang_up(call_id)
    told = len(bench.told(call_id))
    for needs, order in ORDERS.values():
        if getattr(bench.capabilities, needs):
            await order(bench, call_id)
    await bench.answered()  # whatever came of those orders would have come by now
    late = bench.told(call_id)[told:]
    require(all(type(event).__name__ in _MAY_FOLLOW for event in late), f"orders for a call that is over led to {late}")


_MAY_FOLLOW: Final = frozenset({"RecordingEnded"})


async def _unknown(bench: Bench) -> None:
    """Give orders for a call that nobody knows: they are ignored, or refused as the adapter's error."""
    for needs, order in ORDERS.values():
        if getattr(bench.capabilities, needs):
            try:
                await order(bench, bench.new_id())
            except AdapterError as error:
                raise CardFailed(f"an order for an unknown call was refused instead of ignored: {error}") from error


async def _close(bench: Bench) -> None:
    """Close the adapter in the middle of a talk: `events()` ends, and no call can be placed any more."""
    await bench.talk()
    await bench.close()
    try:
        await bench.place(FarEnd.ANSWERS)
    except AdapterError:
        return
    raise CardFailed("the adapter is closed, and took a call")


CONTRACT = (
    Card(80, "What is declared false raises NotSupported, exactly that", None, _refusals),
    Card(81, "Orders for a call that is over are ignored", None, _too_late),
    Card(82, "Orders for a call that nobody knows are ignored", None, _unknown),
    Card(83, "Closing ends the events; a closed adapter takes no call", None, _close),
)
