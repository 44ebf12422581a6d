"""The callee's side of INVITE: RFC 3261 section 13.3 and 15, RFC 6026."""

from __future__ import annotations

from typing import Any

import pytest

from telephony_adapters.sip.events import Cancelled, Confirmed, Ended, Incoming, Offered
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg, LegState
from tests.telephony_adapters.sip.pair import OTHER_SDP, PEER, SDP, STREAM, Caller, Solo, reply

REPEATS = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def rings(solo: Solo, **more: Any) -> tuple[Caller, Leg]:
    caller = Caller(solo)
    caller.says("INVITE", **{"body": SDP} | more)
    return caller, solo.take(Incoming).leg


def answered(solo: Solo, **more: Any) -> tuple[Caller, Leg]:
    """Take a call up to the ACK."""
    caller, leg = rings(solo, **more)
    solo.accept(leg, sdp=SDP)
    caller.learns()
    caller.acks()
    solo.take(Confirmed)
    return caller, leg


def ends(solo: Solo, caller: Caller) -> bool:
    """Hang up from the other side; tell whether all is gone."""
    response = caller.says("BYE")
    assert response is not None
    assert response.status == 200
    assert solo.take(Ended).by == "remote"
    return solo.is_spent()


def test_an_invite_is_rung_answered_confirmed_and_ended() -> None:
    solo = Solo()
    caller, leg = rings(solo, headers=[("Record-Route", "<sip:192.0.2.20;lr>, <sip:192.0.2.21;lr>")])
    assert leg.remote_sdp == SDP
    solo.provisional(leg, 180)
    ringing = solo.said
    assert ringing.get("Contact") == "<sip:dialer@192.0.2.1:5060>"
    assert ringing.to_tag == leg.local_tag
    assert leg.state is LegState.EARLY
    solo.accept(leg, sdp=OTHER_SDP, headers=[("X-More", "1")])
    ok = solo.said
    assert (ok.status, ok.body, ok.to_tag, ok.get("X-More")) == (200, OTHER_SDP, ringing.to_tag, "1")
    assert ok.all("Record-Route") == ringing.all("Record-Route") == ["<sip:192.0.2.20;lr>", "<sip:192.0.2.21;lr>"]
    assert ok.has_option("Allow", "UPDATE")
    caller.learns()
    caller.acks()
    assert solo.take(Confirmed) == (leg, None)
    assert ends(solo, caller)


@pytest.mark.parametrize("flow", [PEER, STREAM], ids=["udp", "tcp"])
def test_a_2xx_is_repeated_up_to_every_4_s_on_any_transport_and_hung_up_without_an_ack(flow: Flow) -> None:
    solo = Solo(flow=flow)
    _, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    solo.wait(31.99)
    assert [sent.at for sent in solo.responses(200)] == REPEATS
    assert solo.of("BYE") == []
    solo.wait(0.01)
    solo.hear(reply(solo.last, 200))
    assert solo.take(Ended).by == "lost"
    assert solo.ua.counters["2xx never acknowledged"] == 1
    assert solo.is_spent()


def test_the_ack_stops_the_repetitions_of_a_2xx_and_is_told_once() -> None:
    solo = Solo()
    caller, _ = answered(solo)
    caller.acks()
    assert solo.ua.counters["stray ACK"] == 1
    solo.wait(40)
    assert len(solo.responses(200)) == 1
    assert ends(solo, caller)


def test_an_ack_with_another_cseq_or_tag_is_not_the_acknowledgement() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    caller.learns()
    caller.acks(cseq=7)
    caller.acks(tag="stranger")
    assert not [event for event in solo.events if isinstance(event, Confirmed)]
    caller.acks()
    solo.take(Confirmed)
    assert ends(solo, caller)


def test_an_invite_without_sdp_is_answered_by_an_offer_whose_answer_comes_in_the_ack() -> None:
    solo = Solo()
    caller, leg = rings(solo, body=b"")
    solo.accept(leg, sdp=SDP)
    caller.learns()
    caller.acks(body=OTHER_SDP)
    assert solo.take(Confirmed).sdp == OTHER_SDP
    assert leg.remote_sdp == OTHER_SDP
    assert ends(solo, caller)


def test_the_callees_bye_waits_for_the_ack() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    caller.learns()
    solo.bye(leg, "Q.850;cause=16")
    solo.wait(3)
    assert solo.of("BYE") == []
    caller.acks()
    assert solo.last.get("Reason") == "Q.850;cause=16"
    solo.hear(reply(solo.last, 200))
    solo.take(Confirmed)
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_the_callees_bye_goes_out_when_the_ack_never_comes() -> None:
    solo = Solo()
    _, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    solo.bye(leg, "why")
    solo.wait(32)
    assert solo.moments("BYE") == [32.0]
    assert solo.last.get("Reason") == "why"
    solo.hear(reply(solo.last, 200))
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_a_bye_that_overtakes_the_ack_ends_the_call() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    caller.learns()
    assert ends(solo, caller)


def test_refuse_sends_the_failure_with_its_headers_and_phrase() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.refuse(leg, 503, reason="Busy", headers=[("Retry-After", "7")])
    assert (solo.said.status, solo.said.reason, solo.said.get("Retry-After")) == (503, "Busy", "7")
    caller.learns()
    caller.says("ACK", cseq=1, branch="z9hG4bKcallcaller1")
    solo.refuse(leg, 486)
    solo.accept(leg)
    solo.provisional(leg, 180)
    assert len(solo.sent) == 1
    assert solo.is_spent()


def test_a_bye_to_an_unanswered_call_of_a_peer_refuses_it() -> None:
    solo = Solo()
    _, leg = rings(solo)
    solo.bye(leg)
    assert solo.said.status == 480
    assert solo.is_spent()


def test_an_invite_that_is_forgotten_hears_nothing_however_often_it_comes() -> None:
    solo = Solo()
    caller = Caller(solo)
    invite = caller.write("INVITE")
    solo.hear(invite)
    leg = solo.take(Incoming).leg
    solo.provisional(leg, 180)
    solo.forget(leg)
    for _ in range(10):
        solo.wait(3)
        assert solo.hear(invite) == []
    assert solo.is_spent()


def test_a_second_2xx_with_another_tag_is_a_call_of_its_own() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    caller.learns()
    other = solo.do(lambda ua, now: ua.fork(leg, now, sdp=SDP))
    forked = Caller(solo)
    forked.cseq, forked.branch = 1, 50
    forked.learns()
    assert forked.to != caller.to
    assert solo.said.body == SDP
    solo.wait(0.5)
    assert len(solo.responses(200)) == 4
    caller.acks()
    forked.acks()
    solo.events.clear()
    forked.says("BYE")
    assert solo.take(Ended).leg is other
    assert ends(solo, caller)


def test_cancel_ends_a_ringing_invite_by_487_and_is_itself_answered() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.provisional(leg, 180)
    ringing = solo.said
    told = solo.hear(caller.write("CANCEL", cseq=1, branch="z9hG4bKcallcaller1", contact=""))
    assert [(sent.message.status, sent.message.cseq_method) for sent in told] == [(200, "CANCEL"), (487, "INVITE")]
    assert {sent.message.to_tag for sent in told} == {ringing.to_tag}
    assert solo.take(Cancelled).leg is leg
    assert leg.state is LegState.ENDED
    caller.learns()
    caller.says("ACK", cseq=1, branch="z9hG4bKcallcaller1")
    told = solo.hear(caller.write("CANCEL", cseq=1, branch="z9hG4bKcallcaller1"))
    assert [sent.message.status for sent in told] == [200]
    assert solo.is_spent()


def test_cancel_after_the_answer_changes_nothing() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    caller.learns()
    told = solo.hear(caller.write("CANCEL", cseq=1, branch="z9hG4bKcallcaller1"))
    assert [(sent.message.status, sent.message.cseq_method) for sent in told] == [(200, "CANCEL")]
    caller.acks()
    solo.take(Confirmed)
    assert ends(solo, caller)


def test_cancel_of_what_is_unknown_gets_481() -> None:
    solo = Solo()
    response = Caller(solo).says("CANCEL", cseq=1)
    assert response is not None
    assert response.status == 481
    assert solo.is_spent(0)


def test_a_reinvite_is_offered_and_accepted_with_the_peers_new_contact() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    caller.says("INVITE", body=OTHER_SDP, contact="<sip:moved@192.0.2.11:5070>")
    offered = solo.take(Offered)
    assert offered[:2] == (leg, OTHER_SDP)
    assert solo.do(lambda ua, _now: ua.request_of(leg)) is offered.request
    solo.accept(leg, sdp=SDP)
    assert solo.said.status == 200
    caller.acks()
    solo.take(Confirmed)
    assert (leg.target, str(leg.flow)) == ("sip:moved@192.0.2.11:5070", "udp:192.0.2.11:5070")
    assert ends(solo, caller)


def test_a_refused_reinvite_changes_neither_the_call_nor_the_contact() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    caller.says("INVITE", body=OTHER_SDP, contact="<sip:moved@192.0.2.11:5070>", branch="z9hG4bKre")
    solo.take(Offered)
    solo.refuse(leg, 488)
    caller.says("ACK", cseq=2, branch="z9hG4bKre")
    assert leg.target == "sip:caller@192.0.2.10:5060"
    assert ends(solo, caller)


def test_a_reinvite_that_is_cancelled_gets_487_and_the_call_goes_on() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    caller.says("INVITE", body=OTHER_SDP, branch="z9hG4bKre")
    solo.take(Offered)
    solo.hear(caller.write("CANCEL", cseq=2, branch="z9hG4bKre"))
    assert solo.take(Cancelled).leg is leg
    caller.says("ACK", cseq=2, branch="z9hG4bKre")
    assert leg.state is LegState.CONFIRMED
    assert ends(solo, caller)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_what_waits_when_the_call_ends_gets_487(method: str) -> None:
    for by in ("remote", "local"):
        solo = Solo()
        caller, leg = answered(solo)
        caller.says(method, body=OTHER_SDP)
        solo.take(Offered)
        if by == "remote":
            caller.says("BYE")
        else:
            solo.bye(leg)
            solo.hear(reply(solo.last, 200))
        (told,) = solo.responses(487)
        assert told.message.cseq_method == method
        assert solo.take(Ended).by == by
        assert solo.is_spent()


def test_a_reinvite_whose_ack_never_comes_ends_the_call() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    caller.says("INVITE", body=OTHER_SDP)
    solo.take(Offered)
    solo.accept(leg, sdp=SDP)
    solo.wait(32)
    solo.hear(reply(solo.last, 200))
    assert solo.take(Ended).by == "lost"
    assert solo.is_spent()


def test_the_callers_bye_does_not_wait_for_the_ack_of_its_2xx_to_a_reinvite() -> None:
    solo = Solo()
    leg = solo.calls()
    peer = Caller(solo, tag="peer")
    peer.to = leg.local
    peer.says("INVITE", body=OTHER_SDP)
    solo.take(Offered)
    solo.accept(leg, sdp=SDP)
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_connection_that_breaks_leaves_an_answered_call_up_which_is_reached_by_its_contact() -> None:
    solo = Solo(flow=STREAM._replace(port=40_000))
    _caller, leg = answered(solo)
    solo.lose()
    assert solo.events == []
    solo.bye(leg)
    assert str(solo.sent[-1].flow) == "tcp:192.0.2.10:5060"
    solo.lose(solo.sent[-1].flow)
    assert len(solo.of("BYE")) == 2
    solo.lose(solo.sent[-1].flow)
    assert len(solo.of("BYE")) == 2
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_a_connection_that_breaks_while_it_rings_leaves_the_invite_to_its_owner() -> None:
    solo = Solo(flow=STREAM)
    _, leg = rings(solo)
    solo.provisional(leg, 180)
    solo.lose()
    assert solo.events == []
    solo.refuse(leg, 480)
    assert solo.is_spent()


def test_a_change_counts_when_it_is_accepted_and_what_comes_too_late_says_nothing() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    caller.says("INVITE", body=OTHER_SDP)
    assert solo.take(Offered).sdp == OTHER_SDP
    assert leg.remote_sdp == SDP
    solo.refuse(leg, 488)
    caller.acks()
    solo.accept(leg, sdp=OTHER_SDP)
    assert (leg.local_sdp, leg.remote_sdp) == (SDP, SDP)
    assert solo.said.status == 488
    caller.says("UPDATE", body=OTHER_SDP)
    solo.take(Offered)
    solo.accept(leg, sdp=SDP)
    assert leg.remote_sdp == OTHER_SDP
    assert ends(solo, caller)


def test_a_copy_of_an_invite_that_comes_when_its_transaction_is_forgotten_is_no_new_call() -> None:
    solo = Solo()
    caller = Caller(solo)
    data = caller.write("INVITE", body=SDP)
    solo.hear(data)
    leg = solo.take(Incoming).leg
    solo.accept(leg, sdp=SDP)
    caller.learns()
    caller.acks()
    solo.take(Confirmed)
    solo.wait(33)
    (answer,) = solo.hear(data)
    assert answer.message.status == 482
    assert solo.events == []
    assert ends(solo, caller)
