from __future__ import annotations

import pytest

from simulator.wire.impair import Weather
from simulator.wire.network import Network, Sent
from telephony_adapters.sip.flow import Flow, Send

HERE = Flow("udp", "192.0.2.1", 5060)
THERE = Flow("udp", "192.0.2.2", 5060)
STREAM_HERE = Flow("tcp", "192.0.2.1", 5060)
STREAM_THERE = Flow("tcp", "192.0.2.2", 5060)


class Echo:
    """Send back what comes, and what was planned at its time; remember everything."""

    def __init__(self, *, answers: bool = True) -> None:
        self.log: list[tuple[float, str, bytes]] = []
        self.plan: list[tuple[float, Flow, bytes]] = []
        self._answers = answers
        self._sends: list[Send] = []

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.log.append((now, "got", data))
        if self._answers:
            self._sends.append(Send(flow, b"re:" + data))

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        self.log.append((now, why, str(flow).encode()))

    def handle_timer(self, now: float) -> None:
        while self.plan and self.plan[0][0] <= now:
            _, flow, data = self.plan.pop(0)
            self._sends.append(Send(flow, data))

    def next_timer(self) -> float | None:
        return self.plan[0][0] if self.plan else None

    def take_sends(self) -> list[Send]:
        sends, self._sends = self._sends, []
        return sends


def pair(network: Network, *plan: tuple[float, Flow, bytes]) -> tuple[Echo, Echo]:
    one, other = Echo(answers=False), Echo()
    one.plan = list(plan)
    network.plug(HERE, one)
    network.plug(THERE, other)
    return one, other


def test_messages_travel_at_their_time_and_back() -> None:
    network = Network(latency_s=0.5, start=100.0)
    network.trace = []
    one, other = pair(network, (101.0, THERE, b"a"), (102.0, THERE, b"b"))
    network.run(101.4)
    assert (network.now, other.log) == (101.4, [])
    assert network.run_out() == 103.0
    assert other.log == [(101.5, "got", b"a"), (102.5, "got", b"b")]
    assert one.log == [(102.0, "got", b"re:a"), (103.0, "got", b"re:b")]
    assert network.trace[0] == Sent(101.0, HERE, THERE, b"a", 1)
    assert network.sent == len(network.trace) == 4


def run(seed: int) -> tuple[str, list[tuple[float, str, bytes]]]:
    network = Network(seed=seed, weather=Weather(loss=0.2, duplicate=0.2, reorder=0.2, delay_ms=5, jitter_ms=50))
    one, _ = pair(network, *((i / 100, THERE, str(i).encode()) for i in range(200)))
    network.run_out()
    return network.digest(), one.log


def test_the_same_seed_gives_the_same_trace_and_another_one_another() -> None:
    assert run(1) == run(1)
    assert run(1)[0] != run(2)[0]


def test_bad_weather_loses_doubles_and_reorders_datagrams() -> None:
    heard = [int(data.removeprefix(b"re:")) for _, _, data in run(3)[1]]
    assert len(set(heard)) < 200
    assert len(set(heard)) < len(heard)
    assert heard != sorted(heard)


def test_streams_lose_nothing_in_the_worst_weather() -> None:
    network = Network(weather=Weather(loss=1.0))
    one, other = Echo(answers=False), Echo()
    one.plan = [(1.0, STREAM_THERE, b"a")]
    network.plug(STREAM_HERE, one)
    network.plug(STREAM_THERE, other)
    network.run_out()
    assert [data for _, _, data in one.log] == [b"re:a"]


def test_each_direction_may_have_weather_of_its_own() -> None:
    network = Network()
    one, other = Echo(answers=False), Echo()
    one.plan = [(1.0, THERE, b"a")]
    network.plug(HERE, one)
    node = network.plug(THERE, other, weather=Weather(loss=1.0))
    network.run_out()
    assert (len(other.log), len(one.log), node.impairment.lost) == (1, 0, 1)


def test_a_name_on_a_certificate_does_not_change_an_address() -> None:
    network = Network()
    one, other = pair(network)
    one.plan = [(1.0, THERE._replace(server_name="carrier.invalid"), b"a")]
    network.turn(network.plug(HERE, one))
    network.run_out()
    assert len(other.log) == 1


def test_a_datagram_to_nowhere_is_lost_and_a_stream_to_nowhere_breaks() -> None:
    network = Network()
    network.trace = []
    one = Echo()
    one.plan = [(1.0, THERE, b"a"), (2.0, STREAM_THERE, b"b")]
    network.plug(STREAM_HERE, one)
    network.run_out()
    assert [(why, flow) for _, why, flow in one.log] == [("nobody listens there", b"tcp:192.0.2.2:5060")]
    assert [sent.copies for sent in network.trace] == [0, 0]


def test_a_connection_that_is_cut_is_lost_at_both_ends() -> None:
    network = Network()
    one, other = Echo(), Echo()
    network.plug(STREAM_HERE, one)
    network.plug(STREAM_THERE, other)
    network.cut(STREAM_HERE, STREAM_THERE)
    assert one.log == [(0.0, "the connection was cut", b"tcp:192.0.2.2:5060")]
    assert other.log == [(0.0, "the connection was cut", b"tcp:192.0.2.1:5060")]


def test_a_machine_that_was_taken_away_neither_hears_nor_acts() -> None:
    network = Network()
    one, other = pair(network, (1.0, THERE, b"a"), (3.0, THERE, b"b"))
    network.run(1.0)
    network.unplug(THERE)
    network.run(2.0)
    network.unplug(HERE)
    network.run_out()
    assert (one.log, other.log, network.sent) == ([], [], 1)


def test_an_owner_may_give_commands_after_each_turn_and_a_test_at_any_time() -> None:
    network = Network()
    one = Echo(answers=False)
    turns: list[float] = []
    node = network.plug(HERE, one, after_turn=turns.append)
    other = Echo()
    network.plug(THERE, other)

    def command(now: float) -> None:
        one.plan = [(now + 1.0, THERE, b"later")]
        network.turn(node)

    network.at(5.0, command)
    network.run_out()
    assert other.log[0][2] == b"later"
    assert turns[:3] == [0.0, 5.0, 6.0]


def test_a_timer_that_was_put_off_is_not_fired_early() -> None:
    network = Network()
    one = Echo(answers=False)
    one.plan = [(1.0, THERE, b"early")]
    node = network.plug(HERE, one)
    other = Echo()
    network.plug(THERE, other)
    one.plan = [(4.0, THERE, b"late")]
    network.turn(node)
    network.run_out()
    assert other.log == [(4.0005, "got", b"late")]


def test_machines_that_answer_each_other_for_ever_are_caught() -> None:
    network = Network()
    one, other = Echo(), Echo()
    one.plan = [(1.0, THERE, b"a")]
    network.plug(HERE, one)
    network.plug(THERE, other)
    with pytest.raises(RuntimeError, match="two machines answer each other for ever"):
        network.run_out(steps=1000)
