"""The timers of RFC 3261 section 17 at their exact moments, over UDP and over a connection."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.events import Ended, Incoming, Refused, Requested, Responded
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.transact import COARSE_S
from tests.telephony_adapters.sip.pair import PEER, STREAM, Caller, Solo, reply

UDP = pytest.param(PEER, id="udp")
TCP = pytest.param(STREAM, id="tcp")
BACKED_OFF = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
CAPPED = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def asks(solo: Solo) -> None:
    solo.do(
        lambda ua, now: ua.ask(
            now, flow=solo.flow, method="OPTIONS", uri="sip:192.0.2.10", from_="<sip:a@192.0.2.1>",
            to="<sip:192.0.2.10>", call_id="ping", cseq=1, token="ping",
        )
    )  # fmt: skip


def test_timer_a_doubles_the_interval_of_an_unanswered_invite_until_timer_b_gives_up_at_32_s() -> None:
    solo = Solo()
    solo.invite()
    solo.wait(31.99)
    assert solo.moments("INVITE") == BACKED_OFF
    assert len({sent.data for sent in solo.of("INVITE")}) == 1
    assert solo.events == []
    solo.wait(0.01)
    assert solo.take(Refused)[1:] == (408, None)
    assert solo.is_spent(0)


def test_over_a_connection_nothing_is_repeated_and_timer_b_gives_up_all_the_same() -> None:
    solo = Solo(flow=STREAM)
    solo.invite()
    solo.wait(32)
    assert solo.moments("INVITE") == [0.0]
    assert solo.take(Refused).status == 408
    assert solo.is_spent(0)


def test_a_provisional_response_stops_timers_a_and_b() -> None:
    solo = Solo()
    solo.invite()
    solo.hear(reply(solo.last, 100))
    solo.wait(300)
    assert solo.moments("INVITE") == [0.0]
    assert solo.ua.legs == 1


@pytest.mark.parametrize(("flow", "kept_s"), [pytest.param(PEER, 32.0, id="udp"), pytest.param(STREAM, 0.0, id="tcp")])
def test_timer_d_keeps_a_refused_invite_for_the_repetitions_of_its_failure(flow: Flow, kept_s: float) -> None:
    solo = Solo(flow=flow)
    solo.invite()
    refusal = reply(solo.last, 486)
    solo.hear(refusal)
    solo.take(Refused)
    assert len(solo.of("ACK")) == 1
    if kept_s:
        solo.wait(kept_s - 0.01)
        assert solo.ua.transactions == 1
        solo.hear(refusal)
        assert len(solo.of("ACK")) == 2
        solo.wait(0.01 + COARSE_S)
    assert solo.is_spent(0)


def test_the_ack_of_a_failure_bears_the_invites_branch_routes_and_cseq_and_the_responses_to() -> None:
    solo = Solo()
    solo.invite(routes=["<sip:192.0.2.20;lr>"])
    invite = solo.last
    solo.hear(reply(invite, 503, tag="busy"))
    ack = solo.last
    assert (ack.method, ack.uri, ack.cseq, ack.cseq_method) == ("ACK", invite.uri, invite.cseq, "ACK")
    assert ack.via.branch == invite.via.branch
    assert ack.to_tag == "busy"
    assert ack.all("Route") == ["<sip:192.0.2.20;lr>"]
    assert ack.body == b""


def test_timer_m_keeps_an_accepted_invite_for_32_s_also_over_a_connection() -> None:
    for flow in (PEER, STREAM):
        solo = Solo(flow=flow)
        leg = solo.invite()
        answer = reply(solo.last, 200)
        solo.hear(answer)
        solo.wait(31.9)
        solo.hear(answer)
        first, second = solo.of("ACK")
        assert first.data == second.data
        solo.events.clear()
        solo.hang_up(leg)
        assert solo.is_spent()


def test_timer_e_doubles_up_to_4_s_and_timer_f_gives_up_at_32_s() -> None:
    solo = Solo()
    asks(solo)
    solo.wait(32)
    assert solo.moments("OPTIONS") == CAPPED
    assert solo.take(Responded)[1:] == (408, None)
    assert solo.is_spent(0)


def test_after_a_provisional_response_timer_e_goes_on_every_4_s() -> None:
    solo = Solo()
    asks(solo)
    solo.wait(0.6)
    solo.hear(reply(solo.last, 100))
    solo.wait(31.4)
    assert solo.moments("OPTIONS") == [0.0, 0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]
    assert solo.take(Responded).status == 408
    assert solo.is_spent(0)


@pytest.mark.parametrize(("flow", "kept_s"), [pytest.param(PEER, 5.0, id="udp"), pytest.param(STREAM, 0.0, id="tcp")])
def test_timer_k_absorbs_repeated_responses_for_5_s(flow: Flow, kept_s: float) -> None:
    solo = Solo(flow=flow)
    asks(solo)
    answer = reply(solo.last, 200)
    solo.hear(answer)
    solo.take(Responded)
    solo.hear(answer)
    assert solo.events == []
    if kept_s:
        solo.wait(kept_s - 0.01)
        assert solo.ua.transactions == 1
        solo.wait(0.01 + COARSE_S)
    assert solo.is_spent(0)


def refused(solo: Solo) -> Caller:
    caller = Caller(solo)
    caller.says("INVITE")
    leg = solo.take(Incoming).leg
    solo.refuse(leg, 486)
    caller.learns()
    return caller


def test_timer_g_repeats_a_failure_up_to_every_4_s_until_timer_h_at_32_s() -> None:
    solo = Solo()
    refused(solo)
    solo.wait(32)
    assert [sent.at for sent in solo.responses(486)] == CAPPED
    assert solo.is_spent(0)


def test_over_a_connection_a_failure_is_sent_once_and_timer_h_still_ends_the_wait_for_its_ack() -> None:
    solo = Solo(flow=STREAM)
    refused(solo)
    solo.wait(31.99)
    assert len(solo.responses(486)) == 1
    assert solo.ua.transactions == 1
    assert solo.is_spent(0.01)


@pytest.mark.parametrize(("flow", "kept_s"), [pytest.param(PEER, 5.0, id="udp"), pytest.param(STREAM, 0.0, id="tcp")])
def test_timer_i_absorbs_repeated_acks_for_5_s(flow: Flow, kept_s: float) -> None:
    solo = Solo(flow=flow)
    caller = refused(solo)
    caller.says("ACK", cseq=1, branch="z9hG4bKcallcaller1")
    if kept_s:
        caller.says("ACK", cseq=1, branch="z9hG4bKcallcaller1")
        solo.wait(kept_s - 0.01)
        assert len(solo.responses(486)) == 1
        assert solo.ua.transactions == 1
        solo.wait(0.01 + COARSE_S)
    assert solo.is_spent(0)


@pytest.mark.parametrize(("flow", "kept_s"), [pytest.param(PEER, 32.0, id="udp"), pytest.param(STREAM, 0.0, id="tcp")])
def test_timer_j_keeps_a_response_for_repeated_requests_for_32_s(flow: Flow, kept_s: float) -> None:
    solo = Solo(flow=flow)
    caller = Caller(solo)
    ping = caller.write("OPTIONS")
    solo.hear(ping)
    transaction = solo.take(Requested).transaction
    solo.do(lambda ua, now: ua.respond(transaction, 200, now))
    if kept_s:
        solo.wait(kept_s - 0.01)
        again = solo.hear(ping)
        assert again[0].data == solo.responses(200)[0].data
        solo.wait(0.01 + COARSE_S)
    assert solo.is_spent(0)


def test_timer_l_swallows_repeated_invites_for_32_s_after_a_2xx() -> None:
    for flow in (PEER, STREAM):
        solo = Solo(flow=flow)
        caller = Caller(solo)
        invite = caller.write("INVITE")
        solo.hear(invite)
        leg = solo.take(Incoming).leg
        solo.accept(leg)
        caller.learns()
        caller.acks()
        solo.wait(31.99)
        assert solo.hear(invite) == []
        assert solo.ua.transactions == 1
        solo.wait(0.01 + COARSE_S)
        assert solo.ua.transactions == 0
        caller.says("BYE")
        solo.events.clear()
        assert solo.is_spent()


@pytest.mark.parametrize("flow", [UDP, TCP])
def test_a_request_again_gets_the_last_response_again(flow: Flow) -> None:
    solo = Solo(flow=flow)
    caller = Caller(solo)
    invite = caller.write("INVITE")
    solo.hear(invite)
    leg = solo.take(Incoming).leg
    assert solo.hear(invite) == []
    solo.provisional(leg, 180)
    assert [sent.message.status for sent in solo.hear(invite)] == [180]
    solo.refuse(leg, 486)
    assert [sent.message.status for sent in solo.hear(invite)] == [486]
    caller.learns()
    caller.says("ACK", cseq=1, branch="z9hG4bKcallcaller1")
    assert solo.hear(invite) == [] or flow is STREAM
    solo.events.clear()


def test_an_invite_gets_100_when_200_ms_have_passed_without_an_answer_and_its_timestamp_back() -> None:
    solo = Solo()
    caller = Caller(solo)
    caller.says("INVITE", headers=[("Timestamp", "54.1")])
    solo.wait(0.199)
    assert solo.sent == []
    solo.wait(0.001)
    assert (solo.said.status, solo.said.get("Timestamp")) == (100, "54.1")


def test_a_transport_error_ends_what_waits_with_503_and_a_finished_invite_silently() -> None:
    solo = Solo(flow=STREAM)
    solo.invite(call_id="trying")
    solo.invite(call_id="ringing")
    solo.hear(reply(solo.last, 180))
    up = solo.calls(call_id="up")
    asks(solo)
    solo.lose()
    assert [event[1:] for event in solo.events if isinstance(event, Refused)] == [(503, None)] * 2
    assert [event.status for event in solo.events if isinstance(event, Responded)] == [503]
    assert not [event for event in solo.events if isinstance(event, Ended)]
    solo.events.clear()
    assert solo.ua.legs == 1
    solo.hang_up(up)
    assert solo.is_spent()
