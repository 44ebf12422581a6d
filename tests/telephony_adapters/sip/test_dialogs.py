"""BYE and the end of a call (RFC 3261 section 15), and the dialog that a response makes (section 12.1.2)."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.events import Accepted, Ended
from telephony_adapters.sip.leg import LegState
from tests.telephony_adapters.sip.pair import SDP, STREAM, Solo, reply


@pytest.mark.parametrize("status", [200, 202, 403, 404, 408, 481, 500, 503, 603])
def test_whatever_a_bye_is_answered_with_the_call_is_over(status: int) -> None:
    solo = Solo()
    leg = solo.calls()
    solo.bye(leg)
    assert leg.state is LegState.ENDING
    solo.hear(reply(solo.last, status))
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_a_bye_that_nobody_answers_is_repeated_for_32_s() -> None:
    solo = Solo()
    leg = solo.calls()
    solo.bye(leg)
    solo.bye(leg, "again")
    solo.wait(31.99)
    assert solo.events == []
    assert len(solo.of("BYE")) == 11
    solo.wait(0.01)
    assert solo.take(Ended)[1:] == ("local", None)
    assert solo.is_spent()


def test_a_bye_whose_connection_broke_is_sent_once_more() -> None:
    solo = Solo(flow=STREAM)
    leg = solo.calls()
    solo.bye(leg)
    solo.lose()
    first, second = solo.requests("BYE")
    assert second.cseq == first.cseq + 1
    solo.hear(reply(second, 200))
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_the_route_set_is_the_record_route_reversed_and_fixed_by_the_first_2xx() -> None:
    solo = Solo()
    leg = solo.invite(routes=["<sip:192.0.2.19;lr>"])
    invite = solo.last
    assert invite.all("Route") == ["<sip:192.0.2.19;lr>"]
    path = [("Record-Route", "<sip:192.0.2.21;lr>, <sip:192.0.2.20:5070;lr>")]
    solo.hear(reply(invite, 200, headers=path, body=SDP))
    solo.take(Accepted)
    wanted = ["<sip:192.0.2.20:5070;lr>", "<sip:192.0.2.21;lr>"]
    assert solo.last.all("Route") == wanted
    assert str(solo.sent[-1].flow) == "udp:192.0.2.20:5070"
    solo.reinvite(leg, SDP)
    solo.hear(reply(solo.last, 200, headers=[("Record-Route", "<sip:203.0.113.1;lr>")], body=SDP))
    assert solo.last.all("Route") == wanted
    solo.hang_up(leg)
    assert solo.requests("BYE")[0].all("Route") == wanted


def test_an_answer_without_contact_or_record_route_leaves_the_request_uri_and_drops_the_routes() -> None:
    solo = Solo()
    leg = solo.invite(routes=["<sip:192.0.2.19;lr>"])
    solo.hear(reply(solo.last, 200, contact="", body=SDP))
    solo.take(Accepted)
    assert (solo.last.uri, solo.last.all("Route")) == ("sip:0900000123@192.0.2.10", [])
    solo.hang_up(leg)
