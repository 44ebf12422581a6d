from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cdr.clickhouse import Analytics, open_chdb
from cdr.encode import attempt_settled, disposition_set
from cdr.events import Cdr, Envelope
from cdr.filters import END_OF_TIME_US, CdrFilter, conditions, micros, where, whole_number, with_filter
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.named import named
from cdr.projector import Projector
from cdr.queries import CdrQueries
from dialer.errors import BadInput
from statuses.classify import AttemptFacts
from statuses.outcomes import CancelReason, EndedBy, LocalError
from tests.cdr.samples import CAMPAIGN, START, engaged, intent, result, settled, talk

LATE = AttemptFacts(
    sip_status=487, rang=True, ended_by=EndedBy.DIALER, cancel_reason=CancelReason.RING_TIMEOUT,
    reason_text="Request Terminated by us", dialstatus="CANCEL", fs_cause="ORIGINATOR_CANCEL",
)  # fmt: skip


def _log() -> MemoryEventLog:
    """Call 1 talks 30 s of 40 and sells, 2 is engaged after 2.5 s, 3 rings 40 s, 4 never leaves, 5 is recorded."""
    log = MemoryEventLog()
    sold = talk(1)
    done = disposition_set(result(sold, disposition="SALE"), sold, sold.ended_at + 12, CAMPAIGN)
    late = settled(intent(3, list_id=9, trunk="viettel-1"), LATE)
    lost = settled(intent(4), AttemptFacts(local_error=LocalError.NO_HOTLINE))
    for event in (
        *attempt_settled(sold, CAMPAIGN), done, *attempt_settled(engaged(2), CAMPAIGN),
        *attempt_settled(late, CAMPAIGN), *attempt_settled(lost, CAMPAIGN),
    ):  # fmt: skip
        log.append(event.key, event.value)
    *_, final = attempt_settled(settled(intent(5), AttemptFacts(sip_status=200, answered=True)), CAMPAIGN)
    envelope = msgspec.json.decode(final.value, type=Envelope[Cdr])
    heard = msgspec.structs.replace(
        envelope.data, recording_url="/5.wav", carrier="viettel", extension="1005", sip_call_id="5@pbx", wait_ms=4_000,
        direction="inbound", app="inbound",
    )  # fmt: skip
    log.append(final.key, msgspec.json.encode(msgspec.structs.replace(envelope, data=heard)))
    return log


async def _stored(folder: Path) -> Analytics:
    analytics = await open_chdb(folder)
    projector = Projector(_log(), MemoryOffsetLedger(), analytics)
    while await projector.run_once():
        pass
    return analytics


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CdrQueries]:
    analytics = asyncio.run(_stored(tmp_path_factory.mktemp("filters") / "analytics"))
    yield CdrQueries(analytics)
    asyncio.run(analytics.close())


WISHES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [5, 4, 3, 2, 1]),
    ({"ended_from": START + 43}, [5, 4, 3]),
    ({"ended_to": START + 10}, [2]),
    ({"ended_from": START + 4, "ended_to": START + 43}, [2, 1]),
    ({"call_id": "call-000002"}, [2]),
    ({"call_id": "5@pbx"}, [5]),
    ({"extension": "1005"}, [5]),
    ({"extension": "agent-07"}, [1]),
    ({"app": "inbound"}, [5]),
    ({"app": "autodialer"}, [4, 3, 2, 1]),
    ({"direction": "inbound"}, [5]),
    ({"list_id": 9}, [3]),
    ({"lead_id": 4}, [4]),
    ({"customer_id": 10_002}, [2]),
    ({"trunk": "viettel-1"}, [3]),
    ({"carrier": "viettel"}, [5]),
    ({"disposition": "SALE"}, [1]),
    ({"ended_by": "dialer"}, [3]),
    ({"ended_by": "remote"}, [1]),
    ({"reason": "ring_timeout"}, [3]),
    ({"reason": "ORIGINATOR_cancel"}, [3]),
    ({"reason": "cancel"}, [3]),
    ({"reason": "terminated BY"}, [3]),
    ({"reason": "no_hotline"}, [4]),
    ({"reason": "hotline"}, []),
    ({"sip_status": (486,)}, [2]),
    ({"sip_status": (486, 487)}, [3, 2]),
    ({"q850": (17,)}, [2]),
    ({"q850": (16,)}, []),
    ({"recorded": True}, [5]),
    ({"recorded": False}, [4, 3, 2, 1]),
    ({"min_duration_s": 40.0}, [5, 4, 3, 1]),
    ({"min_duration_s": 40.001}, []),
    ({"max_duration_s": 2.5}, [2]),
    ({"min_talk_s": 30.0}, [1]),
    ({"max_talk_s": 0.0}, [5, 4, 3, 2]),
    ({"min_talk_s": 0.001, "max_talk_s": 30.0}, [1]),
    ({"min_wait_s": 1.0}, [5, 1]),
    ({"min_wait_s": 1.001}, [5]),
    ({"reason": "' OR '1'='1"}, []),
    ({"status": ("busy",), "sip_status": (486,), "max_duration_s": 3.0, "recorded": False}, [2]),
]


@pytest.mark.component("chdb")
@pytest.mark.parametrize(("wanted", "numbers"), WISHES, ids=str)
async def test_each_filter_alone_and_together(calls: CdrQueries, wanted: dict[str, Any], numbers: list[int]) -> None:
    found = await calls.search(CdrFilter(**wanted))
    assert [row.call_id for row in found] == [f"call-{number:06}" for number in numbers]
    assert await calls.count(CdrFilter(**wanted)) == len(numbers)


def test_every_field_is_tried_above_or_in_the_test_of_queries() -> None:
    elsewhere = {"campaign", "campaign_id", "phone", "hotline", "agent", "started_from", "started_to"}
    paging = {"before_at", "before_id", "limit", "offset"}
    tried = {name for wanted, _ in WISHES for name in wanted}
    assert tried | elsewhere | paging == set(CdrFilter.__struct_fields__)


def test_the_text_and_the_parameters_name_the_same() -> None:
    asked = set(re.findall(r"\{(\w+):", conditions()))
    assert asked == set(where(CdrFilter()))


@pytest.mark.parametrize("name", [path.stem for path in Path("cdr/sql/queries").glob("*.sql")])
def test_the_filter_is_put_in_whole(name: str) -> None:
    text = with_filter(name)
    assert "$where" not in text
    assert ("{min_wait_ms:UInt64}" in text) == ("$where" in named(name))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"lead_id": -1}, "lead_id -1: it cannot be negative"),
        ({"list_id": 2**64}, "there is no such number"),
        ({"min_talk_s": -0.5}, "min_talk_s -0.5: write seconds, 0 or more"),
        ({"max_duration_s": float("nan")}, "max_duration_s nan"),
        ({"min_wait_s": float("inf")}, "min_wait_s inf"),
        ({"sip_status": (486, 70_000)}, "sip_status 70000: there is no such code"),
        ({"q850": (0,)}, "q850 0: there is no such code"),
    ],
)
def test_what_cannot_be_is_refused_by_name(wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        where(CdrFilter(**wanted))


def test_moments_are_kept_within_what_the_engine_can_hold() -> None:
    assert (micros(None, 7), micros(-1.0, 7), micros(1.5, 7)) == (7, 0, 1_500_000)
    assert micros(1e18, 7) == END_OF_TIME_US
    assert whole_number("offset", 3) == 3
