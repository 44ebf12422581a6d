"""What one number has been through in the last 24 hours, over all campaigns: the store's guard, in memory."""

from __future__ import annotations

from dialer.core.types import HoldReason, NumberCaps

DAY_S = 86_400.0


class NumberLedger:
    """Count attempts per number in any 24 h; unless `strict`, an attempt that never rang is forgotten when it ends."""

    def __init__(self) -> None:
        self._begun: dict[str, list[float]] = {}
        self._in_flight: set[str] = set()

    def obstacle(self, phone: str, caps: NumberCaps, now: float) -> tuple[HoldReason, float] | None:
        """Return why the number may not be called now and when to look again; None = it may."""
        if phone in self._in_flight:
            return HoldReason.NUMBER_IN_FLIGHT, now + 60.0
        begun = self._begun.get(phone)
        if begun is None or len(begun) < caps.per_24h:
            return None
        begun[:] = [at for at in begun if at > now - DAY_S]
        if len(begun) < caps.per_24h:
            return None
        return HoldReason.NUMBER_CAP, begun[-caps.per_24h] + DAY_S

    def begin(self, phone: str, now: float) -> None:
        """Count an attempt that is about to leave."""
        self._in_flight.add(phone)
        self._begun.setdefault(phone, []).append(now)

    def end(self, phone: str, begun_at: float, *, counts: bool) -> None:
        """Close an attempt; `counts` False: nobody's phone rang, so it does not weigh on the number."""
        self._in_flight.discard(phone)
        if not counts and begun_at in (begun := self._begun.get(phone, [])):
            begun.remove(begun_at)
