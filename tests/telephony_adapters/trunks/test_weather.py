"""Every call ends, and no ghost remains, in any weather: the same seed gives the same trace (issue: SIP trunks)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dialer.core.events import CallAnswered, CallConnected, CallEnded, ConnectFailed
from tests.telephony_adapters.trunks.world import World

SEEDS = 200
SOAK_SEEDS = 10_000
_AGAIN = 4
"""Every fourth seed is lived through twice."""


def live(seeds: range) -> dict[str, int]:
    """Live through worlds; return what happened in them."""
    seen = dict.fromkeys(("messages", "answered", "joined", "not joined", "ended", "unreached"), 0)
    kinds = {CallAnswered: "answered", CallConnected: "joined", ConnectFailed: "not joined", CallEnded: "ended"}
    for seed in seeds:
        world = World(seed).run()
        assert world.complaints() == [], f"World({seed})"
        if seed % _AGAIN == 1:
            assert World(seed).run().network.digest() == world.network.digest(), f"World({seed})"
        seen["messages"] += world.network.sent
        seen["unreached"] += world.unreached()
        for _, event in world.events:
            if type(event) in kinds:
                seen[kinds[type(event)]] += 1
    return seen


@pytest.mark.parametrize("part", range(4))
def test_every_call_ends_and_no_ghost_remains(part: int) -> None:
    size = SEEDS // 4
    seen = live(range(part * size, (part + 1) * size))
    assert seen["ended"] + seen["unreached"] == 8 * size
    assert min(seen["answered"], seen["joined"], seen["not joined"]) > size // 2


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(4))
def test_every_call_ends_and_no_ghost_remains_for_long(part: int, figure: Callable[[str], None]) -> None:
    size = SOAK_SEEDS // 4
    seen = live(range(part * size, (part + 1) * size))
    assert seen["ended"] + seen["unreached"] == 8 * size
    figure(f"SIP in bad weather, seeds {part * size} to {(part + 1) * size - 1}: {seen}")
