from __future__ import annotations

from dialer.core.events import CallAnswered, CallEnded, CallRinging
from dialer.ports import CallStatusAtSwitch
from statuses.outcomes import EndedBy
from tests.telephony_adapters.cards.faulty import Faulty, changed, never, nothing, sees, twice


async def _no_calls() -> tuple[CallStatusAtSwitch, ...]:
    return ()


async def test_a_call_that_is_not_listed_by_our_id_is_seen() -> None:
    await sees(1, Faulty(over={"snapshot": _no_calls}), "not known by the id")


async def test_ringing_that_is_told_again_or_never_is_seen() -> None:
    await sees(2, Faulty(twice(CallRinging)), "more than once")
    await sees(2, Faulty(never(CallRinging)), "the ringing was not told")


async def test_a_second_end_and_a_wrong_code_are_seen() -> None:
    await sees(3, Faulty(twice(CallEnded)), "ended 2 times")
    await sees(3, Faulty(changed(CallEnded, sip_status=480)), "the end says 480")
    await sees(4, Faulty(changed(CallEnded, ended_by=EndedBy.DIALER)), "the dialer is said to have ended it")


async def test_a_hang_up_that_does_nothing_or_is_said_to_be_theirs_is_seen() -> None:
    await sees(11, Faulty(over={"hangup": nothing}), "no CallEnded within 30 s")
    await sees(7, Faulty(changed(CallEnded, ended_by=EndedBy.REMOTE)), "the dialer ended it")
    await sees(13, Faulty(changed(CallEnded, ended_by=EndedBy.DIALER)), "the far end hung up")


async def test_early_media_that_are_taken_for_an_answer_are_seen() -> None:
    await sees(15, Faulty(lambda event: [CallAnswered(event.call_id)]), "no CallEnded")
