"""Calls to test with: numbers from a range that reaches nobody, fixed times, every shape of an attempt."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from hypothesis import strategies as st

from cdr.encode import (
    CampaignRef,
    LeadChange,
    OutboxEvent,
    attempt_begun,
    attempt_settled,
    disposition_set,
    lead_changed,
)
from cdr.memory import MemoryEventLog
from dialer.core.types import AttemptIntent, AttemptRecord, LeadResult
from statuses.classify import AttemptFacts, classify
from statuses.lead import Trigger
from statuses.outcomes import AmdResult, Announcement, CancelReason, EndedBy, LocalError

START = 1_790_000_000.0  # 2026-09-21T14:13:20Z
HOTLINE = "+842471099999"
CAMPAIGN = CampaignRef(campaign_id=3, name="Chăm sóc mùa thu", kind="predictive")


def phone(number: int) -> str:
    return f"+8450{number:07}"


def intent(number: int = 1, **changes: object) -> AttemptIntent:
    made = AttemptIntent(
        call_id=f"call-{number:06}", lead_id=number, customer_id=10_000 + number, list_id=4, phone=phone(number),
        hotline=HOTLINE, trunk="sim", attempt_no=1, begun_at=START + number,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def settled(of: AttemptIntent, facts: AttemptFacts, **times: object) -> AttemptRecord:
    made = AttemptRecord(
        call_id=of.call_id, lead_id=of.lead_id, customer_id=of.customer_id, list_id=of.list_id, phone=of.phone,
        hotline=of.hotline, trunk=of.trunk, attempt_no=of.attempt_no, started_at=of.begun_at, ended_at=of.begun_at + 40,
        facts=facts, verdict=classify(facts),
    )  # fmt: skip
    return msgspec.structs.replace(made, **times)


def talk(number: int = 1, **changes: object) -> AttemptRecord:
    """Return a call that rang for 7 s, waited 1 s for its agent and was talked on for 29 s."""
    of = intent(number, **changes)
    at = of.begun_at
    facts = AttemptFacts(sip_status=200, rang=True, answered=True, agent_bridged=True, ended_by=EndedBy.REMOTE)
    return settled(
        of, facts, originated_at=at, ringing_at=at + 3, answered_at=at + 10, bridged_at=at + 11, agent_id="agent-07"
    )


def engaged(number: int = 1, **changes: object) -> AttemptRecord:
    of = intent(number, **changes)
    return settled(of, AttemptFacts(sip_status=486, q850=17, progressed=True), ended_at=of.begun_at + 2.5)


def result(of: AttemptRecord, **changes: object) -> LeadResult:
    made = LeadResult(call_id=of.call_id, lead_id=of.lead_id, trigger=Trigger.ANSWERED, agent_id=of.agent_id, wrap_s=12)
    return msgspec.structs.replace(made, **changes)


def change(number: int, version: int, state_to: str | None, **changes: object) -> LeadChange:
    made = LeadChange(
        lead_id=number, campaign_id=3, list_id=4, customer_id=10_000 + number, phone=phone(number),
        state_from="not_called", state_to=state_to, rule="T5", trigger="picked", attempts=0, dialed=1, last_status=None,
        error_kind=None, next_at=None, callback_at=None, agent_id=None, version=version, at=START + number + version,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def life(number: int) -> Iterator[OutboxEvent]:
    """Yield all events of one lead's first call: odd numbers talk and get a disposition, even ones are engaged."""
    record = talk(number) if number % 2 else engaged(number)
    yield attempt_begun(intent(number), CAMPAIGN)
    yield lead_changed(change(number, 1, "in_progress"), CAMPAIGN)
    yield from attempt_settled(record, CAMPAIGN)
    if number % 2:
        done = result(record, disposition="SALE", note="=1+1")
        yield disposition_set(done, record, record.ended_at + 12, CAMPAIGN)
        yield lead_changed(change(number, 2, "success", last_status="answered"), CAMPAIGN)
    else:
        yield lead_changed(change(number, 2, "called_no_success", last_status="busy"), CAMPAIGN)


def log_of(calls: int, *, partitions: int = 1) -> MemoryEventLog:
    log = MemoryEventLog(partitions=partitions)
    for number in range(1, calls + 1):
        log.extend(((event.key, event.value) for event in life(number)), partition=number % partitions)
    return log


def _maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


ANY_FACTS = st.builds(
    AttemptFacts,
    local_error=_maybe(st.sampled_from(LocalError)),
    sip_status=_maybe(st.integers(100, 699)),
    q850=_maybe(st.integers(1, 127)),
    reason_text=_maybe(st.text(max_size=20)),
    progressed=st.booleans(),
    rang=st.booleans(),
    answered=st.booleans(),
    ended_by=_maybe(st.sampled_from(EndedBy)),
    cancel_reason=_maybe(st.sampled_from(CancelReason)),
    announcement=_maybe(st.sampled_from(Announcement)),
    amd=_maybe(st.sampled_from(AmdResult)),
    agent_bridged=st.booleans(),
)
_SECONDS = st.floats(0, 7200)


@st.composite
def any_attempt(draw: st.DrawFn, *, ordered: bool = True) -> AttemptRecord:
    """Draw a settled attempt; with `ordered` its times obey AttemptRecord's promise, without they may be anything."""
    of = intent(draw(st.integers(1, 9_999_999)))
    names = ("ringing_at", "answered_at", "bridged_at")
    spans = sorted(draw(st.tuples(_SECONDS, _SECONDS, _SECONDS))) if ordered else draw(st.tuples(*[_SECONDS] * 3))
    end = draw(st.floats(max(spans), 9000)) if ordered else draw(_SECONDS)
    times = {name: of.begun_at + span for name, span in zip(names, spans, strict=True) if draw(st.booleans())}
    early = of.begun_at + draw(st.floats(0, end)) if draw(st.booleans()) else None
    return settled(of, draw(ANY_FACTS), ended_at=of.begun_at + end, early_media_at=early, **times)
