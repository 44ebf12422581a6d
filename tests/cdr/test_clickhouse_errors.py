from __future__ import annotations

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from cdr.clickhouse_errors import explained, refused


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (516, "user with this password"), (81, "CREATE DATABASE"), (243, "disk is full"), (241, "memory"),
        (159, "narrow the time range"), (252, "too many parts"), (242, "Keeper"), (497, "GRANT"),
        (701, "remote_servers"),
    ],
)  # fmt: skip
def test_what_is_known_says_what_to_do(code: int, words: str) -> None:
    said = explained("ClickHouse at x", DatabaseError("row ('+84500000001')", code=code))
    assert said is not None
    assert str(said).startswith("ClickHouse at x: ")
    assert words in str(said)
    assert str(said).endswith(f"(ClickHouse error {code})")
    assert "+84" not in str(said)


def test_a_statement_that_is_wrong_is_not_the_databases_fault() -> None:
    assert explained("x", DatabaseError("Syntax error", code=62)) is None


def test_no_answer_is_no_answer() -> None:
    said = explained("x", OperationalError("Error ... executing HTTP request attempt 1"))
    assert said is not None
    assert "nothing answers" in str(said)


def test_a_refusal_never_repeats_the_servers_text() -> None:
    said = str(refused("x", DatabaseError("row ('+84500000001')", code=469, name="VIOLATED_CONSTRAINT")))
    assert said == "x: it refused what was sent (VIOLATED_CONSTRAINT, ClickHouse error 469); its own log says more"
