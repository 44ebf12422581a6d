"""Spoilt datagrams: nothing they hold raises, is answered twice or stays for ever (tools/fuzz_sip.py, sip_world.py)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.message import Message
from telephony_adapters.sip.parse import SipSyntax, parse_message
from telephony_adapters.sip.uri import UriError, parse_name_addr, parse_uri
from tests.plugins.figures import Figure
from tests.telephony_adapters.sip.messages import Parts, messages
from tools.fuzz_sip import Report, run
from tools.sip_mutations import Mutator
from tools.sip_world import CONNECTION, NONE, PEER, STRANGER, Amplified, World, reply

ROOT = Path(__file__).resolve().parents[3]
seeds = st.integers(0, 2**16)
flows = st.sampled_from([PEER, STRANGER, CONNECTION])


def spoilt(random: Random, world: World, times: int) -> None:
    mutator = Mutator(random.random)
    for _ in range(times):
        data = mutator.spoil(random.choice(world.templates), world.templates)
        world.feed(data, random.choice([PEER, STRANGER, CONNECTION]))


def assert_well(report: Report) -> None:
    assert (report.crashes, report.samples) == (Counter(), {})
    assert report.left == NONE


# --- a little of what `make soak` does by the million -----------------------------------------------------------------


@pytest.mark.timeout(300)
def test_p16_spoilt_datagrams_break_nothing_and_nothing_of_them_stays(figure: Figure) -> None:
    report = run(50_000, seed=7)
    assert_well(report)
    assert report.datagrams == sum(report.outcomes.values()) == 50_000
    assert report.outcomes["answered"] > 10_000
    assert report.outcomes["told"] > 1_000
    assert len(report.reasons) > 25
    assert report.most.legs < 300
    assert report.most.transactions < 2_000
    figure(f"SIP fuzz: {report.lines()[0]}; {report.lines()[2]}")


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_p16_ten_million_spoilt_datagrams(figure: Figure) -> None:
    report = run(10_000_000, seed=1)
    assert_well(report)
    assert report.rss_mb[-1] - report.rss_mb[0] < 8, "memory is flat"
    for line in report.lines():
        figure(f"SIP fuzz: {line}")


def test_the_same_seed_is_the_same_run() -> None:
    first, again = run(1_500, seed=3), run(1_500, seed=3)
    assert (first.outcomes, first.reasons, first.most) == (again.outcomes, again.reasons, again.most)
    assert run(1_500, seed=4).reasons != first.reasons


def test_a_trunk_makes_no_leg_of_anything_that_comes_in() -> None:
    random = Random(5)
    world = World(random.random, takes_invites=False)
    for _ in range(8):
        world.renew()
        spoilt(random, world, 300)
        assert all(leg.is_caller for leg in world.ua._state.legs.values())
    assert world.ua.counters["answered 403"] > 0
    assert world.drain() == NONE


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")), flows)
def test_octets_of_any_kind_are_dropped_or_refused(data: bytes, flow: Flow) -> None:
    world = World(Random(1).random)
    world.feed(data, flow)
    assert world.drain() == NONE


@settings(max_examples=25)
@given(st.lists(messages(), min_size=1, max_size=3), flows)
def test_any_well_formed_message_is_answered_once_at_most(sent: list[Parts], flow: Flow) -> None:
    world = World(Random(2).random)
    for parts in [*sent, *sent]:
        world.feed(parts.data, flow)
    assert world.drain() == NONE


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 60), seeds, flows), min_size=1, max_size=12))
def test_live_calls_survive_what_is_thrown_at_them_or_end_in_order(thrown: list[tuple[int, int, Flow]]) -> None:
    world = World(Random(3).random)
    world.renew()
    templates = world.templates
    for number, seed, flow in thrown:
        world.feed(Mutator(Random(seed).random).spoil(templates[number % len(templates)], templates), flow)
    assert world.drain() == NONE


@settings(max_examples=25)
@given(messages(), seeds)
def test_what_the_parser_lets_through_can_be_read_to_the_end(parts: Parts, seed: int) -> None:
    data = Mutator(Random(seed).random).spoil(parts.data, [parts.data])
    try:
        message = parse_message(data)
    except SipSyntax:
        return
    for name in {name for name, _ in message.headers}:
        assert message.get(name) is not None
        assert all(isinstance(value, str) for value in message.all(name))
    read_addresses(message)


def read_addresses(message: Message) -> None:
    """Read the addresses that the parser has checked; that of a Contact may be of any scheme."""
    for value in (message.get("From"), message.get("To"), *message.all("Contact")):
        if value and value != "*":
            address = parse_name_addr(value)
            try:
                parse_uri(address.uri)
            except UriError:
                continue


# --- the harness itself can fail --------------------------------------------------------------------------------------

OK = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nCSeq: 1 BYE\r\n\r\n"


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (b"ACK sip:a SIP/2.0\r\n\r\n", [OK]),
        (b"SIP/2.0 200 OK\r\n\r\n", [OK]),
        (b"BYE sip:a SIP/2.0\r\n\r\n", [OK, OK]),
        (b"BYE sip:a SIP/2.0\r\n\r\n", [OK.replace(b"x", b"x" * 10_000)]),
        (b"SIP/2.0 200 OK\r\n\r\n", [b"BYE sip:a SIP/2.0\r\n\r\n"] * 5),
    ],
    ids=["an answer to an ACK", "an answer to a response", "two answers", "a large answer", "many requests"],
)
def test_saying_too_much_is_found(heard: bytes, said: list[bytes]) -> None:
    with pytest.raises(Amplified):
        World(Random(1).random)._check(heard, [Send(PEER, data) for data in said])


def test_an_exception_is_reported_with_the_datagram_that_raised_it(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = UserAgent.receive

    def raising(agent: UserAgent, data: bytes, flow: Flow, now: float) -> None:
        if b"junk" in data:
            raise KeyError(len(data))
        receive(agent, data, flow, now)

    monkeypatch.setattr(UserAgent, "receive", raising)
    report = run(1_000, seed=1)
    assert sum(report.crashes.values()) > 0
    assert all(b"junk" in data for data in report.samples.values())
    assert any(line.startswith("CRASH") and "KeyError in test_fuzz.py" in line for line in report.lines())


def test_what_stays_for_ever_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony_adapters.sip.transact.Transactions.drop", lambda _self, _transaction: None)
    assert run(200, seed=1).left != NONE


def test_the_peer_answers_so_that_calls_come_up() -> None:
    world = World(Random(1).random)
    world.renew()
    assert world.ua.legs == 5
    options = next(data for data in world.templates if data.startswith(b"OPTIONS ") and b";tag=s" in data)
    assert parse_message(reply(options, 200)).to_tag == "peer"


# --- guided by coverage -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info >= (3, 14),
    reason="atheris, one of development's packages, is not made for it",
)
def test_the_coverage_guided_fuzzer_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.cover_sip", str(tmp_path / "found"), "-runs=300", "-seed=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "Done 300 runs" in done.stderr
