"""No ghost call remains: forks, late answers, answers from before a restart (RFC 3261 section 13.2.2.4)."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.digest import Credentials, DigestSession
from telephony_adapters.sip.events import Accepted, Ended, Progressed, Refused
from telephony_adapters.sip.flow import Flow
from tests.telephony_adapters.sip.pair import PEER, SDP, STREAM, Solo, reply


def ends_ghost(solo: Solo, tag: str, *, acks: int = 1) -> None:
    """Check that a dialog was acknowledged and hung up once."""
    mine = [request for request in solo.requests("ACK") if request.to_tag == tag]
    byes = {request.via.branch: request for request in solo.requests("BYE") if request.to_tag == tag}
    assert len(mine) == acks
    (bye,) = byes.values()
    assert bye.cseq > mine[0].cseq
    solo.hear(reply(bye, 200))


@pytest.mark.parametrize("flow", [PEER, STREAM], ids=["udp", "tcp"])
def test_a_second_2xx_of_another_fork_is_acknowledged_each_time_and_hung_up_once(flow: Flow) -> None:
    solo = Solo(flow=flow)
    leg = solo.invite()
    invite = solo.last
    solo.hear(reply(invite, 180, tag="one"))
    solo.hear(reply(invite, 180, tag="two"))
    solo.hear(reply(invite, 200, tag="one", body=SDP))
    other = reply(invite, 200, tag="two", body=SDP, contact="<sip:two@192.0.2.12:5060>")
    solo.hear(other)
    solo.hear(other)
    ends_ghost(solo, "two", acks=2)
    solo.hear(other)
    assert len([request for request in solo.requests("BYE") if request.to_tag == "two"]) == 1
    assert [event.status for event in solo.events if isinstance(event, Progressed)] == [180, 180]
    solo.events = [event for event in solo.events if not isinstance(event, Progressed)]
    assert solo.take(Accepted).leg is leg
    assert leg.remote_tag == "one"
    assert solo.ua.counters["ghost calls ended"] == 1
    solo.hang_up(leg)
    assert solo.is_spent()


def test_the_bye_of_a_fork_whose_reliable_responses_were_acknowledged_has_a_higher_cseq_than_their_pracks() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    for rseq in ("1", "2"):
        solo.hear(reply(invite, 183, tag="two", headers=[("Require", "100rel"), ("RSeq", rseq)]))
        solo.hear(reply(solo.last, 200))
    solo.events.clear()
    solo.hear(reply(invite, 200, tag="one", body=SDP))
    solo.take(Accepted)
    solo.hear(reply(invite, 200, tag="two", body=SDP))
    assert [request.cseq for request in solo.requests("PRACK")] == [2, 3]
    assert solo.requests("BYE")[0].cseq == 4
    ends_ghost(solo, "two")
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_fork_that_answers_after_timer_m_is_hung_up_and_the_call_goes_on() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    solo.hear(reply(invite, 200, tag="one", body=SDP))
    solo.wait(40)
    solo.hear(reply(invite, 200, tag="two", body=SDP))
    ends_ghost(solo, "two")
    solo.hear(reply(invite, 200, tag="one", body=SDP))
    assert solo.ua.counters["2xx after Timer M"] == 1
    solo.take(Accepted)
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_2xx_after_timer_b_is_acknowledged_and_hung_up() -> None:
    solo = Solo()
    solo.invite()
    invite = solo.last
    solo.wait(33)
    solo.take(Refused)
    solo.hear(reply(invite, 200, body=SDP))
    ends_ghost(solo, "peer")
    assert solo.is_spent()


def test_a_2xx_that_comes_when_the_cancelled_invite_was_given_up_is_hung_up() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    solo.hear(reply(invite, 180))
    solo.cancel(leg)
    solo.wait(33)
    solo.events.clear()
    solo.hear(reply(invite, 200, body=SDP))
    ends_ghost(solo, "peer")
    assert solo.is_spent()


def test_a_2xx_that_comes_after_a_restart_with_the_same_key_is_hung_up() -> None:
    before = Solo()
    before.invite(routes=["<sip:192.0.2.20;lr>"])
    answer = reply(before.last, 200, body=SDP, headers=[("Record-Route", "<sip:192.0.2.20;lr>")])
    after = Solo()
    after.hear(answer)
    after.hear(answer)
    assert after.requests("BYE")[0].all("Route") == ["<sip:192.0.2.20;lr>"]
    assert str(after.sent[0].flow) == "udp:192.0.2.20:5060"
    ends_ghost(after, "peer", acks=2)
    assert after.is_spent()


def test_a_2xx_to_an_invite_that_another_key_made_does_nothing() -> None:
    before = Solo()
    before.invite()
    after = Solo(key=b"another")
    after.hear(reply(before.last, 200, body=SDP))
    assert after.sent == []
    assert after.ua.counters["stray response"] == 1
    assert after.is_spent()


def test_a_forged_2xx_with_another_branch_or_tag_does_nothing() -> None:
    solo = Solo()
    solo.invite()
    answer = reply(solo.last, 200, body=SDP)
    tag, branch = solo.last.from_tag.encode(), solo.last.via.branch.encode()
    for forged in (
        answer.replace(branch, branch[:-1] + b"x"),
        answer.replace(branch, branch[:-1] + b"x").replace(tag, b"guessed"),
        answer.replace(b"Via: ", b"Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKmore\r\nVia: "),
        answer.replace(b"1 INVITE", b"2 INVITE").replace(branch, b"z9hG4bKguess"),
    ):
        assert solo.hear(forged) == []
    assert solo.events == []
    assert solo.ua.legs == 1
    assert solo.ua.counters["stray response"] == 4


def test_a_2xx_with_several_vias_is_not_for_us_even_if_the_topmost_is_ours() -> None:
    solo = Solo()
    solo.invite()
    answer = reply(solo.last, 200, body=SDP)
    via = b"\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKmore\r\nFrom:"
    assert solo.hear(answer.replace(b"\r\nFrom:", via)) == []
    assert (solo.events, solo.ua.legs, solo.ua.counters["stray response"]) == ([], 1, 1)
    assert [sent.message.method for sent in solo.hear(answer)] == ["ACK"]


def test_a_stray_2xx_that_says_nowhere_to_send_is_counted() -> None:
    solo = Solo()
    solo.invite()
    invite = solo.last
    solo.wait(33)
    solo.events.clear()
    sent = len(solo.sent)
    solo.hear(reply(invite, 200, contact=""))
    assert len(solo.sent) == sent
    assert solo.ua.counters["stray 2xx without Contact"] == 1


def test_the_bye_of_a_fork_answers_a_challenge_with_the_calls_credentials() -> None:
    solo = Solo()
    leg = solo.invite(auth=DigestSession([Credentials("user", "secret")]))
    invite = solo.last
    solo.hear(reply(invite, 200, tag="one", body=SDP))
    solo.hear(reply(invite, 200, tag="two", body=SDP))
    bye = solo.requests("BYE")[0]
    solo.hear(reply(bye, 407, headers=[("Proxy-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')]))
    again = solo.requests("BYE")[1]
    assert again.cseq == bye.cseq + 1
    assert 'username="user"' in (again.get("Proxy-Authorization") or "")
    solo.hear(reply(again, 200))
    solo.take(Accepted)
    solo.hang_up(leg)
    assert not [event for event in solo.events if isinstance(event, Ended)]
    assert solo.is_spent()
