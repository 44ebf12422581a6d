"""Every transition of a lead, and the laws of the table (statuses.md 3.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuses import catalog
from statuses.classify import AttemptFacts, classify
from statuses.lead import (
    HELD,
    ErrorKind,
    IllegalTransition,
    LeadFacts,
    LeadState,
    LeadStep,
    Trigger,
    allowed,
    called_in,
    is_dialable,
    is_terminal,
    step,
    trigger_for,
)
from statuses.outcomes import Announcement, CancelReason, LocalError

OPEN = (LeadState.NOT_CALLED, LeadState.CALLED_NO_SUCCESS, LeadState.CALLBACK, LeadState.CALL_ERROR)
RESTING = [state for state in LeadState if state is not LeadState.IN_PROGRESS]


def _facts(moved: LeadStep, attempts: int = 0, max_attempts: int = 3) -> LeadFacts:
    return LeadFacts(moved.state, moved.remembered, attempts, max_attempts, moved.error_kind, moved.pending)


def _walk(*path: Trigger | tuple[Trigger, ErrorKind], attempts: int = 0, start: LeadFacts | None = None) -> LeadStep:
    facts = start or LeadFacts(None, attempts=attempts)
    moved = None
    for stop in path:
        trigger, kind = stop if isinstance(stop, tuple) else (stop, None)
        moved = step(facts, trigger, error_kind=kind)
        facts = _facts(moved, facts.attempts, facts.max_attempts)
    assert moved is not None
    return moved


def _label(state: LeadState | None) -> str:
    assert state is not None
    return catalog.label(state, "vi")


@pytest.mark.req("S4-3.1")
def test_t1_an_added_customer_has_not_been_called() -> None:
    moved = _walk(Trigger.ADDED)
    assert (moved.rule, moved.state) == ("T1", LeadState.NOT_CALLED)
    assert _label(moved.state) == "Chưa thực hiện"


@pytest.mark.req("S4-3.2")
@pytest.mark.parametrize(
    ("state", "kind", "rule"),
    [
        (LeadState.NOT_CALLED, None, "T4"),
        (LeadState.CALLED_NO_SUCCESS, None, "T4"),
        (LeadState.CALLBACK, None, "T5"),
        (LeadState.CALL_ERROR, ErrorKind.HOTLINE, "T13"),
        (LeadState.CALL_ERROR, ErrorKind.CONTENT, "T13"),
        (LeadState.CALL_ERROR, ErrorKind.AGENT, "T13"),
    ],
)
def test_t4_t5_t13_a_picked_customer_is_in_a_call(state: LeadState, kind: ErrorKind | None, rule: str) -> None:
    moved = step(LeadFacts(state, attempts=1, error_kind=kind), Trigger.PICKED)
    assert (moved.rule, moved.state, moved.remembered, moved.error_kind) == (rule, LeadState.IN_PROGRESS, state, kind)
    assert _label(moved.state) == "Đang xử lý"


def test_t4_needs_calls_left_and_a_callback_does_not() -> None:
    used = LeadFacts(LeadState.CALLED_NO_SUCCESS, attempts=3, max_attempts=3)
    with pytest.raises(IllegalTransition, match=r"cannot apply picked .*called_no_success \(3 of 3 attempts\)"):
        step(used, Trigger.PICKED)
    assert step(replace(used, state=LeadState.CALLBACK), Trigger.PICKED).state is LeadState.IN_PROGRESS


@pytest.mark.req("S4-3.5")
def test_t6_an_answered_customer_is_a_success() -> None:
    moved = _walk(Trigger.ADDED, Trigger.PICKED, Trigger.ANSWERED)
    assert (moved.rule, moved.state) == ("T6", LeadState.SUCCESS)
    assert _label(moved.state) == "Thành công"


@pytest.mark.req("S4-3.4")
def test_t7_a_callback_that_was_asked_for_is_kept_and_called() -> None:
    moved = _walk(Trigger.ADDED, Trigger.PICKED, Trigger.CALLBACK_ASKED)
    assert (moved.rule, moved.state) == ("T7", LeadState.CALLBACK)
    assert _label(moved.state) == "Hẹn gọi lại"
    assert step(_facts(moved, attempts=1), Trigger.PICKED).rule == "T5"


@pytest.mark.req("S4-3.7")
def test_t8_do_not_recall_ends_the_customer() -> None:
    moved = _walk(Trigger.ADDED, Trigger.PICKED, Trigger.DO_NOT_RECALL)
    assert (moved.rule, moved.state) == ("T8", LeadState.DO_NOT_RECALL)
    assert _label(moved.state) == "Không gọi lại"
    with pytest.raises(IllegalTransition):
        step(_facts(moved), Trigger.PICKED)


@pytest.mark.req("S4-3.3")
def test_t9_called_without_success_while_calls_are_left() -> None:
    for attempts in (1, 2):
        moved = step(LeadFacts(LeadState.IN_PROGRESS, LeadState.NOT_CALLED, attempts, 3), Trigger.NO_SUCCESS)
        assert (moved.rule, moved.state) == ("T9", LeadState.CALLED_NO_SUCCESS)
        assert _label(moved.state) == "Đã gọi nhưng không được"


@pytest.mark.req("S4-3.6")
def test_t10_all_calls_used_without_success() -> None:
    for attempts in (3, 4):
        moved = step(LeadFacts(LeadState.IN_PROGRESS, LeadState.CALLED_NO_SUCCESS, attempts, 3), Trigger.NO_SUCCESS)
        assert (moved.rule, moved.state) == ("T10", LeadState.RETRY_EXHAUSTED)
        assert _label(moved.state) == "Gọi hết số lần retry nhưng không được"


@pytest.mark.req("S4-3.8")
@pytest.mark.parametrize(
    ("facts", "kind", "again"),
    [
        (AttemptFacts(sip_status=404), ErrorKind.NUMBER, False),
        (AttemptFacts(sip_status=403), ErrorKind.HOTLINE, True),
        (AttemptFacts(local_error=LocalError.NO_HOTLINE), ErrorKind.HOTLINE, True),
        (AttemptFacts(local_error=LocalError.DAILY_CAP), ErrorKind.HOTLINE, True),
        (AttemptFacts(local_error=LocalError.NOT_ALLOWED), ErrorKind.CONTENT, True),
        (AttemptFacts(local_error=LocalError.NO_ROUTE), ErrorKind.CONTENT, True),
        (AttemptFacts(local_error=LocalError.TTS_KEY), ErrorKind.CONTENT, True),
        (AttemptFacts(local_error=LocalError.AGENT_LEG), ErrorKind.AGENT, True),
        (AttemptFacts(fs_cause="USER_NOT_REGISTERED"), ErrorKind.AGENT, True),
        (AttemptFacts(fs_cause="CRASH"), ErrorKind.HOTLINE, True),
    ],
)
def test_t11_t12_t13_a_call_error_says_whose_and_is_tried_again_unless_the_number_is_wrong(
    facts: AttemptFacts, kind: ErrorKind, *, again: bool
) -> None:
    trigger, found = trigger_for(classify(facts))
    assert (trigger, found) == (Trigger.ERROR, kind)
    moved = _walk(Trigger.ADDED, Trigger.PICKED, (Trigger.ERROR, kind))
    assert (moved.rule, moved.state, moved.error_kind) == ("T12" if again else "T11", LeadState.CALL_ERROR, kind)
    assert _label(moved.state) == "Thực hiện cuộc gọi lỗi"
    assert is_terminal(moved.state, moved.error_kind) is not again
    assert (Trigger.PICKED in allowed(_facts(moved))) is again


@pytest.mark.parametrize("before", OPEN)
def test_t14_a_call_that_we_took_back_leaves_the_customer_where_it_was(before: LeadState) -> None:
    kind = ErrorKind.AGENT if before is LeadState.CALL_ERROR else None
    moved = _walk(Trigger.PICKED, Trigger.VOIDED, start=LeadFacts(before, attempts=1, error_kind=kind))
    assert (moved.rule, moved.state, moved.error_kind) == ("T14", before, kind)


@pytest.mark.req("S4-3.9", "S4-18", "S4-20")
@pytest.mark.parametrize("before", OPEN)
def test_t15_t17_a_paused_customer_starts_where_it_was(before: LeadState) -> None:
    kind = ErrorKind.HOTLINE if before is LeadState.CALL_ERROR else None
    start = LeadFacts(before, attempts=1, error_kind=kind)
    paused = _walk(Trigger.PAUSE, start=start)
    assert (paused.rule, paused.state) == ("T15", LeadState.PAUSED)
    assert _label(paused.state) == "Tạm dừng gọi ra"
    assert Trigger.PICKED not in allowed(_facts(paused))
    back = _walk(Trigger.PAUSE, Trigger.START, start=start)
    assert (back.rule, back.state, back.error_kind) == ("T17", before, kind)


@pytest.mark.req("S4-18")
def test_t16_a_pause_during_a_call_waits_for_its_end() -> None:
    calling = LeadFacts(LeadState.IN_PROGRESS, LeadState.NOT_CALLED, attempts=1)
    waiting = step(calling, Trigger.PAUSE)
    assert (waiting.rule, waiting.state, waiting.pending) == ("T16", LeadState.IN_PROGRESS, Trigger.PAUSE)
    after = step(_facts(waiting, attempts=1), Trigger.NO_SUCCESS)
    assert (after.rule, after.state, after.remembered, after.pending) == (
        "T9+T16",
        LeadState.PAUSED,
        LeadState.CALLED_NO_SUCCESS,
        None,
    )
    assert step(_facts(waiting, attempts=1), Trigger.ANSWERED).state is LeadState.SUCCESS
    assert step(_facts(waiting, attempts=3), Trigger.NO_SUCCESS).state is LeadState.RETRY_EXHAUSTED
    wrong = step(_facts(waiting), Trigger.ERROR, error_kind=ErrorKind.NUMBER)
    assert (wrong.state, wrong.error_kind) == (LeadState.CALL_ERROR, ErrorKind.NUMBER)
    error = _walk((Trigger.ERROR, ErrorKind.HOTLINE), Trigger.START, start=_facts(waiting))
    assert (error.state, error.error_kind) == (LeadState.CALL_ERROR, ErrorKind.HOTLINE)
    assert step(_facts(waiting), Trigger.VOIDED).remembered is LeadState.NOT_CALLED


def test_t17_a_pause_that_waits_can_be_taken_back() -> None:
    moved = _walk(
        Trigger.PAUSE,
        Trigger.START,
        Trigger.NO_SUCCESS,
        start=LeadFacts(LeadState.IN_PROGRESS, LeadState.NOT_CALLED, attempts=1),
    )
    assert (moved.rule, moved.state) == ("T9", LeadState.CALLED_NO_SUCCESS)


@pytest.mark.req("S4-3.10")
def test_t2_t18_a_blacklisted_customer_is_held() -> None:
    added = _walk(Trigger.ADDED_BLACKLISTED)
    assert (added.rule, added.state, added.remembered) == ("T2", LeadState.BLACKLISTED, LeadState.NOT_CALLED)
    moved = _walk(Trigger.ADDED, Trigger.BLACKLIST)
    assert (moved.rule, moved.state) == ("T18", LeadState.BLACKLISTED)
    assert _label(moved.state) == "Khách hàng bị chặn gọi ra"
    assert {Trigger.PICKED, Trigger.START, Trigger.PAUSE}.isdisjoint(allowed(_facts(moved)))


@pytest.mark.req("S4-3.11")
def test_t3_t19_a_customer_in_the_dnc_register_is_held() -> None:
    added = _walk(Trigger.ADDED_DNC)
    assert (added.rule, added.state) == ("T3", LeadState.DNC)
    moved = _walk(Trigger.ADDED, Trigger.DNC)
    assert (moved.rule, moved.state) == ("T19", LeadState.DNC)
    assert _label(moved.state) == "Khách hàng đăng kí dịch vụ DNC"
    assert {Trigger.PICKED, Trigger.START, Trigger.PAUSE}.isdisjoint(allowed(_facts(moved)))


@pytest.mark.parametrize(
    "listing",
    [
        (Trigger.BLACKLIST,),
        (Trigger.DNC,),
        (Trigger.BLACKLIST, Trigger.DNC),
        (Trigger.DNC, Trigger.BLACKLIST, Trigger.DNC),
    ],
)
@pytest.mark.parametrize("before", OPEN)
def test_t20_a_number_that_leaves_the_lists_goes_back_and_a_pause_stands(
    before: LeadState, listing: tuple[Trigger, ...]
) -> None:
    start = LeadFacts(before, attempts=1, error_kind=ErrorKind.AGENT if before is LeadState.CALL_ERROR else None)
    free = _walk(*listing, Trigger.UNLISTED, start=start)
    assert (free.rule, free.state, free.error_kind) == ("T20", before, start.error_kind)
    paused = _walk(Trigger.PAUSE, *listing, Trigger.UNLISTED, start=start)
    assert (paused.state, paused.remembered, paused.pending) == (LeadState.PAUSED, before, None)
    assert _walk(Trigger.PAUSE, *listing, Trigger.UNLISTED, Trigger.START, start=start).state is before


@pytest.mark.req("S4-19")
@pytest.mark.parametrize("state", RESTING)
def test_t21_t22_removal_and_dedupe_take_the_row_away(state: LeadState) -> None:
    for trigger, rule in ((Trigger.REMOVE, "T21"), (Trigger.DEDUPE, "T22")):
        assert step(LeadFacts(state), trigger) == LeadStep(rule, None, None, None, None)


@pytest.mark.req("S4-19")
@pytest.mark.parametrize(
    "end",
    [Trigger.ANSWERED, Trigger.NO_SUCCESS, Trigger.VOIDED, Trigger.WORKER_LOST, (Trigger.ERROR, ErrorKind.NUMBER)],
)
def test_t21_removal_during_a_call_waits_for_its_end_and_beats_a_pause(
    end: Trigger | tuple[Trigger, ErrorKind],
) -> None:
    calling = LeadFacts(LeadState.IN_PROGRESS, LeadState.NOT_CALLED, attempts=1)
    for path in ((Trigger.REMOVE,), (Trigger.PAUSE, Trigger.REMOVE), (Trigger.REMOVE, Trigger.PAUSE)):
        waiting = _walk(*path, start=calling)
        assert (waiting.state, waiting.pending) == (LeadState.IN_PROGRESS, Trigger.REMOVE)
        gone = _walk(*path, end, start=calling)
        assert gone.state is None
        assert gone.rule.endswith("+T21")
    with pytest.raises(IllegalTransition):
        step(calling, Trigger.DEDUPE)


def test_t23_more_calls_wake_an_exhausted_customer() -> None:
    moved = step(LeadFacts(LeadState.RETRY_EXHAUSTED, attempts=3, max_attempts=5), Trigger.RAISE_MAX)
    assert (moved.rule, moved.state) == ("T23", LeadState.CALLED_NO_SUCCESS)
    with pytest.raises(IllegalTransition, match=r"cannot apply raise_max .*\(3 of 3 attempts\)"):
        step(LeadFacts(LeadState.RETRY_EXHAUSTED, attempts=3, max_attempts=3), Trigger.RAISE_MAX)


def test_t24_do_not_recall_stays_when_the_days_have_passed() -> None:
    assert step(LeadFacts(LeadState.DO_NOT_RECALL), Trigger.SUPPRESSION_EXPIRED).state is LeadState.DO_NOT_RECALL


@pytest.mark.parametrize("state", LeadState)
def test_t25_a_stopped_campaign_changes_nothing(state: LeadState) -> None:
    facts = LeadFacts(state, LeadState.CALLBACK, 1, 3, ErrorKind.AGENT, Trigger.PAUSE)
    assert step(facts, Trigger.CAMPAIGN_STOPPED) == LeadStep(
        "T25", state, LeadState.CALLBACK, ErrorKind.AGENT, Trigger.PAUSE
    )


@pytest.mark.parametrize("before", OPEN)
def test_t26_a_lost_worker_puts_the_customer_back_but_nobody_dials_it(before: LeadState) -> None:
    start = LeadFacts(before, attempts=1, error_kind=ErrorKind.HOTLINE if before is LeadState.CALL_ERROR else None)
    lost = _walk(Trigger.PICKED, Trigger.WORKER_LOST, start=start)
    assert (lost.rule, lost.state, lost.error_kind, lost.reconcile) == ("T26", before, ErrorKind.RECONCILE, True)
    assert not is_dialable(lost.state, lost.error_kind)
    assert Trigger.PICKED not in allowed(_facts(lost))


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (Trigger.ANSWERED, LeadState.SUCCESS),
        (Trigger.CALLBACK_ASKED, LeadState.CALLBACK),
        (Trigger.DO_NOT_RECALL, LeadState.DO_NOT_RECALL),
        (Trigger.NO_SUCCESS, LeadState.CALLED_NO_SUCCESS),
        ((Trigger.ERROR, ErrorKind.NUMBER), LeadState.CALL_ERROR),
        (Trigger.VOIDED, LeadState.NOT_CALLED),
    ],
)
def test_t26_a_late_result_is_taken_once(result: Trigger | tuple[Trigger, ErrorKind], state: LeadState) -> None:
    settled = _walk(Trigger.ADDED, Trigger.PICKED, Trigger.WORKER_LOST, result)
    assert (settled.state, settled.reconcile) == (state, False)
    assert settled.error_kind in (None, ErrorKind.NUMBER)
    trigger, kind = result if isinstance(result, tuple) else (result, None)
    with pytest.raises(IllegalTransition):
        step(_facts(settled), trigger, error_kind=kind)


def test_t26_a_late_result_keeps_what_people_decided_meanwhile() -> None:
    lost = (Trigger.ADDED, Trigger.PICKED, Trigger.WORKER_LOST)
    paused = _walk(*lost, Trigger.PAUSE, Trigger.NO_SUCCESS)
    assert (paused.state, paused.remembered, paused.error_kind) == (LeadState.PAUSED, LeadState.CALLED_NO_SUCCESS, None)
    listed = _walk(*lost, Trigger.PAUSE, Trigger.BLACKLIST, Trigger.VOIDED)
    assert (listed.state, listed.remembered, listed.pending) == (
        LeadState.BLACKLISTED,
        LeadState.NOT_CALLED,
        Trigger.PAUSE,
    )
    assert _walk(*lost, Trigger.PAUSE, Trigger.ANSWERED).state is LeadState.SUCCESS
    still_lost = _walk(*lost, Trigger.PAUSE, Trigger.START)
    assert (still_lost.state, still_lost.reconcile) == (LeadState.NOT_CALLED, True)
    pending = _walk(Trigger.ADDED, Trigger.PICKED, Trigger.PAUSE, Trigger.WORKER_LOST)
    assert (pending.state, pending.remembered, pending.reconcile) == (LeadState.PAUSED, LeadState.NOT_CALLED, True)


def test_t26_from_a_call_error_can_be_tried_again_when_nobody_was_called() -> None:
    start = LeadFacts(LeadState.CALL_ERROR, attempts=1, error_kind=ErrorKind.AGENT)
    moved = _walk(Trigger.PICKED, Trigger.WORKER_LOST, Trigger.VOIDED, start=start)
    assert moved.state is LeadState.CALL_ERROR
    assert is_dialable(moved.state, moved.error_kind)


@pytest.mark.parametrize(
    ("facts", "trigger", "kind"),
    [
        (AttemptFacts(answered=True, agent_bridged=True), Trigger.ANSWERED, None),
        (AttemptFacts(answered=True), Trigger.NO_SUCCESS, None),
        (AttemptFacts(sip_status=480, rang=True), Trigger.NO_SUCCESS, None),
        (AttemptFacts(sip_status=480), Trigger.NO_SUCCESS, None),
        (AttemptFacts(sip_status=486), Trigger.NO_SUCCESS, None),
        (AttemptFacts(announcement=Announcement.MAILBOX), Trigger.NO_SUCCESS, None),
        (AttemptFacts(announcement=Announcement.LOCKED), Trigger.NO_SUCCESS, None),
        (AttemptFacts(cancel_reason=CancelReason.RING_TIMEOUT, rang=True), Trigger.NO_SUCCESS, None),
        (AttemptFacts(cancel_reason=CancelReason.CULL, rang=True), Trigger.VOIDED, None),
        (AttemptFacts(cancel_reason=CancelReason.ADMIN), Trigger.VOIDED, None),
        (AttemptFacts(cancel_reason=CancelReason.CAMPAIGN_STOPPED), Trigger.VOIDED, None),
        (AttemptFacts(), Trigger.ERROR, ErrorKind.CONTENT),
        (AttemptFacts(local_error=LocalError.LOST), Trigger.WORKER_LOST, ErrorKind.RECONCILE),
    ],
)
def test_what_a_verdict_does_to_the_lead(facts: AttemptFacts, trigger: Trigger, kind: ErrorKind | None) -> None:
    verdict = classify(facts)
    assert trigger_for(verdict) == (trigger, kind)
    assert (
        step(LeadFacts(LeadState.IN_PROGRESS, LeadState.NOT_CALLED), trigger, error_kind=kind).state
        is not LeadState.IN_PROGRESS
    )


def test_a_refusal_names_the_state_the_trigger_and_what_is_allowed() -> None:
    with pytest.raises(IllegalTransition) as caught:
        step(LeadFacts(LeadState.SUCCESS, attempts=1), Trigger.PICKED)
    said = "cannot apply picked to a lead that is success (1 of 3 attempts); allowed now: "
    assert str(caught.value) == said + "campaign_stopped, dedupe, remove"
    with pytest.raises(IllegalTransition, match="not in the campaign"):
        step(LeadFacts(None), Trigger.PICKED)
    with pytest.raises(IllegalTransition, match="name number, hotline, content or agent"):
        step(LeadFacts(LeadState.IN_PROGRESS), Trigger.ERROR)


any_lead = st.builds(
    LeadFacts,
    state=st.none() | st.sampled_from(LeadState),
    remembered=st.none() | st.sampled_from(LeadState),
    attempts=st.integers(0, 9),
    max_attempts=st.integers(1, 9),
    error_kind=st.none() | st.sampled_from(ErrorKind),
    pending=st.none() | st.sampled_from([Trigger.PAUSE, Trigger.REMOVE]),
)
any_kind = st.none() | st.sampled_from(ErrorKind)
RESULTS = {
    Trigger.ANSWERED,
    Trigger.CALLBACK_ASKED,
    Trigger.DO_NOT_RECALL,
    Trigger.NO_SUCCESS,
    Trigger.ERROR,
    Trigger.VOIDED,
}


@settings(deadline=None, max_examples=500)
@given(any_lead, st.sampled_from(Trigger), any_kind)
def test_a_step_is_pure_and_either_moves_or_refuses(facts: LeadFacts, trigger: Trigger, kind: ErrorKind | None) -> None:
    try:
        moved = step(facts, trigger, error_kind=kind)
    except IllegalTransition as refusal:
        assert trigger.value in str(refusal)  # noqa: PT017 - the other branch is as good an outcome
        return
    assert trigger in allowed(facts)
    assert moved == step(replace(facts), trigger, error_kind=kind)
    assert moved.reconcile is (moved.error_kind is ErrorKind.RECONCILE)


@settings(deadline=None, max_examples=500)
@given(any_lead, st.sampled_from(Trigger), any_kind)
def test_nothing_leaves_a_terminal_state_but_what_is_listed(
    facts: LeadFacts, trigger: Trigger, kind: ErrorKind | None
) -> None:
    if not is_terminal(facts.state, facts.error_kind) or facts.error_kind is ErrorKind.RECONCILE:
        return
    listed = {Trigger.REMOVE, Trigger.DEDUPE}
    if facts.state is LeadState.RETRY_EXHAUSTED:
        listed |= {Trigger.RAISE_MAX, Trigger.MISSED_CALL}
    if facts.state is LeadState.CALL_ERROR:
        listed |= {Trigger.PAUSE}
    try:
        moved = step(facts, trigger, error_kind=kind)
    except IllegalTransition:
        return
    assert moved.state is facts.state or trigger in listed


@settings(deadline=None, max_examples=500)
@given(any_lead, st.sampled_from(sorted(RESULTS | {Trigger.WORKER_LOST})))
def test_a_call_can_always_end(facts: LeadFacts, trigger: Trigger) -> None:
    calling = replace(facts, state=LeadState.IN_PROGRESS)
    for kind in (
        (ErrorKind.NUMBER, ErrorKind.HOTLINE, ErrorKind.CONTENT, ErrorKind.AGENT)
        if trigger is Trigger.ERROR
        else (None,)
    ):
        moved = step(calling, trigger, error_kind=kind)
        assert moved.state is not LeadState.IN_PROGRESS
        assert moved.pending is None
        assert (moved.state is None) is (facts.pending is Trigger.REMOVE)
        if facts.pending is Trigger.PAUSE:
            assert moved.state is LeadState.PAUSED or is_terminal(moved.state, moved.error_kind)


@settings(deadline=None, max_examples=500)
@given(any_lead, st.sampled_from([Trigger.BLACKLIST, Trigger.DNC]))
def test_every_open_customer_can_be_listed_and_is_never_dialable_then(facts: LeadFacts, trigger: Trigger) -> None:
    if facts.state in (None, LeadState.IN_PROGRESS) or is_terminal(facts.state, facts.error_kind):
        return
    held = step(facts, trigger)
    assert held.state in HELD
    assert held.remembered not in HELD
    assert not is_dialable(held.state, held.error_kind)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(Trigger), any_kind), max_size=30))
def test_no_walk_dials_a_customer_who_is_held_or_has_ended(path: list[tuple[Trigger, ErrorKind | None]]) -> None:
    facts = _facts(step(LeadFacts(None), Trigger.ADDED))
    for trigger, kind in path:
        before = facts
        try:
            moved = step(facts, trigger, error_kind=kind)
        except IllegalTransition:
            continue
        if moved.state is None:
            return
        if trigger is Trigger.PICKED:
            assert is_dialable(before.state, before.error_kind)
        facts = _facts(moved, facts.attempts + (trigger is Trigger.PICKED))


CALLED_BACK = (
    LeadState.NOT_CALLED,
    LeadState.CALLED_NO_SUCCESS,
    LeadState.CALLBACK,
    LeadState.RETRY_EXHAUSTED,
    LeadState.CALL_ERROR,
)


@pytest.mark.parametrize("state", LeadState)
def test_who_called_in_vain_is_called_back_where_the_dialer_calls_by_itself(state: LeadState) -> None:
    facts = LeadFacts(state, remembered=LeadState.NOT_CALLED, attempts=9)
    if state in CALLED_BACK:
        assert called_in(facts, Trigger.MISSED_CALL).state is LeadState.CALLBACK
        return
    with pytest.raises(IllegalTransition):
        called_in(facts, Trigger.MISSED_CALL)


@pytest.mark.parametrize("kind", [ErrorKind.NUMBER, ErrorKind.RECONCILE])
def test_an_error_that_waits_for_a_person_waits_after_a_missed_call_too(kind: ErrorKind) -> None:
    with pytest.raises(IllegalTransition):
        called_in(LeadFacts(LeadState.CALL_ERROR, error_kind=kind), Trigger.MISSED_CALL)


@pytest.mark.parametrize(
    ("state", "trigger", "after"),
    [
        (LeadState.NOT_CALLED, Trigger.ANSWERED, LeadState.SUCCESS),
        (LeadState.CALLBACK, Trigger.ANSWERED, LeadState.SUCCESS),
        (LeadState.CALLED_NO_SUCCESS, Trigger.DO_NOT_RECALL, LeadState.DO_NOT_RECALL),
        (LeadState.SUCCESS, Trigger.CALLBACK_ASKED, LeadState.CALLBACK),
        (LeadState.DO_NOT_RECALL, Trigger.ANSWERED, LeadState.DO_NOT_RECALL),
        (LeadState.PAUSED, Trigger.CALLBACK_ASKED, LeadState.PAUSED),
        (LeadState.DNC, Trigger.ANSWERED, LeadState.SUCCESS),
    ],
)
def test_a_talk_on_a_call_of_theirs_counts_as_one_of_ours(state: LeadState, trigger: Trigger, after: LeadState) -> None:
    assert called_in(LeadFacts(state, remembered=LeadState.NOT_CALLED), trigger).state is after


def test_a_call_of_theirs_changes_nothing_while_ours_is_going_on() -> None:
    for trigger in (Trigger.ANSWERED, Trigger.CALLBACK_ASKED, Trigger.DO_NOT_RECALL, Trigger.MISSED_CALL):
        with pytest.raises(IllegalTransition):
            called_in(LeadFacts(LeadState.IN_PROGRESS, remembered=LeadState.NOT_CALLED), trigger)
