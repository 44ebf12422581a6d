"""Reliable provisional responses (RFC 3262), from both sides."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.calling import FORKS
from telephony_adapters.sip.events import Accepted, Confirmed, Ended
from telephony_adapters.sip.leg import LegState
from telephony_adapters.sip.message import Header
from tests.telephony_adapters.sip.pair import OTHER_SDP, SDP, Caller, Solo, reply
from tests.telephony_adapters.sip.test_answering import ends, rings

CAN: list[Header] = [("Supported", "timer, 100rel")]


def reliable(rseq: int | str) -> list[Header]:
    return [("Require", "100rel"), ("RSeq", str(rseq))]


def rack(solo: Solo) -> list[str | None]:
    return [request.get("RAck") for request in solo.requests("PRACK")]


# --- the caller ---------------------------------------------------------------------------------------------------


def test_reliable_responses_are_acknowledged_once_each_and_in_order() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    for rseq in (7, 7, 9, 8, 8, 9):
        solo.hear(reply(invite, 183, headers=reliable(rseq), body=SDP))
        if solo.last.method == "PRACK":
            solo.hear(reply(solo.last, 200))
    assert rack(solo) == ["7 1 INVITE", "8 1 INVITE", "9 1 INVITE"]
    assert [request.cseq for request in solo.requests("PRACK")] == [2, 3, 4]
    prack = solo.requests("PRACK")[0]
    assert (prack.uri, prack.to_tag) == ("sip:peer@192.0.2.10:5060", "peer")
    solo.hear(reply(invite, 200))
    solo.events = [event for event in solo.events if isinstance(event, Accepted)]
    assert solo.take(Accepted).sdp == SDP
    solo.hang_up(leg)
    assert solo.requests("BYE")[0].cseq == 5
    assert solo.is_spent()


def test_each_fork_counts_its_own_and_its_description_is_the_one_that_counts() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    route = [("Record-Route", "<sip:192.0.2.20;lr>")]
    solo.hear(reply(invite, 183, tag="one", headers=reliable(5), body=SDP))
    solo.hear(reply(invite, 183, tag="two", headers=[*reliable(900), *route], body=OTHER_SDP))
    assert rack(solo) == ["5 1 INVITE", "900 1 INVITE"]
    one, two = solo.requests("PRACK")
    assert (one.to_tag, one.all("Route"), two.to_tag, two.all("Route")) == ("one", [], "two", ["<sip:192.0.2.20;lr>"])
    for prack in (one, two):
        solo.hear(reply(prack, 200))
    solo.events.clear()
    solo.hear(reply(invite, 200, tag="two"))
    assert solo.take(Accepted).sdp == OTHER_SDP
    solo.hang_up(leg)
    assert solo.is_spent()


@pytest.mark.parametrize("rseq", ["0", "x", "-1", "", "99999999999", "٣"])
def test_a_reliable_response_without_a_usable_number_is_not_acknowledged(rseq: str) -> None:
    solo = Solo()
    solo.invite()
    solo.hear(reply(solo.last, 183, headers=reliable(rseq)))
    solo.hear(reply(solo.requests("INVITE")[0], 183, headers=[("RSeq", "3")]))
    assert rack(solo) == []


def test_an_unanswered_prack_does_not_end_the_call() -> None:
    solo = Solo()
    leg = solo.invite()
    solo.hear(reply(solo.last, 183, headers=reliable(1)))
    solo.wait(33)
    assert leg.state is LegState.EARLY
    solo.cancel(leg)
    solo.hear(reply(solo.requests("INVITE")[0], 487))
    solo.events.clear()
    assert solo.is_spent()


# --- the callee ---------------------------------------------------------------------------------------------------


def pracks(solo: Solo, caller: Caller, rseq: str | None, *, cseq: int = 1, body: bytes = b"") -> int:
    told = solo.hear(caller.write("PRACK", headers=[("RAck", f"{rseq} {cseq} INVITE")], body=body))
    return int(told[0].message.status)


def test_a_reliable_response_is_repeated_with_doubled_intervals_until_its_prack() -> None:
    solo = Solo()
    caller, leg = rings(solo, headers=CAN)
    solo.provisional(leg, 183, sdp=SDP, reliable=True)
    caller.learns()
    assert solo.said.has_option("Require", "100rel")
    rseq = solo.said.get("RSeq")
    solo.wait(20)
    assert [sent.at for sent in solo.responses(183)] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5]
    assert pracks(solo, caller, "1") == 481
    assert pracks(solo, caller, rseq, cseq=2) == 481
    assert pracks(solo, caller, rseq) == 200
    assert pracks(solo, caller, rseq) == 481
    solo.wait(40)
    assert len(solo.responses(183)) == 6
    solo.refuse(leg, 486)
    solo.wait(33)
    assert solo.is_spent()


def test_without_a_prack_the_invite_fails_with_504_and_the_owner_is_told() -> None:
    solo = Solo()
    _, leg = rings(solo, headers=CAN)
    solo.provisional(leg, 180, reliable=True)
    solo.wait(31.99)
    assert solo.responses(504) == []
    solo.wait(0.01)
    assert solo.responses(504)[0].at == 32.0
    assert solo.take(Ended)[:2] == (leg, "lost")
    assert solo.is_spent()


def test_a_second_reliable_response_waits_for_the_prack_of_the_first() -> None:
    solo = Solo()
    caller, leg = rings(solo, headers=CAN)
    solo.provisional(leg, 183, sdp=SDP, reliable=True)
    caller.learns()
    first = solo.said.get("RSeq") or ""
    solo.provisional(leg, 180, reliable=True)
    solo.provisional(leg, 182, reliable=True)
    assert solo.responses(180) == []
    assert pracks(solo, caller, first) == 200
    assert solo.said.get("RSeq") == str(int(first) + 1)
    assert solo.responses(182) == []
    assert pracks(solo, caller, str(int(first) + 1)) == 200
    assert solo.said.get("RSeq") == str(int(first) + 2)
    solo.refuse(leg, 486)
    assert solo.is_spent()


def test_the_2xx_waits_for_the_prack_of_a_description() -> None:
    solo = Solo()
    caller, leg = rings(solo, headers=CAN)
    solo.provisional(leg, 183, sdp=SDP, reliable=True)
    caller.learns()
    rseq = solo.said.get("RSeq")
    solo.accept(leg)
    solo.wait(2)
    assert solo.responses(200) == []
    assert pracks(solo, caller, rseq) == 200
    ok = solo.said
    assert (ok.status, ok.cseq_method) == (200, "INVITE")
    caller.acks(cseq=1)
    solo.take(Confirmed)
    assert ends(solo, caller)


def test_a_call_that_is_hung_up_before_that_prack_is_ended_by_bye_after_the_ack() -> None:
    solo = Solo()
    caller, leg = rings(solo, headers=CAN)
    solo.provisional(leg, 183, sdp=SDP, reliable=True)
    caller.learns()
    rseq = solo.said.get("RSeq")
    solo.accept(leg)
    solo.bye(leg)
    assert pracks(solo, caller, rseq) == 200
    caller.acks(cseq=1)
    assert solo.last.method == "BYE"
    solo.hear(reply(solo.last, 200))
    solo.take(Confirmed)
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_the_2xx_does_not_wait_for_the_prack_of_a_response_without_a_description() -> None:
    solo = Solo()
    caller, leg = rings(solo, headers=CAN)
    solo.provisional(leg, 180, reliable=True)
    caller.learns()
    rseq = solo.said.get("RSeq")
    solo.accept(leg, sdp=SDP)
    assert solo.said.status == 200
    assert pracks(solo, caller, rseq) == 481
    caller.acks(cseq=1)
    solo.take(Confirmed)
    assert ends(solo, caller)


def test_a_caller_that_requires_it_gets_every_provisional_response_but_100_reliably() -> None:
    solo = Solo()
    _, leg = rings(solo, headers=[("Require", "100rel")])
    solo.provisional(leg, 100)
    assert solo.said.get("RSeq") is None
    solo.provisional(leg, 180)
    assert solo.said.get("RSeq") is not None


def test_a_caller_that_cannot_gets_plain_provisional_responses() -> None:
    solo = Solo()
    _, leg = rings(solo)
    solo.provisional(leg, 183, sdp=SDP, reliable=True)
    assert (solo.said.get("RSeq"), solo.said.body) == (None, SDP)
    solo.wait(60)
    assert len(solo.responses(183)) == 1


def test_a_prack_brings_the_answer_to_an_offer_and_a_second_offer_gets_488() -> None:
    for offers, expected in ((False, 200), (True, 488)):
        solo = Solo()
        caller, leg = rings(solo, headers=CAN, body=SDP if offers else b"")
        solo.provisional(leg, 183, sdp=SDP, reliable=True)
        caller.learns()
        assert pracks(solo, caller, solo.said.get("RSeq"), body=OTHER_SDP) == expected
        assert leg.remote_sdp == (SDP if offers else OTHER_SDP)
        solo.wait(40)
        assert len(solo.responses(183)) == 1


def test_early_dialogs_are_remembered_up_to_a_bound() -> None:
    solo = Solo()
    leg = solo.invite()
    invite = solo.last
    for number in range(FORKS + 40):
        solo.hear(reply(invite, 183, tag=f"fork{number}", headers=reliable(1)))
    assert len(leg.early) == len({request.to_tag for request in solo.requests("PRACK")}) == FORKS
