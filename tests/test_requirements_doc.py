from __future__ import annotations

from collections import Counter

from tests.plugins.requirements import requirements


def expected_keys() -> set[str]:
    """Spell out the keys of the five sources: plain numbers, and the sub-keys of the three status lists."""
    last = {"S0": 27, "S1": 16, "S2": 19, "S3": 64, "S4": 26}
    plain = {f"{source}-{number}" for source, count in last.items() for number in range(1, count + 1)}
    statuses = {f"{source}-6.{number}" for source in ("S0", "S1") for number in range(1, 13)}
    lead_states = {f"S4-3.{number}" for number in range(1, 12)}
    # The second source repeats the twelve statuses only one by one: it has no row for the filter as a whole.
    return (plain - {"S1-6"}) | statuses | lead_states


def test_every_requirement_has_exactly_one_row() -> None:
    assert set(requirements()) == expected_keys()


def test_every_row_has_a_title_of_one_line() -> None:
    assert [row.key for row in requirements().values() if not 8 <= len(row.title) <= 90] == []


def test_within_a_source_no_two_requirements_have_the_same_title() -> None:
    titles = Counter((row.key.split("-")[0], row.title) for row in requirements().values())
    assert [title for title, count in titles.items() if count > 1] == []
