from __future__ import annotations

from collections.abc import Sequence

import pytest

from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from tests.cdr.event_log_contract import Append, EventLogContract, OffsetLedgerContract


@pytest.fixture
def event_log() -> MemoryEventLog:
    return MemoryEventLog()


@pytest.fixture
def append(event_log: MemoryEventLog) -> Append:
    async def add(values: Sequence[bytes]) -> None:
        event_log.extend(("1", value) for value in values)

    return add


@pytest.fixture
def ledger() -> MemoryOffsetLedger:
    return MemoryOffsetLedger()


class TestMemoryEventLog(EventLogContract):
    async def test_partitions_count_for_themselves(self) -> None:
        log = MemoryEventLog(partitions=2)
        log.append("1", b"a", partition=0)
        assert log.append("2", b"b", partition=1).offset == 1
        assert list(await log.partitions()) == [0, 1]
        assert [record.value for record in await log.read(1, after=0, limit=5)] == [b"b"]


class TestMemoryOffsetLedger(OffsetLedgerContract):
    pass
