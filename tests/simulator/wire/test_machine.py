from __future__ import annotations

import pytest

from simulator.profile import Burst, CarrierProfile, Fate, Outage, Shares, TrunkProfile
from simulator.wire.course import from_script
from simulator.wire.impair import Weather
from simulator.wire.ledger import Ending, Row, foreseen
from simulator.wire.phones import Heard, NoPhones
from simulator.wire.profile import Auth, Challenges, Draws, Registrar, WireProfile, load
from statuses.outcomes import CallStatus
from telephony_adapters.sip import events as sip
from telephony_adapters.sip.digest import Credentials, DigestSession
from telephony_adapters.sip.flow import Flow
from tests.simulator.wire.callers import CALLER, CARRIER, START, World
from tests.simulator.worlds import only

ANSWERS = "0959000000"
STAYS = "0959010000"


def statuses(world: World) -> list[int | None]:
    return [row.status for row in sorted(world.rows, key=lambda row: row.invited_at)]


def ask(world: World, method: str, at: float, *headers: tuple[str, str], word: str = "dialer", cseq: int = 1) -> None:
    auth = DigestSession([Credentials("dialer", word)])
    world.at(
        at, lambda now: world.ua.ask(
            now, flow=CARRIER, method=method, uri="sip:carrier.invalid", from_="<sip:dialer@carrier.invalid>",
            to="<sip:dialer@carrier.invalid>", call_id=f"{method}-ask", cseq=cseq, token=method, headers=headers,
            auth=auth,
        ),
    )  # fmt: skip


def responded(world: World) -> list[tuple[object, int]]:
    return [(event.token, event.status) for _, event in world.events if isinstance(event, sip.Responded)]


# --- chance --------------------------------------------------------------------------------------------------------


def test_a_call_meets_on_the_wire_the_fate_that_it_meets_in_process() -> None:
    """Same seed, number and attempt: same responses at the same times."""
    profile = load("vn-mobile")
    world = World(WireProfile("x", carrier=profile.carrier))
    called = {world.call(f"09000{n:05}", at=n / 10): f"+849000{n:05}" for n in range(120)}
    world.run(400.0)
    carrier = world.carrier._admission._carrier
    assert carrier is not None
    seen: dict[str, list[tuple[float, object]]] = {}
    for at, event in world.events:
        if isinstance(event, sip.Progressed | sip.Accepted | sip.Refused):
            seen.setdefault(event.leg.call_id, []).append((at, event.message and event.message.status))
    for number, (call_id, phone) in enumerate(called.items()):
        begun = number / 10
        script = carrier.script(call_id, phone=phone, hotline="", attempt_no=1, now=START + begun)
        wanted = [(begun + step.at_s, step.status) for step in from_script(script).steps]
        if wanted and wanted[-1][0] < 300.0:
            assert [status for _, status in seen[call_id]] == [status for _, status in wanted]
            assert [at for at, _ in seen[call_id]] == pytest.approx([at for at, _ in wanted], abs=0.01)


def test_the_ledger_expects_what_each_fate_means() -> None:
    """Left alone by a caller that hangs up after talking, each call comes to what its course foretells."""
    world = World(WireProfile("x", carrier=load("vn-mobile").carrier))
    world.hangs_up_after = 1.0
    for number in range(300):
        world.call(f"09000{number:05}", at=number / 5)
    world.run(1000.0)
    assert len(world.rows) == 300
    script = world.carrier._admission._carrier
    assert script is not None
    for row in world.rows:
        course = from_script(
            script.script("", phone=row.called, hotline="", attempt_no=row.attempt_no, now=row.invited_at)
        )
        late = course.late_answer and row.cancelled
        assert row.fate == course.name
        assert late or row.expected is foreseen(course), row
    assert len({row.expected for row in world.rows}) >= 7


def run(seed: int, weather: Weather) -> tuple[str, list[Row], World]:
    world = World(WireProfile("x", draws=Draws.ROWS), seed=seed, weather=weather)
    world.hangs_up_after = 6.0
    for number in range(40):
        call_id = world.call(f"09000{number:05}", at=number / 2)
        world.at(number / 2 + 30.0, world.give_up, call_id)
    world.run()
    return world.network.digest(), world.rows, world


@pytest.mark.parametrize("seed", range(12))
def test_in_bad_weather_every_call_ends_and_the_same_seed_gives_the_same_trace(seed: int) -> None:
    weather = Weather(loss=0.15, duplicate=0.1, reorder=0.1, delay_ms=20.0, jitter_ms=30.0)
    digest, rows, world = run(seed, weather)
    assert world.nothing_left()
    assert len({row.call_id for row in rows}) == len(rows) <= 40  # an INVITE may have been lost for good
    assert all(row.ended_by and row.expected for row in rows)
    assert not any(row.ghost for row in rows)
    if seed < 3:
        again = run(seed, weather)
        assert (again[0], again[1]) == (digest, rows)


# --- who is let in ---------------------------------------------------------------------------------------------------


def test_channels_and_calls_a_second_are_limited_with_503_and_retry_after() -> None:
    world = World(WireProfile("x", trunk=TrunkProfile(channels=2, retry_after_s=4.0)))
    for number in range(3):
        world.call(STAYS, at=number / 10)
    world.at(5.0, lambda now: world.ua.bye(world.events[0][1].leg, now))  # type: ignore[union-attr]
    world.call(STAYS, at=6.0)
    world.run(10.0)
    (refused,) = [event for _, event in world.events if isinstance(event, sip.Refused)]
    assert refused.message is not None
    assert (refused.status, refused.message.get("Retry-After")) == (503, "4")
    assert world.carrier.active == world.carrier.answered == 2

    paced = World(WireProfile("x", trunk=TrunkProfile(cps=5.0)))
    for number in range(20):
        paced.call(ANSWERS, at=number / 20)
    paced.run(2.0)
    assert 8 <= sum(isinstance(event, sip.Accepted) for _, event in paced.events) <= 11


def test_credentials_are_asked_for_once_and_belong_to_one_row() -> None:
    world = World(WireProfile("x", auth=Auth(challenge=Challenges.INVITE)))
    world.hangs_up_after = 1.0
    world.call(ANSWERS)
    row = world.run()
    assert (row.challenges, row.status, row.invited_at, len(world.rows)) == (1, 200, START + 0.0005, 1)
    assert world.heard() == [200, "local"]


@pytest.mark.parametrize("number", ["0955401000", "0955407500", "0959353000", "0959363000"])
def test_a_code_that_asks_for_credentials_and_takes_none_is_one_row_too(number: str) -> None:
    world = World()
    world.call(number)
    row = world.run()
    assert (len(world.rows), row.status, row.expected) == (1, int(world.heard()[-1]), CallStatus.CONGESTION)  # type: ignore[call-overload]
    assert sum(sent.data.startswith(b"INVITE") for sent in world.network.trace or []) == 2


def test_who_has_no_password_is_a_row_of_its_own_after_a_while() -> None:
    for word, challenges in ((None, 1), ("wrong", 2)):
        world = World(WireProfile("x", auth=Auth(challenge=Challenges.ALL)), word=word)
        world.call(ANSWERS)
        row = world.run()
        assert (row.fate, row.status, row.challenges) == ("challenged", 407, challenges)
        assert (row.ended_by, row.expected) == (Ending.CALLEE, CallStatus.CONGESTION)
        assert world.heard() == [407]


def test_a_call_without_a_free_phone_finds_no_circuit() -> None:
    class Taken(NoPhones):
        def open(self) -> int | None:
            return None

    world = World(phones=Taken())
    world.call(ANSWERS)
    row = world.run()
    assert (row.status, row.q850, row.expected) == (503, 34, CallStatus.CONGESTION)


def test_a_burst_refuses_a_share_of_the_calls() -> None:
    carrier = only(Fate.ANSWER, bursts=(Burst(0.0, 10.0, retry_after_s=3.0),), trying_s=0.0)
    world = World(WireProfile("x", carrier=carrier))
    world.call("0900000001", at=1.0)
    world.call("0900000002", at=11.0)
    world.run(100.0)
    assert [what for what in world.heard() if what != 100] == [503, 180, 200, "remote"]


# --- requests outside calls ------------------------------------------------------------------------------------------


def test_options_and_register_are_answered_and_challenged_where_the_profile_says() -> None:
    for challenge, word, wanted in (
        (Challenges.NEVER, "dialer", 200),
        (Challenges.ALL, "dialer", 200),
        (Challenges.ALL, "wrong", 401),
    ):
        world = World(WireProfile("x", auth=Auth(challenge=challenge)))
        ask(world, "OPTIONS", 0.0, word=word)
        ask(world, "REGISTER", 0.0, ("Contact", "<sip:dialer@192.0.2.1>;expires=120"), word=word)
        world.network.run(START + 40.0)
        assert responded(world) == [("OPTIONS", wanted), ("REGISTER", wanted)]
        bound = world.carrier.registrar.contacts("sip:dialer@carrier.invalid", START + 1.0)
        assert len(bound) == (wanted == 200)


def test_other_requests_get_what_the_rfc_says() -> None:
    world = World(WireProfile("x", registrar=Registrar(min_s=60)))
    ask(world, "MESSAGE", 0.0)
    ask(world, "REGISTER", 1.0, ("Contact", "<sip:dialer@192.0.2.1>;expires=5"))
    world.network.run(START + 40.0)
    assert responded(world) == [("MESSAGE", 405), ("REGISTER", 423)]


def test_a_request_of_an_unknown_dialog_is_told_so() -> None:
    world = World()
    stray = (
        b"BYE sip:carrier@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
        b"From: <sip:a@x>;tag=1\r\nTo: <sip:b@y>;tag=2\r\nCall-ID: nobody\r\nCSeq: 5 BYE\r\nContent-Length: 0\r\n\r\n"
    )
    world.carrier.receive(stray, CALLER, START)
    assert world.carrier.take_sends()[0].data.startswith(b"SIP/2.0 481")
    world.carrier.receive(b"\x00\xff nonsense", CALLER, START)
    assert world.carrier.counters.total() == 2


# --- what people tell it ---------------------------------------------------------------------------------------------


def test_in_an_outage_it_hears_and_says_nothing() -> None:
    world = World(WireProfile("x", outages=(Outage(0.0, 20.0),)))
    world.call(ANSWERS, at=1.0)
    world.network.run(START + 60.0)
    (at,) = [at for at, event in world.events if isinstance(event, sip.Accepted)]
    assert at == pytest.approx(32.5, abs=0.01)  # the last repetition of the INVITE
    assert world.carrier.counters["outage: not heard"] == 6


def test_an_outage_can_be_ordered_and_what_it_would_have_said_is_lost() -> None:
    world = World()
    world.call("0959013000")
    world.tell(1.0, lambda now: world.carrier.outage(5.0, now))
    world.network.run(START + 30.0)
    assert world.carrier.is_deaf(START + 5.0)
    assert not world.carrier.is_deaf(START + 6.0)
    assert world.carrier.counters["outage: not sent"] >= 2
    (at,) = [at for at, event in world.events if isinstance(event, sip.Accepted)]
    assert at > 6.0


def test_new_calls_can_be_refused_with_any_code_or_not_be_taken() -> None:
    world = World()
    world.carrier.rejects = 486
    world.call(ANSWERS, at=0.0)
    world.tell(1.0, lambda _now: setattr(world.carrier, "rejects", None))
    world.tell(1.0, lambda _now: setattr(world.carrier, "is_open", False))
    world.call(ANSWERS, at=2.0)
    world.run(5.0)
    assert statuses(world) == [486, 503]
    refusals = [event.message for _, event in world.events if isinstance(event, sip.Refused)]
    assert refusals[1] is not None
    assert refusals[1].get("Retry-After") == "30"
    assert {row.fate for row in world.rows} == {"refused"}


def test_everybody_can_be_hung_up_on() -> None:
    world = World()
    world.call(STAYS)
    world.call("0959040000")
    world.tell(5.0, world.carrier.hang_up)
    world.run(10.0)
    assert sorted(map(str, world.heard()[-2:])) == ["503", "remote"]
    assert {row.ended_by for row in world.rows} == {Ending.CALLEE}
    assert world.carrier.is_open


def test_it_ends_in_good_order_or_closes_its_books_as_they_stand() -> None:
    for bye in (True, False):
        world = World(WireProfile("x", auth=Auth(challenge=Challenges.NEVER)))
        world.call(STAYS)
        world.call("0959040000")
        if bye:
            world.tell(5.0, lambda now, world=world: world.carrier.hang_up(now, stopping=True))
            world.call(ANSWERS, at=5.5)
        world.run(6.0) if bye else world.network.run(START + 6.0)
        world.carrier.close_books(START + 6.0)
        ends = [row.ended_by for row in world.rows if row.fate != "refused"]
        assert ends == [Ending.STOPPED] * 2
        assert not any(row.ghost for row in world.rows)
        assert world.carrier.active == 0


def test_a_challenged_call_is_closed_with_the_books() -> None:
    world = World(WireProfile("x", auth=Auth(challenge=Challenges.ALL)), word=None)
    world.call(ANSWERS)
    world.network.run(START + 1.0)
    world.carrier.close_books(START + 1.0)
    assert [row.fate for row in world.rows] == ["challenged"]


def test_another_profile_holds_from_the_next_call_on() -> None:
    world = World(WireProfile("x", carrier=only(Fate.ANSWER)))
    world.call("0900000001")
    world.tell(1.0, lambda _now: world.carrier.use(WireProfile("y", carrier=only(Fate.REJECT))))
    world.call("0900000002", at=2.0)
    world.run(100.0)
    assert {row.fate for row in world.rows} == {"answer", "reject"}
    assert world.carrier.profile.title == "y"


def test_caps_can_be_changed_until_the_profile_is_taken_again() -> None:
    world = World()
    world.carrier.set_caps(channels=1)
    for number in range(2):
        world.call(STAYS, at=number / 10)
    world.run(2.0)
    assert statuses(world) == [503]
    world.carrier.set_caps(cps=1000.0)
    assert world.carrier._admission.gate.profile == TrunkProfile(channels=1, cps=1000.0)
    world.carrier.use(world.carrier.profile)
    assert world.carrier._admission.gate.profile == TrunkProfile()


def test_a_connection_that_breaks_ends_nothing_that_is_up() -> None:
    world = World()
    world.call(STAYS)
    world.network.run(START + 5.0)
    world.carrier.flow_lost(Flow("tcp", "192.0.2.1", 5060), "closed", START + 5.0)
    assert (world.carrier.active, world.carrier.answered) == (1, 1)


def test_a_callee_who_lets_it_ring_out_costs_no_more_than_it_should() -> None:
    """Nothing is kept of calls that are over: timers, legs and lines go with them."""
    carrier = CarrierProfile(shares=Shares(answer=0.5, reject=0.5), agent_hangs_up=0.0)
    world = World(WireProfile("x", carrier=carrier))
    for number in range(50):
        world.call(f"09000{number:05}", at=number / 100)
    world.run(3700.0)
    assert len(world.rows) == 50
    assert world.nothing_left()
    assert len(world.carrier._timers) == 0
    assert world.carrier.agent.transactions == 0
    assert Heard() == NoPhones().close(9)
