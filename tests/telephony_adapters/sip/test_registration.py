"""Registration: refresh, back-off, refusal, leaving."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.registration import Answer, Register, Registration, State

CONTACT = "sip:dialer@192.0.2.10:5060"
OK = Answer(200, (f"<{CONTACT}>;expires=600",))


def asked(expires_s: int) -> Register:
    return Register((("Contact", f"<{CONTACT}>;expires={expires_s}"), ("Expires", str(expires_s))))


def begun() -> Registration:
    registration = Registration(CONTACT)
    registration.start(0.0)
    assert registration.poll(0.0) == asked(3600)
    return registration


def test_nothing_is_sent_before_it_is_started() -> None:
    registration = Registration(CONTACT)
    assert registration.poll(1e9) is None
    assert registration.state is State.IDLE


def test_a_binding_is_refreshed_at_four_fifths_of_its_time() -> None:
    registration = begun()
    assert registration.poll(100.0) is None
    registration.answered(OK, 1.0, 0.5)
    assert (registration.state, registration.next_at, registration.valid_to) == (State.REGISTERED, 481.0, 601.0)
    assert registration.poll(480.9) is None
    assert registration.poll(481.0) == asked(3600)
    assert registration.is_registered(600.9)
    assert not registration.is_registered(601.0)


@pytest.mark.parametrize(
    ("answer", "granted_s"),
    [
        (Answer(200, (f"<{CONTACT}>;expires=60",), "900"), 60),
        (Answer(200, (f"<{CONTACT}>",), "900"), 900),
        (Answer(200, (f"<{CONTACT}>",)), 3600),
        (Answer(200), 3600),
        (Answer(200, ("<sip:other@h>;expires=5", f'"me <x>" <{CONTACT};ob>;q=1;Expires=70')), 70),
        (Answer(200, (f'<{CONTACT}>;+sip.instance="<urn:uuid:1>";expires=80',)), 80),
        (Answer(200, (f"{CONTACT};expires=90",)), 90),
        (Answer(200, ("<sip:dialer@203.0.113.9:1024>;expires=120",)), 120),
        (Answer(200, (f"<{CONTACT}>;expires=99999999",)), 604_800),
    ],
)
def test_the_registrar_says_for_how_long(answer: Answer, granted_s: int) -> None:
    registration = begun()
    registration.answered(answer, 0.0, 0.5)
    assert registration.valid_to == granted_s


@pytest.mark.parametrize(
    "answer", [Answer(200, ("<sip:a@h>;expires=9", "<sip:b@h>")), Answer(200, (f"<{CONTACT}>;expires=0",))]
)
def test_a_200_that_does_not_bind_us_is_a_failure(answer: Answer) -> None:
    registration = begun()
    registration.answered(answer, 0.0, 0.5)
    assert (registration.state, registration.is_registered(0.0)) == (State.FAILING, False)


def test_failures_that_may_pass_are_tried_again_ever_later() -> None:
    registration = begun()
    waits = []
    now = 0.0
    for status in (408, 503, 500, 504, 408, 408, 408, 408, 408):
        registration.answered(Answer(status), now, 0.0)
        assert registration.next_at is not None
        waits.append(registration.next_at - now)
        now = registration.next_at
        assert registration.poll(now) == asked(3600)
    assert waits == [15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]
    registration.answered(OK, now, 0.0)
    registration.poll(now + 600)
    registration.answered(Answer(503), now + 600, 1.0)
    assert registration.next_at == now + 630.0


@pytest.mark.parametrize("status", [408, 430, 480, 486, 491, 500, 502, 503, 504, 513, 600])
def test_what_may_pass_by_itself_is_tried_again(status: int) -> None:
    registration = begun()
    registration.answered(Answer(status), 0.0, 0.0)
    assert (registration.state, registration.next_at) == (State.FAILING, 15.0)


def test_a_failed_refresh_leaves_the_binding_until_its_end() -> None:
    registration = begun()
    registration.answered(OK, 0.0, 0.5)
    registration.poll(480.0)
    registration.answered(Answer(408), 500.0, 0.5)
    assert (registration.state, registration.is_registered(599.0)) == (State.FAILING, True)
    assert registration.next_at == 522.5


def test_retry_after_is_waited_for_within_reason() -> None:
    for value, wait in (("120 (full)", 120.0), ("5", 15.0), ("86400", 1800.0), ("soon", 15.0)):
        registration = begun()
        registration.answered(Answer(503, retry_after=value), 0.0, 0.0)
        assert registration.next_at == wait


@pytest.mark.parametrize("status", [300, 302, 400, 401, 403, 404, 405, 407, 410, 420, 501, 505, 603, 699])
def test_what_a_person_must_mend_is_tried_again_after_the_longest_wait(status: int) -> None:
    registration = begun()
    registration.answered(Answer(status, ("<sip:evil@h>",)), 0.0, 0.5)
    assert (registration.state, registration.status, registration.next_at) == (State.REFUSED, status, 1350.0)
    assert not registration.is_registered(0.0)
    assert registration.poll(1349.0) is None
    assert registration.poll(1350.0) == asked(3600)
    registration.answered(Answer(status), 1351.0, 0.5)
    assert registration.next_at == 2701.0, "no more often than that"
    registration.start(2e9)
    assert registration.poll(2e9) == asked(3600)


def test_too_brief_is_asked_again_for_longer_at_once_and_remembered() -> None:
    registration = begun()
    registration.answered(Answer(423, min_expires="7200"), 0.0, 0.5)
    assert registration.poll(0.0) == asked(7200)
    registration.answered(Answer(200), 0.0, 0.5)
    assert registration.poll(7200 * 0.8) == asked(7200)


@pytest.mark.parametrize("min_expires", [None, "x", "3600", "60", "9999999"])
def test_too_brief_without_a_sensible_figure_is_a_failure(min_expires: str | None) -> None:
    registration = begun()
    registration.answered(Answer(423, min_expires=min_expires), 0.0, 0.0)
    assert registration.next_at == 15.0


def test_a_registrar_that_always_wants_longer_is_not_asked_in_a_loop() -> None:
    registration = begun()
    for n in range(1, 5):
        registration.answered(Answer(423, min_expires=str(4000 + n)), 0.0, 0.0)
        registration.poll(0.0)
    assert registration.next_at == 15.0


def test_leaving_says_goodbye_once() -> None:
    registration = begun()
    registration.answered(OK, 0.0, 0.5)
    registration.stop(10.0)
    assert registration.poll(10.0) == asked(0)
    assert registration.state is State.UNREGISTERING
    registration.answered(Answer(503), 11.0, 0.5)
    assert (registration.state, registration.next_at, registration.is_registered(11.0)) == (State.GONE, None, False)


def test_leaving_waits_for_what_is_under_way() -> None:
    registration = begun()
    registration.stop(0.0)
    assert registration.poll(0.5) is None
    registration.answered(OK, 1.0, 0.5)
    assert registration.poll(1.0) == asked(0)


@pytest.mark.parametrize("answer", [Answer(503), Answer(403)])
def test_who_is_not_registered_leaves_without_a_word(answer: Answer) -> None:
    registration = begun()
    registration.answered(answer, 0.0, 0.5)
    registration.stop(1.0)
    assert registration.poll(1.0) is None
    assert registration.state is State.GONE


def test_who_changes_their_mind_while_leaving_is_registered_again() -> None:
    registration = begun()
    registration.answered(OK, 0.0, 0.5)
    registration.stop(10.0)
    registration.poll(10.0)
    registration.start(10.5)
    registration.answered(Answer(200), 11.0, 0.5)
    assert registration.poll(11.0) == asked(3600)
    registration.stop(12.0)
    registration.start(12.5)
    registration.answered(OK, 13.0, 0.5)
    assert registration.state is State.REGISTERED


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "stop", "wait", "answer"]),
        st.sampled_from([200, 200, 302, 401, 403, 408, 423, 503]),
        st.floats(0, 5000),
        st.floats(0, 0.999),
    ),
    max_size=30,
)


@settings(max_examples=80)
@given(STEPS)
def test_it_never_hangs_and_never_sends_twice(steps: list[tuple[str, int, float, float]]) -> None:
    """Something is due or under way, or it is idle or gone; a request waits for its answer."""
    registration, now, is_under_way = Registration(CONTACT), 0.0, False
    for step, status, wait, jitter in steps:
        if step == "start":
            registration.start(now)
        elif step == "stop":
            registration.stop(now)
        elif step == "wait":
            now += wait
        elif is_under_way:
            is_under_way = False
            registration.answered(Answer(status, min_expires="4000"), now, jitter)
        if registration.poll(now):
            assert not is_under_way
            is_under_way = True
        at_rest = registration.state in {State.IDLE, State.GONE}
        assert is_under_way == (registration.state in {State.REGISTERING, State.UNREGISTERING})
        assert is_under_way or registration.next_at is not None or at_rest
