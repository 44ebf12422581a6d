from __future__ import annotations

from dialer.core.events import CallArrived
from simulator.callers import Inflow, stranger
from simulator.carrier import Carrier
from simulator.profile import Callers, Fate
from simulator.script import Script
from tests.simulator.timeline import Timeline
from tests.simulator.worlds import constant, only

HOTLINES = ("+8424001", "+8424002")
HOURS = 50.0


class Switchboard:
    """Who called within a while."""

    def __init__(self, callers: Callers, called: list[str], *, hotlines: tuple[str, ...] = HOTLINES) -> None:
        self.time = Timeline()
        self.heard: list[tuple[float, CallArrived, Script]] = []
        self.inflow = Inflow(
            Carrier(only(Fate.ANSWER, callers=callers), seed=7, started_at=0.0), self.time.schedule,
            hotlines=hotlines, called=lambda: called, arrive=self._arrive,
        )  # fmt: skip

    def _arrive(self, event: CallArrived, script: Script, now: float, number: int) -> None:
        assert number == len(self.heard) + 1
        self.heard.append((now, event, script))

    def run(self) -> list[CallArrived]:
        self.inflow.open(0.0)
        self.time.run_until(HOURS * 3600.0)
        return [event for _, event, _ in self.heard]


def test_as_many_come_as_the_profile_says_to_every_hotline_alike() -> None:
    came = Switchboard(Callers(per_hour=20.0), []).run()
    assert 850 < len(came) < 1150
    assert 0.45 < sum(event.hotline == HOTLINES[0] for event in came) / len(came) < 0.55
    assert len({event.call_id for event in came}) == len(came)


def test_callers_call_back_or_are_strangers_by_their_share() -> None:
    called = [f"+8495000000{number}" for number in range(10)]
    came = Switchboard(Callers(per_hour=20.0, known=0.7), called).run()
    known = [event.phone for event in came if event.phone in called]
    assert 0.65 < len(known) / len(came) < 0.75
    assert set(known) == set(called)
    assert all(event.phone.startswith("+84954") for event in came if event.phone not in called)
    nobody = Switchboard(Callers(per_hour=20.0, known=1.0), []).run()
    assert {event.phone for event in nobody} == {stranger(number) for number in range(1, len(nobody) + 1)}


def test_the_same_seed_sends_the_same_callers_who_wait_as_the_profile_says() -> None:
    callers = Callers(per_hour=5.0, patience=constant(33.0))
    one, other = Switchboard(callers, []), Switchboard(callers, [])
    assert one.run() == other.run()
    assert {script.patience_s for _, _, script in one.heard} == {33.0}


def test_nobody_comes_without_hotlines_without_callers_or_after_the_end() -> None:
    assert Switchboard(Callers(per_hour=20.0), [], hotlines=()).run() == []
    assert Switchboard(Callers(), []).run() == []
    closed = Switchboard(Callers(per_hour=20.0), [])
    closed.inflow.until = 3600.0
    assert all(at < 3600.0 for at, _, _ in closed.heard)
    assert 5 < len(closed.run()) < 40
