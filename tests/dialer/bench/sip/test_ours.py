from __future__ import annotations

from dialer.bench.load import Load, Seen
from dialer.bench.load_report import report_of
from dialer.bench.sip.ours import failures


def test_every_call_that_was_not_answered_is_named_by_its_reason() -> None:
    seen = Seen(due=10, placed=9, answered=4)
    seen.codes.update({200: 4, 486: 2})
    seen.refused_here.update({"trunk: rate": 1})
    seen.no_response.update({"timeout": 1})
    load = Load(trunk="a", numbers=("1",), hotline="1")
    found = failures(report_of(load, seen, server="x", transport="udp"))
    assert found == {"code 486": 2, "trunk: rate": 1, "timeout": 1, "no end": 2}
    assert sum(found.values()) == seen.due - seen.answered


def test_nothing_is_said_of_calls_that_were_answered() -> None:
    seen = Seen(due=3, placed=3, answered=3)
    seen.codes[200] = 3
    load = Load(trunk="a", numbers=("1",), hotline="1")
    assert failures(report_of(load, seen, server="x", transport="udp")) == {}
