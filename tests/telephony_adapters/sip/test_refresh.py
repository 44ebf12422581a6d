"""Session timers in a call (RFC 4028), as caller and as callee, as the one who refreshes and as the other."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.events import Accepted, Confirmed, Ended, Offered, Refused, Renegotiated
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Header
from tests.telephony_adapters.sip.pair import OTHER_SDP, SDP, Caller, Solo, reply
from tests.telephony_adapters.sip.test_answering import answered, ends, rings

TIMER: Header = ("Supported", "timer")


def expires(value: str) -> Header:
    return ("Session-Expires", value)


def calls(solo: Solo, *headers: Header) -> Leg:
    leg = solo.invite()
    solo.hear(reply(solo.last, 200, headers=headers, body=SDP))
    solo.take(Accepted)
    return leg


def test_an_invite_asks_for_an_interval_and_leaves_the_refresher_to_the_peer() -> None:
    solo = Solo(session_expires_s=1800, min_se_s=120)
    solo.invite()
    assert (solo.last.get("Session-Expires"), solo.last.get("Min-SE")) == ("1800", "120")
    plain = Solo()
    plain.invite()
    assert plain.last.get("Session-Expires") is None
    assert plain.last.has_option("Supported", "timer")


def test_as_refresher_we_send_an_update_at_half_the_interval_and_again_after_each_2xx() -> None:
    solo = Solo(session_expires_s=1800)
    leg = calls(solo, expires("600;refresher=uac"), ("Allow", "INVITE, UPDATE"))
    for turn in (1, 2):
        solo.wait(300)
        update = solo.last
        assert solo.moments("UPDATE") == [300.0 * number for number in range(1, turn + 1)]
        assert (update.get("Session-Expires"), update.body) == ("600;refresher=uac", b"")
        solo.hear(reply(update, 200, headers=[expires("600;refresher=uac")]))
    assert solo.events == []
    solo.hang_up(leg)
    assert solo.is_spent(2000)


def test_where_the_peer_does_not_take_update_a_reinvite_with_the_same_sdp_refreshes() -> None:
    solo = Solo(session_expires_s=1800)
    leg = calls(solo, expires("600;refresher=uac"))
    solo.wait(300)
    again = solo.last
    assert (again.method, again.body, again.get("Session-Expires")) == ("INVITE", SDP, "600;refresher=uac")
    solo.hear(reply(again, 200, headers=[expires("600;refresher=uac")], body=SDP))
    assert solo.last.method == "ACK"
    assert solo.events == []
    solo.hang_up(leg)
    assert solo.is_spent(2000)


@pytest.mark.parametrize("status", [405, 501])
def test_a_peer_that_refuses_update_is_refreshed_by_reinvite(status: int) -> None:
    solo = Solo(session_expires_s=1800)
    leg = calls(solo, expires("600;refresher=uac"), ("Allow", "UPDATE"))
    solo.wait(300)
    solo.hear(reply(solo.last, status))
    assert solo.last.method == "INVITE"
    solo.hear(reply(solo.last, 200, headers=[expires("600;refresher=uac")], body=SDP))
    solo.hang_up(leg)
    assert solo.is_spent(2000)


@pytest.mark.parametrize(("seconds", "gives_up"), [(600, 568.0), (90, 60.0)])
def test_a_peer_that_does_not_refresh_is_hung_up_32_s_or_a_third_before_the_end(seconds: int, gives_up: float) -> None:
    solo = Solo(session_expires_s=1800)
    calls(solo, expires(f"{seconds};refresher=uas"))
    solo.wait(gives_up - 0.01)
    assert solo.of("BYE") == []
    solo.wait(0.01)
    assert "408" in (solo.last.get("Reason") or "")
    solo.hear(reply(solo.last, 200))
    assert solo.take(Ended).by == "timer"
    assert solo.is_spent()


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_a_refresh_of_the_peer_keeps_the_call_up_and_the_roles(method: str) -> None:
    solo = Solo(session_expires_s=1800)
    leg = calls(solo, expires("600;refresher=uas"))
    peer = Caller(solo, tag="peer")
    peer.to = leg.local
    for _ in range(3):
        solo.wait(300)
        body = SDP if method == "INVITE" else b""
        solo.hear(peer.write(method, headers=[TIMER, expires("600;refresher=uac")], body=body))
        if method == "INVITE":
            solo.take(Offered)
            solo.accept(leg, sdp=SDP)
            peer.acks()
            solo.take(Confirmed)
        assert solo.responses(200)[-1].message.get("Session-Expires") == "600;refresher=uac"
        assert solo.responses(200)[-1].message.has_option("Require", "timer")
    assert solo.of("BYE") == []
    solo.hang_up(leg)
    assert solo.is_spent(2000)


def test_an_interval_that_the_peer_finds_too_small_is_asked_for_longer() -> None:
    solo = Solo(session_expires_s=100)
    leg = solo.invite()
    solo.hear(reply(solo.last, 422, headers=[("Min-SE", "900")]))
    again = solo.last
    assert (again.get("Session-Expires"), again.get("Min-SE"), again.cseq) == ("900", "900", 2)
    solo.hear(reply(again, 200, headers=[expires("900;refresher=uas")], body=SDP))
    solo.take(Accepted)
    solo.hang_up(leg)
    assert solo.is_spent(2000)


def test_a_peer_that_finds_every_interval_too_small_is_not_asked_for_ever() -> None:
    solo = Solo(session_expires_s=100)
    solo.invite()
    for least in range(200, 1000, 100):
        if solo.last.method != "INVITE":
            break
        solo.hear(reply(solo.last, 422, headers=[("Min-SE", str(least))]))
    else:
        pytest.fail("asked again each time")
    assert solo.take(Refused).status == 422
    assert solo.is_spent()


def test_the_refresh_answers_a_422_and_a_481_ends_the_call() -> None:
    solo = Solo(session_expires_s=600)
    calls(solo, expires("600;refresher=uac"), ("Allow", "UPDATE"))
    solo.wait(300)
    solo.hear(reply(solo.last, 422, headers=[("Min-SE", "1200")]))
    assert solo.last.get("Session-Expires") == "1200;refresher=uac"
    solo.hear(reply(solo.last, 481))
    assert solo.take(Ended).by == "lost"
    assert solo.of("BYE") == []
    assert solo.is_spent()


def test_a_refresh_that_fails_is_tried_again_until_the_session_ends() -> None:
    solo = Solo(session_expires_s=600)
    calls(solo, expires("600;refresher=uac"), ("Allow", "UPDATE"))
    solo.wait(300)
    while solo.last.method == "UPDATE":
        solo.hear(reply(solo.last, 500))
        solo.wait((568.0 - (solo.now - 1000.0)) / 2 + 0.001)
        if solo.now > 1567.99:
            break
    tries = solo.moments("UPDATE")
    assert tries[:3] == pytest.approx([300, 434, 501], abs=0.1)
    solo.wait(2)
    assert solo.moments("BYE")[0] == 568.0
    solo.hear(reply(solo.last, 200))
    assert solo.take(Ended).by == "timer"
    assert solo.is_spent()


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_a_refresh_that_nobody_answers_ends_the_call_with_a_bye(method: str) -> None:
    solo = Solo(session_expires_s=600)
    calls(solo, expires("600;refresher=uac"), ("Allow", method))
    solo.wait(300 + 32)
    assert solo.moments("BYE") == [332.0]
    solo.hear(reply(solo.last, 408))
    assert solo.take(Ended).by == "lost"
    assert solo.is_spent()


def test_a_refresh_does_not_displace_a_reinvite_that_waits() -> None:
    solo = Solo(session_expires_s=600)
    leg = calls(solo, expires("600;refresher=uac"))
    solo.wait(299)
    solo.reinvite(leg, OTHER_SDP)
    solo.hear(reply(solo.last, 491))
    solo.wait(4.01)
    bodies = [request.body for request in solo.requests("INVITE")]
    assert bodies[-1] == OTHER_SDP
    assert bodies.count(SDP) == 1
    solo.hear(reply(solo.last, 200, headers=[expires("600;refresher=uac")], body=SDP))
    assert solo.take(Renegotiated).status == 200
    solo.hang_up(leg)
    assert solo.is_spent(2000)


def test_a_2xx_without_an_interval_ends_the_session_timer() -> None:
    solo = Solo(session_expires_s=600)
    leg = calls(solo, expires("600;refresher=uac"), ("Allow", "UPDATE"))
    solo.wait(300)
    solo.hear(reply(solo.last, 200))
    solo.wait(3000)
    assert solo.of("BYE") == []
    solo.hang_up(leg)
    assert solo.is_spent()


# --- the callee ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_interval_below_ours_is_refused_by_422(method: str, is_new: bool) -> None:
    solo = Solo(min_se_s=300)
    caller = Caller(solo) if is_new else answered(solo)[0]
    if is_new and method == "UPDATE":
        return
    (told,) = solo.hear(caller.write(method, headers=[TIMER, expires("299")], body=SDP, branch="z9hG4bKsmall"))
    assert (told.message.status, told.message.get("Min-SE")) == (422, "300")
    assert solo.events == []
    if not is_new:
        caller.says("ACK", cseq=caller.cseq, branch="z9hG4bKsmall")
        assert ends(solo, caller)
    assert solo.is_spent()


def test_the_callee_grants_what_is_asked_and_gives_up_a_caller_that_does_not_refresh() -> None:
    solo = Solo(refreshes=False)
    caller, leg = rings(solo, headers=[TIMER, expires("600")])
    solo.accept(leg, sdp=SDP)
    assert solo.said.get("Session-Expires") == "600;refresher=uac"
    assert solo.said.has_option("Require", "timer")
    caller.learns()
    caller.acks()
    solo.take(Confirmed)
    solo.wait(568)
    assert solo.moments("BYE") == [568.0]
    solo.hear(reply(solo.last, 200))
    assert solo.take(Ended).by == "timer"
    assert solo.is_spent()


def test_the_callee_refreshes_where_it_is_left_to_it() -> None:
    solo = Solo()
    caller, leg = answered(solo, headers=[TIMER, expires("600"), ("Allow", "UPDATE")])
    solo.wait(300)
    update = solo.last
    assert (update.method, update.get("Session-Expires")) == ("UPDATE", "600;refresher=uac")
    assert update.to_tag == caller.tag
    solo.hear(reply(update, 200, headers=[expires("600;refresher=uac")]))
    solo.hang_up(leg)
    assert solo.is_spent(2000)


def test_a_caller_without_session_timers_gets_them_only_from_a_callee_that_wants_them() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.accept(leg, sdp=SDP)
    assert solo.said.get("Session-Expires") is None
    caller.learns()
    caller.acks()
    solo.events.clear()
    assert ends(solo, caller)
    wanting = Solo(session_expires_s=900)
    _, leg = rings(wanting)
    wanting.accept(leg, sdp=SDP)
    assert (wanting.said.get("Session-Expires") or "").endswith("refresher=uas")
