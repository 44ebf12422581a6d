"""What each scene looks like to a caller, and what the carrier's ledger says of it (docs/carrier.md)."""

from __future__ import annotations

import pytest

from simulator.wire.ledger import Ending, foreseen
from simulator.wire.numbers import entries
from simulator.wire.phones import Heard
from simulator.wire.scenes import SCENES
from simulator.wire.sounds import Sound
from statuses.outcomes import Announcement, CallStatus
from telephony_adapters.sip import events as sip
from tests.simulator.wire.callers import START, World, is_up, sdp

RINGS = [100, 180]
SEEN = {
    0: [200, "local"],
    1: [*RINGS, 200, "local"],
    2: [*RINGS, 603],
    3: [*RINGS, 480],
    5: [408],
    7: [*RINGS, 200, "remote"],
    8: [*RINGS, 200, "local"],
    9: [*RINGS, 200, "remote"],
    **{key: [100, 183, 480] for key in range(10, 17)},
    17: [*RINGS, 200, "local"],
    18: [100, 181, 200, "local"],
    21: [*RINGS, 200, "local"],
    22: [100, 302],
    23: [503],
    24: [100, 603],
    25: [*RINGS, 183, 180, 183, 200, "local"],
    26: [100, 182, 200, "local"],
    **{key: [*RINGS, 200, "local"] for key in range(30, 35)},
    35: [401],
    36: [407],
    40: [*RINGS, 200, "offered", "confirmed", "local"],
    41: [*RINGS, 200, "offered", "confirmed", "offered", "confirmed", "local"],
    **{key: [*RINGS, 200, "local"] for key in (42, 43, 44, 45, 46, 47, 52, 53)},
    50: [100, 183, 200, "local"],
    51: [*RINGS, 200, "local"],
}
"""What a caller sees that hangs up 20 s after the answer."""


@pytest.mark.parametrize("code", SEEN)
def test_a_scene_seen_by_a_patient_caller(code: int) -> None:
    world = World()
    world.hangs_up_after = 20.0
    world.call(f"0959{code:02}3000")
    row = world.run()
    assert world.heard() == SEEN[code]
    assert (row.fate, row.ghost, row.acked) == (f"scene.{code:02}", False, row.answers)
    assert world.nothing_left()


def test_every_scene_is_looked_at_here() -> None:
    assert set(SEEN) | {4, 6, 20} == set(SCENES)


@pytest.mark.parametrize(("number", "seen"), [("0959043000", [*RINGS, 487]), ("0959063000", [100, 487])])
def test_who_never_answers_can_be_cancelled(number: str, seen: list[object]) -> None:
    world = World()
    call_id = world.call(number)
    world.at(10.0, lambda now: world.ua.cancel(world.leg(call_id), now))
    row = world.run()
    assert world.heard() == seen
    assert (row.cancelled, row.status, row.ended_by) == (True, 487, Ending.CALLER)
    assert row.expected is (CallStatus.CANCEL if 180 in seen else CallStatus.NOT_AVAILABLE)


def test_a_200_crosses_the_cancel() -> None:
    world = World()
    call_id = world.call("0959203000", keep_crossing=True)
    world.at(10.0, lambda now: world.ua.cancel(world.leg(call_id), now))
    world.at(12.0, lambda now: world.ua.bye(world.leg(call_id), now))
    row = world.run()
    assert world.heard() == [*RINGS, 200, "local"]
    assert (row.cancelled, row.acked) == (True, 1)
    assert row.answered_at == pytest.approx(START + 10.0, abs=0.01)
    assert row.expected is CallStatus.BUSY_LINE


def test_who_answers_across_a_cancel_may_be_joined_to_an_agent_all_the_same() -> None:
    world = World()
    call_id = world.call("0959203000", keep_crossing=True)
    world.at(10.0, lambda now: world.ua.cancel(world.leg(call_id), now))
    world.at(10.5, lambda now: world.ua.reinvite(world.leg(call_id), now, sdp("sendrecv", port=4002)))
    world.at(12.0, lambda now: world.ua.bye(world.leg(call_id), now))
    row = world.run()
    assert (row.cancelled, row.heard, row.expected) == (True, True, CallStatus.ANSWERED)


def test_a_forked_call_answers_twice_and_both_dialogs_end() -> None:
    world = World()
    world.hangs_up_after = 5.0
    world.call("0959210000")
    row = world.run()
    assert (row.answers, row.acked, row.ended_by, row.ghost) == (2, 2, Ending.CALLER, False)
    assert world.ua.counters["ghost calls ended"] == 1


@pytest.mark.parametrize("code", [11, 12, 13, 14, 15, 16])
def test_a_recording_is_named_in_183_and_outranks_the_code(code: int) -> None:
    world = World()
    world.call(f"0959{code}1000")
    row = world.run()
    early = next(event for _, event in world.events if isinstance(event, sip.Progressed) and event.status == 183)
    assert early.sdp is not None
    assert early.message.get("X-Announcement") == row.announcement
    assert row.announcement is list(Announcement)[code - 11]
    assert (row.status, row.q850) == (480, 31)


def test_a_code_brings_its_cause_and_what_belongs_to_it() -> None:
    world = World()
    for number in ("0957603042", "0959237000", "0959240000", "0955405000"):
        world.call(number)
    world.run()
    refusals = {event.status: event.message for _, event in world.events if isinstance(event, sip.Refused)}
    assert None not in refusals.values()
    said = {status: message.get("Reason") for status, message in refusals.items() if message}
    assert said == {603: 'Q.850;cause=21;text="Network Blocked v=analytics1;"', 503: "Q.850;cause=34", 405: None}
    assert refusals[503] is not None
    assert refusals[503].get("Retry-After") == "7"
    assert refusals[405] is not None
    assert refusals[405].get("Allow")


@pytest.mark.parametrize(
    ("offer", "number", "seconds"),
    [
        (sdp("inactive"), "0959082000", 2.0),  # hears nobody
        (sdp(port=9), "0959082000", 2.0),
        (sdp("sendonly"), "0959094000", 4.0),  # hears music
        (sdp("inactive"), "0959094000", None),
        (sdp(), "0959082000", None),
    ],
)
def test_a_callee_is_as_patient_as_the_scene_says_of_what_it_hears(
    offer: bytes, number: str, seconds: float | None
) -> None:
    world = World()
    world.call(number, offer=offer)
    world.network.run(START + 60.0)
    (answered,) = [at for at, event in world.events if isinstance(event, sip.Accepted)]
    ended = [at for at, event in world.events if isinstance(event, sip.Ended)]
    assert ended == ([] if seconds is None else [pytest.approx(answered + seconds, abs=0.01)])


def test_whoever_is_joined_later_is_heard_from_then_on() -> None:
    world = World()
    call_id = world.call("0959093000", offer=sdp("inactive"))
    world.at(10.0, lambda now: world.ua.reinvite(world.leg(call_id), now, sdp()))
    row = world.run()
    ended = world.events[-1][0]
    assert ended == pytest.approx(13.0, abs=0.01)
    assert (row.heard, row.expected, row.ended_by) == (True, CallStatus.ANSWERED, Ending.CALLEE)
    assert row.ended_at == pytest.approx(START + 13.0, abs=0.01)
    (hung_up,) = [event for _, event in world.events if isinstance(event, sip.Ended)]
    assert hung_up.message is not None
    assert hung_up.message.get("Reason") == "Q.850;cause=16"


def test_nobody_ever_joined_is_an_abandoned_call() -> None:
    world = World()
    world.hangs_up_after = 3.0
    world.call("0959010000", offer=sdp("inactive"))
    assert world.run().expected is CallStatus.BUSY_LINE


def test_an_offer_of_the_callees_own_is_answered_in_the_ack() -> None:
    world = World()
    world.call("0959092000", offer=None)
    row = world.run()
    assert (row.heard, row.ended_by) == (True, Ending.CALLEE)
    accepted = next(event for _, event in world.events if isinstance(event, sip.Accepted))
    assert accepted.needs_answer


def test_an_offer_without_a_codec_in_common_is_refused() -> None:
    world = World()
    world.call("0959010000", offer=sdp(formats="18"))
    row = world.run()
    assert (row.status, row.expected) == (488, CallStatus.FAILED)


@pytest.mark.parametrize(
    ("code", "seen"), [(43, [488]), (45, [200]), (46, []), (42, ["offered", "confirmed", 200]), (1, [200])]
)
def test_a_reinvite_is_taken_as_the_scene_says(code: int, seen: list[object]) -> None:
    world = World()
    call_id = world.call(f"0959{code:02}0000")
    world.at(10.0, lambda now: world.ua.reinvite(world.leg(call_id), now, sdp(port=4002)))
    world.network.run(START + 30.0)
    assert [what for (at, _), what in zip(world.events, world.heard(), strict=True) if at >= 10.0] == seen
    assert is_up(world.leg(call_id))


def test_a_reinvite_without_an_offer_is_refused_where_the_scene_says_and_else_answered_with_one() -> None:
    for code, status in ((44, 488), (1, 200)):
        world = World()
        call_id = world.call(f"0959{code:02}0000")
        world.at(10.0, lambda now, world=world, call_id=call_id: world.ua.reinvite(world.leg(call_id), now, None))
        world.network.run(START + 12.0)
        (renegotiated,) = [event for _, event in world.events if isinstance(event, sip.Renegotiated)]
        assert renegotiated.status == status


def test_a_short_session_interval_is_refused_and_a_long_one_taken() -> None:
    for seconds, tries in ((600, 2), (1800, 1), (0, 1)):
        world = World(session_s=seconds)
        world.hangs_up_after = 1.0
        world.call("0959520000")
        row = world.run()
        invites = [sent for sent in world.network.trace or [] if sent.data.startswith(b"INVITE")]
        assert (len(invites), row.status) == (tries, 200)


def test_a_session_timer_of_the_callees_makes_the_caller_refresh() -> None:
    world = World()
    world.hangs_up_after = 100.0
    world.call("0959530000")
    assert world.run().ended_by is Ending.CALLER
    refreshes = [s for s in world.network.trace or [] if s.data.startswith((b"UPDATE", b"INVITE"))]
    assert len(refreshes) == 3  # the call, and after 45 and 90 s


def test_a_caller_that_never_acknowledges_leaves_a_ghost() -> None:
    world = World()
    world.call("0959000000")
    world.at(0.0, lambda _now: world.network.at(START + 0.0008, lambda _n: world.network.unplug(world.here.flow)))
    row = world.run()
    assert (row.answers, row.acked, row.ended_by, row.ghost) == (1, 0, Ending.LOST, True)
    assert world.carrier.active == world.carrier.agent.legs == 0


def test_a_caller_that_never_hangs_up_is_given_up_and_a_ghost() -> None:
    world = World()
    world.call("0959010000")
    row = world.run(7300.0)
    assert (row.ended_by, row.ghost) == (Ending.LOST, True)
    assert row.ended_at == pytest.approx(START + 7200.0, abs=1.0)
    assert world.nothing_left()


def test_a_caller_that_never_cancels_is_given_up_too() -> None:
    world = World()
    world.call("0959040000")
    row = world.run(7300.0)
    assert (row.status, row.ended_by, row.ghost) == (480, Ending.LOST, False)


def test_a_reliable_response_that_nobody_acknowledges_fails_the_call() -> None:
    world = World()
    world.call("0959509000")
    world.network.at(START + 0.101, lambda _now: world.network.unplug(world.here.flow))
    row = world.run()
    assert row.ended_by is Ending.LOST
    assert world.carrier.active == 0


def test_every_row_of_the_table_comes_to_its_status_all_at_once() -> None:
    """Each number that ends by itself is called, in one world; the ledger agrees with the table (statuses.md 2.4)."""
    world = World()
    world.hangs_up_after = 3.0
    wanted = {}
    for number, entry in enumerate(entries()):
        if entry.example[:6] not in {"095904", "095906", "095920"}:  # these wait for a CANCEL
            wanted[world.call(entry.example, at=number * 0.05)] = foreseen(entry.course)
    world.run()
    assert {row.call_id: row.expected for row in world.rows} == wanted
    assert len(world.rows) > 400
    assert not any(row.ghost for row in world.rows)
    assert world.nothing_left()


class Recorder:
    """Phones that write down what they are told."""

    def __init__(self) -> None:
        self.log: list[tuple[str, object]] = []

    def open(self) -> int | None:
        return 40_000

    def play(self, port: int, sound: Sound | None, *, payload_type: int, to: tuple[str, int]) -> None:
        self.log.append((str(sound), (payload_type, to)))

    def close(self, port: int) -> Heard:
        return Heard(5, 7)


@pytest.mark.parametrize(
    ("number", "sounds"),
    [
        ("0959010000", ["voice"]),
        ("0959100000", ["ringback"]),
        ("0959110000", ["recording"]),
        ("0959140000", ["beep"]),
        ("0959170000", ["beep"]),
    ],
)
def test_a_line_sounds_like_what_happens_on_it(number: str, sounds: list[str]) -> None:
    phones = Recorder()
    world = World(phones=phones)
    world.hangs_up_after = 1.0
    world.call(number)
    row = world.run()
    assert [sound for sound, _ in phones.log] == sounds
    assert phones.log[0][1] == (8, ("192.0.2.1", 4000))
    assert (row.rtp_in, row.rtp_out) == (5, 7)


def test_nothing_is_sent_to_a_caller_on_hold() -> None:
    phones = Recorder()
    world = World(phones=phones)
    call_id = world.call("0959010000")
    world.at(5.0, lambda now: world.ua.reinvite(world.leg(call_id), now, sdp("sendonly")))
    world.at(6.0, lambda now: world.ua.bye(world.leg(call_id), now))
    world.run()
    assert [sound for sound, _ in phones.log] == ["voice", "None"]
