"""The caller's side: RFC 3261 sections 9, 13 and 14, RFC 3264's delayed offer."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.events import Accepted, Ended, Incoming, Progressed, Refused, Renegotiated
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Request
from tests.telephony_adapters.sip.pair import OTHER_SDP, SDP, STREAM, Caller, Solo, reply


def acked(solo: Solo) -> Request:
    return solo.requests("ACK")[-1]


def bye_of(solo: Solo) -> Request:
    """Return the only BYE that was sent."""
    sent = {request.via.branch: request for request in solo.requests("BYE")}
    assert len(sent) == 1
    return next(iter(sent.values()))


def test_an_answered_call_progresses_is_acknowledged_and_is_hung_up() -> None:
    solo = Solo()
    leg = solo.invite(headers=[("P-Asserted-Identity", "<sip:0900000001@192.0.2.1>")])
    invite = solo.last
    assert invite.get("P-Asserted-Identity") == "<sip:0900000001@192.0.2.1>"
    assert invite.get("Supported") == "100rel, timer"
    solo.hear(reply(invite, 100))
    solo.hear(reply(invite, 180))
    assert [event.status for event in solo.events if isinstance(event, Progressed)] == [100, 180]
    solo.events.clear()
    solo.hear(reply(invite, 200, body=SDP))
    accepted = solo.take(Accepted)
    assert (accepted.sdp, accepted.needs_answer, leg.state) == (SDP, False, LegState.CONFIRMED)
    ack = acked(solo)
    assert (ack.uri, ack.cseq, ack.to_tag) == ("sip:peer@192.0.2.10:5060", invite.cseq, "peer")
    assert ack.via.branch != invite.via.branch
    solo.bye(leg, "Q.850;cause=16")
    bye = bye_of(solo)
    assert (bye.cseq, bye.get("Reason")) == (invite.cseq + 1, "Q.850;cause=16")
    answer = solo.hear(reply(bye, 200))
    assert answer == []
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_a_repeated_2xx_gets_the_same_ack_again_and_is_told_once() -> None:
    solo = Solo()
    leg = solo.invite()
    answer = reply(solo.last, 200, body=SDP)
    for _ in range(3):
        solo.hear(answer)
    assert len(solo.of("ACK")) == 3
    assert len({sent.data for sent in solo.of("ACK")}) == 1
    solo.take(Accepted)
    solo.hang_up(leg)
    solo.hear(answer)
    assert len(solo.of("ACK")) == 4
    assert solo.is_spent()


def test_a_call_id_that_is_live_cannot_be_used_for_another_call() -> None:
    solo = Solo()
    solo.invite()
    with pytest.raises(ValueError, match="live already"):
        solo.invite()


def test_a_3xx_is_not_followed() -> None:
    solo = Solo()
    solo.invite()
    solo.hear(reply(solo.last, 302, contact="<sip:elsewhere@198.51.100.1>"))
    assert solo.take(Refused).status == 302
    assert len(solo.of("INVITE")) == 1
    assert solo.is_spent()


# --- CANCEL -------------------------------------------------------------------------------------------------------


def test_cancel_is_held_until_a_provisional_response_and_ends_in_487() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    solo.cancel(leg, "SIP;cause=487")
    assert solo.of("CANCEL") == []
    solo.hear(reply(invite, 100))
    cancel = solo.last
    assert (cancel.method, cancel.cseq, cancel.uri, cancel.via) == ("CANCEL", invite.cseq, invite.uri, invite.via)
    assert (cancel.get("From"), cancel.get("To"), cancel.get("Reason")) == (
        invite.get("From"), invite.get("To"), "SIP;cause=487",
    )  # fmt: skip
    solo.hear(reply(invite, 180))
    solo.hear(reply(cancel, 200))
    assert len(solo.of("CANCEL")) == 1
    assert solo.events == []
    solo.hear(reply(invite, 487))
    assert solo.take(Refused).status == 487
    assert acked(solo).via.branch == invite.via.branch
    assert solo.is_spent()


def test_a_cancelled_invite_that_nobody_ends_is_given_up_64_t1_after_the_cancel() -> None:
    solo = Solo()
    leg = solo.invite()
    solo.hear(reply(solo.last, 180))
    solo.events.clear()
    solo.wait(10)
    solo.cancel(leg)
    solo.wait(31.99)
    assert solo.events == []
    assert solo.moments("CANCEL") == [10 + at for at in (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)]
    solo.wait(0.01)
    assert solo.take(Refused).status == 408
    assert solo.is_spent(0)


def test_a_cancel_that_crosses_a_2xx_is_acknowledged_and_hung_up_at_once() -> None:
    for provisional in (True, False):
        solo = Solo()
        leg = solo.invite()
        invite = solo.last
        if provisional:
            solo.hear(reply(invite, 180))
        solo.cancel(leg, "why")
        solo.events.clear()
        solo.hear(reply(invite, 200, body=SDP))
        assert len(solo.of("ACK")) == 1
        assert bye_of(solo).get("Reason") == "why"
        assert solo.events == []
        solo.hear(reply(bye_of(solo), 200))
        assert solo.take(Ended).by == "local"
        if provisional:
            solo.hear(reply(solo.requests("CANCEL")[0], 481))
        assert solo.is_spent()


def test_a_cancel_that_crosses_a_refusal_ends_as_the_refusal_says() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    solo.hear(reply(invite, 180))
    solo.cancel(leg)
    solo.events.clear()
    solo.hear(reply(invite, 486))
    assert solo.take(Refused).status == 486
    solo.hear(reply(solo.requests("CANCEL")[0], 481))
    assert solo.is_spent()


def test_with_keep_crossing_a_2xx_that_crosses_the_cancel_is_the_owners_and_lives_like_any_other() -> None:
    solo = Solo()
    leg = solo.invite(keep_crossing=True)
    invite = solo.last
    solo.hear(reply(invite, 180))
    solo.cancel(leg)
    solo.events.clear()
    solo.hear(reply(invite, 200, body=SDP))
    solo.hear(reply(solo.requests("CANCEL")[0], 481))
    solo.take(Accepted)
    assert solo.of("BYE") == []
    solo.cancel(leg)
    solo.hear(reply(bye_of(solo), 200))
    solo.take(Ended)
    assert solo.is_spent()


def test_to_cancel_twice_or_after_the_end_does_nothing() -> None:
    solo = Solo()
    leg = solo.invite()
    solo.hear(reply(solo.last, 180))
    solo.cancel(leg)
    solo.cancel(leg)
    solo.bye(leg)
    assert len(solo.of("CANCEL")) == 1
    solo.hear(reply(solo.requests("INVITE")[0], 487))
    solo.cancel(leg)
    solo.events.clear()
    assert solo.is_spent()


def test_a_bye_to_an_unanswered_call_of_ours_is_a_cancel() -> None:
    solo = Solo()
    leg = solo.invite()
    solo.hear(reply(solo.last, 180))
    solo.bye(leg)
    assert solo.of("BYE") == []
    assert len(solo.of("CANCEL")) == 1


# --- re-INVITE ----------------------------------------------------------------------------------------------------


def changes(solo: Solo, leg: Leg, sdp: bytes | None = OTHER_SDP) -> Request:
    solo.reinvite(leg, sdp)
    return solo.last


def test_a_reinvite_changes_the_session_and_the_target() -> None:
    solo = Solo()
    leg = solo.calls()
    again = changes(solo, leg)
    assert (again.method, again.cseq, again.to_tag, again.body) == ("INVITE", 2, "peer", OTHER_SDP)
    solo.hear(reply(again, 100))
    assert solo.events == []
    solo.hear(reply(again, 200, body=OTHER_SDP, contact="<sip:moved@192.0.2.11:5070>"))
    assert solo.take(Renegotiated)[1:4] == (200, OTHER_SDP, False)
    assert (leg.local_sdp, leg.remote_sdp) == (OTHER_SDP, OTHER_SDP)
    assert acked(solo).uri == "sip:moved@192.0.2.11:5070"
    assert str(solo.sent[-1].flow) == "udp:192.0.2.11:5070"
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_reinvite_without_sdp_asks_for_an_offer_that_is_answered_in_the_ack() -> None:
    solo = Solo()
    leg = solo.calls()
    again = changes(solo, leg, None)
    assert (again.body, again.get("Supported")) == (b"", "timer")
    offer = reply(again, 200, body=OTHER_SDP)
    acks = len(solo.of("ACK"))
    solo.hear(offer)
    assert solo.take(Renegotiated)[1:] == (200, OTHER_SDP, True, None)
    solo.hear(offer)
    assert len(solo.of("ACK")) == acks
    solo.do(lambda ua, _now: ua.answer(leg, SDP))
    assert (acked(solo).body, acked(solo).cseq) == (SDP, again.cseq)
    solo.hear(offer)
    assert len(solo.of("ACK")) == acks + 2
    assert acked(solo).body == SDP
    solo.do(lambda ua, _now: ua.answer(leg, SDP))
    assert len(solo.of("ACK")) == acks + 2
    solo.hang_up(leg)
    assert solo.is_spent()


def test_an_invite_without_sdp_gets_its_answer_in_the_ack() -> None:
    solo = Solo()
    leg = solo.invite(sdp=None)
    solo.hear(reply(solo.last, 200, body=OTHER_SDP))
    assert solo.take(Accepted).needs_answer
    assert solo.of("ACK") == []
    solo.do(lambda ua, _now: ua.answer(leg, SDP))
    assert acked(solo).body == SDP
    solo.hang_up(leg)
    assert solo.is_spent()


@pytest.mark.parametrize("ends", ["local", "remote"])
def test_a_2xx_whose_offer_is_never_answered_is_acknowledged_before_the_call_ends(ends: str) -> None:
    solo = Solo()
    leg = solo.invite(sdp=None)
    answer = reply(solo.last, 200, body=OTHER_SDP)
    solo.hear(answer)
    solo.events.clear()
    if ends == "local":
        solo.bye(leg)
        assert [sent.message.cseq_method for sent in solo.sent] == ["INVITE", "ACK", "BYE"]
        solo.hear(reply(solo.last, 200))
    else:
        peer = Caller(solo, tag="peer")
        peer.says("BYE", to=f"x<sip:a@192.0.2.1>;tag={leg.local_tag}".removeprefix("x"))
        assert len(solo.of("ACK")) == 1
    assert solo.take(Ended).by == ends
    solo.hear(answer)
    assert len(solo.of("ACK")) == 2
    assert solo.is_spent()


def test_a_491_is_tried_again_after_2_1_to_4_s_by_who_made_the_call_id() -> None:
    waits = set()
    for number in range(20):
        solo = Solo()
        leg = solo.calls(call_id=f"call {number}".replace(" ", "-"))
        changes(solo, leg)
        solo.wait(1)
        solo.hear(reply(solo.last, 491))
        assert solo.events == []
        solo.wait(4.01)
        waits.add(solo.moments("INVITE")[-1] - 1)
        assert solo.last.body == OTHER_SDP
        solo.hear(reply(solo.last, 200, body=SDP))
        assert solo.take(Renegotiated).status == 200
        solo.hang_up(leg)
        assert solo.is_spent()
    assert min(waits) >= 2.1
    assert max(waits) <= 4.0
    assert len(waits) > 10


def test_a_491_is_tried_again_within_2_s_by_the_callee() -> None:
    waits = set()
    for number in range(20):
        solo = Solo()
        caller = Caller(solo, call_id=f"call-{number}")
        caller.says("INVITE", body=SDP)
        leg = solo.take(Incoming).leg
        solo.accept(leg, sdp=SDP)
        caller.learns()
        caller.acks()
        changes(solo, leg)
        solo.hear(reply(solo.last, 491))
        solo.wait(2.01)
        waits.add(solo.moments("INVITE")[-1])
        solo.hear(reply(solo.last, 200, body=SDP))
        solo.hang_up(leg)
        assert solo.is_spent()
    assert max(waits) <= 2.0
    assert len(waits) > 10


def test_glare_is_told_after_seven_491_and_the_next_reinvite_begins_afresh() -> None:
    solo = Solo()
    leg = solo.calls()
    for _round in range(2):
        before = {request.via.branch for request in solo.requests("INVITE")}
        changes(solo, leg)
        for _ in range(7):
            solo.hear(reply(solo.last, 491))
            solo.wait(4.01)
        assert solo.take(Renegotiated).status == 491
        assert len({request.via.branch for request in solo.requests("INVITE")} - before) == 7
    solo.hang_up(leg)
    assert solo.is_spent()


@pytest.mark.parametrize("status", [488, 500, 503])
def test_a_refused_reinvite_leaves_the_call_as_it_was(status: int) -> None:
    solo = Solo()
    leg = solo.calls()
    solo.hear(reply(changes(solo, leg), status))
    assert solo.take(Renegotiated).status == status
    assert leg.state is LegState.CONFIRMED
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_481_to_a_reinvite_ends_the_call_without_a_bye() -> None:
    solo = Solo()
    solo.hear(reply(changes(solo, solo.calls()), 481))
    assert solo.take(Ended).by == "lost"
    assert solo.of("BYE") == []
    assert solo.is_spent()


@pytest.mark.parametrize("is_told", [True, False], ids=["408", "Timer B"])
def test_a_408_to_a_reinvite_ends_the_call_with_a_bye(is_told: bool) -> None:
    solo = Solo()
    again = changes(solo, solo.calls())
    if is_told:
        solo.hear(reply(again, 408))
    else:
        solo.wait(32)
    solo.hear(reply(bye_of(solo), 481))
    assert solo.take(Ended).by == "lost"
    assert solo.is_spent()


def test_a_reinvite_waits_until_the_one_before_is_decided_and_the_last_one_wins() -> None:
    solo = Solo()
    leg = solo.calls()
    first = changes(solo, leg)
    changes(solo, leg, SDP)
    changes(solo, leg, SDP + b"a=sendonly\r\n")
    solo.wait(0.25)
    assert len(solo.of("INVITE")) == 2
    solo.hear(reply(first, 200, body=SDP))
    assert solo.take(Renegotiated).status == 200
    solo.wait(0.1)
    assert solo.last.body == SDP + b"a=sendonly\r\n"
    solo.hear(reply(solo.last, 200, body=SDP))
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_reinvite_that_waits_is_not_sent_after_the_bye() -> None:
    solo = Solo()
    leg = solo.calls()
    again = changes(solo, leg)
    solo.hear(reply(again, 491))
    solo.bye(leg)
    solo.wait(5)
    assert {request.cseq for request in solo.requests("INVITE")} == {1, 2}
    solo.hear(reply(bye_of(solo), 200))
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_a_2xx_to_a_reinvite_that_the_end_of_the_call_has_overtaken_is_acknowledged() -> None:
    solo = Solo()
    leg = solo.calls()
    again = changes(solo, leg)
    solo.bye(leg)
    for when in ("ending", "ended"):
        acks = len(solo.of("ACK"))
        solo.hear(reply(again, 200, body=SDP))
        assert len(solo.of("ACK")) == acks + 1, when
        if when == "ending":
            solo.hear(reply(bye_of(solo), 200))
            assert solo.take(Ended).by == "local"
    assert len(solo.of("BYE")) == 1
    assert solo.is_spent()


def test_a_connection_that_breaks_fails_a_call_that_rings_and_spares_one_that_is_up() -> None:
    solo = Solo(flow=STREAM)
    up = solo.calls(call_id="up")
    ringing = solo.invite(call_id="ringing")
    solo.hear(reply(solo.last, 180))
    solo.reinvite(up, OTHER_SDP)
    solo.events.clear()
    solo.lose()
    assert solo.take(Refused)[:2] == (ringing, 503)
    assert solo.take(Renegotiated).status == 503
    assert up.state is LegState.CONFIRMED
    solo.hang_up(up)
    assert solo.is_spent()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reinvite_that_is_answered_1xx_and_no_more_does_not_outlive_its_call(when: str) -> None:
    solo = Solo()
    leg = solo.calls()
    solo.reinvite(leg, OTHER_SDP)
    trying = reply(solo.last, 100)
    if when == "before":
        solo.hear(trying)
    solo.hang_up(leg)
    solo.hear(trying)
    assert solo.is_spent()


def test_a_reinvite_that_is_answered_1xx_and_no_more_ends_the_call_as_silence_does() -> None:
    solo = Solo()
    leg = solo.calls()
    solo.hear(reply(changes(solo, leg), 100))
    solo.wait(31)
    assert (solo.of("BYE"), solo.events) == ([], [])
    solo.wait(2)
    solo.hear(reply(bye_of(solo), 200))
    assert solo.take(Ended).by == "lost"
    assert solo.is_spent()


def test_a_reinvite_that_waits_for_another_one_does_not_wake_us_all_the_time() -> None:
    solo = Solo()
    leg = solo.calls()
    solo.hear(reply(changes(solo, leg), 100))
    changes(solo, leg, SDP)
    began = solo.now
    for _ in range(100):
        due = solo.ua.next_timer()
        assert due is not None
        solo.wait(due - solo.now + 0.001)
    assert solo.now - began > 7.0
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_change_that_is_refused_leaves_what_both_had_said() -> None:
    solo = Solo()
    leg = solo.calls()
    solo.reinvite(leg, OTHER_SDP)
    assert leg.local_sdp == OTHER_SDP
    solo.hear(reply(solo.last, 488))
    assert solo.take(Renegotiated).status == 488
    assert (leg.local_sdp, leg.remote_sdp) == (SDP, SDP)
