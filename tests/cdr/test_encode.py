from __future__ import annotations

import time
import uuid
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.encode import (
    CampaignRef,
    OutboxEvent,
    attempt_begun,
    attempt_settled,
    attempt_suppressed,
    call_record,
    disposition_set,
    lead_changed,
)
from cdr.events import AgentLeg, Announced, Cdr, Detected, Ended, Initiated, Ivr, LeadMoved, Suppressed, decode
from dialer.core.types import AttemptRecord, CampaignKind, Direction, HoldReason, OfferMade, ScriptStep, StepKind
from statuses.classify import AttemptFacts
from statuses.lead import Trigger
from statuses.outcomes import AmdResult, Announcement, CancelReason, EndedBy
from tests.cdr.samples import (
    CAMPAIGN,
    HOTLINE,
    START,
    any_attempt,
    change,
    engaged,
    intent,
    phone,
    result,
    settled,
    talk,
)


def types(events: list[OutboxEvent]) -> list[str]:
    return [event.type for event in events]


def cdr_of(event: OutboxEvent) -> Cdr:
    data = decode(event.value).data
    assert isinstance(data, Cdr)
    return data


def test_an_attempt_begins_with_call_initiated() -> None:
    event = attempt_begun(intent(7), CAMPAIGN)
    seen = decode(event.value)
    assert (event.type, event.key) == ("call.initiated", "7")
    assert seen.data == Initiated("sim", 1, 4, 10_007)
    assert (seen.event.call_id, seen.event.campaign_id, seen.event.lead_id) == ("call-000007", 3, 7)
    assert (seen.event.phone_e164, seen.event.hotline) == (phone(7), HOTLINE)
    assert (seen.event.occurred_at, seen.event.seq) == (int(START + 7) * 1_000_000, 0)
    assert (seen.event.tenant_id, seen.event.schema_version, seen.event.source) == ("default", "1.1", "dialer")


def test_a_suppressed_attempt_says_why() -> None:
    seen = decode(attempt_suppressed(intent(), HoldReason.NUMBER_CAP, START, CAMPAIGN).value)
    assert seen.event.type == "attempt.suppressed"
    assert seen.data == Suppressed("number_cap", "sim", 1)


def test_a_talk_tells_its_steps_in_order_and_the_cdr_last() -> None:
    events = attempt_settled(talk(), CAMPAIGN)
    assert types(events) == [
        "call.ringing", "call.answered", "agent.bridged", "agent.released", "call.ended", "cdr.finalized",
    ]  # fmt: skip
    seen = [decode(event.value) for event in events]
    assert [one.event.seq for one in seen] == [1, 2, 3, 4, 5, 6]
    assert [one.event.occurred_at // 1_000_000 - int(START + 1) for one in seen] == [3, 10, 11, 40, 40, 40]
    assert seen[2].data == AgentLeg("agent-07", wait_ms=1000)
    assert seen[3].data == AgentLeg("agent-07", talk_ms=29_000)
    assert seen[4].data == Ended(200, None, "remote", None, None)


def test_what_has_no_time_of_its_own_stands_where_it_was_first_possible() -> None:
    of = intent()
    facts = AttemptFacts(
        answered=True, announcement=Announcement.MAILBOX, amd=AmdResult.MACHINE, ended_by=EndedBy.DIALER
    )
    record = settled(of, facts, early_media_at=of.begun_at + 1, ringing_at=of.begun_at + 2, answered_at=of.begun_at + 5)
    events = attempt_settled(record, CAMPAIGN)
    assert types(events) == [
        "call.early_media", "call.announcement", "call.ringing", "call.answered", "amd.result", "call.ended",
        "cdr.finalized",
    ]  # fmt: skip
    assert decode(events[1].value).data == Announced("mailbox")
    assert decode(events[4].value).data == Detected("machine")


def test_a_message_is_heard_from_the_answer_on_and_nobody_waits() -> None:
    of = intent()
    facts = AttemptFacts(rang=True, answered=True, agentless=True, ivr_entered=True, ended_by=EndedBy.REMOTE)
    cdr = cdr_of(attempt_settled(settled(of, facts, answered_at=of.begun_at + 30), CAMPAIGN)[-1])
    assert (cdr.status, cdr.billsec_ms, cdr.wait_ms) == ("ivr", 10_000, 0)


def test_a_script_tells_which_keys_when_and_the_wait_for_an_agent_begins_where_it_was_asked_for() -> None:
    record = talk()
    at = record.answered_at or 0.0
    steps = (
        ScriptStep(StepKind.ENTERED, at, "hello"),
        ScriptStep(StepKind.KEY, at + 0.2, "menu", "*"),
        ScriptStep(StepKind.KEY, at + 0.3, "menu", "1"),
        ScriptStep(StepKind.LEFT, at + 0.4, "agents"),
    )
    events = attempt_settled(
        msgspec.structs.replace(record, steps=steps, queued_at=at + 0.4, queue_left_at=record.bridged_at), CAMPAIGN
    )
    assert types(events)[1:9] == [
        "call.answered", "ivr.entered", "ivr.dtmf", "ivr.dtmf", "ivr.left", "queue.joined", "queue.left",
        "agent.bridged",
    ]  # fmt: skip
    seen = decode(events[4].value)
    assert (seen.data, seen.event.occurred_at) == (Ivr("menu", "1"), round((at + 0.3) * 1e6) // 1000 * 1000)
    cdr = cdr_of(events[-1])
    assert (cdr.press_key, cdr.wait_ms) == ("*1", 600)


def test_the_cdr_of_a_talk() -> None:
    cdr = cdr_of(attempt_settled(talk(), CAMPAIGN)[-1])
    assert (cdr.version, cdr.campaign_name, cdr.app, cdr.direction) == (1, "Chăm sóc mùa thu", "autodialer", "outbound")
    assert (cdr.duration_ms, cdr.billsec_ms, cdr.waitsec_ms) == (40_000, 30_000, 10_000)
    assert (cdr.ring_ms, cdr.wait_ms, cdr.wrap_ms) == (7_000, 1_000, 0)
    assert (cdr.status, cdr.status_code, cdr.rule_id, cdr.counts) == ("answered", "A1", "answered", True)
    assert (cdr.agent_id, cdr.extension, cdr.ended_by, cdr.sip_status) == ("agent-07", "agent-07", "remote", 200)


def test_the_cdr_of_an_engaged_number() -> None:
    cdr = cdr_of(attempt_settled(engaged(), CAMPAIGN)[-1])
    assert (cdr.status, cdr.status_code, cdr.sip_status, cdr.q850) == ("busy", "B1", 486, 17)
    assert (cdr.duration_ms, cdr.billsec_ms, cdr.waitsec_ms, cdr.ring_ms) == (2_500, 0, 2_500, 0)
    assert (cdr.ringing_at, cdr.answered_at, cdr.agent_id) == (None, None, None)


@pytest.mark.parametrize(
    ("kind", "app", "direction"),
    [
        (CampaignKind.PREDICTIVE, "autodialer", "outbound"),
        (CampaignKind.PROGRESSIVE, "autodialer", "outbound"),
        (CampaignKind.RATIO, "autodialer", "outbound"),
        (CampaignKind.PREVIEW, "click_to_call", "outbound"),
        (CampaignKind.MANUAL, "dial", "outbound"),
        (CampaignKind.AUTODIALER, "autocall", "outbound"),
        (CampaignKind.INBOUND, "inbound", "outbound"),
    ],
)
def test_the_application_follows_from_the_campaign_and_the_direction_from_the_call(
    kind: CampaignKind, app: str, direction: str
) -> None:
    cdr = call_record(engaged(), CampaignRef(1, "x", kind.value))
    assert (cdr.app, cdr.direction) == (app, direction)
    theirs = msgspec.structs.replace(engaged(), direction=Direction.INBOUND)
    cdr = call_record(theirs, CampaignRef(1, "x", kind.value))
    assert (cdr.app, cdr.direction) == ("inbound", "inbound")


def _waited(of: AttemptRecord, **changes: object) -> list[tuple[str, str, str]]:
    offers = (OfferMade("a1", START + 2, "missed"), OfferMade("a2", START + 3, "accepted"))
    queued = msgspec.structs.replace(of, queued_at=START + 1, offers=offers, direction=Direction.INBOUND, **changes)
    told = [decode(event.value) for event in attempt_settled(queued, CampaignRef(1, "Hotline", "inbound"))]
    steps = [one for one in told if one.event.type in {"queue.joined", "agent.offered", "queue.left"}]
    return [
        (one.event.type, getattr(one.data, "agent_id", None) or one.data.queue, one.data.reason)  # type: ignore[union-attr]
        for one in steps
    ]


def test_the_wait_for_an_agent_is_told_with_who_was_asked_and_why_it_ended() -> None:
    joined = [("queue.joined", "Hotline", ""), ("agent.offered", "a1", "missed"), ("agent.offered", "a2", "accepted")]
    assert _waited(talk(), queue_left_at=talk().bridged_at) == [*joined, ("queue.left", "Hotline", "bridged")]
    gone = replace(engaged().facts, ended_by=EndedBy.REMOTE)
    assert _waited(engaged(), facts=gone)[-1] == ("queue.left", "Hotline", "hung_up")
    late = replace(engaged().verdict, cancel_reason=CancelReason.OVERFLOW)
    assert _waited(engaged(), verdict=late, queue_left_at=START + 4)[-1] == ("queue.left", "Hotline", "timeout")


def test_a_disposition_repeats_the_whole_cdr_as_its_second_version() -> None:
    record = talk()
    done = result(
        record,
        trigger=Trigger.CALLBACK_ASKED,
        disposition="LATER",
        note="gọi lại",
        callback_at=START + 3600,
        wrap_s=12.5,
    )
    event = disposition_set(done, record, record.ended_at + 12.5, CAMPAIGN)
    first, second = cdr_of(attempt_settled(record, CAMPAIGN)[-1]), cdr_of(event)
    assert (event.type, event.key, decode(event.value).event.seq) == ("disposition.set", "1", 7)
    assert (second.version, second.wrap_ms, second.disposition, second.note) == (2, 12_500, "LATER", "gọi lại")
    assert (second.lead_trigger, second.callback_at) == ("callback_asked", int(START + 3600) * 1_000_000)
    kept = set(Cdr.__struct_fields__) - {"version", "wrap_ms", "disposition", "note", "lead_trigger", "callback_at"}
    assert {name: getattr(first, name) for name in kept} == {name: getattr(second, name) for name in kept}


def test_a_lead_change_carries_the_lead_and_its_version() -> None:
    event = lead_changed(change(9, 4, "callback", callback_at=START + 60, attempts=2), CAMPAIGN)
    seen = decode(event.value)
    assert (event.key, seen.event.seq, seen.event.call_id) == ("9", 4, None)
    assert isinstance(seen.data, LeadMoved)
    assert (seen.data.version, seen.data.state_to, seen.data.attempts) == (4, "callback", 2)
    assert seen.data.callback_at == int(START + 60) * 1_000_000


def test_a_removed_lead_has_no_state() -> None:
    data = decode(lead_changed(change(9, 5, None), CAMPAIGN).value).data
    assert isinstance(data, LeadMoved)
    assert data.state_to is None


@given(any_attempt())
def test_encoding_again_gives_the_same_bytes_and_ids_are_version_7_of_their_moment(record: AttemptRecord) -> None:
    events = attempt_settled(record, CAMPAIGN)
    assert events == attempt_settled(record, CAMPAIGN)
    assert len({event.event_id for event in events}) == len(events)
    for event in events:
        made = uuid.UUID(event.event_id)
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
        assert abs((made.int >> 80) - decode(event.value).event.occurred_at // 1000) <= 1


@given(any_attempt(), st.floats(0, 600))
def test_seq_grows_without_gaps_from_the_first_event_to_the_disposition(record: AttemptRecord, wrap_s: float) -> None:
    events = [attempt_begun(intent(record.lead_id), CAMPAIGN), *attempt_settled(record, CAMPAIGN)]
    events.append(disposition_set(result(record, wrap_s=wrap_s), record, record.ended_at + wrap_s, CAMPAIGN))
    seen = [decode(event.value).event for event in events]
    assert [event.seq for event in seen] == list(range(len(events)))
    assert all(event.key == str(record.lead_id) for event in events)
    moments = [event.occurred_at for event in seen[1:-1]]
    assert moments == sorted(moments)


@given(any_attempt(ordered=True) | any_attempt(ordered=False))
def test_row_invariants(record: AttemptRecord) -> None:
    cdr = call_record(record, CAMPAIGN)
    times = [cdr.started_at, cdr.ringing_at, cdr.answered_at, cdr.bridged_at, cdr.ended_at]
    known = [at for at in times if at is not None]
    assert known == sorted(known)
    assert cdr.duration_ms * 1000 == cdr.ended_at - cdr.started_at
    assert cdr.billsec_ms * 1000 == (0 if cdr.answered_at is None else cdr.ended_at - cdr.answered_at)
    assert cdr.waitsec_ms == cdr.duration_ms - cdr.billsec_ms
    assert min(cdr.ring_ms, cdr.wait_ms, cdr.wrap_ms, cdr.waitsec_ms) >= 0
    assert cdr.ring_ms + cdr.billsec_ms <= cdr.duration_ms
    assert cdr.early_media_at is None or cdr.started_at <= cdr.early_media_at <= cdr.ended_at


@given(any_attempt())
def test_times_that_are_in_order_are_kept_to_the_millisecond(record: AttemptRecord) -> None:
    cdr = call_record(record, CAMPAIGN)
    for name in ("started_at", "ringing_at", "answered_at", "bridged_at", "ended_at"):
        told, kept = getattr(record, name), getattr(cdr, name)
        assert (told is None) == (kept is None)
        assert told is None or abs(kept / 1e6 - told) < 0.0011


def test_encoding_is_no_burden_on_the_hot_path() -> None:
    record, number = talk(), 300
    started = time.perf_counter()
    for _ in range(number):
        attempt_settled(record, CAMPAIGN)
    assert (time.perf_counter() - started) / number < 0.002  # measured: 0.00006 s for six events
