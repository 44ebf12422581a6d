from __future__ import annotations

import pytest

from dialer.core.events import CallEnded, CallEvent, CallProgressed, CallRinging, EarlyMediaHeard
from statuses.outcomes import Announcement, CancelReason, EndedBy
from telephony_adapters.trunks.calls import HANGUP_REASONS, Call, Talk, facts_of
from telephony_adapters.trunks.desks import Desk
from telephony_adapters.trunks.party import Media
from tests.telephony_adapters.trunks.stage import HOTLINE, ONE, Stage

MEDIA = Media("192.0.2.1", 4000)


@pytest.fixture
def call() -> Call:
    return Call("c1", ONE, HOTLINE, Stage(agents=None).lines[0], 30.0, MEDIA)


def test_only_what_is_new_is_told(call: Call) -> None:
    early, mailbox = EarlyMediaHeard("c1"), EarlyMediaHeard("c1", Announcement.MAILBOX)
    locked = EarlyMediaHeard("c1", Announcement.LOCKED)
    script: list[tuple[CallEvent, bool]] = [
        (CallProgressed("c1"), True), (CallProgressed("c1"), False), (early, True), (early, False),
        (CallRinging("c1"), True), (CallRinging("c1"), False), (CallProgressed("c1"), False), (mailbox, True),
        (mailbox, False), (early, False), (locked, True),
    ]  # fmt: skip
    assert [call.is_news(event) for event, _ in script] == [is_new for _, is_new in script]
    assert (call.progressed, call.rang, call.announcement) == (True, True, Announcement.LOCKED)


def test_ringing_means_progress(call: Call) -> None:
    assert call.is_news(CallRinging("c1"))
    assert not call.is_news(CallProgressed("c1"))


def test_what_is_known_of_a_call_that_is_over(call: Call) -> None:
    call.is_news(CallRinging("c1"))
    call.hangup_reason = CancelReason.RING_TIMEOUT
    facts = facts_of(call, CallEnded("c1", sip_status=487, ended_by=EndedBy.DIALER))
    assert (facts.sip_status, facts.rang, facts.progressed, facts.answered) == (487, True, True, False)
    assert (facts.ended_by, facts.cancel_reason, facts.trunk) == (EndedBy.DIALER, CancelReason.RING_TIMEOUT, "main")


def test_every_reason_has_words() -> None:
    assert HANGUP_REASONS.keys() == set(CancelReason)


def test_a_talk_has_two_sides(call: Call) -> None:
    talk = Talk(call, Desk("a1", MEDIA))
    assert talk.other(call.party) is talk.desk.party
    assert talk.other(talk.desk.party) is call.party
    assert call.leg is None
