"""Moments for the baselines: with room, counts and recent attempts."""

from __future__ import annotations

from typing import Any

import msgspec

from dialer.core.pacing.base import Snapshot, Tally
from dialer.core.pacing.estimators import Recent
from tests.dialer.core.pacing import snapshots


def moment(
    idle: int = 0, *, room: int = 1000, tally: Tally | None = None, recent: Recent | None = None, **what: Any
) -> Snapshot:
    """Return a moment."""
    now = snapshots.moment(idle, room=room, **what)
    return msgspec.structs.replace(now, tally=tally or Tally(), recent=recent or Recent())
