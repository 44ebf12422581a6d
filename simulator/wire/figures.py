"""What a running carrier says of itself: one snapshot at a time, as a line for people or for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from simulator.wire.machine import CarrierMachine

_SHOWN_CODES: Final = 6
_encode = msgspec.json.Encoder().encode


class Snapshot(msgspec.Struct, frozen=True):
    """The figures at one moment; totals since the start, rates since the snapshot before."""

    up_s: float
    calls: int
    """Begun; with those that are not over."""
    active: int
    """Let in and not over."""
    talking: int
    """Of those, answered."""
    answered: int
    """Over, and were answered."""
    ghosts: int
    by_code: dict[str, int]
    """Calls that are over, by final response; "none" = none was sent."""
    calls_per_s: float
    cpu_share: float
    """Of one processor, 0..1."""
    cpu_ms_per_call: float | None
    """None: no call ended."""
    received: int
    sent: int
    lost: int
    """Datagrams that the profile's network lost."""
    kernel_drops: int
    notes: dict[str, int]
    """What was dropped, answered by itself or noticed, by reason."""


class Meter:
    """Take snapshots. `cpu` gives the seconds of processor time that the process has used."""

    def __init__(self, machine: CarrierMachine, *, cpu: Callable[[], float], now: float) -> None:
        self._machine = machine
        self._cpu = cpu
        self._began = self._last_at = now
        self._last_cpu = self._cpu_began = cpu()
        self._last_calls = 0

    def snapshot(self, now: float, *, loop: Mapping[str, int], lost: int = 0, kernel_drops: int = 0) -> Snapshot:
        """Return the figures; `loop` are the counters of the transports."""
        machine, ledger = self._machine, self._machine.ledger
        cpu, calls = self._cpu(), ledger.calls + machine.active
        seconds = max(now - self._last_at, 1e-9)
        notes = Counter(machine.counters)
        notes.update({name: count for name, count in loop.items() if name not in _TRAFFIC})
        taken = Snapshot(
            up_s=round(now - self._began, 1), calls=calls, active=machine.active, talking=machine.answered,
            answered=ledger.answered, ghosts=ledger.ghosts,
            by_code={str(code or "none"): count for code, count in sorted(ledger.by_status.items())},
            calls_per_s=round(max(0, calls - self._last_calls) / seconds, 1),
            cpu_share=round((cpu - self._last_cpu) / seconds, 3),
            cpu_ms_per_call=round(1000 * (cpu - self._cpu_began) / ledger.calls, 4) if ledger.calls else None,
            received=loop.get("udp.received", 0) + loop.get("stream.received", 0), sent=loop.get("sent", 0),
            lost=lost, kernel_drops=kernel_drops, notes=dict(sorted(notes.items())),
        )  # fmt: skip
        self._last_at, self._last_cpu, self._last_calls = now, cpu, calls
        return taken


_TRAFFIC: Final = frozenset({"udp.received", "stream.received", "sent"})


def to_json(snapshot: Snapshot) -> str:
    """Write a snapshot as one line of JSON."""
    return _encode(snapshot).decode()


def to_line(snapshot: Snapshot) -> str:
    """Write a snapshot as one line for people."""
    codes = sorted(snapshot.by_code.items(), key=lambda item: -item[1])
    more = " …" if len(codes) > _SHOWN_CODES else ""
    parts = [
        f"{snapshot.calls} calls ({snapshot.calls_per_s:g}/s)",
        f"{snapshot.active} active, {snapshot.talking} talking",
        f"{snapshot.ghosts} ghosts",
        ", ".join(f"{code}: {count}" for code, count in codes[:_SHOWN_CODES]) + more,
        f"CPU {snapshot.cpu_share:.0%}",
    ]
    if snapshot.lost or snapshot.kernel_drops:
        parts.append(f"lost {snapshot.lost}, dropped by the kernel {snapshot.kernel_drops}")
    return " · ".join(part for part in parts if part)
