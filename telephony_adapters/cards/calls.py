"""Cards 1 to 19: calls to customers, from the order to the end."""

from __future__ import annotations

from dialer.core.events import CallAnswered, CallEnded, CallRinging, EarlyMediaHeard
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.cards.bench import Bench, Card, CardFailed, FarEnd, require


async def _ours(bench: Bench) -> None:
    call_id = bench.new_id()
    await bench.place(FarEnd.ANSWERS, call_id=call_id)
    await bench.hear(call_id, CallAnswered)
    require(call_id in await bench.live(), "the call is not known by the id that we gave it")
    await bench.hang_up(call_id)


async def _rings_first(bench: Bench) -> None:
    call_id = await bench.answered()
    kinds = [type(event) for event in bench.told(call_id)]
    require(CallRinging in kinds, f"the ringing was not told: {kinds}")
    require(kinds.index(CallRinging) < kinds.index(CallAnswered), f"it was answered before it rang: {kinds}")
    require(bench.count(call_id, CallRinging) == 1, f"the ringing was told more than once: {kinds}")


async def _refused(bench: Bench, far_end: FarEnd, *codes: int) -> None:
    call_id = await bench.place(far_end)
    end = await bench.end(call_id)
    require(end.sip_status in codes, f"the end says {end.sip_status}, not {codes}")
    require(end.ended_by is not EndedBy.DIALER, "the far end refused, and the dialer is said to have ended it")
    require(not bench.count(call_id, CallAnswered), "it was told as answered")


async def _busy(bench: Bench) -> None:
    await _refused(bench, FarEnd.BUSY, 486)


async def _unknown(bench: Bench) -> None:
    await _refused(bench, FarEnd.UNKNOWN, 404)


async def _away(bench: Bench) -> None:
    await _refused(bench, FarEnd.AWAY, 480)


async def _congested(bench: Bench) -> None:
    await _refused(bench, FarEnd.CONGESTED, 503)


async def _ring_timeout(bench: Bench) -> None:
    call_id = await bench.place(FarEnd.RINGS)
    await bench.hear(call_id, CallRinging)
    end = await bench.hang_up(call_id, CancelReason.RING_TIMEOUT)
    require(end.sip_status in {487, None}, f"a CANCEL gets 487, not {end.sip_status}")
    require(end.ended_by is EndedBy.DIALER, f"the dialer ended it, not {end.ended_by}")
    require(not bench.count(call_id, CallAnswered), "it was told as answered")


async def _late(bench: Bench) -> None:
    """Take an answer that crosses the CANCEL: it is told and then ended by us, or it never was one."""
    call_id = await bench.place(FarEnd.ANSWERS_LATE)
    await bench.hear(call_id, CallRinging)
    await bench.telephony.hangup(call_id, reason=CancelReason.RING_TIMEOUT)
    try:
        await bench.hear(call_id, CallAnswered)
    except CardFailed:
        require(bench.is_over(call_id), "neither an answer nor an end came of a call that was cancelled")
        return
    end = await bench.hang_up(call_id)
    require(end.sip_status == 200, f"an answered call ended with {end.sip_status}")  # noqa: PLR2004 -- SIP's OK


async def _unknown_id(bench: Bench) -> None:
    await bench.telephony.hangup(bench.new_id(), reason=CancelReason.ADMIN)
    await bench.answered()


async def _at_once(bench: Bench) -> None:
    call_id = await bench.place(FarEnd.RINGS)
    end = await bench.hang_up(call_id, CancelReason.CULL)
    require(end.ended_by in {EndedBy.DIALER, None}, f"the dialer ended it, not {end.ended_by}")


async def _we_hang_up(bench: Bench) -> None:
    call_id = await bench.answered()
    end = await bench.hang_up(call_id)
    require(end.ended_by is EndedBy.DIALER, f"the dialer ended it, not {end.ended_by}")
    require(call_id not in await bench.live(), "the call is over, and is listed as live")


async def _twice(bench: Bench) -> None:
    call_id = await bench.answered()
    for _ in range(2):
        await bench.telephony.hangup(call_id, reason=CancelReason.ADMIN)
    await bench.end(call_id)
    await bench.telephony.hangup(call_id, reason=CancelReason.ADMIN)
    await bench.answered()  # a second end of the first call would have come by now
    require(bench.count(call_id, CallEnded) == 1, "a call that was hung up twice ended twice")


async def _they_hang_up(bench: Bench) -> None:
    call_id = await bench.answered(FarEnd.HANGS_UP)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.REMOTE, f"the far end hung up, not {end.ended_by}")


async def _side_by_side(bench: Bench) -> None:
    busy, fine = await bench.place(FarEnd.BUSY), await bench.place(FarEnd.ANSWERS)
    await bench.end(busy)
    await bench.hear(fine, CallAnswered)
    require(not bench.is_over(fine), "the end of one call was told of another")


async def _early(bench: Bench) -> None:
    call_id = await bench.place(FarEnd.ANNOUNCEMENT)
    await bench.end(call_id)
    require(bench.count(call_id, EarlyMediaHeard) > 0, f"early media were not told: {bench.told(call_id)}")
    require(not bench.count(call_id, CallAnswered), "early media were taken for an answer")


CALLS = (
    Card(1, "A call has the id that we give it", None, _ours),
    Card(2, "Ringing is told once, before the answer", None, _rings_first),
    Card(3, "Busy: one end, 486", None, _busy),
    Card(4, "No such number: one end, 404", None, _unknown),
    Card(5, "Out of reach: one end, 480", None, _away),
    Card(6, "Congestion: one end, 503", None, _congested),
    Card(7, "Ring time-out: our hang-up is a CANCEL, the end says 487", None, _ring_timeout),
    Card(8, "An answer that crosses the CANCEL is told, or never was one", None, _late),
    Card(9, "A hang-up of an unknown id is ignored", None, _unknown_id),
    Card(10, "A call that is given up at once ends once", None, _at_once),
    Card(11, "We hang up an answered call; it is not live any more", None, _we_hang_up),
    Card(12, "A call that is hung up twice ends once", None, _twice),
    Card(13, "The customer hangs up before an agent is there", None, _they_hang_up),
    Card(14, "What is told of one call is told of no other", None, _side_by_side),
    Card(15, "A recording in early media is told, and is no answer", "early_media", _early),
)
