"""Pacing over several trunks: who has to wait for a trunk holds up nobody else, and nobody is lost."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import events, pace
from dialer.core.effects import BeginAttempts, LeaseLeads, Originate
from dialer.core.trunks import NO_TRUNK, TrunkLimit
from dialer.core.types import CampaignSettings, HoldReason
from statuses.lead import ErrorKind, Trigger
from statuses.outcomes import CallStatus, EndedBy
from tests.dialer.core.bench_engine import SETTINGS, START, Bench, lead

ONE, TWO = "+8471000%04d", "+8472000%04d"
FULL = TrunkLimit("one", channels=1, cps=50.0, burst=50, prefixes=("8471",))
WIDE = TrunkLimit("two", channels=50, cps=50.0, burst=50, prefixes=("8472",))


def bench(phones: list[str], *trunks: TrunkLimit, settings: CampaignSettings = SETTINGS) -> Bench:
    made = Bench(settings, leads=0, trunks=trunks)
    made.queue = [lead(n, phone=phone) for n, phone in enumerate(phones, 1)]
    return made


def placed(made: Bench) -> list[tuple[str, str]]:
    return [(call.phone[:5], call.trunk) for call in made.of(Originate)]


def test_leads_behind_one_that_waits_for_its_trunk_go_first_and_it_keeps_its_place() -> None:
    made = bench([ONE % 1, ONE % 2, TWO % 3, ONE % 4, TWO % 5], FULL, WIDE)
    made.start(agents=3)
    assert placed(made) == [("+8471", "one"), ("+8472", "two"), ("+8472", "two")]
    assert made.engine.leased_leads == (2, 4)
    assert made.engine.figures(made.now).reason is HoldReason.PACING, "three were wanted, three left"
    made.tell(events.CallEnded(made.calls[0], sip_status=486, ended_by=EndedBy.REMOTE))
    made.wait(1)
    assert [call.phone for call in made.of(Originate)][3:] == [ONE % 2]


def test_the_engine_says_that_leads_wait_for_their_trunk() -> None:
    made = bench([ONE % n for n in range(5)], FULL, WIDE)
    made.start(agents=3)
    figures = made.engine.figures(made.now)
    assert (figures.reason, figures.detail) == (
        HoldReason.TRUNK_CAPACITY, "4 leads wait for room on the trunks that serve their numbers",
    )  # fmt: skip


def test_a_lead_that_waits_for_the_rate_leaves_when_its_trunk_has_a_token() -> None:
    slow = msgspec.structs.replace(FULL, channels=9, cps=0.5, burst=1)
    made = bench([ONE % 1, ONE % 2], slow, WIDE)
    made.start(agents=2)
    assert made.engine.figures(made.now).reason is HoldReason.TRUNK_CPS
    made.wait(START + 2.75 - made.now)
    assert len(made.calls) == 2


def test_waiting_leads_do_not_fill_the_hopper_and_nobody_looks_more_often_for_them() -> None:
    made = bench([ONE % n for n in range(300)] + [TWO % n for n in range(9)], FULL, WIDE)
    made.start(agents=2)
    made.wait(60)
    assert ("+8472", "two") in placed(made), "the leads behind 299 that wait came to their turn"
    decisions = 0
    for _ in range(100):
        due = made.engine.next_timer()
        assert due is not None
        made.wait(due - made.now)
        decisions += 1
    assert made.now - START > decisions * pace.PACE_GAP_S


def test_waiting_leads_are_held_up_to_a_bound() -> None:
    made = bench([ONE % n for n in range(3 * pace.PARKED_MOST)], FULL, WIDE)
    made.start(agents=2)
    made.wait(200)
    held = len(made.engine.leased_leads)
    assert pace.PARKED_MOST <= held <= pace.PARKED_MOST + 20
    assert sum(request.count for request in made.of(LeaseLeads)) <= held + 1 + len(made.queue)


def test_a_number_that_no_trunk_serves_is_written_down_and_never_placed() -> None:
    made = bench(["+6500000001", TWO % 1], FULL, WIDE)
    made.start(agents=1)
    (refused,) = made.of(BeginAttempts)[0].intents
    assert refused.trunk == NO_TRUNK
    record = made.settled(refused.call_id).record
    assert (record.verdict.status, record.verdict.sub_reason) == (CallStatus.FAILED, "no_route")
    assert (record.lead_trigger, record.error_kind, record.next_at) == (Trigger.ERROR, ErrorKind.CONTENT, None)
    made.wait(1)
    assert placed(made) == [("+8472", "two")]


def test_a_daily_cap_rests_the_trunk_until_it_is_over() -> None:
    made = bench([ONE % n for n in range(9)], msgspec.structs.replace(FULL, channels=9))
    made.start(agents=1)
    made.tell(events.CallEnded(made.calls[0], ended_by=EndedBy.DIALER, retry_after_s=3600.0))
    made.wait(3590)
    assert len(made.calls) == 1
    assert made.engine.figures(made.now).reason is HoldReason.TRUNK_CAPACITY
    made.wait(20)
    assert len(made.calls) == 2


def test_without_a_hotline_no_intent_can_be_made() -> None:
    made = bench([TWO % 1], WIDE, settings=msgspec.structs.replace(SETTINGS, hotlines=()))
    made.start()
    assert made.engine.figures(made.now).reason is HoldReason.NO_HOTLINE
    with pytest.raises(RuntimeError, match="without a healthy hotline"):
        pace.begin(made.engine.state, 1, made.now)


@given(
    st.lists(st.sampled_from((ONE, TWO, "+6500000%04d")), max_size=40),
    st.integers(0, 3),
    st.floats(0.2, 9.0),
    st.booleans(),
    st.lists(st.sampled_from(("busy", "answer", "wait", "rest")), max_size=30),
)
def test_no_lead_is_lost_or_begun_twice(
    phones: list[str], channels: int, cps: float, best_time: bool, script: list[str]
) -> None:
    settings = msgspec.structs.replace(SETTINGS, best_time=best_time, ratio=3.0, pacer="ratio")
    tight = msgspec.structs.replace(FULL, channels=channels, cps=cps, burst=1)
    made = bench([phone % n for n, phone in enumerate(phones)], tight, WIDE, settings=settings)
    made.start(agents=3, answers=1000)
    for what in script:
        live = [call for call in made.calls if call in made.engine.state.calls]
        if what == "busy" and live:
            made.tell(events.CallEnded(live[0], sip_status=486, ended_by=EndedBy.REMOTE))
        elif what == "answer" and live:
            made.answer(live[-1])
        elif what == "rest" and live:
            made.tell(events.CallEnded(live[0], sip_status=503))
        made.wait(0.7)
        begun = [intent for effect in made.of(BeginAttempts) for intent in effect.intents]
        everywhere = [i.lead_id for i in begun] + [*made.engine.leased_leads] + [one.lead_id for one in made.queue]
        assert sorted(everywhere) == list(range(1, len(phones) + 1))
        serving = {"+8471": "one", "+8472": "two"}
        assert all(intent.trunk == serving.get(intent.phone[:5], NO_TRUNK) for intent in begun)
        assert sum(call.intent.trunk == "one" for call in made.engine.state.calls.values()) <= channels
