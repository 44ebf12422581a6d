"""Two user agents and a bad network: whatever they do, every call ends, and nothing of it is left."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.events import (
    Accepted,
    Cancelled,
    Confirmed,
    Ended,
    Incoming,
    Offered,
    Refused,
    Renegotiated,
    SipEvent,
)
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Request, Response
from telephony_adapters.sip.parse import parse_message
from tests.telephony_adapters.sip.pair import OTHER_SDP, PEER, SDP, Caller, Pair, Solo, left_over, reply

PEER_TCP = Flow("tcp", "192.0.2.9", 40_000)
CALLER = ("cancel", "bye", "reinvite", "reinvite without SDP")
CALLEE = ("ring", "ring reliably", "accept", "accept", "refuse", "bye", "reinvite", "fork", "forget")


class Step(NamedTuple):
    """What one of the two does after a while; `what` counts among what it can do."""

    wait_s: float
    who: int
    what: int
    call: int


PAUSES = st.sampled_from([0.0, 0.005, 0.03, 0.2, 1.0, 7.0, 40.0])
STEPS = st.lists(st.builds(Step, PAUSES, st.integers(0, 1), st.integers(0, 8), st.integers(0, 2)), max_size=14)
NETWORKS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32),
        "loss": st.sampled_from([0.0, 0.1, 0.3]),
        "twice": st.sampled_from([0.0, 0.3]),
        "late": st.sampled_from([0.0, 0.3]),
        "session_expires_s": st.sampled_from([0, 90]),
    }
)


class Play:
    """Three calls and their owners, who do as the script says."""

    def __init__(self, **network: Any) -> None:
        self.pair = Pair(**network)
        self.pair.react = self._react
        self.ends: Counter[tuple[int, tuple[str, str]]] = Counter()
        self.legs: tuple[list[Leg], list[Leg]] = ([], [])
        self.closed: set[tuple[str, str]] = set()
        """Callee's legs that ended by the callee's own word, of which nobody is told."""

    def run(self, steps: list[Step]) -> None:
        pair = self.pair
        for number in range(3):
            self.legs[0].append(
                pair.invite(f"call-{number}", sdp=None if number == 2 else SDP, keep_crossing=number == 1)
            )
            pair.run(0.02)
        for step in steps:
            pair.run(step.wait_s)
            legs = [leg for leg in self.legs[step.who] if leg.call_id == f"call-{step.call}"]
            if legs and legs[-1].state is not LegState.ENDED:
                self._act(step.who, legs[-1], step.what)
                pair.settle()
        pair.run(100)
        for leg in self.legs[0]:
            pair.agents[0].bye(leg, pair.now)
        for leg in self.legs[1]:
            if leg.state in {LegState.INVITED, LegState.EARLY}:
                self._act(1, leg, CALLEE.index("refuse"))
        pair.run(400)

    def _act(self, who: int, leg: Leg, what: int) -> None:
        names = CALLEE if who else CALLER
        name = names[what % len(names)]
        agent, now = self.pair.agents[who], self.pair.now
        if (
            who
            and leg.state in {LegState.INVITED, LegState.EARLY}
            and not leg.held
            and name in {"bye", "refuse", "forget"}
        ):
            self.closed.add(leg.key)
        match name:
            case "cancel":
                agent.cancel(leg, now)
            case "bye":
                agent.bye(leg, now)
            case "reinvite":
                agent.reinvite(leg, now, OTHER_SDP)
            case "reinvite without SDP":
                agent.reinvite(leg, now, None)
            case _:
                self._answer(leg, name)

    def _answer(self, leg: Leg, name: str) -> None:
        agent, now = self.pair.agents[1], self.pair.now
        match name:
            case "ring" | "ring reliably":
                agent.provisional(leg, 183, now, sdp=SDP, reliable=name != "ring")
            case "accept":
                agent.accept(leg, now, sdp=SDP)
            case "fork" if leg.accepted is not None:
                self.legs[1].append(agent.fork(leg, now))
            case "forget" if leg.key in self.closed:
                agent.forget(leg, now)
            case "refuse":
                if leg.held:
                    self.closed.add(leg.key)
                agent.refuse(leg, 486, now)
            case _:
                pass

    def _react(self, who: int, event: SipEvent) -> None:
        agent, now = self.pair.agents[who], self.pair.now
        match event:
            case Incoming(leg):
                self.legs[1].append(leg)
            case Ended(leg) | Refused(leg):
                self.ends[who, leg.key] += 1
            case Cancelled(leg) if leg.state is LegState.ENDED:
                self.ends[who, leg.key] += 1
            case Accepted(leg, needs_answer=True) | Renegotiated(leg, needs_answer=True):
                agent.answer(leg, OTHER_SDP)
            case Offered(leg):
                agent.accept(leg, now, sdp=SDP)
            case _:
                pass

    def check(self) -> None:
        """Check that all is over, was told once, and that no answered call was left alone."""
        for who in (0, 1):
            assert left_over(self.pair.agents[who]) == [0] * 8
            for leg in self.legs[who]:
                assert leg.state is LegState.ENDED
                if who and leg.key in self.closed:
                    assert self.ends[who, leg.key] <= 1
                else:
                    assert self.ends[who, leg.key] == 1, leg.key
        self._check_wire()

    def _check_wire(self) -> None:
        """Check that each 2xx that arrived was acknowledged, and that its call was hung up."""
        heard = {
            (message.call_id, message.to_tag)
            for who, message in ((who, parse_message(data)) for who, data in self.pair.heard)
            if isinstance(message, Response) and who == 0 and message.cseq_method == "INVITE"
            if 200 <= message.status < 300
        }
        said = [parse_message(data) for _at, _who, data in self.pair.wire]
        requests = [message for message in said if isinstance(message, Request)]
        acked = {(request.call_id, request.to_tag) for request in requests if request.method == "ACK"}
        byes = [request for request in requests if request.method == "BYE"]
        hung_up = {(bye.call_id, tag) for bye in byes for tag in (bye.from_tag, bye.to_tag)}
        assert heard <= acked
        assert heard <= hung_up


@settings(max_examples=120)
@given(network=NETWORKS, steps=STEPS)
def test_whatever_two_users_do_over_a_bad_network_every_call_ends_once_and_nothing_is_left(
    network: dict[str, Any], steps: list[Step]
) -> None:
    play = Play(**network)
    play.run(steps)
    play.check()


@settings(max_examples=10)
@given(network=NETWORKS, steps=STEPS)
def test_the_same_seed_and_script_give_the_same_bytes(network: dict[str, Any], steps: list[Step]) -> None:
    wires = []
    for _ in range(2):
        play = Play(**network)
        play.run(steps)
        wires.append(play.pair.wire)
    assert wires[0] == wires[1]


def test_ten_thousand_calls_leave_nothing_and_what_is_kept_meanwhile_is_bounded() -> None:
    pair = Pair(delay_s=0.001)
    caller, callee = pair.agents
    up: list[Leg] = []

    def react(who: int, event: SipEvent) -> None:
        match event:
            case Incoming(leg) if int(leg.call_id) % 3:
                callee.accept(leg, pair.now, sdp=SDP)
            case Incoming(leg):
                callee.refuse(leg, 486, pair.now)
            case Confirmed(leg):
                callee.bye(leg, pair.now)
            case Accepted(leg):
                up.append(leg)
            case _:
                pass

    pair.react = react
    most = [0] * 8
    heap = 0
    for number in range(10_000):
        pair.invite(str(number))
        pair.run(0.1)
        pair.wire.clear()
        pair.heard.clear()
        if number % 25 == 0:
            kept = [left_over(agent) for agent in pair.agents]
            most = [max(counts) for counts in zip(most, *kept, strict=True)]
            heap = max(heap, *(agent._state.timers.kept for agent in pair.agents))
    assert len(up) == 6_666
    pair.run(40)
    for agent in pair.agents:
        assert left_over(agent) == [0] * 8
        assert agent._state.timers.kept == 0
    assert most[0] < 10
    assert most[1] < 500
    assert most[2] < 800
    assert heap < 12_500
    assert caller._state._contacts.keys() == {("udp", "dialer")}


def test_over_a_connection_nearly_nothing_is_kept_after_a_call() -> None:
    pair = Pair(transport="tcp")
    pair.react = lambda who, event: (
        pair.agents[1].accept(event.leg, pair.now, sdp=SDP) if isinstance(event, Incoming) else None
    )
    leg = pair.invite("call")
    pair.run(1)
    pair.agents[0].bye(leg, pair.now)
    pair.run(1)
    assert [left_over(agent)[:3] for agent in pair.agents] == [[0, 1, 0], [0, 0, 1]]  # timers M and L
    pair.run(32)
    assert [left_over(agent) for agent in pair.agents] == [[0] * 8] * 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", None),
        (b"\r\n\r\n", None),
        (b"garbage", None),
        (b"SIP/2.0 200 OK\r\n\r\n", None),
        (Caller(Solo()).write("OPTIONS").replace(b"1 OPTIONS", b"1 INVITE"), 400),
        (Caller(Solo()).write("OPTIONS").replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1), 505),
        (Caller(Solo()).write("OPTIONS").replace(b"Content-Length: 0", b"Content-Length: 9"), 400),
        (Caller(Solo()).write("ACK").replace(b"1 ACK", b"x ACK"), None),
    ],
)
def test_what_cannot_be_read_is_counted_and_answered_where_its_sender_can_be_told(
    data: bytes, expected: int | None
) -> None:
    solo = Solo()
    told = solo.hear(data)
    assert [sent.message.status for sent in told] == ([expected] if expected else [])
    assert [count for name, count in solo.ua.counters.items() if name.startswith("unreadable: ")] == [1]
    assert left_over(solo.ua) == [0] * 8


def test_lists_whose_quotes_never_close_do_no_harm() -> None:
    solo = Solo()
    bad = [("Record-Route", '"<sip:x'), ("Supported", '"100rel, timer'), ("Allow", 'a, "UPDATE'), ("Require", '"x,')]
    told = solo.hear(Caller(solo).write("INVITE", headers=bad))
    assert [sent.message.status for sent in told] == [420]
    leg = solo.invite()
    solo.hear(reply(solo.last, 183, headers=[*bad, ("RSeq", "1")]))
    solo.hear(reply(solo.requests("INVITE")[0], 200, headers=bad, body=SDP))
    assert leg.state is LegState.CONFIRMED
    solo.hang_up(leg)
    assert solo.is_spent()


def test_a_leg_that_we_placed_is_found_by_its_call_id() -> None:
    solo = Solo()
    leg = solo.calls()
    assert solo.ua.leg("call") is leg
    assert solo.ua.leg("other") is None
    solo.hang_up(leg)
    assert solo.ua.leg("call") is None


def test_a_response_that_comes_too_late_is_counted() -> None:
    solo = Solo()
    leg = solo.calls()
    solo.hear(reply(solo.requests("INVITE")[0], 180))
    assert solo.ua.counters["late response"] == 1
    solo.hang_up(leg)


def test_a_lost_flow_is_counted_by_its_reason() -> None:
    solo = Solo()
    solo.lose(PEER)
    assert solo.ua.counters["flow lost: reset"] == 1


def test_a_stranger_who_has_a_say_in_the_words_cannot_fill_the_counters() -> None:
    solo = Solo()
    for number in range(1000):
        solo.ua.flow_lost(PEER_TCP, f"{number} is wrong", solo.now)
    counters = solo.ua.counters
    assert (len(counters), counters.total(), counters["flow lost: other"]) == (51, 1000, 950)


class Unwalked(dict[Any, Any]):
    """What is looked up in, and never gone through."""

    def values(self) -> Any:
        raise AssertionError("every one is looked at for each connection that ends")


def test_a_connection_that_nobody_uses_costs_nothing_when_it_ends() -> None:
    solo = Solo(takes_invites=False)
    solo.invite()
    state = solo.ua._state
    transactions = state.transactions
    transactions.clients, transactions.servers = Unwalked(transactions.clients), Unwalked(transactions.servers)
    state.legs = Unwalked(state.legs)
    solo.lose(PEER_TCP)
    assert not solo.events
    solo.lose()
    assert [type(event) for event in solo.events] == [Refused]
    assert not transactions._by_flow
