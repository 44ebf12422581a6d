"""Notice when a hotline, not the people called, is what fails (statuses.md 2.11 A4, A6)."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import Final

from statuses.classify import Verdict
from statuses.outcomes import Attribution, CallStatus

SUSPECT_RULES: Final = frozenset(
    {
        "sip.403",
        "sip.403+q850.21",
        "sip.404",
        "sip.404+q850.3",
        "q850.3",
        "q850.21",
        "fs.PROGRESS_TIMEOUT",
    }
)
"""Rules whose verdict is about the number called, unless too many numbers fail so."""

_REACHED: Final = frozenset(
    {
        CallStatus.ANSWERED,
        CallStatus.BUSY,
        CallStatus.BUSY_LINE,
        CallStatus.CANCEL,
        CallStatus.IVR,
        CallStatus.NO_ANSWERED,
        CallStatus.VOICEMAIL,
    }
)
_RECLASSIFIED: Final = frozenset({CallStatus.INVALID_NUMBER, CallStatus.NOT_AVAILABLE, CallStatus.CONGESTION})


@dataclass(frozen=True, slots=True)
class HotlineAlarm:
    """A hotline failed for `numbers` different numbers, a `share` of its calls in `window_s` seconds."""

    hotline: str
    since: float
    numbers: int
    share: float
    window_s: float

    def reclassify(self, verdict: Verdict) -> Verdict:
        """Return Congestion for a verdict that blames the number for what the hotline did; others unchanged."""
        if verdict.rule not in SUSPECT_RULES or verdict.status not in _RECLASSIFIED:
            return verdict
        return replace(
            verdict,
            status=CallStatus.CONGESTION,
            rule=f"hotline_alarm/{verdict.rule}",
            attribution=Attribution.CARRIER,
            sub_reason="hotline_alarm",
            counts=False,
        )


@dataclass(slots=True)
class _Window:
    """The recent calls of one hotline: (when, number that failed or None)."""

    calls: deque[tuple[float, str | None]] = field(default_factory=deque)
    failed: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    alarm: HotlineAlarm | None = None

    def add(self, at: float, failed: str | None) -> None:
        self.calls.append((at, failed))
        if failed is not None:
            self.failed[failed] += 1
            self.failures += 1

    def forget(self, before: float) -> None:
        while self.calls and self.calls[0][0] < before:
            _, number = self.calls.popleft()
            if number is None:
                continue
            self.failures -= 1
            self.failed[number] -= 1
            if not self.failed[number]:
                del self.failed[number]


class HotlineMonitor:
    """Watch each hotline for many different numbers that fail in the suspect way within minutes.

    An alarm stands while at least `min_numbers` different numbers failed within `window_s` seconds and these failures
    are at least `min_share` of the calls that reached somebody or failed so.
    """

    def __init__(self, *, min_numbers: int = 10, min_share: float = 0.5, window_s: float = 300.0) -> None:
        """Refuse limits that could never, or always, raise an alarm."""
        if min_numbers < 1 or not 0.0 < min_share <= 1.0 or window_s <= 0.0:
            raise ValueError("hotline monitor: need min_numbers >= 1, 0 < min_share <= 1 and window_s > 0")
        self._min_numbers = min_numbers
        self._min_share = min_share
        self._window_s = window_s
        self._windows: dict[str, _Window] = {}

    def note(self, hotline: str, phone: str, verdict: Verdict, now: float) -> HotlineAlarm | None:
        """Count a finished call; return the alarm that this call raised, None when it raised none."""
        suspect = verdict.rule in SUSPECT_RULES and verdict.status in _RECLASSIFIED
        before = self.alarm(hotline, now)
        if not suspect and verdict.status not in _REACHED:
            return None
        window = self._windows.setdefault(hotline, _Window())
        window.add(now, phone if suspect else None)
        after = self.alarm(hotline, now)
        return after if before is None else None

    def alarm(self, hotline: str, now: float) -> HotlineAlarm | None:
        """Return the alarm that stands for the hotline now, None if it is healthy or unknown."""
        window = self._windows.get(hotline)
        if window is None:
            return None
        window.forget(now - self._window_s)
        numbers, share = len(window.failed), window.failures / max(1, len(window.calls))
        if numbers < self._min_numbers or share < self._min_share:
            window.alarm = None
        elif window.alarm is None:
            window.alarm = HotlineAlarm(hotline, now, numbers, share, self._window_s)
        return window.alarm

    def reclassify(self, verdict: Verdict, *, hotline: str, now: float) -> Verdict:
        """Return Congestion instead of a verdict that the hotline's alarm explains; others unchanged."""
        alarm = self.alarm(hotline, now)
        return alarm.reclassify(verdict) if alarm is not None else verdict
