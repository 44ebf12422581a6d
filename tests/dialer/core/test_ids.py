"""Call ids."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.ids import call_id, uuid7


@given(st.floats(0, 4e9), st.text())
def test_ids_are_version_7_and_carry_the_time(now: float, purpose: str) -> None:
    made = uuid.UUID(uuid7(now, purpose=purpose))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(now * 1000)


def test_same_attempt_same_id_and_another_epoch_another_id() -> None:
    assert call_id(1, 2, 3, 4, 1e9) == call_id(1, 2, 3, 4, 1e9)
    assert (
        len({call_id(1, 2, 3, 4, 1e9), call_id(1, 2, 3, 5, 1e9), call_id(1, 2, 4, 4, 1e9), call_id(1, 3, 3, 4, 1e9)})
        == 4
    )
