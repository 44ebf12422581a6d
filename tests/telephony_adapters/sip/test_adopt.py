"""Calls of a dead process, ended from what its journal says: no ghost call remains (architecture.md section 3)."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.adopt import LeftBehind, end_left_behind
from telephony_adapters.sip.events import Ended
from telephony_adapters.sip.leg import Leg
from tests.telephony_adapters.sip.pair import SDP, Solo, reply


def adopts(solo: Solo, leg: Leg) -> None:
    solo.do(lambda ua, now: end_left_behind(ua._state, LeftBehind.of(leg), now))


def test_a_call_that_was_up_is_hung_up_in_its_dialog() -> None:
    before, after = Solo(), Solo()
    leg = before.calls()
    adopts(after, leg)
    bye = after.last
    assert (bye.method, bye.call_id, bye.from_tag, bye.to_tag) == ("BYE", leg.call_id, leg.local_tag, "peer")
    assert bye.uri == "sip:peer@192.0.2.10:5060"
    assert bye.cseq > leg.cseq
    after.hear(reply(bye, 200))
    assert after.take(Ended).by == "local"
    assert after.is_spent()


def test_an_invite_that_rang_is_cancelled_under_its_own_branch() -> None:
    before, after = Solo(), Solo()
    leg = before.invite()
    invite = before.last
    adopts(after, leg)
    cancels = after.requests("CANCEL")
    assert invite.via.branch in {cancel.via.branch for cancel in cancels}
    for cancel in cancels:
        after.hear(reply(cancel, 200 if cancel.via.branch == invite.via.branch else 481))
    after.hear(reply(invite, 487))
    assert after.last.method == "ACK"
    assert after.is_spent()


@pytest.mark.parametrize("reliable", [True, False])
def test_an_answer_that_crosses_that_cancel_is_hung_up_with_a_cseq_above_all_that_were_used(reliable: bool) -> None:
    before, after = Solo(), Solo()
    leg = before.invite()
    invite = before.last
    adopts(after, leg)
    if reliable:
        before.hear(reply(invite, 183, headers=[("Require", "100rel"), ("RSeq", "1")], body=SDP))
    after.hear(reply(invite, 200, body=SDP))
    ack, bye = after.requests("ACK")[0], after.requests("BYE")[0]
    assert ack.cseq == invite.cseq
    assert bye.cseq > before.last.cseq
    after.hear(reply(bye, 200))
    after.wait(40)
    after.events.clear()
    assert after.is_spent()
