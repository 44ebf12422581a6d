"""The ledger of the day: what calls are billed, and that no cap is passed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.trunks.spend import HELD_REST_S, MICRO, TOTAL, Cap, CapReached, Charge, Ledger, Rate

ZONE = "Asia/Ho_Chi_Minh"
NOON = datetime(2026, 3, 2, 12, tzinfo=ZoneInfo(ZONE)).timestamp()
MIDNIGHT = datetime(2026, 3, 3, tzinfo=ZoneInfo(ZONE)).timestamp()
DONG_A_SECOND = Rate(60 * MICRO, 1, 1)


NO_CAP = Cap()


def ledger(seconds: int | None = None, micro: int | None = None, *, total: Cap = NO_CAP) -> Ledger:
    return Ledger({"a": Cap(seconds, micro), TOTAL: total}, zone=ZONE)


@pytest.mark.parametrize(
    ("rate", "talked_ms", "seconds", "micro"),
    [
        (Rate(750 * MICRO, 60, 1), 0, 60, 750 * MICRO),
        (Rate(750 * MICRO, 60, 1), 60_000, 60, 750 * MICRO),
        (Rate(750 * MICRO, 60, 1), 60_001, 61, 762_500_000),
        (Rate(600 * MICRO, 6, 6), 6_001, 12, 120 * MICRO),
        (Rate(600 * MICRO, 60, 60), 61_000, 120, 1200 * MICRO),
        (Rate(100, 1, 1), 500, 1, 2),
        (Rate(), 1_500, 2, 0),
    ],
)
def test_a_call_is_billed_by_its_increments_and_money_is_rounded_up(
    rate: Rate, talked_ms: int, seconds: int, micro: int
) -> None:
    assert rate.charge(talked_ms) == Charge(seconds, micro)


def test_a_call_that_nobody_answered_costs_nothing_and_gives_its_reservation_back() -> None:
    book = ledger(seconds=60)
    assert book.reserve("1", "a", Rate(0, 60, 1), NOON) is None
    assert book.counted(NOON, "a") == Charge(60)
    refused = book.reserve("2", "a", Rate(0, 60, 1), NOON + 1)
    assert refused == CapReached("a", HELD_REST_S)
    assert book.ended("1", NOON + 30) == Charge()
    assert book.reserve("2", "a", Rate(0, 60, 1), NOON + 30) is None


def test_a_cap_rests_the_trunk_for_the_day_only_when_what_is_billed_leaves_no_room() -> None:
    book, minute = ledger(seconds=120), Rate(0, 60, 60)
    for call in ("1", "2"):
        book.reserve(call, "a", minute, NOON)
    assert book.reserve("3", "a", minute, NOON) == CapReached("a", HELD_REST_S)
    book.answered("1", NOON)
    assert book.reserve("3", "a", minute, NOON + 1) == CapReached("a", HELD_REST_S), "the other one only rings"
    book.answered("2", NOON + 2)
    assert book.reserve("3", "a", minute, NOON + 3) == CapReached("a", MIDNIGHT - NOON - 3)
    book.ended("1", NOON + 10)
    book.ended("2", NOON + 10)
    assert book.reserve("3", "a", minute, MIDNIGHT - 2) == CapReached("a", 2.0)
    assert book.reserve("3", "a", minute, MIDNIGHT) is None


def test_the_day_is_the_installations_and_a_call_counts_on_the_day_it_ends() -> None:
    book = ledger(seconds=300)
    for call in ("1", "2"):
        book.reserve(call, "a", Rate(), NOON)
        book.answered(call, MIDNIGHT - 100)
    assert book.ended("1", MIDNIGHT - 10) == Charge(90)
    assert book.spent(MIDNIGHT - 1, "a") == Charge(90)
    assert book.spent(MIDNIGHT, "a") == Charge()
    assert book.ended("2", MIDNIGHT + 10) == Charge(110)
    assert (book.spent(MIDNIGHT + 20, "a"), book.spent(MIDNIGHT + 20)) == (Charge(110), Charge(110))


def test_a_call_that_would_pass_the_cap_while_it_talks_is_named_before_it_does() -> None:
    book = ledger(micro=100 * MICRO)
    book.reserve("1", "a", DONG_A_SECOND, NOON)
    book.answered("1", NOON)
    assert book.over(NOON + 98) == ()
    assert book.over(NOON + 98.5) == ("1",)
    assert book.over(NOON + 98.6) == (), "it is being ended"
    assert book.ended("1", NOON + 99.5) == Charge(100, 100 * MICRO)
    assert book.reserve("2", "a", DONG_A_SECOND, NOON + 99.6) == CapReached("a", MIDNIGHT - NOON - 99.6)


def test_a_call_that_was_not_ended_in_time_is_named_again() -> None:
    book = ledger(seconds=100)
    book.reserve("1", "a", Rate(), NOON)
    book.answered("1", NOON)
    assert book.over(NOON + 99) == ("1",)
    assert book.over(NOON + 100.2) == ("1",)


def test_the_cap_on_all_trunks_counts_them_together_and_ends_as_few_calls_as_it_must() -> None:
    book = ledger(total=Cap(seconds=130))
    for call, trunk, rate in (("old", "a", Rate(0, 60, 60)), ("new", "b", Rate(0, 1, 1))):
        assert book.reserve(call, trunk, rate, NOON) is None
        book.answered(call, NOON)
    assert book.over(NOON + 58) == ()
    assert book.over(NOON + 58.5) == ("old",), "it is the one that saves a minute"
    refused = book.reserve("x", "b", Rate(0, 60, 60), NOON + 58.6)
    assert refused is not None
    assert refused.trunk == TOTAL


def test_a_restart_forgets_neither_what_was_billed_nor_the_calls_in_flight() -> None:
    book = ledger(seconds=10_000)
    for call in ("over", "talking", "ringing"):
        book.reserve(call, "a", DONG_A_SECOND, NOON)
    book.answered("over", NOON)
    book.answered("talking", NOON + 10)
    book.ended("over", NOON + 30)
    saved = book.dump(NOON + 40)
    after = ledger()
    after.load(saved, NOON + 100, longest_call_s=3600.0)
    assert after.spent(NOON + 100, "a").seconds == 30 + 90 + 60
    long_after = ledger()
    long_after.load(saved, NOON + 3500, longest_call_s=50.0)
    assert long_after.spent(NOON + 3500).seconds == 30 + 50 + 50
    tomorrow = ledger()
    tomorrow.load(saved, MIDNIGHT + 1, longest_call_s=50.0)
    assert tomorrow.spent(MIDNIGHT + 1).seconds == 100, "yesterday's is yesterday's; what ran may still have run"


def test_strangers_and_repetitions_change_nothing_and_nonsense_is_refused() -> None:
    book = ledger(seconds=100)
    book.answered("?", NOON)
    assert book.ended("?", NOON) == Charge()
    book.reserve("1", "a", Rate(), NOON)
    with pytest.raises(ValueError, match="call 1 is counted already"):
        book.reserve("1", "a", Rate(), NOON)
    book.answered("1", NOON)
    book.answered("1", NOON + 50)
    assert book.ended("1", NOON + 60) == Charge(60)
    with pytest.raises(ValueError, match="not what a ledger wrote"):
        book.load(b'{"day":1}', NOON, longest_call_s=1.0)
    with pytest.raises(ValueError, match="an end takes"):
        Ledger({}, end_s=2.0)


@pytest.mark.parametrize("obedient", [True, False])
@given(data=st.data())
@settings(max_examples=150)
def test_no_cap_is_passed(obedient: bool, data: st.DataObject) -> None:
    """Both laws of the module, against a plain count of what each call is billed."""
    caps = {"a": Cap(data.draw(st.integers(1, 400))), "b": Cap(None, data.draw(st.integers(1, 400)) * MICRO)}
    caps[TOTAL] = Cap(data.draw(st.integers(1, 500)), data.draw(st.integers(1, 600)) * MICRO)
    rates = {"a": Rate(data.draw(st.integers(0, 90)) * MICRO, 1, 1), "b": Rate(60 * MICRO, *data.draw(INCREMENTS))}
    world = World(Ledger(caps, zone=ZONE), caps, rates, obedient=obedient)
    for what, which in data.draw(st.lists(st.tuples(WHAT, st.integers(0, 50)), max_size=80)):
        world.step(what, which)
        world.check()


WHAT = st.sampled_from(("place a", "place b", "place b", "answer", "answer", "end", "wait", "wait"))
INCREMENTS = st.sampled_from(((60, 1), (6, 6), (1, 1), (30, 6), (60, 60)))


class World:
    """Calls on one day, and what they are billed; `over` is asked every second and obeyed, or not."""

    def __init__(self, book: Ledger, caps: dict[str, Cap], rates: dict[str, Rate], *, obedient: bool) -> None:
        self.book, self.caps, self.rates, self.obedient = book, caps, rates, obedient
        self.now_ms = round(NOON * 1000)
        self.calls: dict[str, tuple[str, int | None]] = {}
        self.over: list[tuple[str, Charge]] = []
        self.placed = 0
        self.asks_ms = self.now_ms + 400
        self.ends: dict[str, int] = {}

    def now(self) -> float:
        return self.now_ms / 1000

    def billed(self, scope: str) -> Charge:
        total = Charge()
        for trunk, charge in self.over:
            total = total.plus(charge) if scope in {trunk, TOTAL} else total
        for trunk, answered in self.calls.values():
            if answered is not None and scope in {trunk, TOTAL}:
                total = total.plus(self.rates[trunk].charge(self.now_ms - answered))
        return total

    def step(self, what: str, which: int) -> None:
        waiting = [call for call, (_, answered) in self.calls.items() if answered is None]
        if what.startswith("place"):
            self.place(what[-1])
        elif what == "answer" and waiting:
            call = waiting[which % len(waiting)]
            self.calls[call] = (self.calls[call][0], self.now_ms)
            self.book.answered(call, self.now())
        elif what == "end" and self.calls:
            self.end([*self.calls][which % len(self.calls)])
        elif what == "wait":
            self.wait(1 + which * 137)

    def place(self, trunk: str) -> None:
        call, before = str(self.placed), {scope: self.billed(scope) for scope in self.caps}
        if self.book.reserve(call, trunk, self.rates[trunk], self.now()) is None:
            assert all(self.caps[scope].allows(before[scope]) for scope in (trunk, TOTAL))
            self.calls[call] = (trunk, None)
            self.placed += 1

    def end(self, call: str) -> None:
        trunk, answered = self.calls.pop(call)
        charge = Charge() if answered is None else self.rates[trunk].charge(self.now_ms - answered)
        assert self.book.ended(call, self.now()) == charge
        self.over.append((trunk, charge))

    def wait(self, span_ms: int) -> None:
        """Let time pass; the calls that `over` names each second are ended a second later."""
        until_ms = self.now_ms + span_ms
        while self.now_ms < until_ms:
            self.now_ms = min(until_ms, self.asks_ms, *self.ends.values())
            for call in [call for call, at in self.ends.items() if at <= self.now_ms]:
                del self.ends[call]
                if call in self.calls:
                    self.end(call)
            if self.asks_ms <= self.now_ms:
                self.asks_ms += 1000
                named = self.book.over(self.now())
                assert all(self.calls[call][1] is not None for call in named), "who rings costs nothing more"
                self.ends |= {call: self.now_ms + 1000 for call in named if self.obedient}

    def check(self) -> None:
        for scope, cap in self.caps.items():
            billed = self.billed(scope)
            counted = self.book.counted(self.now(), scope)
            assert not self.obedient or cap.allows(billed)
            assert self.book.spent(self.now(), scope).seconds <= billed.seconds <= counted.seconds
            assert billed.micro <= counted.micro
