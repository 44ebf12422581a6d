"""Requests that come in: RFC 3261 sections 8.2, 12.2.2, 14.2 and 15.1.2, RFC 3311."""

from __future__ import annotations

from typing import Any

import pytest

from telephony_adapters.sip.events import Cancelled, Ended, Incoming, Offered, Refused, Renegotiated, Requested
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.state import ALLOW
from tests.telephony_adapters.sip.pair import OTHER_SDP, SDP, Caller, Solo, left_over, reply
from tests.telephony_adapters.sip.test_answering import answered, ends, rings


def status(solo: Solo, data: bytes, flow: Flow | None = None) -> int:
    (sent,) = solo.hear(data, flow)
    return int(sent.message.status)


def peer_of(solo: Solo) -> tuple[Caller, Leg]:
    """Return the callee of a call of ours that is up."""
    leg = solo.calls()
    peer = Caller(solo, tag="peer")
    peer.to = leg.local
    return peer, leg


@pytest.mark.parametrize(
    ("more", "expected", "header"),
    [
        ({"headers": [("Require", "100rel, nonsense")]}, 420, ("Unsupported", "nonsense")),
        ({"body": b"x", "headers": [("Content-Type", "text/plain")]}, 415, ("Accept", "application/sdp")),
        ({"body": SDP, "headers": [("Content-Encoding", "gzip")]}, 415, ("Accept-Encoding", "identity")),
        ({"uri": "tel:0900000123"}, 416, None),
        ({"headers": [("Accept", "text/plain")]}, 406, None),
        ({"contact": ""}, 400, None),
        ({"to": "<sip:dialer@192.0.2.1>;tag=unknown"}, 481, None),
    ],
)
def test_an_invite_that_cannot_be_taken_is_refused_without_state(
    more: dict[str, Any], expected: int, header: tuple[str, str] | None
) -> None:
    solo = Solo()
    caller = Caller(solo)
    invite = caller.write("INVITE", **more)
    assert status(solo, invite) == expected
    first = solo.said
    if header is not None:
        assert first.get(header[0]) == header[1]
    assert status(solo, invite) == expected
    assert solo.said.get("To") == first.get("To")
    assert left_over(solo.ua) == [0] * 8
    assert solo.ua.counters[f"answered {expected}"] == 2


def test_a_user_agent_that_takes_no_invites_answers_403_and_keeps_nothing() -> None:
    solo = Solo(takes_invites=False)
    for number in range(100):
        caller = Caller(solo, call_id=f"scan-{number}")
        assert status(solo, caller.write("INVITE", body=SDP)) == 403
        caller.learns()
        assert solo.hear(caller.write("ACK", cseq=1, branch=f"z9hG4bKscan-{number}caller1")) == []
        assert left_over(solo.ua) == [0] * 8
    assert solo.events == []


@pytest.mark.parametrize(
    ("method", "expected"),
    [("BYE", 481), ("UPDATE", 481), ("PRACK", 481), ("REGISTER", 405), ("MESSAGE", 405), ("NOSUCH", 501)],
)
def test_what_has_no_dialog_and_is_not_taken_gets_481_or_says_what_is(method: str, expected: int) -> None:
    solo = Solo()
    assert status(solo, Caller(solo).write(method)) == expected
    assert (solo.said.get("Allow") is not None) is (expected in {405, 501})
    assert left_over(solo.ua) == [0] * 8


def test_options_may_be_answered_without_keeping_anything_of_it() -> None:
    solo = Solo(answers=frozenset({"OPTIONS"}))
    for number in range(10):
        ping = Caller(solo, call_id=f"scan-{number}").write("OPTIONS", body=b"x" * 9000)
        assert status(solo, ping) == 200
        first = solo.said
        assert status(solo, ping) == 200
        assert solo.said.get("To") == first.get("To")
        assert (first.get("Allow"), first.get("Accept")) == (ALLOW, "application/sdp")
        assert first.get("Supported") == "100rel, timer"
        assert left_over(solo.ua) == [0] * 8
    assert solo.events == []


def test_an_invite_that_comes_by_a_second_way_is_a_loop() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    assert status(solo, caller.write("INVITE", cseq=1)) == 482
    solo.refuse(leg, 486)
    caller.learns()
    caller.says("ACK", cseq=1, branch="z9hG4bKcallcaller1")
    assert status(solo, caller.write("INVITE", cseq=1, to="<sip:dialer@192.0.2.1>")) == 482
    assert solo.is_spent()
    caller.to = "<sip:dialer@192.0.2.1>"
    caller.says("INVITE")
    assert solo.take(Incoming).request.cseq == 2


def test_above_max_servers_new_requests_get_503_but_calls_can_still_be_hung_up() -> None:
    solo = Solo(max_servers=1)
    caller, _ = answered(solo)
    for method in ("OPTIONS", "INVITE"):
        assert status(solo, Caller(solo, call_id=method).write(method)) == 503
        assert solo.said.get("Retry-After") == "10"
    assert solo.ua.transactions == 1
    assert ends(solo, caller)


def test_a_request_of_a_dialog_with_a_lower_cseq_gets_500() -> None:
    solo = Solo()
    caller, _ = answered(solo)
    assert status(solo, caller.write("OPTIONS", cseq=9)) == 200
    for cseq in (3, 9):
        assert status(solo, caller.write("BYE", cseq=cseq)) == 500
    caller.cseq = 9
    assert ends(solo, caller)


def test_a_request_with_a_wrong_tag_or_call_id_gets_481_and_harms_nobody() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    sent = len(solo.sent)
    for method in ("BYE", "INVITE", "UPDATE", "PRACK", "OPTIONS", "INFO"):
        assert status(solo, caller.write(method, tag="stranger")) == 481
        assert status(solo, caller.write(method, tag="")) == 481
        assert status(solo, caller.write(method, to="<sip:dialer@192.0.2.1>;tag=guess")) == 481
        assert status(solo, Caller(solo, call_id="other").write(method, to=caller.to)) == 481
    assert len(solo.sent) == sent + 24
    assert leg.state is LegState.CONFIRMED
    assert ends(solo, caller)


def test_an_unknown_method_in_a_dialog_gets_405() -> None:
    solo = Solo()
    caller, _ = answered(solo)
    assert status(solo, caller.write("INFO")) == 405
    assert solo.said.has_option("Allow", "BYE")
    assert ends(solo, caller)


def test_bye_in_an_early_dialog_ends_the_invite_by_487() -> None:
    solo = Solo()
    caller, leg = rings(solo)
    solo.provisional(leg, 180)
    caller.learns()
    told = solo.hear(caller.write("BYE"))
    assert [(sent.message.status, sent.message.cseq_method) for sent in told] == [(200, "BYE"), (487, "INVITE")]
    assert solo.take(Cancelled).leg is leg
    caller.says("ACK", cseq=1, branch="z9hG4bKcallcaller1")
    assert solo.is_spent()


def test_a_callee_that_gives_up_waiting_for_our_ack_ends_an_invite_whose_2xx_we_never_saw() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    solo.hear(reply(invite, 180))
    solo.events.clear()
    peer = Caller(solo, tag="peer")
    peer.to = leg.local
    solo.hear(peer.write("BYE"))
    assert len(solo.responses(200)) == 1
    assert len(solo.of("CANCEL")) == 1
    solo.hear(reply(solo.last, 481))
    solo.wait(33)
    solo.take(Refused)
    assert solo.is_spent()


def test_a_bye_that_crosses_ours_is_answered_and_ends_the_call_once() -> None:
    solo = Solo()
    peer, leg = peer_of(solo)
    solo.bye(leg)
    ours = solo.last
    assert status(solo, peer.write("BYE")) == 200
    assert solo.take(Ended).by == "remote"
    solo.hear(reply(ours, 481))
    assert solo.is_spent()


def test_while_our_bye_is_out_nothing_but_bye_is_taken() -> None:
    solo = Solo()
    peer, leg = peer_of(solo)
    solo.bye(leg)
    ours = solo.last
    for method in ("INVITE", "UPDATE", "OPTIONS"):
        assert status(solo, peer.write(method, body=SDP)) == 481
    solo.hear(reply(ours, 200))
    solo.take(Ended)
    assert solo.is_spent()


def test_a_reinvite_while_ours_is_out_gets_491() -> None:
    solo = Solo()
    peer, leg = peer_of(solo)
    solo.reinvite(leg, OTHER_SDP)
    ours = solo.last
    for method in ("INVITE", "UPDATE"):
        assert status(solo, peer.write(method, body=SDP, branch=f"z9hG4bK{method}")) == 491
    peer.says("ACK", cseq=1, branch="z9hG4bKINVITE")
    solo.hear(reply(ours, 200, body=SDP))
    solo.take(Renegotiated)
    assert status(solo, peer.write("BYE")) == 200
    solo.take(Ended)
    assert solo.is_spent()


def test_a_reinvite_while_the_one_before_waits_gets_500_with_retry_after() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    caller.says("INVITE", body=OTHER_SDP)
    solo.take(Offered)
    for method in ("INVITE", "UPDATE"):
        assert status(solo, caller.write(method, body=SDP, branch=f"z9hG4bK{method}")) == 500
        assert int(solo.said.get("Retry-After") or "") <= 10
    caller.says("ACK", cseq=3, branch="z9hG4bKINVITE")
    solo.accept(leg, sdp=SDP)
    caller.acks(cseq=2)
    solo.events.clear()
    assert ends(solo, caller)


def test_a_reinvite_that_overtakes_the_ack_of_the_one_before_gets_491_and_the_call_lives() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    caller.says("INVITE", body=OTHER_SDP)
    solo.take(Offered)
    solo.accept(leg, sdp=SDP)
    assert status(solo, caller.write("INVITE", body=SDP, branch="z9hG4bKnext")) == 491
    caller.says("ACK", cseq=3, branch="z9hG4bKnext")
    caller.acks(cseq=2)
    solo.wait(60)
    solo.events.clear()
    assert ends(solo, caller)


def test_an_update_without_sdp_is_taken_at_once_and_moves_the_target() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    assert status(solo, caller.write("UPDATE", contact="<sip:moved@192.0.2.11:5070>")) == 200
    assert solo.said.get("Contact")
    assert leg.target == "sip:moved@192.0.2.11:5070"
    assert solo.events == []
    assert ends(solo, caller)


def test_an_update_with_an_offer_is_the_owners() -> None:
    solo = Solo()
    caller, leg = answered(solo)
    assert solo.hear(caller.write("UPDATE", body=OTHER_SDP)) == []
    assert solo.take(Offered)[:2] == (leg, OTHER_SDP)
    solo.accept(leg, sdp=SDP)
    assert (solo.said.status, solo.said.cseq_method, solo.said.body) == (200, "UPDATE", SDP)
    solo.hear(caller.write("UPDATE", body=OTHER_SDP))
    solo.take(Offered)
    solo.refuse(leg, 488)
    assert (solo.said.status, solo.said.cseq_method) == (488, "UPDATE")
    assert leg.state is LegState.CONFIRMED
    assert ends(solo, caller)


def test_an_update_in_an_early_dialog_of_our_invite_is_taken_without_an_offer_and_is_glare_with_one() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    solo.hear(reply(invite, 183, tag="one"))
    solo.hear(reply(invite, 183, tag="two"))
    solo.events.clear()
    for tag in ("one", "two"):
        peer = Caller(solo, tag=tag)
        peer.to = leg.local
        assert status(solo, peer.write("UPDATE")) == 200
        assert status(solo, peer.write("UPDATE", body=SDP)) == 491
    assert status(solo, Caller(solo, tag="three").write("UPDATE", to=leg.local)) == 481
    solo.hear(reply(invite, 200, tag="two", body=SDP))
    peer = Caller(solo, tag="two")
    peer.to, peer.branch = leg.local, 9
    assert status(solo, Caller(solo, tag="one").write("BYE", to=leg.local, cseq=9)) == 481
    assert status(solo, peer.write("BYE")) == 200
    solo.events.clear()
    assert solo.is_spent()


def test_options_in_a_dialog_says_what_we_can() -> None:
    solo = Solo()
    caller, _ = answered(solo)
    assert status(solo, caller.write("OPTIONS")) == 200
    assert solo.said.has_option("Allow", "INVITE")
    assert ends(solo, caller)


def test_a_request_outside_dialogs_is_the_owners_and_forgotten_when_nobody_answers() -> None:
    solo = Solo()
    assert solo.hear(Caller(solo).write("OPTIONS")) == []
    asked = solo.take(Requested)
    assert asked.request.method == "OPTIONS"
    solo.wait(32)
    assert left_over(solo.ua) == [0] * 8
    solo.do(lambda ua, now: ua.respond(asked.transaction, 200, now))
    assert solo.sent == []


def test_a_request_of_rfc_2543_without_a_magic_branch_is_matched_by_its_other_parts() -> None:
    solo = Solo()
    caller = Caller(solo)
    invite = caller.write("INVITE", branch="1")
    solo.hear(invite)
    leg = solo.take(Incoming).leg
    solo.provisional(leg, 180)
    assert status(solo, invite) == 180
    told = solo.hear(caller.write("CANCEL", cseq=1, branch="1"))
    assert [sent.message.status for sent in told] == [200, 487]
    caller.learns()
    caller.says("ACK", cseq=1, branch="1")
    solo.events.clear()
    assert solo.is_spent()
