from __future__ import annotations

from itertools import pairwise

import pytest

from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.sipp import Sipp, SippRun

TALK = ["INVITE", "180", "200", "ACK", "BYE", "200"]
REFUSED = "486 Busy Here"
PAIRS = {
    "answer": (scenarios.answer(), scenarios.call(), TALK),
    "early": (scenarios.answer(early=True), scenarios.call(), ["INVITE", "183", "200", "ACK", "BYE", "200"]),
    "given up": (scenarios.answer(ring_s=5), scenarios.cancel(), ["INVITE", "180", "CANCEL", "200", "487", "ACK"]),
    "change": (
        scenarios.answer(),
        scenarios.change_call(200, 200),
        ["INVITE", "180", "200", "ACK", "INVITE", "200", "ACK", "INVITE", "200", "ACK", "BYE", "200"],
    ),
    "glare": (
        scenarios.glare(),
        scenarios.change_call(491, 200),
        ["INVITE", "200", "ACK", "INVITE", "491", "ACK", "INVITE", "200", "ACK", "BYE", "200"],
    ),
    "reject": (scenarios.reject(REFUSED), scenarios.refused(486), ["INVITE", "486", "ACK"]),
    "late reject": (
        scenarios.reject("503 Down", after_s=0.1, headers=("Retry-After: 5",)),
        scenarios.refused(503),
        ["INVITE", "100", "503", "ACK"],
    ),
    "ring": (scenarios.ring(), scenarios.cancel(), ["INVITE", "180", "CANCEL", "200", "487", "ACK"]),
    "hang up": (scenarios.hang_up(), scenarios.wait(), TALK),
    "repeat": (scenarios.repeat(), scenarios.call(talk_s=0.3), ["INVITE", "200", "ACK", "200", "ACK", "BYE", "200"]),
}


def flow(run: SippRun) -> list[str]:
    """Name each message by its method or code."""
    return [line.split()[1] if line.startswith("SIP/2.0") else line.split()[0] for line in run.first_lines()]


@pytest.mark.parametrize(("callee", "caller", "messages"), PAIRS.values(), ids=PAIRS)
def test_callee_and_caller_agree_and_the_messages_are_those(
    sipp: Sipp, callee: str, caller: str, messages: list[str]
) -> None:
    uas = sipp.uas(callee)
    uac = sipp.uac(uas.address, caller)
    assert uac.wait()[:3] == (1, 1, 0), uac.errors()
    assert uas.wait()[:3] == (1, 1, 0), uas.errors()
    assert flow(uas) == messages
    assert uas.errors() == ""


def test_who_says_nothing_is_called_again_until_he_is_given_up(sipp: Sipp) -> None:
    uas = sipp.uas(scenarios.say_nothing())
    uac = sipp.uac(uas.address, scenarios.call(), options=("-max_invite_retrans", "1"))
    assert uac.wait()[:3] == (1, 0, 1)
    assert set(flow(uas)) == {"INVITE"}
    assert len(flow(uas)) == 2
    assert uas.stop().calls == 1


def test_options_are_answered(sipp: Sipp) -> None:
    uas = sipp.uas(scenarios.answer(), options=("-aa",))
    assert sipp.uac(uas.address, scenarios.options()).wait()[:3] == (1, 1, 0)


def test_headers_and_caller_id_are_sent(sipp: Sipp) -> None:
    uas = sipp.uas(scenarios.reject("503 Down", headers=("Retry-After: 5", "Reason: Q.850;cause=34")))
    uac = sipp.uac(
        uas.address, scenarios.refused(503, caller_id="0900000001", headers=("X-Call: 1",)), user="0900000002"
    )
    uac.wait()
    invite, refusal, _ = uas.messages()
    assert invite.startswith(f"INVITE sip:0900000002@{uas.address} SIP/2.0\n")
    assert "\nFrom: <sip:0900000001@" in invite
    assert "\nX-Call: 1\n" in invite
    assert "\nRetry-After: 5\nReason: Q.850;cause=34\n" in refusal


def test_a_test_can_make_up_an_order_of_its_own(sipp: Sipp) -> None:
    steps = (scenarios.respond_to_call("181 Call Is Being Forwarded"), scenarios.respond_to_call("603 Decline"))
    uas = sipp.uas(scenarios.callee(*steps, scenarios.receive("ACK")))
    expected = (scenarios.receive(181, optional=True),)
    steps_of_caller = scenarios.refused(603).split("\n<recv", 1)
    caller = "\n".join((steps_of_caller[0], *expected, f"<recv{steps_of_caller[1]}"))
    assert sipp.uac(uas.address, caller).wait().done == 1
    assert flow(uas) == ["INVITE", "181", "603", "ACK"]


def test_each_scenario_is_one_document_with_the_steps_in_their_order() -> None:
    text = scenarios.caller(scenarios.pause(0.25), scenarios.mark("here"), scenarios.receive("BYE", then="here"))
    places = [text.index(part) for part in ("<?xml", 'milliseconds="250"', 'id="here"', 'next="here"', "</scenario>")]
    assert all(one < other for one, other in pairwise(places))
