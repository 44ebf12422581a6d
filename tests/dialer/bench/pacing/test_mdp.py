"""The exact optimum, against the table of pacing.md 3.3 and against laws."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.bench.pacing.mdp import Model, optimum, progressive_occupancy

TABLE = {  # N: {abandoned: occupancy at p = .1, .2, .3, .5}
    5: {0.005: (0.62, 0.68, 0.74, 0.81), 0.01: (0.65, 0.70, 0.75, 0.81), 0.03: (0.72, 0.75, 0.78, 0.83)},
    10: {0.005: (0.72, 0.75, 0.77, 0.82), 0.01: (0.75, 0.77, 0.79, 0.83), 0.03: (0.80, 0.82, 0.83, 0.85)},
    20: {0.005: (0.81, 0.82, 0.83, 0.85), 0.01: (0.83, 0.84, 0.85, 0.87), 0.03: (0.87, 0.87, 0.88, 0.89)},
}
CASES = [
    (agents, p, limit, row[column])
    for agents, rows in TABLE.items()
    for limit, row in rows.items()
    for column, p in enumerate((0.1, 0.2, 0.3, 0.5))
]


@pytest.mark.parametrize(("agents", "p", "limit", "expected"), CASES)
def test_the_table_of_the_design(agents: int, p: float, limit: float, expected: float) -> None:
    found = optimum(Model(agents, p), limit)
    assert found.occupancy == pytest.approx(expected, abs=0.0055)  # the table has two decimals
    assert found.abandonment <= limit + 1e-12


@pytest.mark.parametrize(("agents", "p", "expected"), [(50, 0.3, 0.93), (100, 0.5, 0.96)])
def test_the_table_for_large_teams(agents: int, p: float, expected: float) -> None:
    assert optimum(Model(agents, p), 0.03).occupancy == pytest.approx(expected, abs=0.0055)


def test_one_agent_whose_calls_are_all_answered() -> None:
    """With one agent and p = 1 the loss system is solvable by hand.

    One call rings always while the agent is free, none or one while busy. Never while busy: occupancy
    120 / (120 + 15) with nobody abandoned, so any small limit allows at least that and hardly more.
    """
    found = optimum(Model(1, 1.0), 1e-4)
    assert found.occupancy == pytest.approx(120 / 135, abs=1e-3)


def test_progressive_by_its_formula() -> None:
    assert progressive_occupancy(Model(5, 0.1)) == pytest.approx(120 / (120 + 150))


@settings(max_examples=25, deadline=None)
@given(agents=st.integers(1, 6), p=st.floats(0.1, 1.0), limit=st.floats(0.002, 0.1))
def test_more_abandoned_calls_never_mean_idler_agents(agents: int, p: float, limit: float) -> None:
    model = Model(agents, p)
    strict, lax = optimum(model, limit), optimum(model, 2 * limit)
    assert 0 < strict.occupancy <= lax.occupancy + 1e-9 < 1
    assert strict.abandonment <= limit + 1e-9


@pytest.mark.parametrize(("agents", "p", "limit"), [(0, 0.2, 0.03), (5, 0.0, 0.03), (5, 1.1, 0.03), (5, 0.2, 1e-5)])
def test_what_cannot_be_is_refused(agents: int, p: float, limit: float) -> None:
    with pytest.raises(ValueError, match="no optimum"):
        optimum(Model(agents, p), limit)
