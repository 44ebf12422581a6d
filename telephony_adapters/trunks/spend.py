"""What the calls of a day cost, and the caps on it: a ledger that is told of each call and each time; pure.

Time is in whole milliseconds inside, money in whole micro-units of the currency (1 VND = 1,000,000). A call counts from
the moment it is placed, by what it would cost if it were answered at once and talked for `margin_s`; once answered, by
what it would cost if it went on for `margin_s` from now; when it is over, by what it was billed, on the day on which it
ended. A call is placed only if all this stays within the caps.

Two laws:

* If `over` is asked at least every `ask_every_s`, and each call that it names ends within `end_s`, then what is billed
  never passes a cap.
* Whether calls are ended or not, one is placed only while what all calls have been billed up to then, and what it
  reserves itself, are within the caps. So what is billed passes a cap at most by what the calls in flight at the last
  placing go on to be billed after it.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

MICRO: Final = 1_000_000
"""Micro-units in one unit of money."""
HELD_REST_S: Final = 5.0
"""A call for which ringing calls leave no room is asked for again after so long."""
_MS: Final = 1000
_MINUTE_S: Final = 60
_DAY: Final = "%Y-%m-%d"


class Charge(NamedTuple):
    """What is billed: seconds in whole increments, and money in micro-units."""

    seconds: int = 0
    micro: int = 0

    def plus(self, other: Charge, times: int = 1) -> Charge:
        """Return the sum with `times` the other."""
        return Charge(self.seconds + times * other.seconds, self.micro + times * other.micro)


class Rate(NamedTuple):
    """A price a minute in micro-units, billed for `first_s` seconds at least and then in steps of `next_s` (60/1)."""

    per_minute: int = 0
    first_s: int = 1
    next_s: int = 1

    def charge(self, talked_ms: int) -> Charge:
        """Return what a call that was answered and talked so long is billed; money is rounded up."""
        more_ms = max(0, talked_ms - self.first_s * _MS)
        seconds = self.first_s + -(-more_ms // (self.next_s * _MS)) * self.next_s
        return Charge(seconds, -(-self.per_minute * seconds // _MINUTE_S))


class Cap(NamedTuple):
    """What a day may have, in billed seconds and micro-units; None = as much as there is."""

    seconds: int | None = None
    micro: int | None = None

    def allows(self, charge: Charge) -> bool:
        """Tell whether so much is within the cap."""
        return (self.seconds is None or charge.seconds <= self.seconds) and (
            self.micro is None or charge.micro <= self.micro
        )


class CapReached(NamedTuple):
    """Why a call is not placed: the cap of a trunk, or of all of them (trunk ""), and when to ask again.

    That is tomorrow when what is billed leaves no room; soon when calls that may never be answered hold it.
    """

    trunk: str
    rest_s: float


class Saved(msgspec.Struct, frozen=True):
    """What a ledger writes down: billed today by trunk, and the calls in flight (trunk, rate, answered at)."""

    day: str
    spent: Mapping[str, Charge]
    running: tuple[tuple[str, Rate, int | None], ...]
    at_ms: int


class _Call:
    __slots__ = ("answered_ms", "ends_by_ms", "held", "rate", "trunk")

    def __init__(self, trunk: str, rate: Rate, held: Charge) -> None:
        self.trunk = trunk
        self.rate = rate
        self.held = held
        """What it counts for now."""
        self.answered_ms: int | None = None
        self.ends_by_ms = -1
        """`over` has named it: until then it counts for what it is billed if it ends in time."""


TOTAL: Final = ""
"""The name under which all trunks are summed."""
_NO_CAP: Final = Cap()
_NOTHING: Final = Charge()


class Ledger:
    """The spending of the day in one time zone, by trunk and in total; `caps` by trunk name, TOTAL for all."""

    def __init__(
        self, caps: Mapping[str, Cap], *, zone: str = "UTC", margin_s: float = 2.0, end_s: float = 1.0
    ) -> None:
        if not 0 < end_s < margin_s:
            raise ValueError(f"ledger: an end takes more than 0 s, less than the margin; not {end_s} of {margin_s} s")
        self.ask_every_s = margin_s - end_s
        self._caps = {name: cap for name, cap in caps.items() if cap != Cap()}
        self._zone = ZoneInfo(zone)
        self._margin_ms, self._end_ms = round(margin_s * _MS), round(end_s * _MS)
        self._calls: dict[str, _Call] = {}
        self._spent: dict[str, Charge] = {}
        self._held: dict[str, Charge] = {}
        self._steps: list[tuple[int, str]] = []
        """When a call next counts for more; entries of calls that are over leave lazily."""
        self._now_ms = 0
        self._day, self._day_ends_ms = "", 0

    @property
    def has_caps(self) -> bool:
        """Tell whether `over` can ever name a call."""
        return bool(self._caps)

    def reserve(self, call_id: str, trunk: str, rate: Rate, now: float) -> CapReached | None:
        """Count a call that is about to be placed, or say which cap leaves no room for it."""
        if call_id in self._calls:
            raise ValueError(f"call {call_id} is counted already")
        self._advance(now)
        held = rate.charge(self._margin_ms)
        for name in (trunk, TOTAL) if self._caps else ():
            if not self._cap(name).allows(self._counted(name).plus(held)):
                rest_of_day_s = (self._day_ends_ms - self._now_ms) / _MS
                only_held = self._cap(name).allows(self._billed(name).plus(held))
                return CapReached(name, min(HELD_REST_S, rest_of_day_s) if only_held else rest_of_day_s)
        self._calls[call_id] = _Call(trunk, rate, held)
        self._hold(trunk, held)
        return None

    def answered(self, call_id: str, now: float) -> None:
        """Learn that a call is billed from now on; one that is not known, or was answered before, is left alone."""
        self._advance(now)
        call = self._calls.get(call_id)
        if call is not None and call.answered_ms is None:
            call.answered_ms = self._now_ms
            self._arm(call_id, call)

    def ended(self, call_id: str, now: float) -> Charge:
        """Book a call that is over, and return what it was billed: nothing unless it was answered."""
        self._advance(now)
        call = self._calls.pop(call_id, None)
        if call is None:
            return Charge()
        self._hold(call.trunk, call.held, -1)
        billed = Charge() if call.answered_ms is None else call.rate.charge(self._now_ms - call.answered_ms)
        self._book(call.trunk, billed)
        return billed

    def over(self, now: float) -> tuple[str, ...]:
        """Name the calls to end now, for they would pass a cap by talking on: the dearest first."""
        self._advance(now)
        named = []
        for name in (*(name for name in self._caps if name != TOTAL), TOTAL):
            if not self._cap(name).allows(self._counted(name)):
                named += self._end_some(name)
        return tuple(named)

    def spent(self, now: float, trunk: str = TOTAL) -> Charge:
        """Return what was billed today for calls that are over, by a trunk or by all."""
        self._advance(now)
        return self._spent.get(trunk, Charge())

    def counted(self, now: float, trunk: str = TOTAL) -> Charge:
        """Return what counts against a cap now: what was billed, and what the calls in flight hold."""
        self._advance(now)
        return self._counted(trunk)

    def dump(self, now: float) -> bytes:
        """Return what `load` needs, as JSON."""
        self._advance(now)
        running = tuple((call.trunk, call.rate, call.answered_ms) for call in self._calls.values())
        spent = {name: charge for name, charge in self._spent.items() if name != TOTAL}
        return msgspec.json.encode(Saved(self._day, spent, running, self._now_ms))

    def load(self, saved: bytes, now: float, *, longest_call_s: float) -> None:
        """Go on from what `dump` returned before a restart; raise ValueError for what it never returned.

        Calls that were in flight are booked as if they had talked until now, or as long as any call may: nobody saw
        their end. One that was not answered yet is booked as if it had been just then.
        """
        try:
            before = msgspec.json.decode(saved, type=Saved)
        except msgspec.MsgspecError as error:
            raise ValueError(f"this is not what a ledger wrote: {error}") from error
        self._now_ms = max(self._now_ms, before.at_ms)
        self._advance(now)
        if before.day == self._day:
            for trunk, charge in before.spent.items():
                self._book(trunk, charge)
        for trunk, rate, answered_ms in before.running:
            since = before.at_ms if answered_ms is None else answered_ms
            talked = max(0, min(self._now_ms - since, round(longest_call_s * _MS)))
            self._book(trunk, rate.charge(talked))

    def _advance(self, now: float) -> None:
        """Move to a moment, never back: begin a new day, and let calls count for what they will have talked."""
        self._now_ms = max(self._now_ms, round(now * _MS))
        if self._now_ms >= self._day_ends_ms:
            self._begin_day()
        while self._steps and self._steps[0][0] <= self._now_ms:
            _, call_id = heapq.heappop(self._steps)
            call = self._calls.get(call_id)
            if call is not None and call.answered_ms is not None and call.ends_by_ms < self._now_ms:
                self._set_held(call, call.rate.charge(self._now_ms + self._margin_ms - call.answered_ms))
                self._arm(call_id, call)

    def _begin_day(self) -> None:
        today = datetime.fromtimestamp(self._now_ms / _MS, self._zone).date()
        tomorrow = datetime.fromordinal(today.toordinal() + 1).replace(tzinfo=self._zone)
        self._day, self._day_ends_ms = today.strftime(_DAY), round(tomorrow.timestamp() * _MS)
        self._spent.clear()

    def _arm(self, call_id: str, call: _Call) -> None:
        """Come back when the call counts for more than it does: when it has talked past the seconds that it holds."""
        if call.answered_ms is not None and self._caps:
            at = call.answered_ms + call.held.seconds * _MS + 1 - self._margin_ms
            heapq.heappush(self._steps, (at, call_id))

    def _set_held(self, call: _Call, held: Charge) -> None:
        self._hold(call.trunk, held.plus(call.held, -1))
        call.held = held

    def _end_some(self, name: str) -> list[str]:
        """Mark calls as ending until what is counted is within the cap."""
        named = []
        for call_id, call, charge in self._by_saving(name):
            if self._cap(name).allows(self._counted(name)):
                break
            self._set_held(call, charge)
            call.ends_by_ms = self._now_ms + self._end_ms
            heapq.heappush(self._steps, (call.ends_by_ms + 1, call_id))
            named.append(call_id)
        return named

    def _by_saving(self, name: str) -> list[tuple[str, _Call, Charge]]:
        """Return the calls that would count for less if they ended, what they would count for, the dearest first."""
        found = []
        for call_id, call in self._calls.items():
            if call.answered_ms is not None and name in {TOTAL, call.trunk}:
                charge = call.rate.charge(self._now_ms + self._end_ms - call.answered_ms)
                if charge.seconds < call.held.seconds:
                    found.append((call_id, call, charge))
        return sorted(found, key=lambda each: each[1].held.plus(each[2], -1)[::-1], reverse=True)

    def _cap(self, name: str) -> Cap:
        return self._caps.get(name, _NO_CAP)

    def _counted(self, name: str) -> Charge:
        return self._spent.get(name, _NOTHING).plus(self._held.get(name, _NOTHING))

    def _billed(self, name: str) -> Charge:
        """Return what is billed for sure: calls that are over, and those that talk if they ended now."""
        billed = self._spent.get(name, _NOTHING)
        for call in self._calls.values():
            if call.answered_ms is not None and name in {TOTAL, call.trunk}:
                billed = billed.plus(call.rate.charge(self._now_ms - call.answered_ms))
        return billed

    def _hold(self, trunk: str, charge: Charge, times: int = 1) -> None:
        for name in (trunk, TOTAL):
            self._held[name] = self._held.get(name, _NOTHING).plus(charge, times)

    def _book(self, trunk: str, charge: Charge) -> None:
        if charge == _NOTHING:
            return
        for name in (trunk, TOTAL):
            self._spent[name] = self._spent.get(name, _NOTHING).plus(charge)


__all__ = ["MICRO", "TOTAL", "Cap", "CapReached", "Charge", "Ledger", "Rate"]
